//! Payments by card as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::domain::{
    money::Minor,
    payment::{CardPayment, PaymentEvent, PaymentStatus, Refund, RefundStatus},
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    captured_amount: Minor,
    refunded_amount: Minor,
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
    amount: Minor,
    status: RefundStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
struct EventView {
    status: PaymentStatus,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl From<&CardPayment> for PaymentView {
    fn from(card: &CardPayment) -> Self {
        Self {
            captured_amount: card.captured,
            refunded_amount: card.refunded(),
            expires_at: card.deadline,
            refunds: card.refunds.iter().map(Into::into).collect(),
            history: card.events.iter().map(Into::into).collect(),
            client_secret: None,
        }
    }
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        let Refund { id: refund_id, amount, status, reason, at } = refund.clone();
        Self { refund_id, amount, status, reason, at }
    }
}

impl From<&PaymentEvent> for EventView {
    fn from(event: &PaymentEvent) -> Self {
        let PaymentEvent { status, at, code } = event.clone();
        Self { status, at, code }
    }
}
