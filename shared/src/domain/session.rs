//! A checkout session: a cart with everything that an order needs.

use time::{Duration, OffsetDateTime};

use crate::domain::{
    address::Address,
    explain::{Explained, Explanation},
    ids::{CheckoutId, CouponCode, OrderId, Owner, ShippingMethodId},
    money::{Currency, Minor},
    payment::PaymentMethod,
    payment_option::PaymentOption,
    priced::{Line, Priced},
    tax::TaxStatus,
};

/// At most this many lines in a cart, and units in a line.
pub const MAX_LINES: usize = 50;
pub const MAX_QUANTITY: u32 = 999;

/// Activity is stored at most once in this time, so that most reads of a session don't write. A session lives this much
/// longer, because its stored activity may be this old.
pub const ACTIVITY_GRAIN: Duration = Duration::seconds(60);

/// How long sessions live, and whether their end is told to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLife {
    /// An open session expires this long after its last activity.
    pub ttl: Duration,
    /// How long after its last activity an open session counts as abandoned, but not before it has expired. None: the
    /// shop wants to hear nothing of abandoned checkouts.
    pub abandoned_after: Option<Duration>,
}

impl SessionLife {
    /// From the last stored activity until an open session has certainly expired.
    pub fn open(self) -> Duration {
        self.ttl.saturating_add(ACTIVITY_GRAIN)
    }

    /// When an open session that was last active then counts as abandoned; none if nobody is told.
    pub fn abandoned_at(self, active_at: OffsetDateTime) -> Option<OffsetDateTime> {
        self.abandoned_after.map(|after| active_at.saturating_add(after.max(self.open())))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: CheckoutId,
    pub owner: Owner,
    pub status: SessionStatus,
    /// The number of changes. Each change is written only over the version that it was made from.
    pub version: u64,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub shipping_method: Option<ShippingMethodId>,
    /// In the order in which they were applied.
    pub coupons: Vec<CouponCode>,
    pub tax_status: TaxStatus,
    /// Whether the shopper has agreed to mail about this cart, if they leave it.
    pub recover_by_email: bool,
    pub priced: Priced,
    /// The payment methods that the catalog's rules allow, each with its total. None if there are no rules, nothing to pay,
    /// or no address yet.
    pub payment_options: Option<Vec<PaymentOption>>,
    /// The orders that requests with an idempotency key made of it, newest last.
    pub placed: Vec<PlacedOrder>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    /// The last stored activity. The real one is at most [`ACTIVITY_GRAIN`] later.
    pub active_at: OffsetDateTime,
    /// When the shop was told that it is abandoned. It is over then, on the clock of every container.
    pub abandoned_at: Option<OffsetDateTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    Open,
    Completed { order: OrderId },
}

/// An order that a request with an idempotency key made of a session.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedOrder {
    pub order: OrderId,
    /// A digest of the key.
    pub key: String,
}

/// The most such orders that a session remembers.
const MAX_PLACED: usize = 16;

impl Session {
    /// Makes it the order. A late duplicate of the request, by its key, gets that order for ever after, even if the order
    /// is cancelled and the session is open again.
    pub fn complete(&mut self, order: OrderId, key: Option<&str>) {
        self.status = SessionStatus::Completed { order };
        if let Some(key) = key {
            let more = self.placed.len().saturating_add(1).saturating_sub(MAX_PLACED);
            self.placed.drain(..more);
            self.placed.push(PlacedOrder { order, key: key.to_owned() });
        }
    }

    /// The order that a request with this key made.
    pub fn placed_with(&self, key: &str) -> Option<OrderId> {
        self.placed.iter().find(|placed| placed.key == key).map(|placed| placed.order)
    }

    /// Whether the session is live at `now`: it expires `ttl` after the last activity. One that became an order stays
    /// readable as long as it is stored, so that a late retry finds its order.
    pub fn is_live(&self, now: OffsetDateTime, ttl: Duration) -> bool {
        match self.status {
            SessionStatus::Open => {
                let life = SessionLife { ttl, abandoned_after: None };
                self.abandoned_at.is_none() && now < self.active_at.saturating_add(life.open())
            }
            SessionStatus::Completed { .. } => true,
        }
    }

    /// The address whose taxes are due: where the goods go. If nothing is shipped it is the buyer's, which is the billing
    /// address if there is one.
    pub fn tax_address(&self) -> Option<&Address> {
        let shipping = self.shipping_address.as_ref();
        if self.priced.ships() { shipping } else { self.billing_address.as_ref().or(shipping) }
    }

    /// The explanation of its total.
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
            fee: None,
        };
        explained.explain()
    }

    /// The total if it is paid by this method: with its fee, and rounded if it is cash.
    pub fn total_by(&self, method: Option<PaymentMethod>) -> Minor {
        let option = method.and_then(|method| self.payment_option(method));
        option.map_or(self.priced.summary.total, |option| option.total)
    }

    /// A payment method that the catalog's rules allow.
    pub fn payment_option(&self, method: PaymentMethod) -> Option<&PaymentOption> {
        self.payment_options.iter().flatten().find(|option| option.method == method)
    }

    /// Whether it has been left at `now`: no order can become of it any more, and the shop was not told yet.
    pub fn is_abandoned(&self, now: OffsetDateTime, life: SessionLife) -> bool {
        self.status == SessionStatus::Open
            && self.abandoned_at.is_none()
            && life.abandoned_at(self.active_at).is_some_and(|at| now >= at)
    }

    /// Where the shop may write to about the cart that was left: the buyer's address, if the shopper agreed.
    pub fn recovery_email(&self) -> Option<String> {
        let addresses = [&self.billing_address, &self.shipping_address].into_iter().flatten();
        let mut given = addresses.filter_map(|address| address.to_raw().email);
        self.recover_by_email.then(|| given.next()).flatten()
    }

    /// Whether activity at `now` must be stored.
    pub fn wants_touch(&self, now: OffsetDateTime) -> bool {
        self.status == SessionStatus::Open && now >= self.active_at.saturating_add(ACTIVITY_GRAIN)
    }
}
