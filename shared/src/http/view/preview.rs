//! Answers that are about no one session or order.

use serde::Serialize;

use crate::{
    checkout::merge_guest::Claimed,
    domain::{
        ids::{CheckoutId, OrderId},
        money::Currency,
        shipping::Offer,
    },
    http::view::parts::OfferView,
};

/// What shipping would cost: `{"currency": …, "shippingMethods": […]}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewView {
    currency: Currency,
    shipping_methods: Vec<OfferView>,
}

impl PreviewView {
    pub fn new(currency: Currency, offers: &[Offer]) -> Self {
        Self { currency, shipping_methods: offers.iter().map(Into::into).collect() }
    }
}

/// What moved to the account.
#[derive(Debug, Serialize)]
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
