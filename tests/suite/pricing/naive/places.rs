//! Rules 15 and 16, naively: how a place fits an address.

use serde_json::Value;

use super::list;

/// How closely a place fits: by how much of a postal code, by the county, by the state. A larger one is closer.
pub(super) type Closeness = (usize, bool, usize);

/// A country, and no more.
const ANYWHERE: Closeness = (0, false, 0);

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
        fits.push(state_fit(country, state, address));
    }
    if let Some(county) = place["county"].as_str() {
        fits.push(compared(&address["county"], |known| (bare(known) == bare(county)).then_some((0, true, 0))));
    }
    if !place["postalCodes"].is_null() {
        let codes = list(&place["postalCodes"]);
        let longest = |known: &str| {
            let matching = if country == "GB" { british } else { matching };
            codes.iter().filter_map(|code| matching(code.as_str().unwrap(), known)).max()
        };
        fits.push(compared(&address["postalCode"], |known| longest(known).map(|length| (length, false, 0))));
    }
    if fits.contains(&Fit::DoesNot) {
        return Fit::DoesNot;
    }
    let mut all = ANYWHERE;
    for fit in fits {
        let Fit::Fits(part) = fit else { return Fit::Unknown };
        all = (all.0.max(part.0), all.1 || part.1, all.2.max(part.2));
    }
    Fit::Fits(all)
}

/// How closely a place fits, where it does.
pub(super) fn exactly(place: &Value) -> Closeness {
    let region = place.as_str().or_else(|| place["region"].as_str()).unwrap();
    let level = match region {
        "GB-BFS" | "GB-HLD" => 2,
        region => usize::from(region.contains('-')),
    };
    let length = |code: &Value| {
        let code = code.as_str().unwrap();
        let first = code.split_once('-').map_or(code, |(first, _)| first);
        if !region.starts_with("GB") {
            return plain(first).len();
        }
        let (outward, inward) = first.split_once(' ').unwrap_or((first, ""));
        let (_, number, part) = outward_parts(&outward.to_uppercase());
        let named = usize::from(number.is_some()) + usize::from(part.is_some());
        if inward.is_empty() { 1 + named } else { 3 + inward.len() }
    };
    let codes = if place["postalCodes"].is_null() { &[][..] } else { list(&place["postalCodes"]) };
    (codes.iter().map(length).max().unwrap_or_default(), !place["county"].is_null(), level)
}

/// The code of a part of the United Kingdom, and what it is in.
fn briton(state: &str) -> (&str, Option<&'static str>) {
    match state {
        "Belfast City" => ("BFS", Some("NIR")),
        "Co. Antrim" | "Northern Ireland" => ("NIR", None),
        "Highland" | "HLD" => ("HLD", Some("SCT")),
        state => (state, None),
    }
}

/// A rule for a region holds for what is in it. An address that only names the region may be in any part of it.
fn state_fit(country: &str, rule: &str, address: &Value) -> Fit {
    let northern = address["postalCode"].as_str().filter(|_| country == "GB").map(|code| plain(code).starts_with("BT"));
    let told = northern.filter(|is| *is).map(|_| "NIR");
    let Some(known) = address["state"].as_str().or(told) else {
        let is_elsewhere = northern == Some(false) && ["NIR", "BFS"].contains(&rule);
        return if is_elsewhere { Fit::DoesNot } else { Fit::Unknown };
    };
    let ((known, region), inner) =
        if country == "GB" { (briton(known), briton(rule).1) } else { ((known, None), None) };
    let rule = match rule {
        "BFS" => ("BFS", Some("NIR")),
        rule => (rule, inner),
    };
    if known == rule.0 || region == Some(rule.0) {
        Fit::Fits((0, false, if rule.1.is_some() { 2 } else { 1 }))
    } else if rule.1 == Some(known) {
        Fit::Unknown
    } else {
        Fit::DoesNot
    }
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
fn matching(code: &str, known: &str) -> Option<usize> {
    let (first, last) = code.split_once('-').unwrap_or((code, code));
    let (first, last) = (plain(first), plain(last));
    let beginning = plain(known).get(..first.len())?.to_owned();
    (first <= beginning && beginning <= last).then_some(first.len())
}

/// The same for the United Kingdom, where a code has an area, a district, perhaps a part of it, and an inward code. Each
/// that is named counts; of the inward code, each character.
fn british(code: &str, known: &str) -> Option<usize> {
    let known = plain(known);
    let (outward, inward) = known.split_at(known.len() - 3);
    let known = (outward_parts(outward), inward.to_owned());
    let (first, last) = code.split_once('-').unwrap_or((code, code));
    let bound = |text: &str| {
        let text = text.trim().to_uppercase();
        let (outward, inward) = text.split_once(' ').unwrap_or((&text, ""));
        (outward_parts(outward), inward.to_owned())
    };
    let (((area, from, part), inward), ((_, to, last_part), _)) = (bound(first), bound(last));
    let named = [from.is_some(), part.is_some()].into_iter().filter(|is| *is).count();
    let fits = known.0.0 == area
        && from.is_none_or(|from| known.0.1 >= Some(from) && known.0.1 <= to)
        && part.is_none_or(|part| known.0.2 >= Some(part) && known.0.2 <= last_part)
        && (inward.is_empty() || part == known.0.2)
        && known.1.starts_with(&inward);
    // An inward code says that there is no part, where it names none.
    fits.then(|| if inward.is_empty() { 1 + named } else { 3 + inward.len() })
}

/// The letters of an outward code, the number and the letter after it.
fn outward_parts(outward: &str) -> (String, Option<u32>, Option<char>) {
    let letters: String = outward.chars().take_while(char::is_ascii_alphabetic).collect();
    let number: String = outward.chars().skip(letters.len()).take_while(char::is_ascii_digit).collect();
    let part = outward.chars().nth(letters.len() + number.len());
    (letters, number.parse().ok(), part)
}
