//! Cash as the client sees it.

use serde::Serialize;

use crate::{
    domain::{money::Minor, payment::CashPayment},
    http::view::payment::RefundView,
};

/// Cash that was received at the door.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CashView {
    received_amount: Minor,
    refunded_amount: Minor,
    /// What was paid back by hand, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
}

impl From<&CashPayment> for CashView {
    fn from(cash: &CashPayment) -> Self {
        let refunds = cash.refunds.iter().map(Into::into).collect();
        Self { received_amount: cash.received, refunded_amount: cash.refunded(), refunds }
    }
}
