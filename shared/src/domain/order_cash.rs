//! How cash on delivery is paid, and paid back by hand. Nobody can be asked about cash, so the order says what staff say.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    money::Minor,
    note::Note,
    order::{Actor, IllegalMove, Order, OrderStatus},
    order_payment::PaymentRefusal,
    payment::{CashPayment, PaymentMethod, PaymentStatus, Refund, RefundSource},
};

impl Order {
    /// What the order's new status says about a payment that no provider knows.
    pub(super) fn pay_by_status(&mut self) {
        use OrderStatus::{Cancelled, Delivered, Returned};
        match (self.payment.method, self.status, self.payment.status) {
            (PaymentMethod::CashOnDelivery, Delivered, PaymentStatus::Pending) => {
                self.payment.cash = Some(Box::new(CashPayment::new(self.total_less_credits())));
                self.payment.status = PaymentStatus::Paid;
            }
            // Refused at the door, or it never came there.
            (_, Cancelled | Returned, PaymentStatus::Pending) | (PaymentMethod::Free, Cancelled, _) => {
                self.payment.status = PaymentStatus::Cancelled;
            }
            _ => {}
        }
    }

    /// Records cash that staff have paid back; without an amount all that is left. The same id again is the same refund.
    /// Paid back in full, an order that was delivered is refunded, and the note is that step's. Returns whether it is new.
    pub fn pay_back_cash(
        &mut self,
        id: Uuid,
        amount: Option<Minor>,
        reason: Option<String>,
        note: Option<Note>,
        actor: Actor,
        now: OffsetDateTime,
    ) -> Result<bool, PaymentRefusal> {
        let Some(cash) = &mut self.payment.cash else { return Err(PaymentRefusal::MoreThanLeft { left: Minor::ZERO }) };
        if let Some(known) = cash.refunds.iter().find(|refund| refund.id == id) {
            return match amount {
                Some(amount) if amount != known.amount => Err(PaymentRefusal::OtherRefund { amount: known.amount }),
                _ => Ok(false),
            };
        }
        let left = cash.left();
        let amount = amount.unwrap_or(left);
        if amount.is_zero() || amount > left {
            return Err(PaymentRefusal::MoreThanLeft { left });
        }
        cash.refunds.push(Refund::new(id, amount, false, reason, RefundSource::ByHand, now));
        self.payment.status = cash.status();
        self.updated_at = now;
        self.follow_cash(actor, note, now)?;
        Ok(true)
    }

    /// Lets the order's status follow cash that was paid back: in full, an order that was delivered is refunded.
    pub(in crate::domain) fn follow_cash(
        &mut self,
        actor: Actor,
        note: Option<Note>,
        now: OffsetDateTime,
    ) -> Result<(), IllegalMove> {
        let is_back = self.payment.cash.as_ref().is_some_and(|cash| cash.left().is_zero());
        if is_back && self.status.next().contains(&OrderStatus::Refunded) {
            self.become_status(OrderStatus::Refunded, actor, note, now)?;
        }
        Ok(())
    }

    /// Records that all cash that is left was paid back, under the order's own id or the next unused one.
    pub(super) fn pay_back_all_cash(
        &mut self,
        note: Option<Note>,
        actor: Actor,
        now: OffsetDateTime,
    ) -> Result<bool, PaymentRefusal> {
        let used = self.payment.cash.as_ref().map_or(0, |cash| cash.refunds.len());
        let own = self.id.uuid().as_u128();
        let is_free = |id: &Uuid| {
            let cash = self.payment.cash.as_ref();
            cash.is_none_or(|cash| cash.refunds.iter().all(|refund| refund.id != *id))
        };
        let mut ids = (0..).map(|next| Uuid::from_u128(own.wrapping_add(next))).take(used.saturating_add(1));
        let id = ids.find(is_free).unwrap_or_else(|| self.id.uuid());
        self.pay_back_cash(id, None, None, note, actor, now)
    }
}
