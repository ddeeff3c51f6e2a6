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
        (
            prop::collection::vec(places::place(), 1..=3),
            prop_oneof![
                6 => Just(Vec::new()),
                1 => prop::collection::vec(places::place(), 1..=1),
            ],
        ),
        prop_oneof![1 => Just(Vec::new()), 20 => prop::collection::vec(method(), 1..=4)],
    );
    let zone =
        zone.prop_map(|((places, except), methods)| json!({"places": places, "except": except, "methods": methods}));
    let zones = prop_oneof![1 => Just(Vec::new()), 20 => prop::collection::vec(zone, 1..=3)];
    let holidays = prop::collection::vec(0..20_u8, 0..=4);
    (zones, holidays).prop_map(|(zones, holidays)| json!({"zones": zones, "holidays": holidays}))
}

fn method() -> impl Strategy<Value = Value> {
    let free_from = amounts(prop_oneof![3 => around(), 1 => amount().prop_map(Value::from)]);
    let days = prop_oneof![(0..=5_u32, 0..=5_u32), (0..=10_u32, 0..=20_u32)];
    let scopes = (seldom(scope(), 0.12), seldom(scope(), 0.08), seldom(scope(), 0.08));
    let weight = || seldom(prop_oneof![0..6000_u64, Just(500), Just(1000)].prop_map(Value::from), 0.08);
    let value = || seldom(amounts(around()), 0.08);
    let limits = (weight(), weight(), value(), value(), seldom(surcharges(), 0.3));
    (cost(), seldom(plain_amounts(), 0.3), seldom(free_from, 0.3), scopes, limits, period(), days).prop_map(
        |(cost, handling, free_from, (only_for, not_for, only_with), limits, period, (min, more))| {
            let (least_weight, most_weight, least_value, most_value, surcharges) = limits;
            // The loader wants the most not to be below the least.
            let weights = least_weight.as_u64() <= most_weight.as_u64() || most_weight.is_null();
            object([
                ("minimumWeightGrams", least_weight),
                ("maximumWeightGrams", if weights { most_weight } else { Value::Null }),
                ("maximumValue", if least_value.is_null() { most_value } else { Value::Null }),
                ("minimumValue", least_value),
                ("surcharges", surcharges),
                ("onlyWith", only_with),
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
    let weight_step = (prop_oneof![1..4000_u64, Just(500), Just(1000)], amount())
        .prop_map(|(from, amount)| json!({"fromGrams": from, "amount": amount}));
    let weight_steps = amounts(prop::collection::vec(weight_step, 0..=3).prop_map(Value::from));
    let steps = amounts(prop::collection::vec(step, 0..=3).prop_map(Value::from));
    prop_oneof![
        2 => plain_amounts().prop_map(|amounts| json!({"type": "flat", "amounts": amounts})),
        2 => by_weight,
        2 => by_items,
        2 => (weight_steps, amount())
            .prop_map(|(steps, first)| json!({"type": "byWeightSteps", "steps": steps, "first": first})),
        2 => (steps, amount()).prop_map(|(steps, first)| json!({"type": "byValue", "steps": steps, "first": first})),
    ]
}

fn surcharges() -> impl Strategy<Value = Value> {
    let surcharge = (plain_amounts(), scope(), any::<bool>()).prop_map(
        |(amounts, with, per_item)| json!({"name": "bulky", "amounts": amounts, "with": with, "perItem": per_item}),
    );
    prop::collection::vec(surcharge, 1..=2).prop_map(Value::from)
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
        let id = format!("zone-{number}");
        zones.push(json!({"zoneId": id, "places": places, "except": zone["except"], "methods": methods}));
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
    let surcharges = method["surcharges"].as_array().cloned().unwrap_or_default();
    let scoped = surcharges.into_iter().filter_map(|mut surcharge| {
        surcharge["with"]["products"] = json!(goods::ids(&surcharge["with"]["products"], products));
        let is_empty = surcharge["with"] == json!({"products": [], "categories": []});
        (!is_empty).then_some(surcharge)
    });
    let scoped: Vec<_> = scoped.collect();
    if let Some(members) = method.as_object_mut() {
        members.insert("surcharges".to_owned(), json!(scoped));
    }
    for scope in ["onlyFor", "notFor", "onlyWith"] {
        let Some(scoped) = method.get(scope) else { continue };
        let ids = goods::ids(&scoped["products"], products);
        // An empty one is none.
        if ids.is_empty() && scoped["categories"] == json!([]) {
            method.as_object_mut().unwrap().remove(scope);
        } else {
            method[scope]["products"] = json!(ids);
        }
    }
    for (kind, from) in [("byValue", "from"), ("byWeightSteps", "fromGrams")] {
        if method["cost"]["type"] == kind {
            method["cost"] = json!({"type": kind, "steps": ascending(&method["cost"], from)});
        }
    }
    method
}

/// Steps that begin with one from 0 and ascend, for each currency.
fn ascending(cost: &Value, from: &str) -> Value {
    let ascending = |steps: &Value| {
        let mut steps = steps.as_array().cloned().unwrap_or_default();
        steps.push(json!({from: 0, "amount": cost["first"]}));
        steps.sort_by_key(|step| step[from].as_u64());
        steps.dedup_by_key(|step| step[from].as_u64());
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
