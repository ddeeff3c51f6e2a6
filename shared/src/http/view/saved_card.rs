//! Saved cards as their owner sees them.

use serde::Serialize;

use crate::domain::payment::{CardToken, SavedCard};

/// `{"paymentMethods": […]}`, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedCardsView {
    payment_methods: Vec<SavedCardView>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct SavedCardView {
    payment_method_id: CardToken,
    brand: String,
    last4: String,
    expiry_month: u8,
    expiry_year: u16,
}

impl From<Vec<SavedCard>> for SavedCardsView {
    fn from(cards: Vec<SavedCard>) -> Self {
        let view = |card: SavedCard| {
            let SavedCard { id, brand, last4, expiry_month, expiry_year } = card;
            SavedCardView { payment_method_id: id, brand, last4, expiry_month, expiry_year }
        };
        Self { payment_methods: cards.into_iter().map(view).collect() }
    }
}
