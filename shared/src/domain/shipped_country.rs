//! The countries that the shop ships to, for a form in which an address is typed.

use std::collections::BTreeSet;

use crate::domain::{
    address_form::{AddressForm, Field, Part, State, country_name},
    currencies::Currencies,
    money::Currency,
    place::{Destination, RawDestination},
    shipping::{ShippingRules, Zone},
};

/// A country that something is shipped to, or to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippedCountry {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub name: &'static str,
    /// Those that shipping there may be paid in. A session that names none gets the first.
    pub currencies: Vec<Currency>,
    /// In the order in which they are written there.
    pub fields: Vec<Field>,
    /// Those that something is shipped to. Empty where addresses name none.
    pub states: Vec<State>,
}

/// In the order of their codes.
pub fn shipped_countries(shipping: &ShippingRules, currencies: &Currencies) -> Vec<ShippedCountry> {
    let places = shipping.zones.iter().flat_map(|zone| &zone.places);
    let countries: BTreeSet<_> = places.map(|place| place.region.country()).collect();
    countries.into_iter().filter_map(|country| shipped_country(country, shipping, currencies)).collect()
}

/// None for a country in whose currencies no method has its cost.
fn shipped_country(country: &'static str, shipping: &ShippingRules, all: &Currencies) -> Option<ShippedCountry> {
    let is_in = |zone: &&Zone| zone.places.iter().any(|place| place.region.country() == country);
    let zones: Vec<_> = shipping.zones.iter().filter(is_in).collect();
    let shipped: BTreeSet<_> = zones.iter().flat_map(|zone| zone.currencies()).collect();
    let mut currencies = all.offered(country, &shipped);
    let usual = all.usual(Some(country));
    currencies.sort_by_key(|currency| *currency != usual);
    if currencies.is_empty() {
        return None;
    }
    let AddressForm { mut fields, mut states } = AddressForm::of(country);
    states.retain(|state| {
        let raw = RawDestination {
            country: country.to_owned(),
            state: Some(state.code.to_owned()),
            ..RawDestination::default()
        };
        // Where a county or a postal code decides, something may be.
        !matches!(shipping.zone(&Destination::restore(&raw)), Ok(None))
    });
    let needs_county = |zone: &&Zone| zone.places.iter().chain(&zone.except).any(|place| place.county.is_some());
    if zones.iter().any(needs_county) {
        fields.push(Field { part: Part::County, required: false, kind: None });
    }
    Some(ShippedCountry { country, name: country_name(country)?, currencies, fields, states })
}
