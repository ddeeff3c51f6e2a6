//! Places: where a parcel goes, and where a rule applies.

use std::fmt;

use crate::domain::{
    county::County,
    invalid::Faults,
    pasted, postal_code,
    postal_codes::PostalCodes,
    postal_regions,
    subdivision::{self, Known},
};

/// Countries whose addresses need a state, province or region, for delivery or for tax.
pub(super) const STATE_REQUIRED: [&str; 8] = ["AU", "BR", "CA", "CN", "IN", "JP", "MX", "US"];
const A_STATE: &str = "a state or region";
const A_KNOWN_STATE: &str = "a state or region by its ISO 3166-2 code or its name";
const A_CLOSER_STATE: &str = "a closer state or region";

/// A country (`US`) or a subdivision (`US-CA`), by ISO 3166 codes. A place that has two codes has one here: Puerto Rico
/// is `US-PR`, Réunion `RE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    code: &'static str,
    /// The regions that it is in, from the closest one.
    within: Vec<&'static str>,
}

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

/// How closely a place fits. A postal code fits more closely than a county, a county more closely than a province, a
/// province more closely than the region it is in, a region or state more closely than a country. Among postal codes, the
/// longer beginning fits more closely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closeness {
    postal_length: usize,
    county: bool,
    /// 0 for a country, 1 for a region or state, 2 for a province of a region.
    level: usize,
}

impl Region {
    pub const fn as_str(&self) -> &'static str {
        self.code
    }

    /// The ISO 3166-1 alpha-2 code.
    pub fn country(&self) -> &'static str {
        self.code.get(..2).unwrap_or_default()
    }

    /// A rule for a region holds for its provinces. It depends on something unknown where an address in the region
    /// doesn't say in which province it is.
    pub fn fit(&self, to: &Destination) -> Fit {
        if self.country() != to.country {
            return if to.perhaps.contains(&self.code) { Fit::Unsure { missing: A_STATE } } else { Fit::No };
        }
        if self.code.len() == 2 {
            return Fit::Yes(Closeness::default());
        }
        let is_elsewhere =
            |code: &str| std::iter::once(&self.code).chain(&self.within).any(|of| postal_regions::excludes(of, code));
        match &to.region {
            None if to.postal_code.as_deref().is_some_and(is_elsewhere) => Fit::No,
            None if to.state.is_some() => Fit::Unsure { missing: A_KNOWN_STATE },
            None => Fit::Unsure { missing: A_STATE },
            Some(region) if region.code == self.code || region.within.contains(&self.code) => {
                Fit::Yes(Closeness { level: 1 + self.within.len(), ..Closeness::default() })
            }
            Some(region) if self.within.contains(&region.code) => Fit::Unsure { missing: A_CLOSER_STATE },
            Some(_) => Fit::No,
        }
    }
}

impl From<Known> for Region {
    fn from(known: Known) -> Self {
        Self { code: known.code, within: subdivision::ancestors(known).collect() }
    }
}

impl std::str::FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        subdivision::by_code(text).map(Self::from).ok_or(NotARegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
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
            (Fit::Yes(region), Fit::Yes(county), Fit::Yes(postal)) => {
                Fit::Yes(Closeness { postal_length: postal.postal_length, county: county.county, level: region.level })
            }
        }
    }

    /// How closely it would fit, if it did.
    pub fn closest(&self) -> Closeness {
        let postal_length = self.postal_codes.iter().map(PostalCodes::length).max().unwrap_or_default();
        let level = if self.region.code.len() == 2 { 0 } else { 1 + self.region.within.len() };
        Closeness { postal_length, county: self.county.is_some(), level }
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
        let matching = self.postal_codes.iter().filter(|codes| codes.contain(to.country(), code));
        let longest = matching.map(PostalCodes::length).max();
        longest.map_or(Fit::No, |postal_length| Fit::Yes(Closeness { postal_length, ..Closeness::default() }))
    }
}

/// `Yes` if any place fits, else `Unsure` if any may fit.
pub fn best(places: &[Place], to: &Destination) -> Fit {
    places.iter().fold(Fit::No, |best, place| match (best, place.fit(to)) {
        (Fit::Yes(_), _) | (_, Fit::No) => best,
        (_, fit) => fit,
    })
}

impl From<Region> for Place {
    fn from(region: Region) -> Self {
        Self { region, county: None, postal_codes: Vec::new() }
    }
}

/// The parts of a destination as the client sends them.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    /// ISO 3166-1 alpha-2, upper case. The `US` for its territories, a territory's own for those of other countries.
    country: String,
    /// The state's short ISO 3166-2 code if it is known, else as the customer wrote it.
    state: Option<String>,
    /// The state, if it is known, or told by the postal code. Always set for [`STATE_REQUIRED`] countries.
    region: Option<Region>,
    county: Option<County>,
    postal_code: Option<String>,
    /// Territories of the country that have this postal code in common, if no state is known.
    perhaps: Vec<&'static str>,
}

impl Destination {
    /// Trims, checks and normalizes. The state may be a code (`ca`, `US-CA`) or a name (`California`). `None` if a
    /// fault was noted.
    pub fn parse(faults: &mut Faults, raw: &RawDestination) -> Option<Self> {
        let country = pasted::code(&raw.country).to_ascii_uppercase();
        if rust_iso3166::from_alpha2(&country).is_none() {
            faults.add("/country", "must be an ISO 3166-1 alpha-2 country code such as \"US\"");
            return None;
        }
        let destination = Self::restore(&RawDestination { country, ..raw.clone() });
        let Self { country, state, region, postal_code, .. } = &destination;
        if STATE_REQUIRED.contains(&country.as_str()) && region.is_none() {
            let detail = format!("must be a state or region of {country}, by ISO 3166-2 code or name");
            if state.is_none() {
                faults.require("/state", detail);
            } else {
                faults.add("/state", detail);
            }
        }
        postal_code::judge(faults, country, postal_code.as_deref()).map(|()| destination)
    }

    /// A destination that was checked before: nothing is checked again.
    pub fn restore(raw: &RawDestination) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(pasted::line).filter(|text| !text.is_empty());
        let state = text(&raw.state);
        let postal_code = text(&raw.postal_code).map(|code| postal_code::tidy(&code));
        // A country that is a state here says the state, whatever else is written there.
        let state_country = subdivision::by_code(&raw.country).filter(|known| known.code != raw.country);
        let known =
            state_country.or_else(|| state.as_deref().and_then(|state| subdivision::by_text(&raw.country, state)));
        let perhaps = match known {
            None => {
                postal_code.as_deref().map_or_else(Vec::new, |code| postal_regions::territories(&raw.country, code))
            }
            Some(_) => Vec::new(),
        };
        let known = known.or_else(|| match perhaps.as_slice() {
            [territory] => subdivision::by_code(territory),
            _ => None,
        });
        let region = known.map(Region::from);
        let country = region.as_ref().map_or(raw.country.as_str(), |region| region.country()).to_owned();
        let state = match &region {
            Some(region) => region.code.split_once('-').map(|(_, short)| short.to_owned()),
            None => state,
        };
        // Not the state that is shown: the customer wrote none, or another.
        let told = || postal_regions::of(&country, postal_code.as_deref()?).map(Region::from);
        let region = region.filter(|region| region.code.len() > 2).or_else(told);
        Self { country, state, region, county: text(&raw.county).as_deref().map(County::new), postal_code, perhaps }
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
        self.region.as_ref().map_or(&self.country, |region| region.as_str())
    }
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
            postal_codes: postal_codes.iter().map(|codes| PostalCodes::parse(&region[..2], codes).unwrap()).collect(),
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
    fn a_rule_for_a_region_holds_for_its_provinces() {
        for (country, state, region) in [
            ("GB", "Belfast City", "GB-NIR"),
            ("GB", "Co. Antrim", "GB-NIR"),
            ("ES", "Las Palmas", "ES-CN"),
            ("ES", "Santa Cruz de Tenerife", "ES-CN"),
            ("FR", "Bas-Rhin", "FR-GES"),
            ("IT", "Milano", "IT-25"),
            ("BE", "Antwerpen", "BE-VLG"),
        ] {
            let to = to(country, state, "", "");
            let levels = [place(country, None, &[]), place(region, None, &[]), place(to.label(), None, &[])];
            let fits = levels.map(|place| match place.fit(&to) {
                Fit::Yes(closeness) => Some(closeness),
                Fit::No | Fit::Unsure { .. } => None,
            });
            assert!(fits[0].is_some() && fits[0] < fits[1] && fits[1] <= fits[2], "{state}: {fits:?}");
        }
        let vague = to("GB", "Northern Ireland", "", "");
        assert_eq!(place("GB-BFS", None, &[]).fit(&vague), Fit::Unsure { missing: A_CLOSER_STATE });
        assert_eq!(place("GB-SCT", None, &[]).fit(&vague), Fit::No);
    }

    #[test]
    fn a_place_with_two_codes_is_one_place() {
        for (country, state, code, rules) in [
            ("US", "PR", "00901", ["US-PR", "PR"]),
            ("PR", "", "00901", ["US-PR", "PR"]),
            ("PR", "San Juan", "00901", ["US-PR", "PR"]),
            ("US", "Puerto Rico", "00901", ["US-PR", "PR"]),
            ("VI", "", "00802", ["US-VI", "VI"]),
            ("US", "Guam", "96910", ["GU", "US-GU"]),
            ("US", "FM", "96941", ["FM", "FM"]),
            ("US", "Armed Forces Europe", "09123", ["US-AE", "US-AE"]),
            ("RE", "", "97400", ["RE", "FR-974"]),
            ("FR", "La Réunion", "97400", ["RE", "FR-974"]),
            ("FR", "", "97400", ["RE", "FR-974"]),
            ("FI", "Åland", "22100", ["AX", "FI-01"]),
            ("FI", "", "22100", ["AX", "FI-01"]),
            ("CN", "香港", "", ["HK", "CN-HK"]),
            ("NL", "Bonaire", "", ["BQ-BO", "NL-BQ1"]),
        ] {
            let there = to(country, state, code, "");
            for rule in rules {
                let fit = place(rule, None, &[]).fit(&there);
                assert!(matches!(fit, Fit::Yes(_)), "{country} {state} is {rule}: {there:?}");
            }
            let mut raw = RawDestination { country: there.country().to_owned(), ..RawDestination::default() };
            (raw.state, raw.postal_code) = (there.state().map(ToOwned::to_owned), Some(code.to_owned()));
            assert_eq!(Destination::restore(&raw).label(), there.label(), "restored");
        }
        // Three territories share these codes: none is meant for sure, and no other country asks.
        let shared = to("FR", "", "97100", "");
        assert_eq!(place("GP", None, &[]).fit(&shared), Fit::Unsure { missing: A_STATE });
        assert_eq!(place("GP", None, &[]).fit(&to("FR", "", "75001", "")), Fit::No);
        assert_eq!(place("RE", None, &[]).fit(&shared), Fit::No);
    }
}
