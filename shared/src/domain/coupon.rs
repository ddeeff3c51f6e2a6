//! Coupons: what they take off, and when they apply.

use std::fmt;

use crate::domain::{
    calendar::Period,
    ids::CouponCode,
    money::{Amounts, Currency, Minor, Rate},
    scope::Scope,
};

/// At most this many coupons on a session.
pub const MAX_COUPONS: usize = 5;

/// What a coupon gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discount {
    /// A share of the eligible lines.
    Percentage(Rate),
    /// An amount off the eligible lines, at most what they cost.
    Fixed(Amounts),
    FreeShipping,
    /// For each full group of `buy + get` eligible units, the `get` cheapest of all are reduced.
    BuyGet {
        buy: u32,
        get: u32,
        reduction: Rate,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    pub code: CouponCode,
    pub discount: Discount,
    /// The eligible lines must come to at least this.
    pub minimum_subtotal: Amounts,
    /// It takes off at most this.
    pub maximum_discount: Amounts,
    pub period: Period,
    /// Uses in all, and by one customer.
    pub total_limit: Option<u32>,
    pub customer_limit: Option<u32>,
    /// What it is for; empty: everything.
    pub scope: Scope,
    /// Only for a customer without an order that isn't cancelled.
    pub first_order_only: bool,
    /// Whether it may be on a cart together with another combinable one.
    pub combinable: bool,
    /// The smaller is taken first.
    pub priority: u32,
}

/// What is known of a customer and a coupon, as last read. Confirm's transaction decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CouponUses {
    pub total: u32,
    pub by_customer: u32,
    /// The customer has an order that isn't cancelled. Looked up only where a coupon asks.
    pub has_ordered: bool,
}

/// Why a coupon doesn't apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", prefix = "COUPON_", const_into_str)]
pub enum CouponRefusal {
    Unknown,
    NotStarted,
    Expired,
    NotApplicable,
    /// The eligible lines come to `subtotal`, less than `minimum`.
    MinimumNotMet {
        minimum: Minor,
        subtotal: Minor,
    },
    AlreadyUsed,
    LimitReached,
    NotCombinable,
}

impl CouponRefusal {
    /// The stable code, on the wire and in the store.
    pub const fn code(self) -> &'static str {
        self.into_str()
    }

    /// For people.
    pub fn detail(self, currency: Currency) -> String {
        match self {
            Self::Unknown => "there is no such coupon".to_owned(),
            Self::NotStarted => "the coupon isn't valid yet".to_owned(),
            Self::Expired => "the coupon has expired".to_owned(),
            Self::NotApplicable => "nothing in the cart is covered by the coupon".to_owned(),
            Self::MinimumNotMet { minimum, subtotal } => format!(
                "the items it applies to come to {}, below its minimum of {}",
                currency.format(subtotal),
                currency.format(minimum)
            ),
            Self::AlreadyUsed => "you have used this coupon as often as it allows".to_owned(),
            Self::LimitReached => "the coupon has been used up".to_owned(),
            Self::NotCombinable => "the coupon can't be combined with another that is on".to_owned(),
        }
    }
}

impl Coupon {
    /// Whether the coupon applies by itself to eligible lines of this subtotal and so many units.
    pub fn check(
        &self,
        eligible: Minor,
        units: u64,
        currency: Currency,
        uses: CouponUses,
        now: time::OffsetDateTime,
    ) -> Result<(), CouponRefusal> {
        if !self.period.has_started(now) {
            return Err(CouponRefusal::NotStarted);
        }
        if self.period.has_ended(now) {
            return Err(CouponRefusal::Expired);
        }
        let enough = match self.discount {
            Discount::BuyGet { buy, get, .. } => units >= u64::from(buy) + u64::from(get),
            _ => true,
        };
        if eligible.is_zero() || !enough || !self.is_for(currency) {
            return Err(CouponRefusal::NotApplicable);
        }
        if let Some(minimum) = self.minimum_subtotal.get(&currency).copied().filter(|minimum| eligible < *minimum) {
            return Err(CouponRefusal::MinimumNotMet { minimum, subtotal: eligible });
        }
        let ordered = self.first_order_only && uses.has_ordered;
        if ordered || self.customer_limit.is_some_and(|limit| uses.by_customer >= limit) {
            return Err(CouponRefusal::AlreadyUsed);
        }
        if self.total_limit.is_some_and(|limit| uses.total >= limit) {
            return Err(CouponRefusal::LimitReached);
        }
        Ok(())
    }

    /// Amounts in other currencies alone are no amounts here: they are never converted.
    fn is_for(&self, currency: Currency) -> bool {
        let given = match &self.discount {
            Discount::Fixed(amounts) => amounts.contains_key(&currency),
            _ => true,
        };
        let stated = |amounts: &Amounts| amounts.is_empty() || amounts.contains_key(&currency);
        given && stated(&self.minimum_subtotal) && stated(&self.maximum_discount)
    }
}

impl fmt::Display for Discount {
    /// What it gives, for the explanation: `20 % off`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentage(rate) => write!(f, "{rate} % off"),
            Self::Fixed(_) => f.write_str("a fixed amount off"),
            Self::FreeShipping => f.write_str("free shipping"),
            Self::BuyGet { buy, get, reduction: Rate::FULL } => write!(f, "buy {buy}, get {get} free"),
            Self::BuyGet { buy, get, reduction } => write!(f, "buy {buy}, get {get} at {reduction} % off"),
        }
    }
}
