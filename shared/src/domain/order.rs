//! Orders: a snapshot of what was bought, and the state machine of what happens to it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use time::OffsetDateTime;

use crate::domain::{
    address::Address,
    as_text::as_text,
    explain::{Explained, Explanation},
    ids::{CheckoutId, CouponCode, OrderId, Owner, Sku, UserId},
    money::Currency,
    open::{AddressKey, Open, Release},
    payment::{Payment, PaymentMethod, PaymentStatus},
    priced::{AppliedCoupon, PricedLine, Summary, TaxPart},
    shipping::Offer,
    tax::Relief,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub owner: Owner,
    pub checkout: CheckoutId,
    pub status: OrderStatus,
    /// Counts the changes, as in a session.
    pub version: u64,
    pub payment: Payment,
    pub currency: Currency,
    pub lines: Vec<PricedLine>,
    pub summary: Summary,
    pub taxes: Vec<TaxPart>,
    pub shipping_address: Address,
    pub billing_address: Address,
    pub shipping: Offer,
    pub coupons: Vec<AppliedCoupon>,
    pub relief: Option<Relief>,
    /// What was taken when the order was placed, and goes back when it is cancelled.
    pub reserved: Reserved,
    /// Its place among the open unpaid orders of its caller and its address, as long as it has one.
    pub open: Option<Open>,
    pub customer: Customer,
    pub notes: Option<String>,
    pub tracking: Tracking,
    pub history: Vec<Step>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// Who to write to about the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    pub number: Option<String>,
    pub carrier: Option<String>,
}

/// Counters that an order took from: units per counter, and its coupons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    pub stock: Vec<(Sku, u32)>,
    pub coupons: Vec<CouponHold>,
    /// A coupon for first orders was used: a customer has one first order, however many such coupons there are.
    pub first_order: bool,
}

/// A coupon's limits at the time of the order: where there is none, nothing is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponHold {
    pub code: CouponCode,
    pub total_limit: Option<u32>,
    pub customer_limit: Option<u32>,
}

/// One entry of an order's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub status: OrderStatus,
    pub at: OffsetDateTime,
    pub actor: Actor,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Customer,
    Staff(UserId),
    /// What became of the payment moved it.
    Payment,
}

/// Why a text is not an actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be customer, payment or staff#…")]
pub struct NotAnActor;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("customer"),
            Self::Staff(user) => write!(f, "staff#{user}"),
            Self::Payment => f.write_str("payment"),
        }
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        match text.split_once('#') {
            None if text == "customer" => Ok(Self::Customer),
            None if text == "payment" => Ok(Self::Payment),
            Some(("staff", user)) => user.parse().map(Self::Staff).map_err(|_| NotAnActor),
            _ => Err(NotAnActor),
        }
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case", const_into_str, parse_err_ty = NotAStatus, parse_err_fn = not_a_status)]
pub enum OrderStatus {
    Pending,
    Confirmed,
    Processing,
    Shipped,
    Delivered,
    Cancelled,
    Refunded,
    Returned,
}

as_text! { Actor: "actor", OrderStatus: "order status" }

/// A move that the state machine doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} can't become {to}")]
pub struct IllegalMove {
    pub from: OrderStatus,
    pub to: OrderStatus,
}

impl OrderStatus {
    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// The states that may follow this one.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Cancelled],
            Self::Confirmed => &[Self::Processing, Self::Cancelled],
            Self::Processing => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered, Self::Returned],
            Self::Delivered => &[Self::Returned, Self::Refunded],
            Self::Returned => &[Self::Refunded],
            Self::Cancelled | Self::Refunded => &[],
        }
    }

    /// Whether the customer may still call it off; later, only staff can.
    pub const fn is_cancellable_by_customer(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }
}

/// Why a text is not a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of pending, confirmed, processing, shipped, delivered, cancelled, refunded, returned")]
pub struct NotAStatus;

fn not_a_status(_: &str) -> NotAStatus {
    NotAStatus
}

impl Order {
    /// The number that people read to each other: twelve characters from the random part of the id, in an alphabet
    /// without look-alikes.
    pub fn number(&self) -> String {
        const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
        let (_, mut random) = self.id.uuid().as_u64_pair();
        let mut number = String::with_capacity(14);
        for position in 0..12_u8 {
            if position == 4 || position == 8 {
                number.push('-');
            }
            let letter = usize::try_from(random % 31).unwrap_or_default();
            number.push(ALPHABET.get(letter).copied().map_or('2', char::from));
            random /= 31;
        }
        number
    }

    /// Where every cent of its total comes from.
    pub fn explain(&self) -> Vec<Explanation> {
        let explained = Explained {
            currency: self.currency,
            lines: &self.lines,
            coupons: &self.coupons,
            shipping: Some(&self.shipping),
            taxes: &self.taxes,
            summary: &self.summary,
            relief: self.relief.as_ref(),
        };
        explained.explain()
    }

    /// Makes a legal move and records it; a move to where the order already is changes nothing.
    /// Returns whether anything changed.
    pub fn become_status(
        &mut self,
        to: OrderStatus,
        actor: Actor,
        note: Option<String>,
        now: OffsetDateTime,
    ) -> Result<bool, IllegalMove> {
        if self.status == to {
            return Ok(false);
        }
        if !self.status.next().contains(&to) {
            return Err(IllegalMove { from: self.status, to });
        }
        self.status = to;
        if to == OrderStatus::Cancelled && self.payment.status == PaymentStatus::Pending {
            self.payment.status = PaymentStatus::Cancelled;
        }
        // Cash is paid at the door.
        if to == OrderStatus::Delivered && self.payment.method == PaymentMethod::CashOnDelivery {
            self.payment.status = PaymentStatus::Paid;
        }
        self.history.push(Step { status: to, at: now, actor, note });
        self.updated_at = now;
        Ok(true)
    }

    /// Whether it holds goods that nobody has paid for. What costs nothing is never paid, and is open until it is
    /// delivered. Once it is false it stays so.
    fn is_unpaid(&self) -> bool {
        let over = [OrderStatus::Cancelled, OrderStatus::Delivered, OrderStatus::Returned, OrderStatus::Refunded];
        !over.contains(&self.status) && (self.payment.status.is_open() || self.summary.total.is_zero())
    }

    /// Gives a new order its place among the open ones, unless it is paid.
    pub fn open(&mut self, address: Option<AddressKey>) {
        let at_address = address.is_some() && self.payment.card.is_none();
        self.open = self.is_unpaid().then_some(Open { units: self.summary.item_count, address, at_address });
    }

    /// Counts it for its address from now on, if its bank makes it wait and it isn't counted yet.
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

    /// What is to be given back with the change that made this order of the one before. It is given back once, because
    /// a change is written over the version that it was made from.
    pub fn release(&mut self, before: &Self) -> Release {
        let called_off = self.status == OrderStatus::Cancelled && before.status != OrderStatus::Cancelled;
        // Of a card that came to nothing: the customer may try another.
        let session = called_off && before.status == OrderStatus::Pending && self.payment.card.is_some();
        let open = if self.is_unpaid() { None } else { self.open.take() };
        Release { reserved: called_off, session, open }
    }
}
