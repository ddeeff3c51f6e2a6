//! How the result of a payment changes its order. Each step may come twice, late or in another order: from the
//! customer's request, the provider's webhook or the reconciler. It still has one effect.

use time::OffsetDateTime;

use crate::domain::{
    money::Minor,
    note::Note,
    order::{Actor, Cancellation, IllegalMove, Order, OrderStatus},
    payment::{END_NOTICE, Intent, IntentStatus, NextAction, PaymentStatus},
};

/// Why a payment can't be changed like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentRefusal {
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    /// The result of the payment is unknown yet.
    #[error("the payment is under way; ask again in a moment")]
    UnderWay,
    #[error("only what was paid by card can be captured or refunded here")]
    NotByCard,
    #[error("the payment is {0}, so there is nothing to capture")]
    NotAuthorized(PaymentStatus),
    #[error("{authorized} is authorized: no more can be captured")]
    MoreThanAuthorized { authorized: Minor },
    #[error("{amount} was captured, or is to be: a payment is captured once, and the rest is released")]
    OtherCapture { amount: Minor },
    #[error("{left} is left to be refunded")]
    MoreThanLeft { left: Minor },
    #[error("this refundId has been used for a refund of {amount}")]
    OtherRefund { amount: Minor },
    #[error("the payment by card changes this status: use the routes for capture, refund and cancellation")]
    ByPaymentOnly,
    #[error("a fulfillment makes an order partially shipped: use its route")]
    ByFulfillmentsOnly,
    #[error("the payment is authorized and not captured: capture it before the goods leave")]
    NotCaptured,
    #[error("the customer disputes the payment; goods leave only with despiteDispute")]
    Disputed,
    #[error("all that was paid has been refunded, so nothing leaves any more")]
    AllRefunded,
}

/// On which terms goods may leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShippingTerms {
    /// With a payment that is authorized and not captured yet: a setting of the shop.
    pub uncaptured: bool,
    /// Although the customer disputes the payment: staff say so.
    pub despite_dispute: bool,
}

impl Order {
    /// The next action at the provider.
    pub fn next_action(&self, now: OffsetDateTime) -> Option<NextAction> {
        self.payment.next_action(self.is_called_off(), now)
    }

    /// Whether it is cancelled, or is to be as soon as it is certain what becomes of the payment.
    pub fn is_called_off(&self) -> bool {
        self.status == OrderStatus::Cancelled || self.cancellation.is_some()
    }

    /// Whether something is expected to happen at the provider now: an answer is not final.
    pub fn is_under_way(&self) -> bool {
        self.payment.is_under_way(self.is_called_off())
    }

    /// Whether something is expected to happen at the provider in the next minutes: a direct debit takes days.
    pub fn is_acted_on(&self) -> bool {
        self.is_under_way() && self.payment.status != PaymentStatus::Processing
    }

    pub(in crate::domain) fn plan(&mut self, now: OffsetDateTime) {
        self.payment.plan(self.is_called_off(), now);
        self.updated_at = now;
    }

    /// Applies the provider's state of the payment. `declined` is the bank's code, if it declined before the intent was
    /// cancelled. Returns whether anything changed.
    pub fn learn(&mut self, intent: &Intent, declined: Option<&str>, now: OffsetDateTime) -> bool {
        let Some(card) = &mut self.payment.card else { return false };
        let named = card.intent.is_none();
        if named {
            card.intent = Some(intent.id.clone());
        }
        let ends_soon = !card.end_reported && card.capture_before.is_some_and(|until| now >= until - END_NOTICE);
        match (&intent.status, self.payment.status) {
            (IntentStatus::RequiresAction, PaymentStatus::Pending) => {
                self.payment.ask_customer(now);
            }
            (IntentStatus::Processing, PaymentStatus::Pending | PaymentStatus::RequiresAction)
                if self.payment.method.settles_in().is_some() =>
            {
                self.payment.begin_to_process(now);
            }
            (IntentStatus::Authorized { until }, was) if was.is_open() => {
                self.payment.authorize(*until, now);
                self.stand(now);
            }
            // It was given up but has been authorized after all: it is voided next.
            (IntentStatus::Authorized { until }, PaymentStatus::Declined | PaymentStatus::Cancelled) => {
                self.payment.authorize(*until, now);
            }
            // Still held, and soon no longer: that is reported once.
            (IntentStatus::Authorized { .. }, PaymentStatus::Authorized) if ends_soon => self.payment.note_end(),
            (IntentStatus::Captured(amount), was) if was.is_open() => {
                self.paid(*amount, now);
                self.stand(now);
            }
            (
                IntentStatus::Captured(amount),
                PaymentStatus::Authorized | PaymentStatus::Declined | PaymentStatus::Cancelled,
            ) => self.paid(*amount, now),
            (IntentStatus::Cancelled, was) if was.is_open() || was == PaymentStatus::Authorized => {
                self.unpaid(declined, now);
            }
            // Nothing new, or a declined attempt of an intent that is about to be cancelled.
            _ => {
                if named {
                    self.plan(now);
                }
                return named;
            }
        }
        self.plan(now);
        true
    }

    /// Applies that the provider has no payment for this order, and none can come any more. Returns whether anything
    /// changed.
    pub fn learn_nothing_was_paid(&mut self, declined: Option<&str>, now: OffsetDateTime) -> bool {
        if !self.payment.status.is_open() {
            return false;
        }
        self.unpaid(declined, now);
        self.plan(now);
        true
    }

    /// Applies that the provider takes no such amount, whatever the card. Returns whether anything changed.
    pub fn learn_the_amount_was_refused(&mut self, code: &str, now: OffsetDateTime) -> bool {
        let news = self.learn_nothing_was_paid(None, now);
        let card = self.payment.card.as_mut().filter(|_| news);
        if let Some(event) = card.and_then(|card| card.events.last_mut()) {
            event.code = Some(code.to_owned());
        }
        news
    }

    /// Cancels the order. With a card, what was paid is refunded and an authorized amount is voided. While the result
    /// of a payment is unknown, the cancellation is recorded and the payment given up; whatever the result is, the order
    /// ends as cancelled. Returns whether anything changed.
    pub fn call_off(&mut self, actor: Actor, note: Option<Note>, now: OffsetDateTime) -> Result<bool, PaymentRefusal> {
        if self.is_called_off() {
            return Ok(false);
        }
        if self.give_up(now)? {
            self.cancellation = Some(Cancellation { actor, reason: note, at: now });
            return Ok(true);
        }
        self.become_status(OrderStatus::Cancelled, actor, note, now)?;
        self.refund_what_is_left("the order was cancelled", now);
        self.plan(now);
        Ok(true)
    }

    /// Ends an open payment by card: its deadline is now. If it has been paid meanwhile, the order stands. Returns
    /// whether there is such a payment.
    pub fn give_up(&mut self, now: OffsetDateTime) -> Result<bool, PaymentRefusal> {
        let Some(card) = self.payment.card.as_mut().filter(|_| self.payment.status.is_open()) else { return Ok(false) };
        if card.intent.is_none() {
            return Err(PaymentRefusal::UnderWay);
        }
        card.deadline = card.deadline.min(now);
        card.due = Some(now);
        self.updated_at = now;
        Ok(true)
    }

    /// A change of status by staff. An order that is paid by card is confirmed and refunded only by its payment.
    pub fn move_by_hand(
        &mut self,
        to: OrderStatus,
        terms: ShippingTerms,
        actor: Actor,
        note: Option<Note>,
        now: OffsetDateTime,
    ) -> Result<bool, PaymentRefusal> {
        if to == OrderStatus::Cancelled {
            return self.call_off(actor, note, now);
        }
        if to == OrderStatus::PartiallyShipped && self.status != to {
            return Err(PaymentRefusal::ByFulfillmentsOnly);
        }
        if to == OrderStatus::Shipped && self.status != to {
            self.may_ship(terms)?;
        }
        let waits = self.payment.status.is_open() || to == OrderStatus::Refunded;
        if self.payment.method.is_online() && waits && self.status != to {
            return Err(PaymentRefusal::ByPaymentOnly);
        }
        // Money has gone back, so it is recorded as a refund. The status follows.
        if to == OrderStatus::Refunded && self.status.next().contains(&to) {
            return self.pay_back_all_cash(note, actor, now);
        }
        Ok(self.become_status(to, actor, note, now)?)
    }

    /// Requests the capture of the authorized amount, or of a part of it: the rest is released. Returns whether that is
    /// new.
    pub fn ask_capture(&mut self, amount: Option<Minor>, now: OffsetDateTime) -> Result<bool, PaymentRefusal> {
        let (status, called_off, authorized) = (self.payment.status, self.is_called_off(), self.summary.total);
        // Units that were cancelled aren't paid.
        let due = self.total_less_credits();
        let Some(card) = &mut self.payment.card else { return Err(PaymentRefusal::NotByCard) };
        let asked = amount.unwrap_or(due);
        let known = if status.is_captured() {
            Some(card.captured)
        } else {
            card.capture_asked.then(|| card.capture_amount.unwrap_or(authorized))
        };
        match known {
            _ if !status.is_captured() && (status != PaymentStatus::Authorized || called_off) => {
                return Err(PaymentRefusal::NotAuthorized(status));
            }
            // Without an amount it is asked for whatever there is.
            Some(known) if amount.is_none() || known == asked => return Ok(false),
            Some(known) => return Err(PaymentRefusal::OtherCapture { amount: known }),
            None if asked > authorized => return Err(PaymentRefusal::MoreThanAuthorized { authorized }),
            None => {}
        }
        card.capture_asked = true;
        card.capture_amount = Some(asked).filter(|asked| *asked != authorized);
        self.plan(now);
        Ok(true)
    }

    fn paid(&mut self, amount: Minor, now: OffsetDateTime) {
        let due = self.total_less_credits();
        let Some(card) = &mut self.payment.card else { return };
        card.captured = amount;
        let status = card.status_by_books(due);
        self.payment.become_status(status, None, now);
        // It was paid after the order was cancelled: it is refunded.
        if self.is_called_off() {
            self.refund_what_is_left("paid after the order was cancelled", now);
        }
        self.refund_credits(now);
    }

    /// Confirms the order: it is paid or authorized. If it is to be cancelled, it is cancelled.
    fn stand(&mut self, now: OffsetDateTime) {
        let (to, actor, note) = match self.cancellation.take() {
            Some(Cancellation { actor, reason, .. }) => (OrderStatus::Cancelled, actor, reason),
            None => (OrderStatus::Confirmed, Actor::Payment, None),
        };
        // A pending order can always be confirmed or cancelled, and no other has an open payment.
        let _: Result<bool, IllegalMove> = self.become_status(to, actor, note, now);
    }

    fn unpaid(&mut self, declined: Option<&str>, now: OffsetDateTime) {
        let status = if declined.is_some() { PaymentStatus::Declined } else { PaymentStatus::Cancelled };
        let lapsed = self.payment.status == PaymentStatus::Authorized && !self.is_called_off();
        self.payment.become_status(status, declined.map(ToOwned::to_owned), now);
        let note = match (declined, lapsed) {
            (Some(_), _) => "the payment was declined",
            (None, true) => "the bank no longer holds the authorized amount",
            (None, false) => "not paid",
        };
        let (actor, note) = match self.cancellation.take() {
            Some(Cancellation { actor, reason, .. }) => (actor, reason),
            None => (Actor::Payment, Some(Note::for_customer(note))),
        };
        // An error means that the goods have left already: then nothing is given back.
        let _: Result<bool, IllegalMove> = self.become_status(OrderStatus::Cancelled, actor, note, now);
    }
}
