//! How the result of a payment changes its order. Each step may come twice, late or in another order: from the
//! customer's request, the provider's webhook or the reconciler. It still has one effect.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    money::Minor,
    order::{Actor, IllegalMove, Order, OrderStatus},
    payment::{Intent, IntentStatus, NextAction, PaymentMethod, PaymentStatus, Refunded},
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
    #[error("{left} is left to be refunded")]
    MoreThanLeft { left: Minor },
    #[error("this refundId has been used for a refund of {amount}")]
    OtherRefund { amount: Minor },
    #[error("the payment by card changes this status: use the routes for capture, refund and cancellation")]
    ByPaymentOnly,
    #[error("a fulfillment makes an order partially shipped: use its route")]
    ByFulfillmentsOnly,
}

impl Order {
    /// The next action at the provider.
    pub fn next_action(&self, now: OffsetDateTime) -> Option<NextAction> {
        self.payment.next_action(self.is_called_off(), now)
    }

    fn is_called_off(&self) -> bool {
        self.status == OrderStatus::Cancelled
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
        let was = self.payment.status;
        match (&intent.status, was) {
            (IntentStatus::RequiresAction, PaymentStatus::Pending) => {
                self.payment.ask_customer(now);
            }
            (IntentStatus::Authorized, PaymentStatus::Pending | PaymentStatus::RequiresAction) => {
                self.payment.become_status(PaymentStatus::Authorized, None, now);
                self.stand(now);
            }
            // It was given up but has been authorized after all: it is voided next.
            (IntentStatus::Authorized, PaymentStatus::Declined | PaymentStatus::Cancelled) => {
                self.payment.become_status(PaymentStatus::Authorized, None, now);
            }
            (IntentStatus::Captured(amount), PaymentStatus::Pending | PaymentStatus::RequiresAction) => {
                self.paid(*amount, now);
                self.stand(now);
            }
            (
                IntentStatus::Captured(amount),
                PaymentStatus::Authorized | PaymentStatus::Declined | PaymentStatus::Cancelled,
            ) => self.paid(*amount, now),
            (
                IntentStatus::Cancelled,
                PaymentStatus::Pending | PaymentStatus::RequiresAction | PaymentStatus::Authorized,
            ) => self.unpaid(declined, now),
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

    pub fn learn_refund(&mut self, id: Uuid, refunded: &Refunded, now: OffsetDateTime) -> bool {
        let news = self.payment.learn_refund(id, refunded, now);
        if news {
            let may_be_refunded = self.status.next().contains(&OrderStatus::Refunded);
            if self.payment.status == PaymentStatus::Refunded && may_be_refunded {
                let _: Result<bool, IllegalMove> = self.become_status(OrderStatus::Refunded, Actor::Payment, None, now);
            }
            self.plan(now);
        }
        news
    }

    /// Cancels the order. With a card, what was paid is refunded and an authorized amount is voided. A payment that is
    /// still open is given up first, and the order is cancelled when that is certain. Returns whether anything changed.
    pub fn call_off(
        &mut self,
        actor: Actor,
        note: Option<String>,
        now: OffsetDateTime,
    ) -> Result<bool, PaymentRefusal> {
        if self.is_called_off() {
            return Ok(false);
        }
        if self.payment.status.is_open()
            && let Some(card) = &mut self.payment.card
        {
            if card.intent.is_none() {
                return Err(PaymentRefusal::UnderWay);
            }
            let changed = card.deadline > now;
            card.deadline = card.deadline.min(now);
            card.due = Some(now);
            return Ok(changed);
        }
        self.become_status(OrderStatus::Cancelled, actor, note, now)?;
        self.refund_what_is_left("the order was cancelled", now);
        self.plan(now);
        Ok(true)
    }

    /// A change of status by staff. An order that is paid by card is confirmed and refunded only by its payment.
    pub fn move_by_hand(
        &mut self,
        to: OrderStatus,
        actor: Actor,
        note: Option<String>,
        now: OffsetDateTime,
    ) -> Result<bool, PaymentRefusal> {
        if to == OrderStatus::Cancelled {
            return self.call_off(actor, note, now);
        }
        if to == OrderStatus::PartiallyShipped && self.status != to {
            return Err(PaymentRefusal::ByFulfillmentsOnly);
        }
        let waits = self.payment.status.is_open() || to == OrderStatus::Refunded;
        if self.payment.method == PaymentMethod::Card && waits && self.status != to {
            return Err(PaymentRefusal::ByPaymentOnly);
        }
        Ok(self.become_status(to, actor, note, now)?)
    }

    /// Requests the capture of the authorized amount. Returns whether that is new.
    pub fn ask_capture(&mut self, now: OffsetDateTime) -> Result<bool, PaymentRefusal> {
        let (status, called_off) = (self.payment.status, self.is_called_off());
        let Some(card) = &mut self.payment.card else { return Err(PaymentRefusal::NotByCard) };
        match status {
            PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => return Ok(false),
            PaymentStatus::Authorized if !called_off => {}
            _ => return Err(PaymentRefusal::NotAuthorized(status)),
        }
        let new = !card.capture_asked;
        card.capture_asked = true;
        if new {
            self.plan(now);
        }
        Ok(new)
    }

    /// Requests a refund, without an amount of all that is left. The same id again is the same refund. Returns whether
    /// it is new.
    pub fn ask_refund(
        &mut self,
        id: Uuid,
        amount: Option<Minor>,
        reason: Option<String>,
        now: OffsetDateTime,
    ) -> Result<bool, PaymentRefusal> {
        let Some(card) = &self.payment.card else { return Err(PaymentRefusal::NotByCard) };
        if self.payment.status.is_open() {
            return Err(PaymentRefusal::UnderWay);
        }
        let left = self.payment.left();
        if let Some(known) = card.refunds.iter().find(|refund| refund.id == id) {
            return match amount {
                Some(amount) if amount != known.amount => Err(PaymentRefusal::OtherRefund { amount: known.amount }),
                _ => Ok(false),
            };
        }
        let amount = amount.unwrap_or(left);
        if amount.is_zero() || amount > left {
            return Err(PaymentRefusal::MoreThanLeft { left });
        }
        self.payment.ask_refund(id, amount, reason, now);
        self.plan(now);
        Ok(true)
    }

    fn paid(&mut self, amount: Minor, now: OffsetDateTime) {
        if let Some(card) = &mut self.payment.card {
            card.captured = amount;
        }
        self.payment.become_status(PaymentStatus::Paid, None, now);
        // It was paid after the order was cancelled: it is refunded.
        if self.is_called_off() {
            self.refund_what_is_left("paid after the order was cancelled", now);
        }
        self.refund_credits(now);
    }

    /// Confirms the order: it is paid or authorized.
    fn stand(&mut self, now: OffsetDateTime) {
        // A pending order can always be confirmed, and no other has an open payment.
        let _: Result<bool, IllegalMove> = self.become_status(OrderStatus::Confirmed, Actor::Payment, None, now);
    }

    fn unpaid(&mut self, declined: Option<&str>, now: OffsetDateTime) {
        let status = if declined.is_some() { PaymentStatus::Declined } else { PaymentStatus::Cancelled };
        self.payment.become_status(status, declined.map(ToOwned::to_owned), now);
        let note = if declined.is_some() { "the payment was declined" } else { "not paid" };
        // An error means that the goods have left already: then nothing is given back.
        let note = Some(note.to_owned());
        let _: Result<bool, IllegalMove> = self.become_status(OrderStatus::Cancelled, Actor::Payment, note, now);
    }

    /// Requests a refund of all that is left, under the order's own id or the next unused one.
    fn refund_what_is_left(&mut self, reason: &str, now: OffsetDateTime) {
        let left = self.payment.left();
        let Some(card) = &self.payment.card else { return };
        let used = |id: &Uuid| card.refunds.iter().any(|refund| refund.id == *id);
        let own = self.id.uuid().as_u128();
        let ids = (0..).map(|next| Uuid::from_u128(own.wrapping_add(next)));
        let id = ids.take(card.refunds.len().saturating_add(1)).find(|id| !used(id));
        if let Some(id) = id.filter(|_| !left.is_zero()) {
            let lines = self.rest_of_lines(left);
            self.payment.ask_refund_of(id, left, Some(reason.to_owned()), lines, now);
        }
    }
}
