//! The fee of a payment method: an entry of its own beside the lines, with its own tax.

use serde::{Deserialize, Serialize};

use crate::domain::{
    lines::Share,
    money::{Minor, OutOfRange, Rate},
    priced::TaxPart,
    tax_category::TaxCategory,
};

/// What a payment method costs. `total` is `amount + tax - relief`; tax that the prices include isn't added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFee {
    /// As the catalog states it.
    pub amount: Minor,
    /// The tax of each jurisdiction. `tax` is their sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<FeeTax>,
    pub tax: Minor,
    /// Tax that the fee includes, here or at the seller's, but the customer doesn't owe.
    #[serde(default)]
    pub relief: Minor,
    pub total: Minor,
}

/// The fee's tax in one jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeTax {
    /// `US-CA`
    pub jurisdiction: String,
    pub name: String,
    pub rate: Rate,
    pub taxable: Minor,
    pub amount: Minor,
    /// The fee's tax category, if its rate isn't known there and the standard one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<TaxCategory>,
}

impl PaymentFee {
    /// What goes back when the fee does.
    pub const fn share(&self) -> Share {
        Share { amount: self.total, tax_amount: self.tax }
    }

    /// Adds its taxes to a breakdown: to the entry of the same jurisdiction and rate, or as a new one at its end, because
    /// lines name entries by their position.
    pub(super) fn tax_into(&self, parts: &mut Vec<TaxPart>) -> Result<(), OutOfRange> {
        for FeeTax { jurisdiction, name, rate, taxable, amount, unknown: _ } in &self.taxes {
            let known = parts.iter_mut().find(|part| part.jurisdiction == *jurisdiction && part.rate == *rate);
            if let Some(part) = known {
                part.taxable = part.taxable.plus(*taxable)?;
                part.amount = part.amount.plus(*amount)?;
            } else {
                let (jurisdiction, name) = (jurisdiction.clone(), name.clone());
                parts.push(TaxPart { jurisdiction, name, rate: *rate, taxable: *taxable, amount: *amount });
            }
        }
        Ok(())
    }
}
