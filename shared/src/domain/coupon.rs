//! Coupons: their discounts, and when they apply.

use std::{collections::BTreeSet, fmt};

use crate::domain::{
    calendar::Period,
    ids::{CouponCode, ShippingMethodId, Sku},
    money::{Amounts, Currency, Minor, Rate},
    product::Product,
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
    /// An amount off each eligible unit, at most what its line costs.
    FixedPerItem(Amounts),
    FreeShipping(ShippingScope),
    /// Each full group of `buy + get` eligible units reduces `get` units: the cheapest of all.
    BuyGet {
        buy: u32,
        get: u32,
        reduction: Rate,
    },
}

/// The offers that free shipping reduces. Nothing named means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingScope {
    pub methods: BTreeSet<ShippingMethodId>,
    /// By zone id.
    pub zones: BTreeSet<String>,
}

impl ShippingScope {
    pub fn holds(&self, method: &ShippingMethodId, zone: &str) -> bool {
        (self.methods.is_empty() || self.methods.contains(method))
            && (self.zones.is_empty() || self.zones.contains(zone))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a condition of its own, as in the catalog")]
pub struct Coupon {
    /// What the customer enters; of an automatic one, its name.
    pub code: CouponCode,
    /// A promotion: it is on every cart to which it applies, and nobody can enter it.
    pub automatic: bool,
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
    /// What it never applies to, even if `scope` has it.
    pub excluded: Scope,
    /// Only for customers with an account.
    pub signed_in_only: bool,
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
    /// Whether its total limit is reached.
    pub used_up: bool,
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
    SignInRequired,
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
            Self::SignInRequired => "the coupon is for customers with an account: sign in to use it".to_owned(),
            Self::AlreadyUsed => {
                "you have used this coupon as often as it allows, or it is for a first order".to_owned()
            }
            Self::LimitReached => "the coupon has been used up".to_owned(),
            Self::NotCombinable => "the coupon can't be combined with another that is on".to_owned(),
        }
    }
}

impl Coupon {
    /// Whether it reduces the lines of this product. `product` is none if it left the catalog.
    pub fn covers(&self, sku: &Sku, product: Option<&Product>) -> bool {
        (self.scope.is_empty() || self.scope.holds(sku, product)) && !self.excluded.holds(sku, product)
    }

    /// Whether the coupon on its own applies to eligible lines with this subtotal and this number of units.
    pub fn check(
        &self,
        eligible: Minor,
        units: u64,
        currency: Currency,
        uses: CouponUses,
        signed_in: bool,
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
        if self.signed_in_only && !signed_in {
            return Err(CouponRefusal::SignInRequired);
        }
        let ordered = self.first_order_only && uses.has_ordered;
        if ordered || self.customer_limit.is_some_and(|limit| uses.by_customer >= limit) {
            return Err(CouponRefusal::AlreadyUsed);
        }
        if uses.used_up {
            return Err(CouponRefusal::LimitReached);
        }
        Ok(())
    }

    /// False if it has amounts in other currencies only: amounts are never converted.
    fn is_for(&self, currency: Currency) -> bool {
        let given = match &self.discount {
            Discount::Fixed(amounts) | Discount::FixedPerItem(amounts) => amounts.contains_key(&currency),
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
            Self::FixedPerItem(_) => f.write_str("a fixed amount off each item"),
            Self::FreeShipping(_) => f.write_str("free shipping"),
            Self::BuyGet { buy, get, reduction: Rate::FULL } => write!(f, "buy {buy}, get {get} free"),
            Self::BuyGet { buy, get, reduction } => write!(f, "buy {buy}, get {get} at {reduction} % off"),
        }
    }
}
