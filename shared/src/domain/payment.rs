//! What is paid for an order and what goes back: a state machine that knows what is to be done next, and learns what
//! became of it. It does nothing itself.

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantArray};
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::domain::{as_text::as_text, ids::Owner, money::Minor};

/// A payment that began later than this before its deadline could still be under way when it is given up.
pub const LAST_CALL: Duration = Duration::minutes(1);
/// Until then whoever began something has finished it, or has died.
pub const PATIENCE: Duration = Duration::minutes(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentMethod {
    CashOnDelivery,
    Card,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentStatus {
    /// Not paid yet; for a card: nobody knows yet.
    Pending,
    /// The customer's bank wants to see the customer.
    RequiresAction,
    /// The bank holds the amount for us, until it is captured.
    Authorized,
    Paid,
    PartiallyRefunded,
    Refunded,
    /// The bank said no. Nothing was paid, and nothing will be.
    Declined,
    /// Nothing was paid, and nothing will be.
    Cancelled,
}

as_text! {
    PaymentMethod: "payment method",
    PaymentStatus: "payment status",
    RefundStatus: "refund status",
    Capture: "capture",
    CardToken: "card token",
}

impl PaymentStatus {
    /// Whether nobody knows yet how it ends.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}

/// How an order is paid, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub method: PaymentMethod,
    pub status: PaymentStatus,
    /// With a card: see [`PaymentMethod`].
    pub card: Option<Box<CardPayment>>,
}

/// A reference to a card that the provider made for the customer's browser: `pm_…`. Never the card itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardToken(String);

/// Why a text is no such reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the payment method that Stripe.js made: pm_ and up to 250 letters, digits and underscores")]
pub struct NotAToken;

impl std::str::FromStr for CardToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let rest = text.strip_prefix("pm_").ok_or(NotAToken)?;
        let good = (1..=250).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if good { Ok(Self(text.to_owned())) } else { Err(NotAToken) }
    }
}

impl std::fmt::Display for CardToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// When the money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Capture {
    /// With the order.
    Automatic,
    /// When staff say so; until then the bank holds it.
    Manual,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum RefundStatus {
    /// To be done, or done and not known to be.
    Pending,
    Succeeded,
    /// The provider refused; the amount is left to be refunded.
    Failed,
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

/// What the provider says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub id: String,
    pub status: IntentStatus,
    /// With which the customer's browser goes on, where it has to. Never stored.
    pub client_secret: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntentStatus {
    /// The provider doesn't know yet either.
    Processing,
    RequiresAction,
    Authorized,
    Captured(Minor),
    /// The bank said no, with this code; it could still be tried with another card.
    Declined(String),
    /// Nothing will ever be paid.
    Cancelled,
}

/// What the provider says of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refunded {
    Succeeded,
    Failed(String),
}

/// What is to be done at the provider next. Every one of these may be done twice with one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAction {
    Pay,
    Look(String),
    /// Its time is over: see that nothing is ever paid. Without an intent the provider has to be searched for one.
    GiveUp(Option<String>),
    Capture(String),
    /// The order was called off while the bank held the amount.
    Void(String),
    Refund {
        intent: String,
        refund: uuid::Uuid,
        amount: Minor,
    },
}

impl Payment {
    /// There is nothing to pay.
    pub const fn nothing(method: PaymentMethod) -> Self {
        Self { method, status: PaymentStatus::Paid, card: None }
    }

    pub const fn cash_on_delivery() -> Self {
        Self { method: PaymentMethod::CashOnDelivery, status: PaymentStatus::Pending, card: None }
    }

    /// A card about to be charged.
    pub fn by_card(token: CardToken, capture: Capture, now: OffsetDateTime, time: Duration) -> Self {
        let card = CardPayment {
            payer: None,
            token,
            capture,
            intent: None,
            deadline: now + time,
            action_time: None,
            due: Some(now + PATIENCE),
            capture_asked: false,
            captured: Minor::ZERO,
            refunds: Vec::new(),
            events: vec![PaymentEvent { status: PaymentStatus::Pending, at: now, code: None }],
        };
        Self { method: PaymentMethod::Card, status: PaymentStatus::Pending, card: Some(Box::new(card)) }
    }

    /// With this time for the customer, should the bank ask for them.
    #[must_use]
    pub fn with_action_time(mut self, time: Duration) -> Self {
        if let Some(card) = &mut self.card {
            card.action_time = Some(time);
        }
        self
    }

    /// The bank asks for the customer, who has from now on as long as the card's terms say.
    pub fn ask_customer(&mut self, now: OffsetDateTime) {
        self.become_status(PaymentStatus::RequiresAction, None, now);
        if let Some(card) = &mut self.card
            && let Some(time) = card.action_time
        {
            card.deadline = card.deadline.min(now + time);
        }
    }

    /// When the reconciler is to look at it.
    pub fn due(&self) -> Option<OffsetDateTime> {
        self.card.as_ref()?.due
    }

    /// What was captured and isn't refunded, nor about to be.
    pub fn left(&self) -> Minor {
        let Some(card) = &self.card else { return Minor::ZERO };
        card.left()
    }

    /// What is to be done next; `called_off` says that the order is cancelled.
    pub fn next_action(&self, called_off: bool, now: OffsetDateTime) -> Option<NextAction> {
        let card = self.card.as_ref()?;
        if self.status.is_open() {
            return match &card.intent {
                intent if now >= card.deadline => Some(NextAction::GiveUp(intent.clone())),
                Some(intent) => Some(NextAction::Look(intent.clone())),
                None if now < card.deadline - LAST_CALL => Some(NextAction::Pay),
                None => None,
            };
        }
        let intent = card.intent.clone()?;
        if self.status == PaymentStatus::Authorized {
            return match (called_off, card.capture_asked) {
                (true, _) => Some(NextAction::Void(intent)),
                (false, true) => Some(NextAction::Capture(intent)),
                (false, false) => None,
            };
        }
        let refund = card.refunds.iter().find(|refund| refund.status == RefundStatus::Pending)?;
        Some(NextAction::Refund { intent, refund: refund.id, amount: refund.amount })
    }

    /// Moves to a status, and writes it down.
    pub fn become_status(&mut self, status: PaymentStatus, code: Option<String>, now: OffsetDateTime) {
        self.status = status;
        if let Some(card) = &mut self.card {
            card.events.push(PaymentEvent { status, at: now, code });
        }
    }

    /// Sets when the reconciler looks again: soon while something is left to be done, at the deadline while the customer is
    /// asked, else never.
    pub fn plan(&mut self, called_off: bool, now: OffsetDateTime) {
        let status = self.status;
        let next = self.next_action(called_off, now).is_some() || status.is_open();
        if let Some(card) = &mut self.card {
            card.due = match status {
                _ if !next => None,
                PaymentStatus::RequiresAction => Some(card.deadline.max(now)),
                _ => Some(now + PATIENCE),
            };
        }
    }

    /// Writes down a refund to be made of an amount that is left.
    pub fn ask_refund(&mut self, id: uuid::Uuid, amount: Minor, reason: Option<String>, now: OffsetDateTime) {
        if let Some(card) = &mut self.card {
            card.refunds.push(Refund { id, amount, status: RefundStatus::Pending, reason, at: now });
        }
    }

    /// Learns what became of a refund. Returns whether that is news.
    pub fn learn_refund(&mut self, id: uuid::Uuid, refunded: &Refunded, now: OffsetDateTime) -> bool {
        let Some(card) = &mut self.card else { return false };
        let pending = |refund: &&mut Refund| refund.id == id && refund.status == RefundStatus::Pending;
        let Some(refund) = card.refunds.iter_mut().find(pending) else { return false };
        let (status, code) = match refunded {
            Refunded::Succeeded => (RefundStatus::Succeeded, None),
            Refunded::Failed(code) => (RefundStatus::Failed, Some(code.clone())),
        };
        refund.status = status;
        let back = card.refunded();
        let status = if back.is_zero() {
            PaymentStatus::Paid
        } else if back == card.captured {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::PartiallyRefunded
        };
        self.become_status(status, code, now);
        true
    }
}

impl CardPayment {
    /// What has gone back for certain.
    pub fn refunded(&self) -> Minor {
        self.sum(|refund| refund.status == RefundStatus::Succeeded)
    }

    fn left(&self) -> Minor {
        self.captured.minus(self.sum(|refund| refund.status != RefundStatus::Failed)).unwrap_or(Minor::ZERO)
    }

    fn sum(&self, counts: impl Fn(&Refund) -> bool) -> Minor {
        let amounts = self.refunds.iter().filter(|refund| counts(refund)).map(|refund| refund.amount);
        Minor::sum(amounts).unwrap_or(Minor::MAX)
    }
}
