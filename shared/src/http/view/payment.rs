//! Payments by card as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::domain::payment::{CardPayment, PaymentEvent, Refund};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    captured_amount: i64,
    refunded_amount: i64,
    /// It is paid by then, or given up.
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
    history: Vec<EventView>,
    /// For Stripe.js, in answers to confirm-order while the bank asks for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RefundView {
    refund_id: Uuid,
    amount: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
struct EventView {
    status: &'static str,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl From<&CardPayment> for PaymentView {
    fn from(card: &CardPayment) -> Self {
        Self {
            captured_amount: card.captured.get(),
            refunded_amount: card.refunded().get(),
            expires_at: card.deadline,
            refunds: card.refunds.iter().map(Into::into).collect(),
            history: card.events.iter().map(Into::into).collect(),
            client_secret: None,
        }
    }
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        let Refund { id, amount, status, reason, at } = refund;
        Self { refund_id: *id, amount: amount.get(), status: status.name(), reason: reason.clone(), at: *at }
    }
}

impl From<&PaymentEvent> for EventView {
    fn from(event: &PaymentEvent) -> Self {
        let PaymentEvent { status, at, code } = event;
        Self { status: status.name(), at: *at, code: code.clone() }
    }
}
