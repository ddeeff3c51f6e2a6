//! The rule for cash on delivery in a catalog file.

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::parts::{StoredAmounts, amounts, countries},
    domain::{
        cash::CashOnDelivery,
        invalid::{Faults, Invalid},
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCash {
    /// False turns the rule off without deleting it.
    enabled: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    countries: Vec<String>,
    #[serde(default, skip_serializing_if = "StoredAmounts::is_empty")]
    maximum_totals: StoredAmounts,
}

impl StoredCash {
    /// # Errors
    /// Every fault, with its JSON pointer in the rule.
    pub fn rule(&self) -> Result<CashOnDelivery, Vec<Invalid>> {
        let mut faults = Faults::default();
        let countries = countries(&mut faults, &"/countries", &self.countries);
        let maximum_totals = amounts(&mut faults, &"/maximumTotals", &self.maximum_totals);
        if self.enabled && self.countries.is_empty() {
            faults.add("/countries", "must name at least one country, or enabled must be false");
        }
        if self.enabled && self.maximum_totals.is_empty() {
            faults
                .add("/maximumTotals", "must have a largest total for at least one currency, or enabled must be false");
        }
        let rule = CashOnDelivery { countries, maximum_totals };
        faults.finish(Some(if self.enabled { rule } else { CashOnDelivery::default() }))
    }
}
