//! A checkout session: the cart on its way to an order.

use time::{Duration, OffsetDateTime};

use crate::domain::{
    address::Address,
    explain::{Explained, Explanation},
    ids::{CheckoutId, CouponCode, OrderId, Owner, ShippingMethodId},
    money::Currency,
    priced::{Line, Priced},
    tax::TaxStatus,
};

/// At most this many lines in a cart, and units in a line.
pub const MAX_LINES: usize = 50;
pub const MAX_QUANTITY: u32 = 999;

/// Activity is noted in the store at most once in this time, so that reading a session is not writing it.
/// A session is kept alive this much longer than its life, so that no noted activity is cut short.
pub const ACTIVITY_GRAIN: Duration = Duration::seconds(60);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: CheckoutId,
    pub owner: Owner,
    pub status: SessionStatus,
    /// Counts the changes; each is written only over the version it was made from.
    pub version: u64,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub shipping_method: Option<ShippingMethodId>,
    /// In the order in which they were applied.
    pub coupons: Vec<CouponCode>,
    pub tax_status: TaxStatus,
    pub priced: Priced,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    /// The last activity that was noted; the true one is at most [`ACTIVITY_GRAIN`] later.
    pub active_at: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    Open,
    Completed { order: OrderId },
}

impl Session {
    /// Whether the session still lives at `now`, given a life of `ttl` from the last activity. One that became an
    /// order stays readable for as long as it is stored, so that a late retry finds its order.
    pub fn is_live(&self, now: OffsetDateTime, ttl: Duration) -> bool {
        match self.status {
            SessionStatus::Open => now < self.active_at.saturating_add(ttl).saturating_add(ACTIVITY_GRAIN),
            SessionStatus::Completed { .. } => true,
        }
    }

    /// Where every cent of its total comes from.
    pub fn explain(&self) -> Vec<Explanation> {
        let priced = &self.priced;
        let explained = Explained {
            currency: self.currency,
            lines: &priced.lines,
            coupons: &priced.coupons,
            shipping: priced.shipping.as_ref(),
            taxes: &priced.taxes,
            summary: &priced.summary,
            relief: priced.relief.as_ref(),
        };
        explained.explain()
    }

    /// Whether activity at `now` is worth noting.
    pub fn wants_touch(&self, now: OffsetDateTime) -> bool {
        self.status == SessionStatus::Open && now >= self.active_at.saturating_add(ACTIVITY_GRAIN)
    }
}
