//! Zones and methods of every kind, and which method the customer has chosen.

use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use super::{
    Choice,
    amounts::{amount, amounts, around, period, plain_amounts, scope},
    goods, object, places, seldom,
    template::Template,
};

/// In an order that isn't theirs; no two methods have the same.
const METHODS: [&str; 12] = ["ground", "air", "b-1", "b1", "road", "zip", "air-2", "a", "sea", "van", "bike", "letter"];

/// Zones with their methods, and the holidays as days from today.
pub(super) fn rules() -> impl Strategy<Value = Value> {
    let zone = (
        prop::collection::vec(places::place(), 1..=3),
        prop_oneof![1 => Just(Vec::new()), 20 => prop::collection::vec(method(), 1..=4)],
    );
    let zone = zone.prop_map(|(places, methods)| json!({"places": places, "methods": methods}));
    let zones = prop_oneof![1 => Just(Vec::new()), 20 => prop::collection::vec(zone, 1..=3)];
    let holidays = prop::collection::vec(0..20_u8, 0..=4);
    (zones, holidays).prop_map(|(zones, holidays)| json!({"zones": zones, "holidays": holidays}))
}

fn method() -> impl Strategy<Value = Value> {
    let free_from = amounts(prop_oneof![3 => around(), 1 => amount().prop_map(Value::from)]);
    let days = prop_oneof![(0..=5_u32, 0..=5_u32), (0..=10_u32, 0..=20_u32)];
    let scopes = (seldom(scope(), 0.12), seldom(scope(), 0.08));
    (cost(), seldom(plain_amounts(), 0.3), seldom(free_from, 0.3), scopes, period(), days).prop_map(
        |(cost, handling, free_from, (only_for, not_for), period, (min, more))| {
            object([
                ("cost", cost),
                ("handling", handling),
                ("freeFrom", free_from),
                ("onlyFor", only_for),
                ("notFor", not_for),
                ("startsAt", period["startsAt"].clone()),
                ("endsAt", period["endsAt"].clone()),
                ("deliveryDays", json!({"min": min, "max": min + more})),
            ])
        },
    )
}

fn cost() -> impl Strategy<Value = Value> {
    let grams = prop_oneof![1..=3000_u32, Just(1), Just(500), Just(1000)];
    let by_weight = (plain_amounts(), grams, plain_amounts())
        .prop_map(|(base, grams, step)| json!({"type": "byWeight", "base": base, "stepGrams": grams, "perStep": step}));
    let by_items = (plain_amounts(), plain_amounts())
        .prop_map(|(base, item)| json!({"type": "byItems", "base": base, "perItem": item}));
    let from = prop_oneof![around(), amount().prop_map(Value::from)];
    let step = (from, amount()).prop_map(|(from, amount)| json!({"from": from, "amount": amount}));
    let steps = amounts(prop::collection::vec(step, 0..=3).prop_map(Value::from));
    prop_oneof![
        2 => plain_amounts().prop_map(|amounts| json!({"type": "flat", "amounts": amounts})),
        2 => by_weight,
        2 => by_items,
        2 => (steps, amount()).prop_map(|(steps, first)| json!({"type": "byValue", "steps": steps, "first": first})),
    ]
}

pub(super) fn filled(rules: &Value, products: &Value, template: &Template) -> Value {
    let rules = template.fill(rules);
    let mut ids = METHODS.into_iter();
    let mut zones = Vec::new();
    for (number, zone) in rules["zones"].as_array().unwrap().iter().enumerate() {
        let mut places: Vec<Value> = Vec::new();
        for place in zone["places"].as_array().unwrap() {
            if !places.contains(place) {
                places.push(place.clone());
            }
        }
        let methods = zone["methods"].as_array().unwrap().iter();
        let methods: Vec<_> = methods.zip(&mut ids).map(|(method, id)| named(method, id, products)).collect();
        zones.push(json!({"zoneId": format!("zone-{number}"), "places": places, "methods": methods}));
    }
    let mut holidays: Vec<String> = Vec::new();
    for days in rules["holidays"].as_array().unwrap() {
        let date = template.now.date() + Duration::days(days.as_i64().unwrap());
        let date = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
        if !holidays.contains(&date) {
            holidays.push(date);
        }
    }
    json!({"zones": zones, "holidays": holidays})
}

fn named(method: &Value, id: &str, products: &Value) -> Value {
    let mut method = method.clone();
    method["shippingMethodId"] = json!(id);
    method["name"] = json!(id);
    for scope in ["onlyFor", "notFor"] {
        let Some(scoped) = method.get(scope) else { continue };
        let ids = goods::ids(&scoped["products"], products);
        // An empty one is none.
        if ids.is_empty() && scoped["categories"] == json!([]) {
            method.as_object_mut().unwrap().remove(scope);
        } else {
            method[scope]["products"] = json!(ids);
        }
    }
    if method["cost"]["type"] == "byValue" {
        method["cost"] = json!({"type": "byValue", "steps": ascending(&method["cost"])});
    }
    method
}

/// Steps that begin with one from 0 and ascend, for each currency.
fn ascending(cost: &Value) -> Value {
    let ascending = |steps: &Value| {
        let mut steps = steps.as_array().cloned().unwrap_or_default();
        steps.push(json!({"from": 0, "amount": cost["first"]}));
        steps.sort_by_key(|step| step["from"].as_u64());
        steps.dedup_by_key(|step| step["from"].as_u64());
        Value::from(steps)
    };
    let steps = cost["steps"].as_object().unwrap();
    steps.iter().map(|(currency, steps)| (currency.clone(), ascending(steps))).collect()
}

pub(super) fn chosen(choice: Choice, offers: &Value, rules: &Value) -> Option<String> {
    let ids = |methods: &Value| -> Vec<String> {
        let methods = methods.as_array().into_iter().flatten();
        methods.map(|method| method["shippingMethodId"].as_str().unwrap().to_owned()).collect()
    };
    let zones = rules["zones"].as_array().unwrap();
    let (known, index) = match choice {
        Choice::None => return None,
        Choice::Gone => return Some("gone".to_owned()),
        Choice::Offered(index) => (ids(offers), index),
        Choice::Any(index) => (zones.iter().flat_map(|zone| ids(&zone["methods"])).collect(), index),
    };
    known.get(index.checked_rem(known.len())?).cloned()
}
