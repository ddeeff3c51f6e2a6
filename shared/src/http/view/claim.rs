//! What became of a guest's sessions and orders.

use serde::Serialize;

use crate::checkout::merge_guest::Claimed;

/// What moved to the account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedView {
    checkout_ids: Vec<String>,
    order_ids: Vec<String>,
}

impl From<&Claimed> for ClaimedView {
    fn from(claimed: &Claimed) -> Self {
        Self {
            checkout_ids: claimed.sessions.iter().map(ToString::to_string).collect(),
            order_ids: claimed.orders.iter().map(ToString::to_string).collect(),
        }
    }
}
