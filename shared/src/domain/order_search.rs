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

/// One of the entries by which an order is found. As text it is a key of the search table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(String);

impl Term {
    /// Every order.
    fn all() -> Self {
        Self("all".to_owned())
    }

    fn product(product: &ProductId) -> Self {
        Self(format!("product#{product}"))
    }

    fn tracking(number: &str) -> Self {
        Self(format!("tracking#{}", number.to_uppercase()))
    }

    fn intent(intent: &str) -> Self {
        Self(format!("intent#{intent}"))
    }

    /// Those that an order has for ever, once it has them.
    pub fn lasting(order: &Order) -> BTreeSet<Self> {
        let mut terms = BTreeSet::from([Self::all()]);
        terms.extend(order.lines.iter().map(|line| Self::product(&line.sku.product)));
        terms.extend(intent(order).map(Self::intent));
        terms
    }

    /// Those of its parcels: a number may be corrected, and goes when the person is erased.
    pub fn of_parcels(order: &Order) -> BTreeSet<Self> {
        tracking_numbers(order).map(Self::tracking).collect()
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An e-mail address as the search table has it: a digest, because a key is seen in more places than the address in an
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailDigest(String);

impl EmailDigest {
    fn of(email: &str) -> Self {
        Self(hex::encode(Sha256::digest(canonical_email(email))))
    }

    /// None once the person is erased.
    pub fn of_order(order: &Order) -> Option<Self> {
        let email = &order.customer.email;
        (!email.is_empty()).then(|| Self::of(email))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One place where the ids of orders are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    Number(OrderNumber),
    Email(EmailDigest),
    Status(OrderStatus),
    PaymentStatus(PaymentStatus),
    Term(Term),
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
    /// Where to look it up: an order that it finds is under each of these. The rest is checked order by order.
    pub fn keys(&self) -> Vec<SearchKey> {
        let term = |term| SearchKey::Term(term);
        // At most a few orders are under one of these.
        let few = [
            self.number.clone().map(SearchKey::Number),
            self.intent.as_deref().map(Term::intent).map(term),
            self.tracking.as_deref().map(Term::tracking).map(term),
            self.email.as_deref().map(EmailDigest::of).map(SearchKey::Email),
        ];
        if let Some(key) = few.into_iter().flatten().next() {
            return vec![key];
        }
        let many = [
            self.product.as_ref().map(Term::product).map(term),
            self.status.map(SearchKey::Status),
            self.payment_status.map(SearchKey::PaymentStatus),
        ];
        let keys: Vec<_> = many.into_iter().flatten().collect();
        if keys.is_empty() { vec![term(Term::all())] } else { keys }
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
        let (terms, parcels) = (Term::lasting(order), Term::of_parcels(order));
        let has = |wanted: Option<Term>| wanted.is_none_or(|term| terms.contains(&term) || parcels.contains(&term));
        let day = order.created_at.to_offset(UtcOffset::UTC).date();
        self.number.as_ref().is_none_or(|number| *number == OrderNumber::of(order.id))
            && self
                .email
                .as_deref()
                .is_none_or(|email| canonical_email(email) == canonical_email(&order.customer.email))
            && has(self.product.as_ref().map(Term::product))
            && has(self.tracking.as_deref().map(Term::tracking))
            && has(self.intent.as_deref().map(Term::intent))
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
