//! A payment through the provider, by a card or otherwise, and its refunds.

use serde::{Deserialize, Serialize};
use strum::EnumString;
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::domain::{
    as_text::as_text,
    ids::Owner,
    lines::RefundedLines,
    money::Minor,
    payment::{
        customer::PaymentCustomer,
        dispute::Dispute,
        return_url::ReturnUrl,
        status::{PaymentStatus, RefundSource, RefundStatus},
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

/// A payment through the provider, mostly by a card. `payer`, `token`, `return_url`, `customer`, `saves` and `capture`
/// never change after the order is placed, because a repeated call to the provider must be identical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPayment {
    /// The owner who placed the order, if the provider was told so by an earlier release: a repeated call must be
    /// identical.
    pub payer: Option<Owner>,
    pub token: CardToken,
    /// Where the customer comes back to from the page of their bank or wallet.
    pub return_url: Option<ReturnUrl>,
    /// The account's customer at the provider, if the card is saved or will be.
    pub customer: Option<PaymentCustomer>,
    /// Whether the card is saved for the account when it has paid.
    pub saves: bool,
    pub capture: Capture,
    /// The id of the provider's intent, once it is known.
    pub intent: Option<String>,
    /// Without a payment by this time, it is given up.
    pub deadline: OffsetDateTime,
    /// How long the customer may take once the bank asks for authentication, or on the page of their bank or wallet.
    pub action_time: Option<Duration>,
    /// When it is due for the reconciler; none if nothing is left to do.
    pub due: Option<OffsetDateTime>,
    /// Whether staff have requested the capture.
    pub capture_asked: bool,
    /// The part that they have requested; none for the whole amount.
    pub capture_amount: Option<Minor>,
    /// Until when the bank holds an authorized amount.
    pub capture_before: Option<OffsetDateTime>,
    /// Whether it has been reported that the authorization ends soon.
    pub end_reported: bool,
    pub captured: Minor,
    pub refunds: Vec<Refund>,
    /// The customer's objections to the payment at their bank, oldest first.
    pub disputes: Vec<Dispute>,
    /// The history, oldest first.
    pub events: Vec<PaymentEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// Who made it.
    #[serde(default, skip_serializing_if = "RefundSource::is_shop")]
    pub source: RefundSource,
    /// Of all that is left: the provider says how much that is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_rest: bool,
    /// The provider's id, once it has accepted the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// How many attempts the provider has answered with a failure of its own. Each attempt has its own idempotency key,
    /// because the provider repeats a saved failure.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub attempt: u32,
    /// The provider's code, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none_yet(attempt: &u32) -> bool {
    *attempt == 0
}

impl Refund {
    /// A refund to be made. `of_rest`: of all that is left, which the provider knows best.
    pub const fn new(
        id: uuid::Uuid,
        amount: Minor,
        of_rest: bool,
        reason: Option<String>,
        source: RefundSource,
        at: OffsetDateTime,
    ) -> Self {
        // A refund by hand has been made when it is recorded.
        let status =
            if matches!(source, RefundSource::ByHand) { RefundStatus::Succeeded } else { RefundStatus::Pending };
        let lines = RefundedLines::new();
        Self { id, amount, status, reason, at, lines, source, of_rest, provider_id: None, attempt: 0, code: None }
    }

    /// Whether the provider must still be asked for it.
    pub fn is_to_do(&self) -> bool {
        self.status == RefundStatus::Pending && self.provider_id.is_none()
    }
}

/// One entry of a payment's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PaymentEvent {
    pub status: PaymentStatus,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    pub at: OffsetDateTime,
    /// The provider's code for a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the shop got since the entry before: a capture, a refund that came back, a dispute that was won.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Minor>,
    /// What the shop gave since the entry before: a refund, an amount that the bank took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_back: Option<Minor>,
}

impl PaymentEvent {
    /// An entry with which no money moves.
    pub const fn new(status: PaymentStatus, at: OffsetDateTime) -> Self {
        Self { status, at, code: None, received: None, paid_back: None }
    }
}

impl CardPayment {
    /// The next entry of the history: what has moved is the difference to what the entries before add up to.
    pub(super) fn event(&self, status: PaymentStatus, code: Option<String>, at: OffsetDateTime) -> PaymentEvent {
        let all = |part: fn(&PaymentEvent) -> Option<Minor>| {
            Minor::sum(self.events.iter().filter_map(part)).unwrap_or(Minor::MAX)
        };
        let (was, gone) = (all(|event| event.received), all(|event| event.paid_back));
        let sum = |a: Minor, b: Minor| a.plus(b).unwrap_or(Minor::MAX);
        let (plus, minus) = (sum(self.net(), gone), was);
        let some = |amount: Minor| Some(amount).filter(|amount| !amount.is_zero());
        let received = plus.minus(minus).ok().and_then(some);
        let paid_back = minus.minus(plus).ok().and_then(some);
        PaymentEvent { code, received, paid_back, ..PaymentEvent::new(status, at) }
    }

    /// What the shop has of this payment: captured, less what was refunded and what the bank has taken back.
    pub fn net(&self) -> Minor {
        let rest = self.captured.minus(self.refunded()).unwrap_or(Minor::ZERO);
        rest.minus(self.disputed()).unwrap_or(Minor::ZERO)
    }

    /// The sum of the refunds that have succeeded.
    pub fn refunded(&self) -> Minor {
        self.sum(|refund| refund.status == RefundStatus::Succeeded)
    }

    /// The sum of the refunds that have succeeded or are on their way.
    pub fn given_back(&self) -> Minor {
        self.sum(|refund| refund.status != RefundStatus::Failed)
    }

    /// What the bank has taken back because of disputes.
    pub fn disputed(&self) -> Minor {
        Minor::sum(self.disputes.iter().map(Dispute::withdrawn)).unwrap_or(Minor::MAX)
    }

    /// The captured amount less all refunds that are made or requested, and less what the bank has taken back.
    pub fn left(&self) -> Minor {
        let rest = self.captured.minus(self.given_back()).unwrap_or(Minor::ZERO);
        rest.minus(self.disputed()).unwrap_or(Minor::ZERO)
    }

    /// The state that follows from the captured, refunded and disputed amounts. `total` is the order's.
    pub fn status_by_books(&self, total: Minor) -> PaymentStatus {
        let (refunded, disputed) = (self.refunded(), self.disputed());
        if self.disputes.iter().any(|dispute| dispute.status.is_open() && !dispute.withdrawn().is_zero()) {
            PaymentStatus::Disputed
        } else if !disputed.is_zero() {
            PaymentStatus::ChargedBack
        } else if !refunded.is_zero() && refunded >= self.captured {
            PaymentStatus::Refunded
        } else if !refunded.is_zero() {
            PaymentStatus::PartiallyRefunded
        } else if self.captured < total {
            PaymentStatus::PartiallyPaid
        } else {
            PaymentStatus::Paid
        }
    }

    fn sum(&self, counts: impl Fn(&Refund) -> bool) -> Minor {
        let amounts = self.refunds.iter().filter(|refund| counts(refund)).map(|refund| refund.amount);
        Minor::sum(amounts).unwrap_or(Minor::MAX)
    }
}
