//! Tax rules: one rate a region, the most specific wins.

use crate::domain::{
    address::{Address, Region},
    money::Rate,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxRules {
    pub rules: Vec<TaxRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRule {
    pub region: Region,
    /// What the tax is called on a receipt.
    pub name: String,
    pub rate: Rate,
    pub shipping_taxable: bool,
}

impl TaxRules {
    /// The rule for an address. None means that the shop has none: a problem, never a rate of zero.
    pub fn rule(&self, address: &Address) -> Option<&TaxRule> {
        self.rules.iter().filter(|rule| rule.region.covers(address)).max_by_key(|rule| rule.region.specificity())
    }
}
