//! Payment methods of a session, and the fee of an order's.

use serde::Serialize;

use crate::domain::{money::Minor, payment::PaymentMethod, payment_fee::PaymentFee, payment_option::PaymentOption};

/// A payment method that can pay a session, and the total with it: what `expectedTotal` must be.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PaymentOptionView {
    payment_method: PaymentMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<PaymentFeeView>,
    /// Of cash, in currencies in which it is rounded: negative if that takes something off.
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_rounding_amount: Option<i64>,
    total_amount: Minor,
}

impl From<&PaymentOption> for PaymentOptionView {
    fn from(option: &PaymentOption) -> Self {
        Self {
            payment_method: option.method,
            fee: option.fee.as_ref().map(Into::into),
            cash_rounding_amount: option.rounding,
            total_amount: option.total,
        }
    }
}

/// The fee of a payment method. `totalAmount` is `amount`, with the tax unless prices include it, less the tax relief.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PaymentFeeView {
    amount: Minor,
    tax_amount: Minor,
    tax_relief_amount: Minor,
    total_amount: Minor,
}

impl From<&PaymentFee> for PaymentFeeView {
    fn from(fee: &PaymentFee) -> Self {
        Self { amount: fee.amount, tax_amount: fee.tax, tax_relief_amount: fee.relief, total_amount: fee.total }
    }
}
