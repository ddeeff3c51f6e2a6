//! Addresses, and places that fit them more or less closely.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::object;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    California,
    NewYork,
    Germany,
    France,
    Britain,
    Ontario,
}

impl Home {
    const ALL: [Self; 6] = [Self::California, Self::NewYork, Self::Germany, Self::France, Self::Britain, Self::Ontario];

    pub(super) const fn country(self) -> &'static str {
        match self {
            Self::California | Self::NewYork => "US",
            Self::Germany => "DE",
            Self::France => "FR",
            Self::Britain => "GB",
            Self::Ontario => "CA",
        }
    }

    pub(super) const fn state(self) -> Option<&'static str> {
        match self {
            Self::California => Some("CA"),
            Self::NewYork => Some("NY"),
            Self::Ontario => Some("ON"),
            Self::Germany | Self::France | Self::Britain => None,
        }
    }

    /// Somewhere in another country.
    pub(super) const fn others(self) -> Self {
        match self {
            Self::California | Self::NewYork => Self::Germany,
            Self::Germany | Self::Britain => Self::France,
            Self::France => Self::Ontario,
            Self::Ontario => Self::California,
        }
    }

    /// Places in the country: the country itself first, then mostly those that fit some address of it.
    pub(super) fn places(self) -> Vec<Value> {
        let within = |region: &str, codes: &[&str]| json!({"region": region, "postalCodes": codes});
        let county = |region: &str, county: &str| json!({"region": region, "county": county});
        match self {
            Self::California => vec![
                json!("US"),
                json!("US-CA"),
                within("US-CA", &["941"]),
                county("US-CA", "Los Angeles"),
                within("US-CA", &["94000-94199"]),
                within("US", &["9"]),
                county("US-CA", "San Francisco County"),
                within("US-CA", &["90000-90899", "94105"]),
                json!({"region": "US-CA", "county": "LOS ANGELES", "postalCodes": ["900"]}),
                within("US-CA", &["941051", "9 00"]),
                json!("US-NY"),
            ],
            Self::NewYork => vec![
                json!("US"),
                json!("US-NY"),
                within("US-NY", &["100-104"]),
                county("US-NY", "Kings"),
                within("US", &["1", "10001"]),
                within("US-NY", &["10001-10099", "112"]),
                json!({"region": "US-NY", "county": "kings county", "postalCodes": ["11"]}),
                json!("US-CA"),
            ],
            Self::Germany => vec![
                json!("DE"),
                within("DE", &["1"]),
                within("DE", &["10000-14199"]),
                within("DE", &["80", "20"]),
                within("DE", &["101-102"]),
                json!("DE-BE"),
            ],
            Self::France => vec![
                json!("FR"),
                within("FR", &["75"]),
                within("FR", &["75001-75020"]),
                within("FR", &["20", "97"]),
                within("FR", &["7500"]),
                json!("FR-IDF"),
            ],
            Self::Britain => vec![
                json!("GB"),
                within("GB", &["SW1A", "BT1-BT17"]),
                within("GB", &["sw1a 1", "EC", "PA2"]),
                json!("GB-NIR"),
                within("GB", &["EC1-EC4", "S", "PA20-PA49"]),
                within("GB-NIR", &["BT", "BT1"]),
                json!("GB-BFS"),
                within("GB", &["EC1A-EC1M", "PA", "SW1"]),
                within("GB", &["BT1 5", "PA20 8AA"]),
                json!("GB-SCT"),
                json!("GB-HLD"),
            ],
            Self::Ontario => vec![
                json!("CA"),
                json!("CA-ON"),
                within("CA-ON", &["K1A", "M"]),
                within("CA-ON", &["K1A-M9Z"]),
                county("CA-ON", "York"),
                within("CA", &["k1a 0"]),
                json!("CA-QC"),
            ],
        }
    }

    fn postal_codes(self) -> Vec<&'static str> {
        match self {
            Self::California => vec!["94105", "90001", "94105-1234", "96150", "94200"],
            Self::NewYork => vec!["10001", "11201", "10499-0001", "12207"],
            Self::Germany => vec!["10115", "80331", "20095", "14199"],
            Self::France => vec!["75001", "75020", "20000", "69001"],
            Self::Britain => {
                vec!["SW1A 1AA", "EC1A 1BB", "BT1 5GS", "s1 2he", "PA2 1AA", "PA20 8AA", "sw198aa", "BT17 0AA"]
            }
            Self::Ontario => vec!["K1A 0B1", "M5V 3L9", "n2l 3g1", "M9Z-9Z9"],
        }
    }

    /// Ways to write the state, where it needn't be there.
    fn states(self) -> Vec<Option<&'static str>> {
        match self {
            Self::Britain => {
                vec![None, Some("Belfast City"), Some("Co. Antrim"), Some("Northern Ireland"), Some("Highland")]
            }
            other => vec![other.state()],
        }
    }

    fn counties(self) -> Vec<&'static str> {
        match self {
            Self::California => vec!["Los Angeles", "san francisco", " Los Angeles County ", "Orange County"],
            Self::NewYork => vec!["Kings", "KINGS COUNTY", "Albany"],
            Self::Ontario => vec!["York", "york county", "Peel"],
            Self::Germany | Self::France | Self::Britain => vec!["Somewhere"],
        }
    }
}

/// A place by its number, mostly in the country of the address; the first ones fit most often.
pub(super) fn place() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![6 => 0..2_u32, 3 => 0..5_u32, 2 => 0..12_u32];
    prop_oneof![
        12 => number().prop_map(|number| json!({"home": number})),
        1 => number().prop_map(|number| json!({"abroad": number})),
    ]
}

/// The same, all in the country of the address.
pub(super) fn home_place() -> impl Strategy<Value = Value> {
    prop_oneof![20 => 0..2_u32, 5 => 0..5_u32, 1 => 0..12_u32].prop_map(|number| json!({"home": number}))
}

/// An address, and which of the countries it is in.
pub(super) fn address() -> impl Strategy<Value = (Home, Value)> {
    let parts = (select(Home::ALL.to_vec()), 0..8_usize, 0..8_usize, prop::bool::weighted(0.7), 0..40_u8);
    parts.prop_map(|(home, postal_code, county, has_county, oddity)| {
        let (codes, counties) = (home.postal_codes(), home.counties());
        let is_american = home.state().is_some();
        let county = (has_county && is_american).then(|| counties[county % counties.len()]);
        let code = (oddity != 39).then(|| codes[postal_code % codes.len()]);
        let states = home.states();
        let state = states[usize::from(oddity) % states.len()].filter(|_| oddity != 38);
        let address = object([
            ("country", json!(home.country())),
            ("state", json!(state)),
            ("county", json!(county)),
            ("postalCode", json!(code)),
        ]);
        (home, address)
    })
}
