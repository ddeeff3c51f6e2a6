//! What the shops of the tests sell, and limits that nobody reaches.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::config::limits::BY_ADDRESS;

use super::cart;
use crate::servers::root;

/// Counts a stock in parts, where it may be.
pub(super) fn split(stocked: &mut Value, parts: u8) {
    if stocked["stock"].is_u64() && stocked["backorder"].is_null() {
        stocked["stockParts"] = parts.into();
    }
}

/// Limits that nobody reaches, those of open orders too.
pub fn far_limits() -> BTreeMap<String, String> {
    const LIMITED: [&str; 9] = [
        "INITIATE",
        "CALCULATE_SHIPPING",
        "CALCULATE_TAX",
        "APPLY_COUPON",
        "CONFIRM_ORDER",
        "CLAIM",
        "CALCULATE_SHIPPING_PREVIEW",
        "UPDATE_ITEMS",
        "LOOKUP_ORDER",
    ];
    let mut limits: BTreeMap<_, _> =
        LIMITED.iter().map(|route| (format!("RATE_LIMIT_{route}"), "10000/60".to_owned())).collect();
    limits.insert("DECLINE_LIMITS".to_owned(), "10000/10000/10000".to_owned());
    for whose in ["CALLER", "ADDRESS"] {
        limits.insert(format!("OPEN_ORDERS_{whose}"), "9999/999999".to_owned());
    }
    let by_address: Vec<_> = BY_ADDRESS.iter().map(|(name, _)| format!("{name}=10000/60")).collect();
    limits.insert("RATE_LIMITS".to_owned(), by_address.join(","));
    limits
}

/// A catalog with so many units of one of its products, in so many parts.
pub fn stocked(mut catalog: Value, product: &str, units: u64, parts: u8) -> Value {
    let mut products = catalog["products"].as_array_mut().expect("products").iter_mut();
    let stocked = products.find(|of| of["productId"] == product).expect("it is sold");
    (stocked["stock"], stocked["stockParts"]) = (units.into(), parts.into());
    catalog
}

/// The sample catalog with a coupon of this limit, in so many parts.
pub fn limited(code: &str, limit: u64, parts: u8) -> Value {
    let mut catalog = sample_catalog();
    let discount = json!({"type": "percentage", "percent": "10"});
    let coupon = json!({"code": code, "discount": discount, "totalLimit": limit, "limitParts": parts});
    catalog["coupons"].as_array_mut().expect("coupons").push(coupon);
    catalog
}

/// The shop of the README with more products, `beans-1` and so on, of which fifty are still sent by the usual methods.
pub fn catalog_of_many(more: usize) -> Value {
    let mut catalog = sample_catalog();
    let products = catalog["products"].as_array_mut().expect("products");
    let mut light = products[0].clone();
    light["weightGrams"] = 10.into();
    for n in 1..=more {
        light["productId"] = format!("beans-{n}").into();
        products.push(light.clone());
    }
    catalog
}

/// A cart of one of each of the first so many of these.
pub fn cart_of_many(lines: usize) -> Value {
    let names: Vec<_> = (1..=lines).map(|n| format!("beans-{n}")).collect();
    let items: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    cart(&items)
}

/// The shop of the README.
pub fn sample_catalog() -> Value {
    let path = root().join("data/sample-catalog.json");
    let text = tools::catalog::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
