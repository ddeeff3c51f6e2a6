//! Orders: a snapshot of what was bought, and the state machine of its status.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use time::OffsetDateTime;

use crate::domain::{
    address::Address,
    as_text::as_text,
    correction::Corrected,
    counter::{Counter, PartUnits},
    explain::{Explained, Explanation},
    ids::{CheckoutId, CouponCode, OrderId, Owner, Sku},
    lines::{Fulfillment, LineCancellation, Return},
    mailbox::Mailbox,
    money::Currency,
    note::{MAX_NOTES, Note, TooManyNotes},
    open::{AddressKey, Open, Release},
    order_change::OrderChange,
    order_number::OrderNumber,
    payment::{Payment, PaymentStatus},
    payment_fee::PaymentFee,
    priced::{AppliedCoupon, PricedLine, Summary, TaxPart},
    shipping::Offer,
    tax::Relief,
};

pub use crate::domain::{actor::Actor, lines::Tracking};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub owner: Owner,
    pub checkout: CheckoutId,
    pub status: OrderStatus,
    /// Counts the changes, as in a session.
    pub version: u64,
    /// What this version changed, for its event.
    pub changes: BTreeSet<OrderChange>,
    /// The last versions, this one among them, oldest first: what their events said. Older orders have fewer.
    pub versions: Vec<OrderVersion>,
    pub payment: Payment,
    /// A cancellation that was accepted, until it is certain what becomes of the payment.
    pub cancellation: Option<Cancellation>,
    pub currency: Currency,
    pub lines: Vec<PricedLine>,
    pub summary: Summary,
    /// The fee of its payment method, if that has one.
    pub payment_fee: Option<PaymentFee>,
    pub taxes: Vec<TaxPart>,
    /// Where it is shipped; none if nothing of it is.
    pub shipping_address: Option<Address>,
    pub billing_address: Address,
    /// How it is shipped; none if nothing of it is.
    pub shipping: Option<Offer>,
    pub coupons: Vec<AppliedCoupon>,
    pub relief: Option<Relief>,
    /// What was reserved when the order was placed.
    pub reserved: Reserved,
    /// Its place among the open orders of its caller and its address, as long as it has one.
    pub open: Option<Open>,
    pub customer: Customer,
    pub notes: Option<String>,
    /// Of the last parcel.
    pub tracking: Tracking,
    /// The parcels, oldest first.
    pub fulfillments: Vec<Fulfillment>,
    /// Units that won't be shipped, oldest first.
    pub line_cancellations: Vec<LineCancellation>,
    /// Oldest first.
    pub returns: Vec<Return>,
    /// What staff have corrected, oldest first.
    pub corrections: Vec<Corrected>,
    pub history: Vec<Step>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// A cancellation that was accepted while the payment's result was unknown. The order is cancelled, whatever the result
/// is: what was paid goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub actor: Actor,
    pub reason: Option<Note>,
    pub at: OffsetDateTime,
}

/// The person to contact about the order. All empty once the person is erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    pub email: String,
    pub first_name: String,
    /// Missing for people with one name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Counters that an order took from: units per counter, and its coupons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    pub stock: Vec<(Sku, u32)>,
    /// What of it was taken from which part, of each counter that has several.
    pub parts: BTreeMap<Counter, Vec<PartUnits>>,
    pub coupons: Vec<CouponHold>,
    /// Whether a coupon for first orders was used: a customer has only one first order, whatever the number of such
    /// coupons.
    pub first_order: bool,
    /// The mailbox whose own uses were counted; none if nothing of one customer's was. A corrected address changes
    /// nothing: whoever used a coupon has used it.
    pub mailbox: Option<Mailbox>,
}

impl Reserved {
    /// What was taken from which part of a counter. Empty if it has no parts.
    pub fn taken(&self, counter: &Counter) -> &[PartUnits] {
        self.parts.get(counter).map_or(&[], Vec::as_slice)
    }
}

/// A coupon's limits at the time of the order. Without a limit nothing is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponHold {
    pub code: CouponCode,
    pub total_limit: Option<u32>,
    pub customer_limit: Option<u32>,
}

/// One entry of an order's history: a change of its status, or only a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub status: OrderStatus,
    pub at: OffsetDateTime,
    pub actor: Actor,
    pub note: Option<Note>,
}

/// What the event of one version of an order said, so that it can be told again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderVersion {
    pub version: u64,
    pub changes: BTreeSet<OrderChange>,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case", const_into_str, parse_err_ty = NotAStatus, parse_err_fn = not_a_status)]
pub enum OrderStatus {
    Pending,
    Confirmed,
    Processing,
    /// Some of its units have left, and others will.
    PartiallyShipped,
    Shipped,
    Delivered,
    Cancelled,
    Refunded,
    Returned,
}

as_text! { OrderStatus: "order status" }

/// A change that the state machine doesn't allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} can't become {to}")]
pub struct IllegalMove {
    pub from: OrderStatus,
    pub to: OrderStatus,
}

impl OrderStatus {
    /// The name in answers and in stores.
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// The states that may follow this one.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Cancelled],
            Self::Confirmed => &[Self::Processing, Self::PartiallyShipped, Self::Shipped, Self::Cancelled],
            Self::Processing => &[Self::PartiallyShipped, Self::Shipped, Self::Cancelled],
            Self::PartiallyShipped => &[Self::Shipped, Self::Refunded],
            Self::Shipped => &[Self::Delivered, Self::Returned, Self::Refunded],
            Self::Delivered => &[Self::Returned, Self::Refunded],
            Self::Returned => &[Self::Refunded],
            Self::Cancelled | Self::Refunded => &[],
        }
    }

    /// Whether the customer may still cancel it. Later only staff can.
    pub const fn is_cancellable_by_customer(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }
}

/// Why a text is not a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one of pending, confirmed, processing, partially_shipped, shipped, delivered, cancelled, refunded, returned"
)]
pub struct NotAStatus;

fn not_a_status(_: &str) -> NotAStatus {
    NotAStatus
}

impl Order {
    /// The order number for people.
    pub fn number(&self) -> String {
        OrderNumber::of(self.id).to_string()
    }

    /// Where every cent of its total comes from.
    pub fn explain(&self) -> Vec<Explanation> {
        let explained = Explained {
            currency: self.currency,
            lines: &self.lines,
            coupons: &self.coupons,
            shipping: self.shipping.as_ref(),
            taxes: &self.taxes,
            summary: &self.summary,
            relief: self.relief.as_ref(),
            fee: self.payment_fee.as_ref(),
        };
        explained.explain()
    }

    /// Makes a legal change and records it. Setting the current status again changes nothing. Returns whether anything
    /// changed.
    pub fn become_status(
        &mut self,
        to: OrderStatus,
        actor: Actor,
        note: Option<Note>,
        now: OffsetDateTime,
    ) -> Result<bool, IllegalMove> {
        if self.status == to {
            return Ok(false);
        }
        if !self.status.next().contains(&to) {
            return Err(IllegalMove { from: self.status, to });
        }
        self.status = to;
        self.move_units(&actor, now);
        self.pay_by_status();
        self.history.push(Step { status: to, at: now, actor, note });
        self.updated_at = now;
        Ok(true)
    }

    /// Adds a note and keeps the status. The same note again by the same actor, while the status stays, is a repeated
    /// request and changes nothing. Returns whether anything changed.
    pub fn add_note(&mut self, actor: Actor, note: Note, now: OffsetDateTime) -> Result<bool, TooManyNotes> {
        let mut since = self.history.iter().rev().take_while(|step| step.status == self.status);
        if since.any(|step| step.actor == actor && step.note.as_ref() == Some(&note)) {
            return Ok(false);
        }
        let only_notes = self.history.windows(2).filter(|pair| matches!(pair, [a, b] if a.status == b.status));
        if only_notes.count() >= MAX_NOTES {
            return Err(TooManyNotes);
        }
        self.history.push(Step { status: self.status, at: now, actor, note: Some(note) });
        self.updated_at = now;
        Ok(true)
    }

    /// Whether it holds goods that are not paid for. For an order that costs nothing nobody has given anything, so it is
    /// open until it is delivered. Once this is false it stays false.
    fn is_unpaid(&self) -> bool {
        let over = [OrderStatus::Cancelled, OrderStatus::Delivered, OrderStatus::Returned, OrderStatus::Refunded];
        !over.contains(&self.status) && (self.payment.status.is_open() || self.summary.total.is_zero())
    }

    /// Gives a new order its place among the open orders, unless it is paid.
    pub fn open(&mut self, address: Option<AddressKey>) {
        // Nothing can end a direct debit once it is under way, so its goods are counted before.
        let is_slow = self.payment.card.is_none() || self.payment.method.settles_in().is_some();
        let at_address = address.is_some() && is_slow;
        self.open = self.is_unpaid().then_some(Open { units: self.summary.item_count, address, at_address });
    }

    /// Counts it for its address from now on, if its bank asks for authentication and it isn't counted yet. Returns
    /// whether it is counted now.
    pub fn begin_to_wait(&mut self) -> bool {
        let waits = self.payment.status == PaymentStatus::RequiresAction;
        match &mut self.open {
            Some(Open { address: Some(_), at_address, .. }) if waits && !*at_address => {
                *at_address = true;
                true
            }
            _ => false,
        }
    }

    /// What the change from `before` to this order gives back. It is given back once, because a change is written only
    /// over the version that it was made from.
    pub(super) fn release(&mut self, before: &Self) -> Release {
        let called_off = self.status == OrderStatus::Cancelled && before.status != OrderStatus::Cancelled;
        // The card payment failed: the customer may try another card.
        let session = called_off && before.status == OrderStatus::Pending && self.payment.card.is_some();
        let open = if self.is_unpaid() { None } else { self.open.take() };
        Release { stock: self.restocked_since(before), coupons: called_off, session, open }
    }
}
