//! Coupons: their discounts, and when they apply.

use std::fmt;

use crate::domain::{
    calendar::Period,
    ids::CouponCode,
    money::{Amounts, Currency, Minor, Rate},
    scope::Scope,
};

/// At most this many coupons on a session.
pub const MAX_COUPONS: usize = 5;

/// The discount of a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discount {
    /// A percentage of the eligible lines.
    Percentage(Rate),
    /// An amount off the eligible lines, at most what they cost.
    Fixed(Amounts),
    FreeShipping,
    /// Each full group of `buy + get` eligible units reduces `get` units: the cheapest of all.
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
    /// The minimum subtotal of the eligible lines.
    pub minimum_subtotal: Amounts,
    /// The maximum discount.
    pub maximum_discount: Amounts,
    pub period: Period,
    /// The most uses in total, and by one customer.
    pub total_limit: Option<u32>,
    pub customer_limit: Option<u32>,
    /// What it applies to. Empty means everything.
    pub scope: Scope,
    /// Only for a customer's first order. Cancelled orders don't count.
    pub first_order_only: bool,
    /// Whether it may be combined with other combinable coupons.
    pub combinable: bool,
    /// Coupons with a smaller number are applied first.
    pub priority: u32,
}

/// The uses of a coupon, as last read. The transaction of confirm decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CouponUses {
    pub total: u32,
    pub by_customer: u32,
    /// Whether the customer has an order that isn't cancelled. Read only if a coupon needs it.
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
    /// The eligible lines add up to `subtotal`, which is less than `minimum`.
    MinimumNotMet {
        minimum: Minor,
        subtotal: Minor,
    },
    AlreadyUsed,
    LimitReached,
    NotCombinable,
}

impl CouponRefusal {
    /// The stable code, in answers and in stores.
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
    /// Whether the coupon on its own applies to eligible lines with this subtotal and this number of units.
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

    /// False if it has amounts in other currencies only: amounts are never converted.
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
    /// The discount as a text for the explanation: `20 % off`.
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
