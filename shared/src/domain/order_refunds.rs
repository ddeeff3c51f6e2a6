//! Refunds of an order: what is asked for, what the provider makes of it, and what the order becomes by it.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    money::Minor,
    note::Note,
    order::{Actor, IllegalMove, Order, OrderStatus},
    order_payment::PaymentRefusal,
    payment::{Ledger, PaymentIncident, PaymentStatus, Refund, RefundSource, RefundStatus, Refunded},
};

/// A refund as somebody asks for it.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    /// The client makes it. One id is refunded once.
    pub id: Uuid,
    /// Without one: all that is left.
    pub amount: Option<Minor>,
    pub reason: Option<String>,
    pub source: RefundSource,
    pub actor: Actor,
}

impl Order {
    /// Applies the provider's answer to a request for a refund. Returns whether that is new.
    pub fn learn_refund(&mut self, id: Uuid, refunded: &Refunded, now: OffsetDateTime) -> bool {
        let news = self.payment.learn_refund(id, refunded, self.total_less_credits(), now);
        self.follow_refunds(news, Actor::Payment, None, now);
        news
    }

    /// Applies the provider's refunds and disputes. Returns whether anything is new.
    pub fn learn_ledger(&mut self, ledger: &Ledger, now: OffsetDateTime) -> bool {
        let news = self.payment.learn_ledger(ledger, self.total_less_credits(), now);
        self.follow_refunds(news, Actor::Payment, None, now);
        news
    }

    /// Lets the order's status follow its refunds. Refunded as a whole, an order that hasn't left is cancelled, as soon
    /// as all refunds are asked for: its goods must not leave. One that has left is refunded when all are made.
    pub(in crate::domain) fn follow_refunds(
        &mut self,
        news: bool,
        actor: Actor,
        reason: Option<String>,
        now: OffsetDateTime,
    ) {
        if !news {
            return;
        }
        if let Some(card) = &self.payment.card
            && !card.captured.is_zero()
            && card.given_back() >= card.captured
        {
            let note = reason.unwrap_or_else(|| "everything was refunded".to_owned());
            let note = Some(Note::for_customer(note));
            let to = match self.status {
                OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Processing => OrderStatus::Cancelled,
                _ => OrderStatus::Refunded,
            };
            let is_made = self.payment.status == PaymentStatus::Refunded;
            if (is_made || to == OrderStatus::Cancelled) && self.status.next().contains(&to) {
                let _: Result<bool, IllegalMove> = self.become_status(to, actor, note, now);
            }
        }
        self.plan(now);
    }

    /// What has happened since `before` that a person must look into.
    pub fn incidents(&self, before: &Self) -> Vec<PaymentIncident> {
        let (Some(card), Some(was)) = (&self.payment.card, &before.payment.card) else { return Vec::new() };
        let failed = card.refunds.iter().filter(|refund| {
            let known = was.refunds.iter().find(|known| known.id == refund.id);
            refund.status == RefundStatus::Failed && known.is_none_or(|known| known.status != RefundStatus::Failed)
        });
        let failed = failed.filter(|_| !card.left().is_zero()).map(|refund| PaymentIncident::RefundFailed {
            refund: refund.id,
            code: refund.code.clone().unwrap_or_default(),
        });
        let disputed = card.disputes.iter().filter(|dispute| !was.disputes.contains(dispute));
        let disputed =
            disputed.map(|dispute| PaymentIncident::Disputed { dispute: dispute.id.clone(), status: dispute.status });
        let ends = card.capture_before.filter(|_| card.end_reported && !was.end_reported);
        failed.chain(disputed).chain(ends.map(|at| PaymentIncident::AuthorizationEnds { at })).collect()
    }

    /// Requests a refund, without an amount of all that is left. The same id again is the same refund. Refunded as a
    /// whole, an order that hasn't left is cancelled. Returns whether it is new.
    pub fn ask_refund(&mut self, wanted: RefundRequest, now: OffsetDateTime) -> Result<bool, PaymentRefusal> {
        let RefundRequest { id, amount, reason, source, actor } = wanted;
        let Some(card) = &self.payment.card else { return Err(PaymentRefusal::NotByCard) };
        if self.payment.status.is_open() {
            return Err(PaymentRefusal::UnderWay);
        }
        let left = self.payment.left();
        if let Some(known) = card.refunds.iter().find(|refund| refund.id == id) {
            return match amount {
                // Of all that was left, the provider may have had less.
                Some(amount) if known.of_rest && amount > known.amount => Ok(false),
                Some(amount) if amount != known.amount => Err(PaymentRefusal::OtherRefund { amount: known.amount }),
                _ => Ok(false),
            };
        }
        let amount = amount.unwrap_or(left);
        let of_rest = amount == left && source == RefundSource::Shop;
        if amount.is_zero() || amount > left {
            return Err(PaymentRefusal::MoreThanLeft { left });
        }
        self.payment.add_refund(Refund::new(id, amount, of_rest, reason.clone(), source, now));
        if source == RefundSource::ByHand
            && let Some(card) = &self.payment.card
        {
            let status = card.status_by_books(self.total_less_credits());
            self.payment.become_status(status, None, now);
        }
        self.follow_refunds(true, actor, reason, now);
        Ok(true)
    }
}
