//! Payments by card as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};

use crate::domain::{
    money::Minor,
    payment::{CardPayment, PaymentEvent, Refund},
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    captured_amount: Minor,
    refunded_amount: Minor,
    /// The deadline: without a payment by then, the order is cancelled.
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<Refund>,
    history: Vec<PaymentEvent>,
    /// For Stripe.js, in answers to confirm-order while the bank asks for authentication (3-D Secure).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

impl From<&CardPayment> for PaymentView {
    fn from(card: &CardPayment) -> Self {
        Self {
            captured_amount: card.captured,
            refunded_amount: card.refunded(),
            expires_at: card.deadline,
            refunds: card.refunds.clone(),
            history: card.events.clone(),
            client_secret: None,
        }
    }
}
