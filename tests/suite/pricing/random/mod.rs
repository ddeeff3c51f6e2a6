//! Random catalogs and carts for the comparison of the two implementations of the rules.
//!
//! The strategies make templates: amounts per `MINE` (the cart's currency) and `OTHER`, times such as `now-1`, places
//! such as `{"home": 2}`, and amounts such as `{"around": -1}` that are to lie right at a threshold. What those stand
//! for depends on the rest of the case, and is filled in once all of it is there: so the parts stay independent of each
//! other, and shrink well.

mod amounts;
mod coupons;
mod goods;
mod payments;
mod places;
mod shipping;
mod tax;
mod template;

use std::ops::RangeInclusive;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::naive;
use goods::Item;
use template::Template;

/// A catalog that the loader accepts, and a cart.
#[derive(Clone, Debug)]
pub struct Case {
    pub catalog: Value,
    pub cart: Value,
}

/// The parts of a case, before they are filled in.
#[derive(Clone, Debug)]
struct Parts {
    products: Vec<Value>,
    items: Vec<Item>,
    currency: &'static str,
    now: &'static str,
    coupons: Vec<(Value, Value)>,
    /// Of the cart: which of the catalog's coupons, or one that doesn't exist, and how it is written.
    codes: Vec<(Option<usize>, bool)>,
    has_ordered: bool,
    address: Option<(places::Home, Value)>,
    billing: Option<Value>,
    shipping: Value,
    method: Choice,
    tax: Value,
    customer: Value,
    /// Of the country: whether it has the cart's currency, and others.
    currencies: Option<(bool, bool)>,
    payments: Value,
}

/// Which shipping method the customer has chosen.
#[derive(Clone, Copy, Debug)]
enum Choice {
    None,
    Offered(usize),
    /// One that there isn't.
    Gone,
    /// One of all, whether it is offered or not.
    Any(usize),
}

/// Catalogs and carts of every kind.
pub fn case() -> impl Strategy<Value = Case> {
    let cart = (
        vec(goods::item(), 1..=8),
        select(vec!["USD", "USD", "EUR", "EUR", "JPY", "KWD", "CHF", "SEK"]),
        now(),
        prop_oneof![1 => codes(0..=1), 2 => codes(2..=3)],
        prop::bool::weighted(0.3),
        (prop::option::weighted(0.9, places::address()), prop::option::weighted(0.3, places::address())),
        choice(),
        (tax::customer(), prop::option::weighted(0.15, any::<(bool, bool)>())),
    );
    let catalog = (
        vec(goods::product(), 1..=8),
        prop_oneof![1 => vec(coupons::coupon(), 0..=1), 3 => vec(coupons::coupon(), 2..=5)],
        shipping::rules(),
        tax::rules(),
        payments::rules(),
    );
    (cart, catalog).prop_map(|(cart, catalog)| {
        let (items, currency, now, codes, has_ordered, (address, billing), method, (customer, currencies)) = cart;
        let billing = billing.map(|(_, address)| address);
        let (products, coupons, shipping, tax, payments) = catalog;
        let parts = Parts {
            products,
            items,
            currency,
            now,
            coupons,
            codes,
            has_ordered,
            address,
            billing,
            shipping,
            method,
            tax,
            customer,
            currencies,
            payments,
        };
        parts.case()
    })
}

/// Weekdays, weekends, the last second of a day, the turn of a year and a leap day.
fn now() -> impl Strategy<Value = &'static str> {
    select(vec![
        "2026-03-02T12:00:00Z",
        "2026-03-06T23:59:59Z",
        "2026-03-07T00:00:00Z",
        "2026-03-08T09:30:00Z",
        "2026-12-30T18:00:00Z",
        "2028-02-28T00:00:00.001Z",
    ])
}

/// So many of the catalog's coupons, and seldom one that isn't one of them.
fn codes(count: RangeInclusive<usize>) -> impl Strategy<Value = Vec<(Option<usize>, bool)>> {
    let code = prop_oneof![24 => (0..5_usize).prop_map(Some), 1 => Just(None)];
    vec((code, any::<bool>()), count)
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        2 => Just(Choice::None),
        14 => (0..12_usize).prop_map(Choice::Offered),
        1 => Just(Choice::Gone),
        2 => (0..12_usize).prop_map(Choice::Any),
    ]
}

impl Parts {
    fn case(self) -> Case {
        let home = self.address.as_ref().map_or(places::Home::California, |(home, _)| *home);
        let mut template = Template {
            currency: self.currency,
            other: if self.currency == "USD" { "EUR" } else { "USD" },
            now: OffsetDateTime::parse(self.now, &Rfc3339).unwrap(),
            home: home.places(),
            abroad: home.others().places(),
            around: 0,
        };
        let mut catalog = json!({"products": goods::products(&self.products, &template)});
        let items = goods::items(&self.items, &catalog["products"]);
        let mut cart = json!({"items": items, "currency": self.currency, "now": self.now});
        // A cart that is out of range has nothing to lie around of.
        let bare = naive::price(&catalog, &cart).unwrap_or_default();
        let (coupons, uses) = coupons::coupons(&self.coupons, &bare, &catalog, &mut template);
        cart["coupons"] = coupons::codes(&self.codes, &coupons);
        cart["uses"] = uses;
        cart["hasOrdered"] = json!(self.has_ordered);
        catalog["coupons"] = coupons;

        template.around = 0;
        let products = catalog["products"].clone();
        catalog["shipping"] = shipping::filled(&self.shipping, &products, &template);
        let rules = catalog["shipping"].clone();
        coupons::only_known(&mut catalog["coupons"], &rules);
        if let (Some((_, address)), Some((mine, other))) = (&self.address, self.currencies) {
            // The loader wants at least one.
            let offered = [(template.currency, mine), (template.other, other || !mine)];
            let offered: Vec<_> =
                offered.into_iter().filter(|(_, is_offered)| *is_offered).map(|(code, _)| code).collect();
            let country = address["country"].as_str().unwrap();
            catalog["currencies"] = json!({"default": template.other, "byCountry": {country: offered}});
        }
        if let Some((_, address)) = self.address {
            cart["shippingAddress"] = address;
        }
        if let Some(address) = self.billing {
            cart["billingAddress"] = address;
        }
        let discounted = naive::price(&catalog, &cart).unwrap_or_default();
        let summary = &discounted["summary"];
        let sum = |name: &str| summary[name].as_u64().unwrap_or(0);
        template.around = sum("subtotal") - sum("discountAmount");
        catalog["shipping"] = shipping::filled(&self.shipping, &products, &template);
        if let Some(method) = shipping::chosen(self.method, &discounted["shippingMethods"], &catalog["shipping"]) {
            cart["shippingMethodId"] = json!(method);
        }

        catalog["tax"] = tax::filled(&self.tax["tax"], home, &template);
        catalog["taxExemptions"] = tax::exemptions(&self.tax["exemptions"], home, &template);
        for member in ["userId", "vatNumber", "taxExemptionCertificate"] {
            if !self.customer[member].is_null() {
                cart[member] = self.customer[member].clone();
            }
        }
        if !self.payments.is_null() {
            let total = naive::price(&catalog, &cart).unwrap_or_default()["summary"]["totalAmount"].as_u64();
            template.around = total.unwrap_or(0);
            catalog["paymentMethods"] = payments::filled(&self.payments, home, &template);
        }
        Case { catalog, cart }
    }
}

/// An object without the members that are null.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Something, or null more often than not.
fn seldom(strategy: impl Strategy<Value = Value>, weight: f64) -> impl Strategy<Value = Value> {
    prop::option::weighted(weight, strategy).prop_map(Option::unwrap_or_default)
}
