//! Payments through the provider as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::domain::{
    lines::RefundedLines,
    money::Minor,
    order::{Order, OrderStatus},
    payment::{CardPayment, CustomerAction, Dispute, PaymentEvent, PaymentStatus, Refund, RefundSource, RefundStatus},
};

/// The payment of an order through the provider.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// The provider's id of the payment. Only staff see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_intent_id: Option<String>,
    captured_amount: Minor,
    refunded_amount: Minor,
    /// What the bank has taken back because of disputes.
    disputed_amount: Minor,
    /// What the shop has: captured, less refunded and disputed. The `received` of the history less its `paidBack`.
    net_amount: Minor,
    /// What can still be refunded: without what is on its way.
    refundable_amount: Minor,
    /// What the shop owes: the order is cancelled, and a refund of this amount failed.
    owed_amount: Minor,
    /// The part of the authorized amount that was not captured, and is held no longer.
    released_amount: Minor,
    /// The deadline: without a payment by then, the order is cancelled.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    expires_at: OffsetDateTime,
    /// While the amount is authorized: until when it can be captured.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::domain::schema::Timestamp>"))]
    capturable_until: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<Dispute>,
    history: Vec<PaymentEvent>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionView>,
}

/// With what the page goes on, while the customer must act: authenticate, or pay at their bank or wallet.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ActionView {
    /// For Stripe.js.
    client_secret: String,
    /// The page to send the customer to, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<String>,
}

impl From<CustomerAction> for ActionView {
    fn from(action: CustomerAction) -> Self {
        let CustomerAction { client_secret, redirect_url } = action;
        Self { client_secret, redirect_url }
    }
}

/// A refund of an amount or, with `items`, of units.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    refund_id: Uuid,
    amount: Minor,
    status: RefundStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `provider`: made there, for example in Stripe's Dashboard. `by_hand`: paid back in another way.
    #[serde(skip_serializing_if = "RefundSource::is_shop")]
    source: RefundSource,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    at: OffsetDateTime,
    /// Of a refund by line.
    #[serde(flatten)]
    lines: RefundedLines,
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        Self {
            refund_id: refund.id,
            amount: refund.amount,
            status: refund.status,
            reason: refund.reason.clone(),
            source: refund.source,
            at: refund.at,
            lines: refund.lines.clone(),
        }
    }
}

impl PaymentView {
    /// The payment of an order, if it is paid by card.
    pub fn of(order: &Order) -> Option<Self> {
        let card: &CardPayment = order.payment.card.as_deref()?;
        let status = order.payment.status;
        let released = if status.is_captured() { order.summary.total.minus(card.captured) } else { Ok(Minor::ZERO) };
        let is_owed = order.status == OrderStatus::Cancelled && status.is_captured();
        Some(Self {
            payment_intent_id: None,
            captured_amount: card.captured,
            refunded_amount: card.refunded(),
            disputed_amount: card.disputed(),
            net_amount: card.net(),
            refundable_amount: card.left(),
            owed_amount: if is_owed { card.left() } else { Minor::ZERO },
            released_amount: released.unwrap_or(Minor::ZERO),
            expires_at: card.deadline,
            capturable_until: card.capture_before.filter(|_| status == PaymentStatus::Authorized),
            refunds: card.refunds.iter().map(Into::into).collect(),
            disputes: card.disputes.clone(),
            history: card.events.clone(),
            action: None,
        })
    }
}
