//! A payment by card, and what has gone back of it.

use serde::{Deserialize, Serialize};
use strum::EnumString;
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::domain::{
    as_text::as_text,
    ids::Owner,
    money::Minor,
    payment::{
        status::{PaymentStatus, RefundStatus},
        token::CardToken,
    },
};

/// When the money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Capture {
    /// With the order.
    Automatic,
    /// When staff say so; until then the bank holds it.
    Manual,
}

as_text! {
    Capture: "capture",
}

/// A payment by card. `payer`, `token` and `capture` are as they were when the order was placed: whoever asks the
/// provider again must ask for just the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPayment {
    /// Who placed the order, where the provider was told so: that was done once, and whoever asks again must ask for
    /// just the same.
    pub payer: Option<Owner>,
    pub token: CardToken,
    pub capture: Capture,
    /// What the provider calls the payment, once it has told.
    pub intent: Option<String>,
    /// It is paid by then, or given up.
    pub deadline: OffsetDateTime,
    /// How long the customer may take once the bank asks for them: the deadline moves to then, if that is earlier.
    pub action_time: Option<Duration>,
    /// When the reconciler is to look at it; none while nothing is left to be done.
    pub due: Option<OffsetDateTime>,
    /// Staff have asked for the money.
    pub capture_asked: bool,
    pub captured: Minor,
    pub refunds: Vec<Refund>,
    /// What happened, oldest first.
    pub events: Vec<PaymentEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Made by whoever asks for it; one id is refunded once.
    #[serde(rename = "refundId")]
    pub id: uuid::Uuid,
    pub amount: Minor,
    pub status: RefundStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// One entry of a payment's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEvent {
    pub status: PaymentStatus,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// The provider's own word for a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl CardPayment {
    /// What has gone back for certain.
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
