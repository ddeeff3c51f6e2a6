//! The result of a claim.

use serde::Serialize;

use crate::{
    checkout::merge_guest::Claimed,
    domain::ids::{CheckoutId, OrderId},
};

/// The ids of what moved to the account.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClaimedView {
    checkout_ids: Vec<CheckoutId>,
    order_ids: Vec<OrderId>,
}

impl From<&Claimed> for ClaimedView {
    fn from(claimed: &Claimed) -> Self {
        Self { checkout_ids: claimed.sessions.clone(), order_ids: claimed.orders.clone() }
    }
}
