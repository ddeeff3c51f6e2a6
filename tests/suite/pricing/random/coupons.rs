//! Coupons of every kind, and what the customer enters.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    amounts::{amount, amounts, around, percent, period, scope},
    goods, object, seldom,
    template::Template,
};

/// In an order that isn't theirs.
const CODES: [&str; 5] = ["SAVE20", "AAA1", "B2G1", "AAA", "AAB"];

/// A coupon and how often it has been used.
pub(super) fn coupon() -> impl Strategy<Value = (Value, Value)> {
    let limits = (seldom(limit(), 0.15), seldom(limit(), 0.15), 0..4_u32, 0..4_u32);
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.8), seldom((0..4_u32).prop_map(Value::from), 0.5));
    let who = (prop::bool::weighted(0.1), prop::bool::weighted(0.2));
    let amounts = (seldom(threshold(), 0.3), seldom(threshold(), 0.3));
    (discount(), amounts, period(), limits, (flags, who), (seldom(scope(), 0.4), seldom(scope(), 0.1))).prop_map(
        |(discount, (minimum, maximum), period, limits, (flags, (signed_in, automatic)), (scope, excluded))| {
            let (first_order, combinable, priority) = flags;
            let (total_limit, customer_limit, total, by_customer) = limits;
            let counted = |limit: Value| if automatic { Value::Null } else { limit };
            let coupon = object([
                ("discount", discount),
                ("minimumSubtotal", minimum),
                ("maximumDiscount", maximum),
                ("startsAt", period["startsAt"].clone()),
                ("endsAt", period["endsAt"].clone()),
                ("totalLimit", counted(total_limit)),
                ("customerLimit", counted(customer_limit)),
                ("firstOrderOnly", if first_order && !automatic { json!(true) } else { Value::Null }),
                ("combinable", if combinable { json!(true) } else { Value::Null }),
                ("priority", priority),
                ("signedInOnly", if signed_in { json!(true) } else { Value::Null }),
                ("automatic", if automatic { json!(true) } else { Value::Null }),
                ("excludedProducts", excluded["products"].clone()),
                ("excludedCategories", excluded["categories"].clone()),
                ("products", scope["products"].clone()),
                ("categories", scope["categories"].clone()),
            ]);
            (coupon, json!({"total": total, "byCustomer": by_customer}))
        },
    )
}

fn limit() -> impl Strategy<Value = Value> {
    (1..=3_u32).prop_map(Value::from)
}

/// Amounts that are what the covered lines come to, give or take one, or any.
fn threshold() -> impl Strategy<Value = Value> {
    amounts(prop_oneof![1 => around(), 1 => amount().prop_map(Value::from)])
}

fn discount() -> impl Strategy<Value = Value> {
    let buy_get = (1..=3_u32, 1..=3_u32, seldom(percent(), 0.5)).prop_map(|(buy, get, percent)| {
        object([("type", json!("buyGet")), ("buy", json!(buy)), ("get", json!(get)), ("percent", percent)])
    });
    prop_oneof![
        3 => percent().prop_map(|percent| json!({"type": "percentage", "percent": percent})),
        3 => threshold().prop_map(|amounts| json!({"type": "fixed", "amounts": amounts})),
        3 => buy_get,
        2 => threshold().prop_map(|amounts| json!({"type": "fixedPerItem", "amounts": amounts})),
        2 => (seldom(some_of(vec!["ground", "air", "road"]), 0.3), seldom(some_of(vec!["zone-0", "zone-1"]), 0.3))
            .prop_map(|(methods, zones)| {
                object([("type", json!("freeShipping")), ("methods", methods), ("zones", zones)])
            }),
    ]
}

fn some_of(names: Vec<&'static str>) -> impl Strategy<Value = Value> {
    let count = names.len();
    prop::sample::subsequence(names, 1..=count).prop_map(|names| json!(names))
}

/// The coupons of the catalog, and their uses by code. What they lie around is the subtotal of what they cover.
pub(super) fn coupons(
    coupons: &[(Value, Value)],
    bare: &Value,
    catalog: &Value,
    template: &mut Template,
) -> (Value, Value) {
    let mut filled = Vec::new();
    let mut used = json!({});
    for ((coupon, uses), code) in coupons.iter().zip(CODES) {
        let mut coupon = coupon.clone();
        coupon["code"] = json!(code);
        for list in ["products", "excludedProducts"] {
            if !coupon[list].is_null() {
                coupon[list] = json!(goods::ids(&coupon[list], &catalog["products"]));
            }
        }
        template.around = covered(&coupon, bare, &catalog["products"]);
        filled.push(without_nulls(template.fill(&coupon)));
        used[code] = uses.clone();
    }
    (filled.into(), used)
}

/// Looking for a member of a template leaves a null behind.
fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

fn covered(coupon: &Value, bare: &Value, products: &Value) -> u64 {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (in_products, in_categories) = (list(&coupon["products"]), list(&coupon["categories"]));
    let covers = |item: &&Value| {
        let product = list(products).into_iter().find(|product| product["productId"] == item["productId"]);
        let categories = product.map_or_else(Vec::new, |product| list(&product["categories"]));
        (in_products.is_empty() && in_categories.is_empty())
            || in_products.contains(&item["productId"])
            || categories.iter().any(|category| in_categories.contains(category))
    };
    list(&bare["items"]).iter().filter(covers).map(|item| item["subtotal"].as_u64().unwrap()).sum()
}

/// Takes out of free shipping what the shop doesn't have.
pub(super) fn only_known(coupons: &mut Value, shipping: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let zones = list(&shipping["zones"]);
    let methods: Vec<_> = zones.iter().flat_map(|zone| list(&zone["methods"])).collect();
    let ids = |of: &[Value], id: &str| -> Vec<Value> { of.iter().map(|thing| thing[id].clone()).collect() };
    let known = [("methods", ids(&methods, "shippingMethodId")), ("zones", ids(&zones, "zoneId"))];
    for coupon in coupons.as_array_mut().into_iter().flatten() {
        for (member, known) in &known {
            if let Some(named) = coupon["discount"].get_mut(*member).and_then(Value::as_array_mut) {
                named.retain(|name| known.contains(name));
            }
        }
    }
}

/// What the customer has entered, in any case, each once.
pub(super) fn codes(codes: &[(Option<usize>, bool)], coupons: &Value) -> Value {
    let coupons = coupons.as_array().unwrap();
    let mut entered: Vec<String> = Vec::new();
    for (index, lower) in codes {
        let known = match index {
            Some(_) if coupons.is_empty() => continue,
            Some(index) => coupons[index % coupons.len()]["code"].as_str(),
            None => None,
        };
        let code = known.unwrap_or("NOPE");
        if !entered.iter().any(|other| other.eq_ignore_ascii_case(code)) {
            entered.push(if *lower { code.to_lowercase() } else { code.to_owned() });
        }
    }
    json!(entered)
}
