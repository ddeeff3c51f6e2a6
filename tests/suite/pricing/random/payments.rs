//! Rules for payment methods, with fees and with totals that lie right at their bounds.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    amounts::{amounts, around, plain_amounts},
    object,
    places::Home,
    seldom,
    template::Template,
};

/// The rules of the catalog, more often than not.
pub(super) fn rules() -> impl Strategy<Value = Value> {
    let cash = (countries(Just(false)), Just(Value::Null), amounts(bound()), rest());
    let cash = cash.prop_map(|parts| rule("cash_on_delivery", parts));
    let some = || seldom(amounts(bound()), 0.2);
    let online = select(vec!["card", "klarna", "ideal", "affirm"]);
    let online = (online, (countries(prop::bool::weighted(0.7)), some(), some(), rest()));
    let online = online.prop_map(|(method, parts)| rule(method, parts));
    let rules = (cash, prop::collection::vec(online, 0..=3)).prop_map(|(cash, online)| {
        let mut seen = Vec::new();
        let mut rules: Vec<Value> = Vec::new();
        for rule in online.into_iter().chain([cash]) {
            if !seen.contains(&rule["method"]) {
                seen.push(rule["method"].clone());
                rules.push(rule);
            }
        }
        Value::Array(rules)
    });
    seldom(rules, 0.7)
}

/// The country of the address, another one, or both.
fn countries(everywhere: impl Strategy<Value = bool>) -> impl Strategy<Value = Value> {
    (everywhere, select(vec!["home", "home", "home", "both", "other"]))
        .prop_map(|(everywhere, which)| if everywhere { Value::Null } else { json!(which) })
}

/// A bound that the cart's total may lie right at.
fn bound() -> impl Strategy<Value = Value> {
    prop_oneof![1 => around(), 3 => Just(json!(1_u64 << 52))]
}

/// The fee, its tax code, and the currencies.
fn rest() -> impl Strategy<Value = (Value, Value, Value)> {
    let code = select(vec![Value::Null, json!("standard"), json!("reduced"), json!("zero"), json!("food")]);
    (seldom(plain_amounts(), 0.7), code, seldom(Just(json!(["MINE", "OTHER"])), 0.2))
}

fn rule(method: &str, (countries, least, most, rest): (Value, Value, Value, (Value, Value, Value))) -> Value {
    let (fee, code, currencies) = rest;
    let code = if fee.is_null() { Value::Null } else { code };
    // A least total at the cart's own is below the most.
    let least = if most.is_null() { least } else { Value::Null };
    object([
        ("method", json!(method)),
        ("countries", countries),
        ("currencies", currencies),
        ("minimumTotals", least),
        ("maximumTotals", most),
        ("fee", fee),
        ("feeTaxCode", code),
    ])
}

/// Fills in what the templates leave open, and leaves out what a catalog may not say.
pub(super) fn filled(rules: &Value, home: Home, template: &Template) -> Value {
    let fill = |rule: &Value| {
        let mut rule = template.fill(rule);
        let (here, there) = (home.country(), home.others().country());
        match rule["countries"].as_str() {
            Some("home") => rule["countries"] = json!([here]),
            Some("both") => rule["countries"] = json!([there, here]),
            Some(_) => rule["countries"] = json!([there]),
            None => {}
        }
        let pays = |currency: &str| match rule["method"].as_str().unwrap() {
            "ideal" => currency == "EUR",
            "affirm" => currency == "USD",
            _ => true,
        };
        let all = ["minimumTotals", "maximumTotals", "fee"];
        let mut shared = vec![template.currency, template.other];
        shared.retain(|currency| {
            pays(currency) && all.iter().all(|of| rule[*of].is_null() || !rule[*of][*currency].is_null())
        });
        if shared.is_empty() {
            return None;
        }
        for of in all {
            if let Some(amounts) = rule[of].as_object_mut() {
                amounts.retain(|currency, _| shared.contains(&currency.as_str()));
            }
        }
        if !rule["currencies"].is_null() {
            rule["currencies"] = json!(shared);
        }
        let members = rule.as_object_mut()?;
        members.retain(|_, value| !value.is_null());
        Some(rule)
    };
    let filled: Vec<Value> = rules.as_array().into_iter().flatten().filter_map(fill).collect();
    if filled.is_empty() { Value::Null } else { Value::Array(filled) }
}
