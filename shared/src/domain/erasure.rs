//! Erasing the person from an order: what the books need stays, and what says who it was goes.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::domain::{
    address::Address,
    attributes::Attributes,
    correction::Corrected,
    ids::{Owner, UserId},
    lines::{Fulfillment, LineCancellation, Return, ReturnStatus, ReturnStep},
    order::{Actor, Cancellation, CouponHold, Customer, Order, OrderStatus, Reserved, Step, Tracking},
    order_change::OrderChange,
    payment::{
        CardPayment, CardToken, CashPayment, Dispute, Payment, PaymentEvent, PaymentStatus, Refund, RefundStatus,
    },
    priced::PricedLine,
};

/// Why the person can't be erased from an order yet: somebody still needs to reach them, or to pay them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    #[error("it is {0}: it must be delivered or cancelled first")]
    Open(OrderStatus),
    #[error("its payment is {0}: the provider must be asked first")]
    Payment(PaymentStatus),
    #[error("something is left to do at the payment provider")]
    Due,
    #[error("the customer disputes the payment at their bank: the answer may need who they are")]
    Disputed,
    #[error("a return isn't received or refused yet")]
    ReturnOpen,
    #[error("a refund is under way")]
    RefundPending,
    #[error("a refund failed: pay it back first, with another refund or another way")]
    RefundFailed,
}

impl Order {
    /// Whether the person was erased from it.
    pub const fn is_erased(&self) -> bool {
        matches!(self.owner, Owner::Erased(_))
    }

    /// Why the person can't be erased from it yet; none if they can.
    pub fn unfinished(&self) -> Option<Unfinished> {
        match self.status {
            OrderStatus::Pending
            | OrderStatus::Confirmed
            | OrderStatus::Processing
            | OrderStatus::PartiallyShipped
            | OrderStatus::Shipped => {
                return Some(Unfinished::Open(self.status));
            }
            OrderStatus::Delivered | OrderStatus::Cancelled | OrderStatus::Refunded | OrderStatus::Returned => {}
        }
        let is_open = |known: &Return| matches!(known.status, ReturnStatus::Requested | ReturnStatus::Approved);
        if self.returns.iter().any(is_open) {
            return Some(Unfinished::ReturnOpen);
        }
        // Cash changes hands at the door: an order that is over needs no more of it.
        let card = self.payment.card.as_ref()?;
        match self.payment.status {
            PaymentStatus::Pending
            | PaymentStatus::RequiresAction
            | PaymentStatus::Processing
            | PaymentStatus::Authorized => {
                return Some(Unfinished::Payment(self.payment.status));
            }
            PaymentStatus::Disputed => return Some(Unfinished::Disputed),
            PaymentStatus::Paid
            | PaymentStatus::PartiallyPaid
            | PaymentStatus::PartiallyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::ChargedBack
            | PaymentStatus::Declined
            | PaymentStatus::Cancelled => {}
        }
        if card.disputes.iter().any(|dispute| dispute.status.is_open()) {
            return Some(Unfinished::Disputed);
        }
        if card.refunds.iter().any(|refund| refund.status == RefundStatus::Pending) {
            return Some(Unfinished::RefundPending);
        }
        // A refund that was made again comes after the one that failed.
        if card.refunds.last().is_some_and(|refund| refund.status == RefundStatus::Failed) {
            return Some(Unfinished::RefundFailed);
        }
        card.due.map(|_| Unfinished::Due)
    }

    /// The next version of the order, without the person. Amounts, lines, taxes, dates, country and state stay, and so
    /// does the reason for a tax relief: a VAT number or a certificate must be shown to the tax authorities. The ids at
    /// the payment provider stay too, because later refunds and disputes are about them.
    ///
    /// Each member is named here, so that a new one is a decision.
    #[must_use]
    pub fn without_person(self, now: OffsetDateTime) -> Self {
        let Self {
            id,
            owner,
            checkout,
            status,
            version,
            changes: _,
            versions,
            payment,
            cancellation,
            currency,
            lines,
            summary,
            payment_fee,
            taxes,
            shipping_address,
            billing_address,
            shipping,
            coupons,
            relief,
            reserved,
            open: _,
            customer: _,
            notes: _,
            tracking,
            fulfillments,
            line_cancellations,
            returns,
            corrections,
            history,
            created_at,
            updated_at: _,
        } = self;
        let mut erased = Self {
            id,
            owner: Owner::Erased(id),
            checkout,
            status,
            version: version.saturating_add(1),
            changes: BTreeSet::from([OrderChange::Erased]),
            versions,
            payment: payment.without_person(),
            cancellation: cancellation.map(|Cancellation { actor, reason: _, at }| Cancellation {
                actor: actor.without_person(&owner),
                reason: None,
                at,
            }),
            currency,
            lines: lines.into_iter().map(PricedLine::without_person).collect(),
            summary,
            payment_fee,
            taxes,
            shipping_address: shipping_address.map(Address::without_person),
            billing_address: billing_address.without_person(),
            shipping,
            coupons,
            relief,
            reserved: reserved.without_person(),
            open: None,
            customer: Customer::default(),
            notes: None,
            tracking: tracking.without_person(),
            fulfillments: fulfillments.into_iter().map(|parcel| parcel.without_person(&owner)).collect(),
            line_cancellations: line_cancellations.into_iter().map(|units| units.without_person(&owner)).collect(),
            returns: returns.into_iter().map(|units| units.without_person(&owner)).collect(),
            corrections: corrections.into_iter().map(|made| made.without_person(&owner)).collect(),
            history: history.into_iter().map(|step| step.without_person(&owner)).collect(),
            created_at,
            updated_at: now,
        };
        erased.remember_version();
        erased
    }
}

impl PricedLine {
    /// The same amounts of the same product. What the shopper typed for it goes: it may be anybody's name.
    fn without_person(self) -> Self {
        let Self {
            sku,
            attributes: _,
            quantity,
            digital,
            backorder,
            name,
            unit_price,
            quoted_price,
            subtotal,
            discounts,
            discount,
            shipping,
            taxes,
            tax,
            relief,
            total,
        } = self;
        Self {
            sku,
            attributes: Attributes::default(),
            quantity,
            digital,
            backorder,
            name,
            unit_price,
            quoted_price,
            subtotal,
            discounts,
            discount,
            shipping,
            taxes,
            tax,
            relief,
            total,
        }
    }
}

impl Reserved {
    /// Without the counters of the customer's own uses: there is no customer any more.
    fn without_person(self) -> Self {
        let Self { stock, parts, coupons, first_order: _, mailbox: _ } = self;
        let coupons = coupons.into_iter().map(|hold| CouponHold { customer_limit: None, ..hold }).collect();
        Self { stock, parts, coupons, first_order: false, mailbox: None }
    }
}

impl Step {
    /// Only the checkout's own notes stay; people write anything. A member of the staff who bought here is no longer
    /// named, others are: what they did as staff isn't the customer's.
    fn without_person(self, owner: &Owner) -> Self {
        let Self { status, at, actor, note } = self;
        let note = note.filter(|_| actor == Actor::Payment);
        Self { status, at, actor: actor.without_person(owner), note }
    }
}

impl Actor {
    fn without_person(self, owner: &Owner) -> Self {
        match self {
            Self::Staff(user) if owner.user() == Some(&user) => Self::Staff(UserId::erased()),
            actor => actor,
        }
    }
}

impl Tracking {
    /// The carrier's number leads to the address.
    fn without_person(self) -> Self {
        let Self { number: _, carrier } = self;
        Self { number: None, carrier }
    }
}

impl Fulfillment {
    fn without_person(self, owner: &Owner) -> Self {
        let Self { id, items, tracking, actor, at } = self;
        Self { id, items, tracking: tracking.without_person(), actor: actor.without_person(owner), at }
    }
}

impl LineCancellation {
    /// People write anything as a reason.
    fn without_person(self, owner: &Owner) -> Self {
        let Self { id, items, reason: _, restocked, refund_id, credits, actor, at } = self;
        Self { id, items, reason: None, restocked, refund_id, credits, actor: actor.without_person(owner), at }
    }
}

impl Corrected {
    /// People write anything as a reason. What was corrected says nothing of the person.
    fn without_person(self, owner: &Owner) -> Self {
        let Self { at, actor, reason: _, members } = self;
        Self { at, actor: actor.without_person(owner), reason: None, members }
    }
}

impl Return {
    fn without_person(self, owner: &Owner) -> Self {
        let Self { id, items, reason: _, status, restocked, refund_id, credits, history } = self;
        let step = |ReturnStep { status, at, actor, note: _ }: ReturnStep| ReturnStep {
            status,
            at,
            actor: actor.without_person(owner),
            note: None,
        };
        let history = history.into_iter().map(step).collect();
        Self { id, items, reason: None, status, restocked, refund_id, credits, history }
    }
}

impl Payment {
    fn without_person(self) -> Self {
        let Self { method, status, card, cash } = self;
        let cash = cash.map(|cash| {
            let CashPayment { received, refunds } = *cash;
            Box::new(CashPayment { received, refunds: without_reasons(refunds) })
        });
        Self { method, status, card: card.map(|card| Box::new(card.without_person())), cash }
    }
}

/// The amounts, dates and ids of refunds, and not why they were made or failed.
fn without_reasons(refunds: Vec<Refund>) -> Vec<Refund> {
    let without =
        |Refund { id, amount, status, reason: _, at, source, of_rest, provider_id, attempt, code: _, lines }| Refund {
            id,
            amount,
            status,
            reason: None,
            at,
            source,
            of_rest,
            provider_id,
            attempt,
            code: None,
            lines,
        };
    refunds.into_iter().map(without).collect()
}

impl CardPayment {
    /// Without the owner and the card's reference, which only a first call to the provider needs, the reasons that
    /// people wrote, and the bank's codes, which say how much money there was on an account.
    fn without_person(self) -> Self {
        let Self {
            payer: _,
            token: _,
            return_url: _,
            customer: _,
            saves,
            capture,
            intent,
            deadline,
            action_time,
            due,
            capture_asked,
            capture_amount,
            capture_before,
            end_reported,
            captured,
            refunds,
            disputes,
            events,
        } = self;
        let dispute = |Dispute { id, amount, status, moves, reason: _, at }| Dispute {
            id,
            amount,
            status,
            moves,
            reason: None,
            at,
        };
        let event = |PaymentEvent { status, at, code: _, received, paid_back }| PaymentEvent {
            status,
            at,
            code: None,
            received,
            paid_back,
        };
        Self {
            payer: None,
            token: CardToken::erased(),
            return_url: None,
            customer: None,
            saves,
            capture,
            intent,
            deadline,
            action_time,
            due,
            capture_asked,
            capture_amount,
            capture_before,
            end_reported,
            captured,
            refunds: without_reasons(refunds),
            disputes: disputes.into_iter().map(dispute).collect(),
            events: events.into_iter().map(event).collect(),
        }
    }
}
