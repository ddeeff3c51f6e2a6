//! Payments and refunds of an order: a state machine that knows the next action, and applies its result. It makes no
//! calls itself.

mod card;
mod cash;
mod customer;
mod dispute;
mod intent;
mod ledger;
mod method;
mod return_url;
mod status;
mod token;

use time::{Duration, OffsetDateTime};

use crate::domain::money::Minor;

pub use card::{Capture, CardPayment, PaymentEvent, Refund};
pub use cash::CashPayment;
pub use customer::{NotACustomer, PaymentCustomer, SavedCard};
pub use dispute::{Dispute, DisputeStatus};
pub use intent::{
    CustomerAction, Intent, IntentStatus, Ledger, PaymentIncident, ProviderRefund, ProviderRefundStatus, Refunded,
};
pub use method::PaymentMethod;
pub use return_url::{NotAReturnUrl, ReturnUrl};
pub use status::{PaymentStatus, RefundSource, RefundStatus};
pub use token::{CardToken, NotAToken};

/// No payment begins in this time before its deadline: it could still be under way when it is given up.
pub const LAST_CALL: Duration = Duration::minutes(1);
/// After this time the process that began an action has finished it, or has died.
pub const PATIENCE: Duration = Duration::minutes(1);
/// How long before its end an authorization is reported.
pub const END_NOTICE: Duration = Duration::days(1);
/// How often a payment is looked at that takes days, if the provider hasn't said anything.
const PROCESSING_PATIENCE: Duration = Duration::hours(12);
/// How long after it was made a refund that is still on its way is looked at, if the provider hasn't said anything.
const REFUND_PATIENCE: Duration = Duration::days(1);

/// The payment of an order: its method and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub method: PaymentMethod,
    pub status: PaymentStatus,
    /// Set if it is paid online, by a card or otherwise: see [`PaymentMethod::is_online`].
    pub card: Option<Box<CardPayment>>,
    /// Set once cash was received.
    pub cash: Option<Box<CashPayment>>,
}

/// The next action at the provider. Each may be done twice with one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAction {
    Pay,
    Look(String),
    /// Its deadline has passed: make sure that nothing can be paid. Without an intent's id, the provider is searched
    /// for one.
    GiveUp(Option<String>),
    /// Capture an amount; without one, all that is authorized.
    Capture {
        intent: String,
        amount: Option<Minor>,
    },
    /// Release the authorized amount of a cancelled order.
    Void(String),
    /// Refund an amount; without one, all that is left. `attempt` counts the attempts that the provider has failed.
    Refund {
        intent: String,
        refund: uuid::Uuid,
        attempt: u32,
        amount: Option<Minor>,
    },
    /// Read the refunds and disputes of the payment.
    ReadLedger(String),
}

impl Payment {
    /// The payment of a total of zero: it is paid at once.
    pub const fn nothing() -> Self {
        Self { method: PaymentMethod::Free, status: PaymentStatus::Paid, card: None, cash: None }
    }

    pub const fn cash_on_delivery() -> Self {
        Self { method: PaymentMethod::CashOnDelivery, status: PaymentStatus::Pending, card: None, cash: None }
    }

    /// A card that will be charged.
    pub fn by_card(token: CardToken, capture: Capture, now: OffsetDateTime, time: Duration) -> Self {
        Self::online(PaymentMethod::Card, token, capture, now, time)
    }

    /// A payment that will be made through the provider.
    pub fn online(
        method: PaymentMethod,
        token: CardToken,
        capture: Capture,
        now: OffsetDateTime,
        time: Duration,
    ) -> Self {
        let card = CardPayment {
            payer: None,
            token,
            return_url: None,
            customer: None,
            saves: false,
            capture,
            intent: None,
            deadline: now + time,
            action_time: None,
            due: Some(now + PATIENCE),
            capture_asked: false,
            capture_amount: None,
            capture_before: None,
            end_reported: false,
            captured: Minor::ZERO,
            refunds: Vec::new(),
            disputes: Vec::new(),
            events: vec![PaymentEvent::new(PaymentStatus::Pending, now)],
        };
        Self { method, status: PaymentStatus::Pending, card: Some(Box::new(card)), cash: None }
    }

    /// Sets how long the customer may take if the bank asks for authentication.
    #[must_use]
    pub fn with_action_time(mut self, time: Duration) -> Self {
        if let Some(card) = &mut self.card {
            card.action_time = Some(time);
        }
        self
    }

    /// Sets where the customer comes back to from the page of their bank or wallet.
    #[must_use]
    pub fn with_return_url(mut self, url: Option<ReturnUrl>) -> Self {
        if let Some(card) = &mut self.card {
            card.return_url = url;
        }
        self
    }

    /// Pays as this customer of the provider, with one of its saved cards or with a card that is saved for it.
    #[must_use]
    pub fn as_customer(mut self, customer: PaymentCustomer, saves: bool) -> Self {
        if let Some(card) = &mut self.card {
            (card.customer, card.saves) = (Some(customer), saves);
        }
        self
    }

    /// The customer must act: the bank asks for authentication, or they pay on its page. The deadline is the action time
    /// from now; for a card it is only ever moved earlier.
    pub fn ask_customer(&mut self, now: OffsetDateTime) {
        self.become_status(PaymentStatus::RequiresAction, None, now);
        let is_card = self.method == PaymentMethod::Card;
        if let Some(card) = &mut self.card
            && let Some(time) = card.action_time
        {
            card.deadline = if is_card { card.deadline.min(now + time) } else { now + time };
        }
    }

    /// The customer has done everything, and their bank takes days.
    pub fn begin_to_process(&mut self, now: OffsetDateTime) {
        self.become_status(PaymentStatus::Processing, None, now);
        let time = self.method.settles_in();
        if let Some(card) = &mut self.card {
            card.deadline = time.map_or(card.deadline, |time| now + time);
        }
    }

    /// The bank holds the amount, until then if the provider says so.
    pub fn authorize(&mut self, until: Option<OffsetDateTime>, now: OffsetDateTime) {
        let usual = self.method.holds_for();
        if let Some(card) = &mut self.card {
            card.capture_before = until.or_else(|| Some(now + usual?));
        }
        self.become_status(PaymentStatus::Authorized, None, now);
    }

    /// It has been reported that the authorization ends soon.
    pub fn note_end(&mut self) {
        if let Some(card) = &mut self.card {
            card.end_reported = true;
        }
    }

    /// When it is due for the reconciler.
    pub fn due(&self) -> Option<OffsetDateTime> {
        self.card.as_ref()?.due
    }

    /// All refunds, by whatever method, oldest first.
    pub fn refunds(&self) -> impl Iterator<Item = &Refund> {
        let of_card = self.card.iter().flat_map(|card| &card.refunds);
        of_card.chain(self.cash.iter().flat_map(|cash| &cash.refunds))
    }

    /// The captured amount less all refunds that are made or requested, and less what the bank has taken back.
    pub fn left(&self) -> Minor {
        let Some(card) = &self.card else { return Minor::ZERO };
        card.left()
    }

    /// The next action. `called_off` says that the order is cancelled, or is to be.
    pub fn next_action(&self, called_off: bool, now: OffsetDateTime) -> Option<NextAction> {
        let card = self.card.as_ref()?;
        if self.status.is_open() {
            return match &card.intent {
                intent if now >= card.deadline => Some(NextAction::GiveUp(intent.clone())),
                Some(intent) if called_off => Some(NextAction::GiveUp(Some(intent.clone()))),
                Some(intent) => Some(NextAction::Look(intent.clone())),
                None if now < card.deadline - LAST_CALL => Some(NextAction::Pay),
                None => None,
            };
        }
        let is_due = card.due.is_some_and(|due| due <= now);
        self.settled_action(called_off).or_else(|| self.background_look().filter(|_| is_due))
    }

    /// Whether a request or the reconciler is expected to do something at the provider now.
    pub fn is_under_way(&self, called_off: bool) -> bool {
        self.status.is_open() && self.card.is_some() || self.settled_action(called_off).is_some()
    }

    /// The next action of a payment whose result is known.
    fn settled_action(&self, called_off: bool) -> Option<NextAction> {
        let card = self.card.as_ref().filter(|_| !self.status.is_open())?;
        let intent = card.intent.clone()?;
        if self.status == PaymentStatus::Authorized {
            return match (called_off, card.capture_asked) {
                (true, _) => Some(NextAction::Void(intent)),
                (false, true) => Some(NextAction::Capture { intent, amount: card.capture_amount }),
                (false, false) => None,
            };
        }
        let refund = card.refunds.iter().find(|refund| refund.is_to_do())?;
        let amount = (!refund.of_rest).then_some(refund.amount);
        Some(NextAction::Refund { intent, refund: refund.id, attempt: refund.attempt, amount })
    }

    /// What is looked at later, because the provider may change it by itself.
    fn background_look(&self) -> Option<NextAction> {
        let card = self.card.as_ref()?;
        let intent = card.intent.clone()?;
        if self.status == PaymentStatus::Authorized {
            return Some(NextAction::Look(intent));
        }
        let on_its_way = card.refunds.iter().any(|refund| refund.status == RefundStatus::Pending);
        on_its_way.then_some(NextAction::ReadLedger(intent))
    }

    /// Sets the status, and adds it to the history with the money that has moved since the entry before.
    pub fn become_status(&mut self, status: PaymentStatus, code: Option<String>, now: OffsetDateTime) {
        self.status = status;
        if let Some(card) = &mut self.card {
            let event = card.event(status, code, now);
            card.events.push(event);
        }
    }

    /// Sets when it is due: soon while an action is left, at the deadline while the bank waits for the customer, twice a day
    /// while it works on a payment that takes days, before and at the end of an authorization, a day later while a refund
    /// is on its way, else never.
    pub fn plan(&mut self, called_off: bool, now: OffsetDateTime) {
        let status = self.status;
        let acts = self.settled_action(called_off).is_some();
        let looks = self.background_look().is_some();
        if let Some(card) = &mut self.card {
            card.due = match status {
                PaymentStatus::RequiresAction => Some(card.deadline.max(now)),
                PaymentStatus::Pending => Some(now + PATIENCE),
                PaymentStatus::Processing => Some((now + PROCESSING_PATIENCE).min(card.deadline).max(now + PATIENCE)),
                _ if acts => Some(now + PATIENCE),
                PaymentStatus::Authorized => {
                    let notice = if card.end_reported { Duration::ZERO } else { END_NOTICE };
                    card.capture_before.map(|until| (until - notice).max(now + PATIENCE))
                }
                _ if looks => Some(now + REFUND_PATIENCE),
                _ => None,
            };
        }
    }

    /// The refund with this id.
    pub fn refund(&self, id: uuid::Uuid) -> Option<&Refund> {
        self.card.as_ref()?.refunds.iter().find(|refund| refund.id == id)
    }

    /// Adds a refund. Its amount must be left.
    pub fn add_refund(&mut self, refund: Refund) {
        if let Some(card) = &mut self.card {
            card.refunds.push(refund);
        }
    }
}
