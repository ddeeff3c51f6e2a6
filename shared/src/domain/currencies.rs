//! The currencies in which the shop sells: its own, and those of each country that it ships to.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::money::Currency;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currencies {
    /// For a request that names none, where the country has none of its own.
    pub default: Currency,
    /// By country, the usual one first. A country that isn't here has those of its shipping methods.
    pub by_country: BTreeMap<String, Vec<Currency>>,
}

impl Default for Currencies {
    fn default() -> Self {
        Self { default: Currency::USD, by_country: BTreeMap::new() }
    }
}

impl Currencies {
    /// For a request that names none. `country` is where the parcel goes, if that is known.
    pub fn usual(&self, country: Option<&str>) -> Currency {
        let own = country.and_then(|country| self.of(country)?.first());
        own.copied().unwrap_or(self.default)
    }

    /// Those that the catalog says for a country; none if it says nothing.
    pub fn of(&self, country: &str) -> Option<&[Currency]> {
        self.by_country.get(country).map(Vec::as_slice)
    }

    /// Those of the shipping methods that the shop takes in a country.
    pub fn offered(&self, country: &str, shipped: &BTreeSet<Currency>) -> Vec<Currency> {
        match self.of(country) {
            Some(stated) => stated.iter().filter(|currency| shipped.contains(currency)).copied().collect(),
            None => shipped.iter().copied().collect(),
        }
    }
}
