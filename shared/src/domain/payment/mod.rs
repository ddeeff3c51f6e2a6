//! Payments and refunds of an order: a state machine that knows the next action, and applies its result. It makes no
//! calls itself.

mod card;
mod intent;
mod status;
mod token;

use time::{Duration, OffsetDateTime};

use crate::domain::{lines::RefundedLines, money::Minor};

pub use card::{Capture, CardPayment, PaymentEvent, Refund};
pub use intent::{Intent, IntentStatus, Refunded};
pub use status::{PaymentMethod, PaymentStatus, RefundStatus};
pub use token::{CardToken, NotAToken};

/// No payment begins in this time before its deadline: it could still be under way when it is given up.
pub const LAST_CALL: Duration = Duration::minutes(1);
/// After this time the process that began an action has finished it, or has died.
pub const PATIENCE: Duration = Duration::minutes(1);

/// The payment of an order: its method and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub method: PaymentMethod,
    pub status: PaymentStatus,
    /// Set if it is paid by card: see [`PaymentMethod`].
    pub card: Option<Box<CardPayment>>,
}

/// The next action at the provider. Each may be done twice with one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAction {
    Pay,
    Look(String),
    /// Its deadline has passed: make sure that nothing can be paid. Without an intent's id, the provider is searched
    /// for one.
    GiveUp(Option<String>),
    Capture(String),
    /// Release the authorized amount of a cancelled order.
    Void(String),
    Refund {
        intent: String,
        refund: uuid::Uuid,
        amount: Minor,
    },
}

impl Payment {
    /// A payment of nothing.
    pub const fn nothing(method: PaymentMethod) -> Self {
        Self { method, status: PaymentStatus::Paid, card: None }
    }

    pub const fn cash_on_delivery() -> Self {
        Self { method: PaymentMethod::CashOnDelivery, status: PaymentStatus::Pending, card: None }
    }

    /// A card that will be charged.
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

    /// Sets how long the customer may take if the bank asks for authentication.
    #[must_use]
    pub fn with_action_time(mut self, time: Duration) -> Self {
        if let Some(card) = &mut self.card {
            card.action_time = Some(time);
        }
        self
    }

    /// The bank asks for authentication. The deadline is at most the card's action time from now.
    pub fn ask_customer(&mut self, now: OffsetDateTime) {
        self.become_status(PaymentStatus::RequiresAction, None, now);
        if let Some(card) = &mut self.card
            && let Some(time) = card.action_time
        {
            card.deadline = card.deadline.min(now + time);
        }
    }

    /// When it is due for the reconciler.
    pub fn due(&self) -> Option<OffsetDateTime> {
        self.card.as_ref()?.due
    }

    /// The captured amount less all refunds that are made or requested.
    pub fn left(&self) -> Minor {
        let Some(card) = &self.card else { return Minor::ZERO };
        card.left()
    }

    /// The next action. `called_off` says that the order is cancelled.
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

    /// Sets the status, and adds it to the history.
    pub fn become_status(&mut self, status: PaymentStatus, code: Option<String>, now: OffsetDateTime) {
        self.status = status;
        if let Some(card) = &mut self.card {
            card.events.push(PaymentEvent { status, at: now, code });
        }
    }

    /// Sets when it is due: soon while an action is left, at the deadline while the bank waits for the customer, else
    /// never.
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

    /// Records a requested refund. The amount must be left.
    pub fn ask_refund(&mut self, id: uuid::Uuid, amount: Minor, reason: Option<String>, now: OffsetDateTime) {
        self.ask_refund_of(id, amount, reason, RefundedLines::default(), now);
    }

    /// Records a requested refund of units. The amount must be left.
    pub fn ask_refund_of(
        &mut self,
        id: uuid::Uuid,
        amount: Minor,
        reason: Option<String>,
        lines: RefundedLines,
        now: OffsetDateTime,
    ) {
        if let Some(card) = &mut self.card {
            card.refunds.push(Refund { id, amount, status: RefundStatus::Pending, reason, at: now, lines });
        }
    }

    /// Applies the result of a refund. Returns whether that is new.
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
