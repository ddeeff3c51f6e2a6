//! Rules 15 and 16, naively: how a place fits an address.

use serde_json::Value;

use super::list;

/// How closely a place fits: by how much of a postal code, by the county, by the state. A larger one is closer.
pub(super) type Closeness = (usize, bool, bool);

/// A country, and no more.
const ANYWHERE: Closeness = (0, false, false);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Fits(Closeness),
    DoesNot,
    /// It depends on something that the address doesn't say.
    Unknown,
}

pub(super) fn fit(place: &Value, address: &Value) -> Fit {
    let region = place.as_str().or_else(|| place["region"].as_str()).unwrap();
    let (country, state) = region.split_once('-').map_or((region, None), |(country, state)| (country, Some(state)));
    let mut fits = vec![if address["country"] == country { Fit::Fits(ANYWHERE) } else { Fit::DoesNot }];
    if let Some(state) = state {
        fits.push(compared(&address["state"], |known| (known == state).then_some((0, false, true))));
    }
    if let Some(county) = place["county"].as_str() {
        fits.push(compared(&address["county"], |known| (bare(known) == bare(county)).then_some((0, true, false))));
    }
    if !place["postalCodes"].is_null() {
        let longest = |known: &str| list(&place["postalCodes"]).iter().filter_map(|code| matching(code, known)).max();
        fits.push(compared(&address["postalCode"], |known| longest(known).map(|length| (length, false, false))));
    }
    if fits.contains(&Fit::DoesNot) {
        return Fit::DoesNot;
    }
    let mut all = ANYWHERE;
    for fit in fits {
        let Fit::Fits(part) = fit else { return Fit::Unknown };
        all = (all.0.max(part.0), all.1 || part.1, all.2 || part.2);
    }
    Fit::Fits(all)
}

fn compared(known: &Value, closeness: impl Fn(&str) -> Option<Closeness>) -> Fit {
    known.as_str().map_or(Fit::Unknown, |known| closeness(known).map_or(Fit::DoesNot, Fit::Fits))
}

/// A county without what doesn't matter: case, white space around it, and the word "County" at its end.
fn bare(county: &str) -> String {
    let county = county.trim().to_lowercase();
    match county.strip_suffix("county") {
        Some(rest) if rest.ends_with(char::is_whitespace) => rest.trim().to_owned(),
        _ => county,
    }
}

/// A postal code without what doesn't matter.
fn plain(code: &str) -> String {
    code.to_uppercase().replace([' ', '-'], "")
}

/// The length of a prefix or of a range's bounds, if the address's code begins with or within it.
fn matching(code: &Value, known: &str) -> Option<usize> {
    let code = code.as_str().unwrap();
    let (first, last) = code.split_once('-').unwrap_or((code, code));
    let (first, last) = (plain(first), plain(last));
    let beginning = plain(known).get(..first.len())?.to_owned();
    (first <= beginning && beginning <= last).then_some(first.len())
}
