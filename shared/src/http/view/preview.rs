//! What shipping would cost, without a session.

use serde::Serialize;

use crate::{
    domain::{money::Currency, shipping::Offer},
    http::view::parts::OfferView,
};

/// What shipping would cost: `{"currency": …, "shippingMethods": […]}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
