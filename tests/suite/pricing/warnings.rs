//! What a catalog says and hardly means: `checkout catalog check` warns of it.

use serde_json::{Value, json};
use tests::world::sample_catalog;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::shop::NOON;

/// The warnings of the sample catalog after a change.
fn warnings(change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
    let mut catalog = sample_catalog();
    change(&mut catalog);
    let file = tools::catalog::read(&catalog.to_string()).expect("a catalog without faults");
    let now = OffsetDateTime::parse(NOON, &Rfc3339).expect("a time");
    let warnings = file.warnings(file.check().expect("checked"), now).expect("rules");
    warnings.into_iter().map(|warning| (warning.pointer, warning.detail)).collect()
}

/// Where the warnings are.
fn places(change: impl FnOnce(&mut Value)) -> Vec<String> {
    warnings(change).into_iter().map(|(pointer, _)| pointer).collect()
}

const METHOD: &str = "/shipping/zones/0/methods/0";

fn method(catalog: &mut Value) -> &mut Value {
    &mut catalog["shipping"]["zones"][0]["methods"][0]
}

#[test]
fn the_sample_catalog_has_no_warning() {
    assert_eq!(warnings(|_| ()), []);
}

#[test]
fn a_product_that_can_not_be_sold_anywhere() {
    let first = |member: &'static str, value: Value| move |c: &mut Value| c["products"][0][member] = value;
    assert_eq!(places(first("prices", json!({"XAF": 100}))), ["/products/0"]);
    // It may still go to a part of a country.
    let everywhere: Vec<Value> = rust_iso3166::ALL.iter().map(|country| json!(country.alpha2)).collect();
    let forbidden = json!([{"regions": everywhere, "message": "Not at all."}]);
    assert_eq!(places(first("notShippableTo", forbidden)), ["/products/0"]);
    let part = json!([{"regions": ["US-AK"], "message": "Not to Alaska."}]);
    assert_eq!(places(first("notShippableTo", part)), Vec::<String>::new());
    // A draft isn't sold, and isn't meant to be.
    let draft = |c: &mut Value| {
        c["products"][0]["prices"] = json!({"XAF": 100});
        c["products"][0]["published"] = json!(false);
    };
    assert_eq!(places(draft), Vec::<String>::new());
}

#[test]
fn two_taxes_that_are_both_in_the_prices_of_one_place() {
    let again = |id: &'static str, member: &'static str, value: Value| {
        move |c: &mut Value| {
            let list = c["tax"]["jurisdictions"].as_array_mut().expect("a list");
            let mut own = list.iter().find(|j| j["jurisdictionId"] == "DE").expect("Germany").clone();
            own["jurisdictionId"] = json!(id);
            own[member] = value;
            list.push(own);
        }
    };
    assert_eq!(places(again("Deutschland", "name", json!("MwSt"))), ["/tax/jurisdictions"]);
    // Parts of a country have taxes of their own, and stack only where they say so.
    assert_eq!(places(again("DE-BY", "places", json!(["DE-BY"]))), Vec::<String>::new());
}

#[test]
fn a_payment_method_that_no_cart_can_use() {
    for (rule, warned) in [
        (json!({"method": "card"}), false),
        (json!({"method": "card", "countries": ["CH", "US"]}), false),
        (json!({"method": "card", "countries": ["CH"]}), true),
        (json!({"method": "card", "currencies": ["XAF"]}), true),
        (json!({"method": "bacs_debit", "countries": ["GB"]}), true),
    ] {
        let places = places(|catalog| {
            catalog.as_object_mut().unwrap().remove("cashOnDelivery");
            catalog["paymentMethods"] = json!([{"method": "klarna"}, rule]);
        });
        let expected: &[&str] = if warned { &["/paymentMethods/1"] } else { &[] };
        assert_eq!(places, expected, "{rule}");
    }
}

#[test]
fn a_shipping_method_that_no_cart_can_use() {
    for (member, value) in [
        ("endsAt", json!("2026-01-01T00:00:00Z")),
        ("maximumWeightGrams", json!(1)),
        ("minimumValue", json!({"XAF": 1})),
        ("cost", json!({"type": "flat", "amounts": {"XAF": 1}})),
        ("cost", json!({"type": "byItems", "base": {"USD": 1}, "perItem": {"EUR": 1}})),
        ("onlyFor", json!({"categories": ["no-such-category"]})),
        ("onlyWith", json!({"categories": ["no-such-category"]})),
    ] {
        let found = places(|c| method(c)[member] = value.clone());
        assert!(found.iter().any(|at| at == METHOD), "{member} {value}: {found:?}");
    }
    let warned = warnings(|c| method(c)["endsAt"] = json!("2026-01-01T00:00:00Z"));
    assert!(warned.iter().any(|(_, detail)| detail.ends_with("it has ended")), "{warned:?}");
}

#[test]
fn what_costs_nothing_and_what_nobody_can_be_sold() {
    let said = |change: &dyn Fn(&mut Value)| warnings(change);
    let one = |at: &str, detail: &str| vec![(at.to_owned(), detail.to_owned())];
    let nothing = "costs nothing: is that meant?";
    assert_eq!(said(&|c| c["products"][0]["prices"]["USD"] = json!(0)), one("/products/0/prices/USD", nothing));
    assert_eq!(
        said(&|c| c["coupons"][0]["categories"] = json!(["cofee"])),
        one("/coupons/0/categories", "no product has the category cofee")
    );
    let to_brazil = |c: &mut Value| {
        let places = c["shipping"]["zones"][0]["places"].as_array_mut().expect("places");
        places.push(json!("BR"));
    };
    let sample = sample_catalog();
    let last = sample["shipping"]["zones"][0]["places"].as_array().map_or(0, Vec::len);
    assert_eq!(
        said(&to_brazil),
        one(&format!("/shipping/zones/0/places/{last}"), "nothing can be sold to BR: it has no tax rule")
    );
    assert_eq!(
        said(&|c| c["cashOnDelivery"]["countries"] = json!(["US", "BR"])),
        one("/cashOnDelivery/countries", "no shipping zone has a place in BR")
    );
}

#[test]
fn a_country_without_its_currency() {
    let currencies = |of: Value| move |c: &mut Value| c["currencies"] = json!({"default": "USD", "byCountry": of});
    assert_eq!(warnings(currencies(json!({"US": ["USD"]}))), []);
    let none = warnings(currencies(json!({"BR": ["BRL"]})));
    assert_eq!(none, [("/currencies/byCountry".to_owned(), "no shipping zone has a place in BR".to_owned())]);
    let krona = warnings(currencies(json!({"US": ["USD", "SEK"]})));
    assert!(
        !krona.is_empty()
            && krona
                .iter()
                .all(|(at, why)| at.ends_with("/cost") && why.ends_with("can't be had in SEK, a currency of US")),
        "{krona:?}"
    );
}
