//! Places: where a parcel goes, and where a rule applies.

use std::fmt;

use crate::domain::{
    invalid::Faults,
    postal_code::{self, compact},
};

/// Countries whose addresses need a state, province or region, for delivery or for tax.
const STATE_REQUIRED: [&str; 8] = ["AU", "BR", "CA", "CN", "IN", "JP", "MX", "US"];
/// The "states" of military addresses (APO, FPO, DPO), which ISO 3166-2 doesn't know.
const US_MILITARY: [&str; 3] = ["US-AA", "US-AE", "US-AP"];

/// A country (`US`) or a subdivision (`US-CA`), by ISO 3166 codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(String);

/// Why a text is not a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 3166 code of a country (\"US\") or a subdivision (\"US-CA\")")]
pub struct NotARegion;

/// Whether a rule applies at a destination. `Unsure` if that depends on something that the address doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The rule applies. A greater value fits more closely.
    Yes(Closeness),
    No,
    Unsure {
        missing: &'static str,
    },
}

/// How closely a place fits. A postal code fits more closely than a county, a county more closely than a state, a state
/// more closely than a country. Among postal codes, the longer prefix fits more closely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closeness {
    postal_length: usize,
    county: bool,
    subdivision: bool,
}

impl Region {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO 3166-1 alpha-2 code.
    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    pub fn fit(&self, to: &Destination) -> Fit {
        let subdivision = self.0.len() > 2;
        let fits = Fit::Yes(Closeness { subdivision, ..Closeness::default() });
        match &to.subdivision {
            _ if self.country() != to.country => Fit::No,
            _ if !subdivision => fits,
            None => Fit::Unsure { missing: "a state or region" },
            Some(code) if *code == self.0 => fits,
            Some(_) => Fit::No,
        }
    }
}

impl std::str::FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let known = if text.len() == 2 { rust_iso3166::from_alpha2(text).is_some() } else { is_subdivision(text) };
        if known { Ok(Self(text.to_owned())) } else { Err(NotARegion) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a rule applies: a region, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub region: Region,
    pub county: Option<County>,
    /// One of these must match. Empty means all.
    pub postal_codes: Vec<PostalCodes>,
}

impl Place {
    /// `No` if any part doesn't fit, even if another part is unsure.
    pub fn fit(&self, to: &Destination) -> Fit {
        match (self.region.fit(to), self.county_fit(to), self.postal_fit(to)) {
            (Fit::No, _, _) | (_, Fit::No, _) | (_, _, Fit::No) => Fit::No,
            (Fit::Unsure { missing }, ..) | (_, Fit::Unsure { missing }, _) | (.., Fit::Unsure { missing }) => {
                Fit::Unsure { missing }
            }
            (Fit::Yes(region), Fit::Yes(county), Fit::Yes(postal)) => Fit::Yes(Closeness {
                postal_length: postal.postal_length,
                county: county.county,
                subdivision: region.subdivision,
            }),
        }
    }

    fn county_fit(&self, to: &Destination) -> Fit {
        match (&self.county, &to.county) {
            (None, _) => Fit::Yes(Closeness::default()),
            (Some(_), None) => Fit::Unsure { missing: "a county" },
            (Some(county), Some(other)) if county == other => {
                Fit::Yes(Closeness { county: true, ..Closeness::default() })
            }
            (Some(_), Some(_)) => Fit::No,
        }
    }

    fn postal_fit(&self, to: &Destination) -> Fit {
        if self.postal_codes.is_empty() {
            return Fit::Yes(Closeness::default());
        }
        let Some(code) = &to.postal_code else { return Fit::Unsure { missing: "a postal code" } };
        let (country, code) = (to.country(), compact(code));
        let matching = self.postal_codes.iter().filter(|codes| codes.contain(country, &code));
        let longest = matching.map(PostalCodes::length).max();
        longest.map_or(Fit::No, |postal_length| Fit::Yes(Closeness { postal_length, ..Closeness::default() }))
    }
}

/// A county by its name. Comparisons ignore case, surrounding white space, and "County" at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct County(String);

impl County {
    pub fn new(name: &str) -> Self {
        let lower = name.trim().to_lowercase();
        Self(lower.strip_suffix(" county").unwrap_or(&lower).trim_end().to_owned())
    }
}

/// Postal codes with a common prefix, or with prefixes in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalCodes {
    from: String,
    to: String,
}

/// Why a text doesn't describe postal codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the beginning of postal codes (\"941\"), or a range of equally long ones (\"90000-90899\")")]
pub struct NotPostalCodes;

impl PostalCodes {
    /// `code` without spaces and hyphens.
    fn contain(&self, country: &str, code: &str) -> bool {
        let (from, to, code) = (national(country, &self.from), national(country, &self.to), national(country, code));
        code.get(..from.len()).is_some_and(|start| from <= start && start <= to)
    }

    fn length(&self) -> usize {
        self.from.len()
    }
}

impl std::str::FromStr for PostalCodes {
    type Err = NotPostalCodes;

    fn from_str(text: &str) -> Result<Self, NotPostalCodes> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (compact(from), compact(to));
        let plain = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric());
        if plain(&from) && plain(&to) && from.len() == to.len() && from.len() <= 12 && from <= to {
            Ok(Self { from, to })
        } else {
            Err(NotPostalCodes)
        }
    }
}

/// The parts of a destination as the client sends them.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawDestination {
    pub country: String,
    pub state: Option<String>,
    pub county: Option<String>,
    pub postal_code: Option<String>,
}

/// Where a parcel goes: the parts that zones and taxes depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// ISO 3166-1 alpha-2, upper case.
    country: String,
    /// The state's short ISO 3166-2 code if ISO has one, else as the customer wrote it.
    state: Option<String>,
    /// The ISO 3166-2 code, if ISO has one for the state. Always set for [`STATE_REQUIRED`] countries.
    subdivision: Option<String>,
    county: Option<County>,
    postal_code: Option<String>,
}

impl Destination {
    /// Trims, checks and normalizes. The state may be a code (`ca`, `US-CA`) or a name (`California`). `None` if a
    /// fault was noted.
    pub fn parse(faults: &mut Faults, raw: &RawDestination) -> Option<Self> {
        let country = raw.country.trim().to_ascii_uppercase();
        if rust_iso3166::from_alpha2(&country).is_none() {
            faults.add("/country", "must be an ISO 3166-1 alpha-2 country code such as \"US\"");
            return None;
        }
        let destination = Self::restore(&RawDestination { country, ..raw.clone() });
        let Self { country, subdivision, .. } = &destination;
        if STATE_REQUIRED.contains(&country.as_str()) && subdivision.is_none() {
            faults.add("/state", format!("must be a state or region of {country}, by ISO 3166-2 code or name"));
        }
        let checked = postal_code::check(country, destination.postal_code.as_deref());
        faults.take("/postalCode", checked).map(|()| destination)
    }

    /// A destination that was checked before: nothing is checked again.
    pub fn restore(raw: &RawDestination) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        let state = text(&raw.state);
        let subdivision = state.as_deref().and_then(|state| subdivision(&raw.country, state));
        let short = subdivision.as_deref().and_then(|code| code.split_once('-')).map(|(_, short)| short.to_owned());
        Self {
            country: raw.country.clone(),
            state: short.or(state),
            subdivision,
            county: text(&raw.county).as_deref().map(County::new),
            postal_code: text(&raw.postal_code).map(|code| code.to_uppercase()),
        }
    }

    pub fn country(&self) -> &str {
        &self.country
    }

    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub fn postal_code(&self) -> Option<&str> {
        self.postal_code.as_deref()
    }

    /// The place's name for messages: `US-CA` if the subdivision is known, else the country.
    pub fn label(&self) -> &str {
        self.subdivision.as_deref().unwrap_or(&self.country)
    }
}

/// Without the country's letters, which some people write before the digits: `DE-10115`.
fn national<'c>(country: &str, code: &'c str) -> &'c str {
    match code.strip_prefix(country) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => code,
    }
}

fn is_subdivision(code: &str) -> bool {
    US_MILITARY.contains(&code) || rust_iso3166::iso3166_2::from_code(code).is_some()
}

fn subdivision(country: &str, state: &str) -> Option<String> {
    let upper = state.to_uppercase();
    let code = if upper.starts_with(&format!("{country}-")) { upper.clone() } else { format!("{country}-{upper}") };
    if is_subdivision(&code) {
        return Some(code);
    }
    rust_iso3166::from_alpha2(country)?
        .subdivisions()?
        .iter()
        .find(|s| s.name.to_uppercase() == upper)
        .map(|s| s.code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(country: &str, state: &str, postal_code: &str, within: &str) -> Destination {
        let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        Destination::restore(&RawDestination {
            country: country.to_owned(),
            state: some(state),
            county: some(within),
            postal_code: some(postal_code),
        })
    }

    fn place(region: &str, county: Option<&str>, postal_codes: &[&str]) -> Place {
        Place {
            region: region.parse().unwrap(),
            county: county.map(County::new),
            postal_codes: postal_codes.iter().map(|codes| codes.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn a_closer_place_wins() {
        let address = to("US", "ca", "94105-1234", "San Francisco");
        let closeness = |place: Place| match place.fit(&address) {
            Fit::Yes(closeness) => Some(closeness),
            Fit::No | Fit::Unsure { .. } => None,
        };
        let ascending = [
            place("US", None, &[]),
            place("US-CA", None, &[]),
            place("US-CA", Some(" SAN FRANCISCO COUNTY "), &[]),
            place("US", None, &["9"]),
            place("US-CA", None, &["9", "94000-94199"]),
        ];
        let ascending = ascending.map(closeness);
        assert!(ascending.is_sorted_by(|a, b| a.is_some() && a < b), "{ascending:?}");
        for elsewhere in [place("DE", None, &[]), place("US-NY", None, &[]), place("US", None, &["94106", "0-8"])] {
            assert_eq!(elsewhere.fit(&address), Fit::No, "{elsewhere:?}");
        }
    }

    #[test]
    fn the_countrys_letters_before_a_code_change_nothing() {
        for (country, code, prefix) in
            [("FI", "FI-22100", "22"), ("LV", "LV-1073", "10"), ("PT", "PT-9500-001", "9500-9999")]
        {
            assert!(matches!(place(country, None, &[prefix]).fit(&to(country, "", code, "")), Fit::Yes(_)), "{code}");
        }
        assert_eq!(place("GB", None, &["B"]).fit(&to("GB", "", "SW1A 1AA", "")), Fit::No);
    }

    #[test]
    fn what_an_address_does_not_say_is_not_guessed() {
        let vague = to("DE", "somewhere", "", "");
        for unsure in [place("DE-BY", None, &[]), place("DE", Some("x"), &[]), place("DE", None, &["8"])] {
            assert!(matches!(unsure.fit(&vague), Fit::Unsure { .. }), "{unsure:?}");
        }
        assert_eq!(place("US-CA", None, &["9"]).fit(&vague), Fit::No);
    }

    #[test]
    fn ranges_are_of_equal_length_and_ascend() {
        for text in ["", "9410-941", "94-93", "9é", "94_1", "1-2-3", "-"] {
            assert!(text.parse::<PostalCodes>().is_err(), "{text}");
        }
        assert!(" sw1a".parse::<PostalCodes>().is_ok());
    }
}
