//! The currencies of the shop in a catalog file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::parts::not_a_country,
    domain::{
        currencies::Currencies,
        invalid::{Faults, Invalid},
        money::Currency,
        place::Region,
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCurrencies {
    /// Of a request that names none.
    default: String,
    /// ISO 4217 codes by ISO 3166 country, the usual one first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    by_country: BTreeMap<String, Vec<String>>,
}

impl StoredCurrencies {
    /// # Errors
    /// Every fault, with its JSON pointer in the currencies.
    pub fn currencies(&self) -> Result<Currencies, Vec<Invalid>> {
        let mut faults = Faults::default();
        let default = faults.take("/default", self.default.parse::<Currency>());
        let mut by_country = BTreeMap::new();
        for (country, codes) in &self.by_country {
            let at = format!("/byCountry/{country}");
            let region = faults.take(&at, country.parse::<Region>());
            if region.is_some_and(|region| region.as_str() != region.country()) {
                faults.add(&at, not_a_country(country));
            }
            if codes.is_empty() {
                faults.add(&at, "must name at least one currency");
            }
            let codes = codes.iter().enumerate();
            let codes: Vec<Currency> =
                codes.filter_map(|(i, code)| faults.take(format_args!("{at}/{i}"), code.parse())).collect();
            if codes.iter().collect::<BTreeSet<_>>().len() < codes.len() {
                faults.add(&at, "must name each currency once");
            }
            by_country.insert(country.clone(), codes);
        }
        faults.finish(default.map(|default| Currencies { default, by_country }))
    }
}
