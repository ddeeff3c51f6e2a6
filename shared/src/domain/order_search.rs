//! How staff find orders: what an order can be found by, and which of it one search asks for.

use std::{collections::BTreeSet, fmt};

use sha2::{Digest as _, Sha256};
use time::{Date, Duration, OffsetDateTime, Time, UtcOffset, macros::format_description};
use uuid::Uuid;

use crate::domain::{
    ids::{OrderId, ProductId},
    money::{Currency, Minor},
    order::{Order, OrderStatus},
    order_number::OrderNumber,
    payment::PaymentStatus,
    text::canonical_email,
};

/// An order's id is made a moment before its `createdAt` is read, by another part of the code.
const SLACK: Duration = Duration::minutes(1);

/// One thing that an order can be found by. As text it is the partition key of the search table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(String);

impl Term {
    /// Every order.
    fn all() -> Self {
        Self("all".to_owned())
    }

    fn number(number: &OrderNumber) -> Self {
        Self(format!("number#{number}"))
    }

    /// A digest, because a key of a table is seen in more places than the address in an order.
    fn email(email: &str) -> Self {
        Self(format!("email#{}", hex::encode(Sha256::digest(canonical_email(email)))))
    }

    fn product(product: &ProductId) -> Self {
        Self(format!("product#{product}"))
    }

    fn price(product: &ProductId, currency: Currency, price: Minor) -> Self {
        Self(format!("price#{product}#{currency}#{price}"))
    }

    fn status(status: OrderStatus) -> Self {
        Self(format!("status#{status}"))
    }

    fn payment_status(status: PaymentStatus) -> Self {
        Self(format!("payment#{status}"))
    }

    fn both(status: OrderStatus, payment: PaymentStatus) -> Self {
        Self(format!("state#{status}#{payment}"))
    }

    fn tracking(number: &str) -> Self {
        Self(format!("tracking#{}", number.to_uppercase()))
    }

    fn intent(intent: &str) -> Self {
        Self(format!("intent#{intent}"))
    }

    /// Everything that an order can be found by.
    pub fn all_of(order: &Order) -> BTreeSet<Self> {
        let (status, payment) = (order.status, order.payment.status);
        let mut terms = BTreeSet::from([
            Self::all(),
            Self::number(&OrderNumber::of(order.id)),
            Self::status(status),
            Self::payment_status(payment),
            Self::both(status, payment),
        ]);
        // Empty once the person is erased.
        terms.extend((!order.customer.email.is_empty()).then(|| Self::email(&order.customer.email)));
        for line in &order.lines {
            terms.insert(Self::product(&line.sku.product));
            terms.insert(Self::price(&line.sku.product, order.currency, line.unit_price));
        }
        terms.extend(tracking_numbers(order).map(Self::tracking));
        terms.extend(intent(order).map(Self::intent));
        terms
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn tracking_numbers(order: &Order) -> impl Iterator<Item = &str> {
    let parcels = order.fulfillments.iter().map(|parcel| &parcel.tracking);
    parcels.chain([&order.tracking]).filter_map(|tracking| tracking.number.as_deref())
}

fn intent(order: &Order) -> Option<&str> {
    order.payment.card.as_deref()?.intent.as_deref()
}

/// A price of one unit of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitPrice {
    pub currency: Currency,
    pub amount: Minor,
}

/// Days of UTC, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

/// A payment status by its name.
///
/// # Errors
/// What is wrong with the text.
pub fn payment_status(text: &str) -> Result<PaymentStatus, &'static str> {
    text.parse().map_err(|_| "must be a paymentStatus of an order, such as paid, refunded or disputed")
}

/// A day as 2026-11-27.
///
/// # Errors
/// What is wrong with the text.
pub fn day(text: &str) -> Result<Date, &'static str> {
    // Nothing was sold before or will be after, and the days around each of these are days too.
    let known = |day: &Date| (1970..=9000).contains(&day.year());
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok().filter(known);
    day.ok_or("must be a day such as 2026-11-27")
}

/// What orders must have to be found: all of it. Without anything, the newest orders of the shop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderSearch {
    pub number: Option<OrderNumber>,
    pub email: Option<String>,
    pub product: Option<ProductId>,
    /// What a unit of the product cost. Only together with a product.
    pub price: Option<UnitPrice>,
    pub status: Option<OrderStatus>,
    pub payment_status: Option<PaymentStatus>,
    pub tracking: Option<String>,
    /// The provider's id of the payment.
    pub intent: Option<String>,
    pub days: Days,
}

impl OrderSearch {
    /// What to look up: the part of the search that the fewest orders have. The rest is checked order by order.
    pub fn narrowest(&self) -> Term {
        let by_price = self.product.as_ref().zip(self.price.as_ref());
        let narrow = [
            self.number.as_ref().map(Term::number),
            self.intent.as_deref().map(Term::intent),
            self.tracking.as_deref().map(Term::tracking),
            self.email.as_deref().map(Term::email),
            by_price.map(|(product, UnitPrice { currency, amount })| Term::price(product, *currency, *amount)),
            self.product.as_ref().map(Term::product),
            self.status.zip(self.payment_status).map(|(status, payment)| Term::both(status, payment)),
            self.payment_status.map(Term::payment_status),
            self.status.map(Term::status),
        ];
        narrow.into_iter().flatten().next().unwrap_or_else(Term::all)
    }

    /// The ids of all orders that it can find, from the oldest to the newest that comes before `before`. None if there
    /// can't be any.
    pub fn range(&self, before: Option<OrderId>) -> Option<(OrderId, OrderId)> {
        let start = |day: Date| day.with_time(Time::MIDNIGHT).assume_offset(UtcOffset::UTC);
        let from = self.days.from.map_or(0, |day| bits_at(start(day) - SLACK));
        let end = self.days.to.and_then(Date::next_day);
        let to = end.map_or(u128::MAX, |day| bits_at(start(day) + SLACK) | ((1 << 80) - 1));
        let to = match before {
            Some(before) => to.min(before.uuid().as_u128().checked_sub(1)?),
            None => to,
        };
        let id = |bits| OrderId::new(Uuid::from_u128(bits));
        (from <= to).then(|| (id(from), id(to)))
    }

    /// Whether an order is one of those. The search table may be a moment behind: the order itself decides.
    pub fn finds(&self, order: &Order) -> bool {
        let has = |wanted: Option<Term>, terms: &BTreeSet<Term>| wanted.is_none_or(|term| terms.contains(&term));
        let terms = Term::all_of(order);
        let day = order.created_at.to_offset(UtcOffset::UTC).date();
        has(self.number.as_ref().map(Term::number), &terms)
            && has(self.email.as_deref().map(Term::email), &terms)
            && has(self.product.as_ref().map(Term::product), &terms)
            && has(self.tracking.as_deref().map(Term::tracking), &terms)
            && has(self.intent.as_deref().map(Term::intent), &terms)
            && self.is_bought_at_the_price(order)
            && self.status.is_none_or(|status| status == order.status)
            && self.payment_status.is_none_or(|status| status == order.payment.status)
            && self.days.from.is_none_or(|from| from <= day)
            && self.days.to.is_none_or(|to| day <= to)
    }

    fn is_bought_at_the_price(&self, order: &Order) -> bool {
        let Some((product, price)) = self.product.as_ref().zip(self.price) else { return true };
        let mut lines = order.lines.iter().filter(|line| line.sku.product == *product);
        order.currency == price.currency && lines.any(|line| line.unit_price == price.amount)
    }

    /// As one text: two searches with the same text find the same.
    pub fn text(&self) -> String {
        let Self { number, email, product, price, status, payment_status, tracking, intent, days } = self;
        let email = email.as_deref().map(canonical_email);
        format!(
            "{number:?}\n{email:?}\n{product:?}\n{price:?}\n{status:?}\n{payment_status:?}\n{tracking:?}\n{intent:?}\n{days:?}"
        )
    }
}

/// The first bits of an id of version 7 that was made at this time.
fn bits_at(at: OffsetDateTime) -> u128 {
    let ms = u128::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    ms.min((1 << 48) - 1) << 80
}
