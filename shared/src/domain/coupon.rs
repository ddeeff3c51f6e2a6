//! Coupons: what they take off, and when they apply.

use time::OffsetDateTime;

use crate::domain::{
    ids::{CouponCode, ProductId},
    money::{Amounts, Currency, Minor, Rate},
};

/// What a coupon gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discount {
    /// A share of the eligible lines.
    Percentage(Rate),
    /// An amount off the eligible lines, at most what they cost.
    Fixed(Amounts),
    FreeShipping,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    pub code: CouponCode,
    pub discount: Discount,
    /// The eligible lines must come to at least this.
    pub minimum_subtotal: Amounts,
    pub starts_at: Option<OffsetDateTime>,
    pub ends_at: Option<OffsetDateTime>,
    /// Uses in all, and by one customer.
    pub total_limit: Option<u32>,
    pub customer_limit: Option<u32>,
    /// The products it is for; empty: all.
    pub products: Vec<ProductId>,
}

/// How often a coupon has been used, as last read. Confirm's transaction decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CouponUses {
    pub total: u32,
    pub by_customer: u32,
}

/// Why a coupon doesn't apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CouponRefusal {
    #[error("there is no such coupon")]
    Unknown,
    #[error("the coupon isn't valid yet")]
    NotStarted,
    #[error("the coupon has expired")]
    Expired,
    #[error("the items it applies to come to {subtotal}, below its minimum of {minimum}")]
    MinimumNotMet { minimum: Minor, subtotal: Minor },
    #[error("nothing in the cart is covered by the coupon")]
    NotApplicable,
    #[error("the coupon has been used up")]
    LimitReached,
    #[error("you have used this coupon as often as it allows")]
    AlreadyUsed,
}

impl Coupon {
    pub fn covers(&self, product: &ProductId) -> bool {
        self.products.is_empty() || self.products.contains(product)
    }

    /// Whether the coupon applies to eligible lines of this subtotal, now.
    pub fn check(
        &self,
        eligible: Minor,
        currency: Currency,
        uses: CouponUses,
        now: OffsetDateTime,
    ) -> Result<(), CouponRefusal> {
        if self.starts_at.is_some_and(|start| now < start) {
            return Err(CouponRefusal::NotStarted);
        }
        if self.ends_at.is_some_and(|end| now >= end) {
            return Err(CouponRefusal::Expired);
        }
        // A fixed amount in another currency is no discount here; amounts are never converted.
        let in_currency = match &self.discount {
            Discount::Fixed(amounts) => amounts.contains_key(&currency),
            Discount::Percentage(_) | Discount::FreeShipping => true,
        };
        if eligible.is_zero() || !in_currency {
            return Err(CouponRefusal::NotApplicable);
        }
        match self.minimum_subtotal.get(&currency) {
            Some(minimum) if eligible < *minimum => {
                return Err(CouponRefusal::MinimumNotMet { minimum: *minimum, subtotal: eligible });
            }
            None if !self.minimum_subtotal.is_empty() => return Err(CouponRefusal::NotApplicable),
            _ => {}
        }
        if self.customer_limit.is_some_and(|limit| uses.by_customer >= limit) {
            return Err(CouponRefusal::AlreadyUsed);
        }
        if self.total_limit.is_some_and(|limit| uses.total >= limit) {
            return Err(CouponRefusal::LimitReached);
        }
        Ok(())
    }
}
