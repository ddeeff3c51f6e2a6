//! Forms that several parts of a catalog file share.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::domain::{
    calendar::Period,
    county::County,
    invalid::Faults,
    money::{Amounts, Minor},
    place::{Place, Region},
    postal_codes::PostalCodes,
    scope::Scope,
};

/// Amounts in minor units by ISO 4217 code: `{"USD": 1999}`.
pub(super) type StoredAmounts = BTreeMap<String, i64>;

/// What is false if it is missing is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
pub(super) const fn is_false(value: &bool) -> bool {
    !*value
}

/// A period, as rules have it.
pub(super) fn period(
    faults: &mut Faults,
    prefix: &str,
    starts_at: Option<OffsetDateTime>,
    ends_at: Option<OffsetDateTime>,
) -> Period {
    if starts_at.zip(ends_at).is_some_and(|(start, end)| end <= start) {
        faults.add(format!("{prefix}/endsAt"), "must be after startsAt");
    }
    Period { starts_at, ends_at }
}

/// Adds what holds in a period, for each key. An entry that shares a key with an earlier one at the same time is a fault,
/// with this detail.
pub(super) fn schedule<K: Ord, V>(
    faults: &mut Faults,
    at: &str,
    scheduled: &mut Vec<(Period, BTreeMap<K, V>)>,
    (period, values): (Period, BTreeMap<K, V>),
    clash: &str,
) {
    let clashes = |(other, others): &(Period, BTreeMap<K, V>)| {
        other.overlaps(&period) && values.keys().any(|key| others.contains_key(key))
    };
    if scheduled.iter().any(clashes) {
        faults.add(at, clash);
    }
    scheduled.push((period, values));
}

/// Products, categories or both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredScope {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) products: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) categories: Vec<String>,
}

impl StoredScope {
    pub(super) fn is_empty(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty()
    }

    pub(super) fn scope(&self, faults: &mut Faults, prefix: &dyn Display) -> Scope {
        self.named_scope(faults, &format_args!("{prefix}/products"), &format_args!("{prefix}/categories"))
    }

    /// The scope of two lists that stand at these pointers.
    pub(super) fn named_scope(&self, faults: &mut Faults, products: &dyn Display, categories: &dyn Display) -> Scope {
        Scope {
            products: parsed(faults, products, &self.products),
            categories: parsed(faults, categories, &self.categories),
        }
    }
}

/// Parses each text of a list; each bad text is a fault.
pub(super) fn parsed<T: Ord + FromStr<Err: Display>>(
    faults: &mut Faults,
    pointer: &dyn Display,
    texts: &[String],
) -> BTreeSet<T> {
    let texts = texts.iter().enumerate();
    texts.filter_map(|(i, text)| faults.take(format_args!("{pointer}/{i}"), text.parse())).collect()
}

/// Parses each country of a list.
pub(super) fn countries(faults: &mut Faults, pointer: &dyn Display, codes: &[String]) -> BTreeSet<Region> {
    for (index, code) in codes.iter().enumerate().filter(|(_, code)| code.contains('-')) {
        faults.add(format!("{pointer}/{index}"), not_a_country(code));
    }
    parsed(faults, pointer, codes)
}

/// What is wrong with the code of a part of a country.
pub(super) fn not_a_country(code: &str) -> String {
    format!("must be a country, and {code} is a part of one")
}

/// A place: an ISO 3166 code, or a part of such a region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "an ISO 3166 code, or an object with region, county and postalCodes")]
pub(super) enum StoredPlace {
    Region(String),
    Part(StoredPart),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredPart {
    region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    county: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    postal_codes: Vec<String>,
}

pub(super) fn places(faults: &mut Faults, pointer: &dyn Display, stored: &[StoredPlace]) -> Vec<Place> {
    let mut places = Vec::new();
    for (index, stored) in stored.iter().enumerate() {
        let at = format_args!("{pointer}/{index}");
        let place = match stored {
            StoredPlace::Region(code) => faults.take(at, code.parse::<Region>()).map(Place::from),
            StoredPlace::Part(part) => {
                let region: Option<Region> = faults.take(format_args!("{at}/region"), part.region.parse());
                region.map(|region| Place {
                    county: part.county.as_deref().map(County::new),
                    postal_codes: postal_codes(faults, &at, region.country(), &part.postal_codes),
                    region,
                })
            }
        };
        places.extend(place);
    }
    places
}

fn postal_codes(faults: &mut Faults, at: &dyn Display, country: &str, texts: &[String]) -> Vec<PostalCodes> {
    let codes = texts.iter().enumerate();
    codes
        .filter_map(|(i, text)| faults.take(format_args!("{at}/postalCodes/{i}"), PostalCodes::parse(country, text)))
        .collect()
}

/// Checks the postal codes of places that were parsed from a list at `pointer`, each place at its index.
pub(super) fn check_postal_codes(faults: &mut Faults, pointer: &dyn Display, places: &[Place]) {
    for (index, place) in places.iter().enumerate() {
        for (i, codes) in place.postal_codes.iter().enumerate() {
            faults.take(format_args!("{pointer}/{index}/postalCodes/{i}"), codes.check(place.region.country()));
        }
    }
}

pub(super) fn amounts(faults: &mut Faults, pointer: &dyn Display, stored: &StoredAmounts) -> Amounts {
    let mut amounts = Amounts::new();
    for (code, amount) in stored {
        let at = format_args!("{pointer}/{code}");
        let currency = faults.take(at, code.parse());
        let amount =
            faults.take(at, Minor::new(*amount).map_err(|_| "must be a whole number of minor units, 0 or more"));
        amounts.extend(currency.zip(amount));
    }
    amounts
}

pub(super) fn regions(faults: &mut Faults, pointer: &dyn Display, stored: &[String]) -> Vec<Region> {
    if stored.is_empty() {
        faults.add(pointer.to_string(), "must name at least one region");
    }
    stored.iter().enumerate().filter_map(|(i, code)| faults.take(format_args!("{pointer}/{i}"), code.parse())).collect()
}
