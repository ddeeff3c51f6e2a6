//! A payment method that a session can be paid with, and the total with it.

use crate::domain::{
    money::{Minor, OutOfRange},
    payment::PaymentMethod,
    payment_fee::PaymentFee,
    priced::{Summary, TaxPart},
};

/// A method that the catalog's rules allow for a session as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOption {
    pub method: PaymentMethod,
    /// None if it costs nothing.
    pub fee: Option<PaymentFee>,
    /// What cash rounding adds, in minor units; negative if it takes something off. None if nothing is rounded: only cash
    /// is, in some currencies.
    pub rounding: Option<i64>,
    /// What the customer pays in all.
    pub total: Minor,
}

impl PaymentOption {
    /// Adds the fee and the rounding to a session's totals and to its tax breakdown.
    ///
    /// # Errors
    /// [`OutOfRange`] when an amount leaves the range of [`Minor`].
    pub fn add_to(&self, summary: &mut Summary, taxes: &mut Vec<TaxPart>) -> Result<(), OutOfRange> {
        if let Some(fee) = &self.fee {
            summary.payment_fee = fee.amount;
            summary.tax = summary.tax.plus(fee.tax)?;
            summary.relief = summary.relief.plus(fee.relief)?;
            fee.tax_into(taxes)?;
        }
        summary.cash_rounding = self.rounding;
        summary.total = self.total;
        Ok(())
    }
}
