//! A payment by card, and its refunds.

use serde::{Deserialize, Serialize};
use strum::EnumString;
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::domain::{
    as_text::as_text,
    ids::Owner,
    lines::RefundedLines,
    money::Minor,
    payment::{
        status::{PaymentStatus, RefundStatus},
        token::CardToken,
    },
};

/// When the amount is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Capture {
    /// When the order is placed.
    Automatic,
    /// When staff request it. Until then the bank holds the amount.
    Manual,
}

as_text! {
    Capture: "capture",
}

/// A payment by card. `payer`, `token` and `capture` never change after the order is placed, because a repeated call to
/// the provider must be identical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPayment {
    /// The owner who placed the order, if the provider was told so by an earlier release: a repeated call must be
    /// identical.
    pub payer: Option<Owner>,
    pub token: CardToken,
    pub capture: Capture,
    /// The id of the provider's intent, once it is known.
    pub intent: Option<String>,
    /// Without a payment by this time, it is given up.
    pub deadline: OffsetDateTime,
    /// How long the customer may take once the bank asks for authentication. It can only move the deadline earlier.
    pub action_time: Option<Duration>,
    /// When it is due for the reconciler; none if nothing is left to do.
    pub due: Option<OffsetDateTime>,
    /// Whether staff have requested the capture.
    pub capture_asked: bool,
    pub captured: Minor,
    pub refunds: Vec<Refund>,
    /// The history, oldest first.
    pub events: Vec<PaymentEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The client makes the id. One id is refunded once.
    #[serde(rename = "refundId")]
    pub id: uuid::Uuid,
    pub amount: Minor,
    pub status: RefundStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Of a refund by line.
    #[serde(flatten)]
    pub lines: RefundedLines,
}

/// One entry of a payment's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEvent {
    pub status: PaymentStatus,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// The provider's code for a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl CardPayment {
    /// The sum of the refunds that have succeeded.
    pub fn refunded(&self) -> Minor {
        self.sum(|refund| refund.status == RefundStatus::Succeeded)
    }

    pub(super) fn left(&self) -> Minor {
        self.captured.minus(self.sum(|refund| refund.status != RefundStatus::Failed)).unwrap_or(Minor::ZERO)
    }

    fn sum(&self, counts: impl Fn(&Refund) -> bool) -> Minor {
        let amounts = self.refunds.iter().filter(|refund| counts(refund)).map(|refund| refund.amount);
        Minor::sum(amounts).unwrap_or(Minor::MAX)
    }
}
