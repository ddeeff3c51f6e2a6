//! Jurisdictions that stack, exemptions, and customers who claim one.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    amounts::{amounts, period, rate},
    object,
    places::{Home, home_place},
    template::Template,
};

/// What of the customer matters to tax.
pub(super) fn customer() -> impl Strategy<Value = Value> {
    let user = select(vec![Value::Null, json!("user-1"), json!("user-2")]);
    let vat_number = prop_oneof![
        1 => Just(Value::Null),
        1 => select(vec![json!("FR83404833048"), json!("DE136695976"), json!("XI980780684")]),
    ];
    let certificate = prop_oneof![
        8 => Just(Value::Null),
        3 => select(vec![json!("CERT-1"), json!("CERT-2")]),
    ];
    (user, vat_number, certificate).prop_map(|(user, vat_number, certificate)| {
        json!({"userId": user, "vatNumber": vat_number, "taxExemptionCertificate": certificate})
    })
}

/// The tax rules of the catalog and its exemptions.
pub(super) fn rules() -> impl Strategy<Value = Value> {
    let seller =
        select(vec![Value::Null, json!("DE"), json!("DE"), json!("FR"), json!("FR"), json!("US"), json!("GB-NIR")]);
    let count = prop_oneof![1 => 0..=1_usize, 20 => 1..=4_usize];
    let jurisdictions = (count, prop::collection::vec(jurisdiction(), 4)).prop_map(|(count, mut jurisdictions)| {
        jurisdictions.truncate(count);
        jurisdictions
    });
    let rules = (seller, jurisdictions, (any::<bool>(), any::<bool>(), any::<bool>()), 0..4_usize);
    let exemptions = prop::collection::vec(exemption(), 0..=2);
    (rules, exemptions).prop_map(
        |((seller, jurisdictions, (included, included_abroad, net), abroad_at), exemptions)| {
            let tax = json!({
                "seller": seller,
                "jurisdictions": jurisdictions,
                "included": included,
                "includedAbroad": included_abroad,
                "net": net,
                "abroadAt": abroad_at,
            });
            json!({"tax": tax, "exemptions": exemptions})
        },
    )
}

fn jurisdiction() -> impl Strategy<Value = Value> {
    let rates = (rate(), prop::option::weighted(0.98, rate()), prop::option::weighted(0.98, rate()));
    let places = prop::collection::vec(home_place(), 1..=2);
    // The first two places are what nearly every address is in: an exception of those leaves no tax at all.
    let except = (2..12_u32).prop_map(|number| json!({"home": number}));
    let except = prop_oneof![9 => Just(Vec::new()), 1 => prop::collection::vec(except, 1..=2)];
    let scheduled = (select(vec!["standard", "reduced", "books"]), rate(), period());
    let scheduled = prop::option::weighted(0.3, scheduled);
    let categories = select(vec![json!({}), json!({"food": "reduced"}), json!({"food": "standard", "books": "zero"})]);
    let limit = (select(vec!["standard", "reduced", "food"]), amounts(limit()), select(vec!["excess", "whole"]));
    let limit = prop::option::weighted(0.4, limit);
    let parts = (places, except, rates, any::<bool>(), scheduled, categories, limit);
    parts.prop_map(|(places, except, (standard, reduced, zero), shipping, scheduled, mut categories, limit)| {
        let rates = object([("standard", standard), ("reduced", json!(reduced)), ("zero", json!(zero))]);
        if let Some(categories) = categories.as_object_mut() {
            categories.retain(|_, code| !rates[code.as_str().unwrap()].is_null());
        }
        let mut limits = json!({});
        if let Some((code, each, taxed)) = limit
            && (!rates[code].is_null() || !categories[code].is_null())
        {
            limits[code] = json!({"each": each, "taxed": taxed});
        }
        let scheduled = scheduled.map(|(code, rate, mut entry)| {
            entry["rates"] = json!({code: rate});
            entry
        });
        let scheduled: Vec<Value> = scheduled.into_iter().collect();
        json!({
            "places": places,
            "except": except,
            "rates": rates,
            "scheduledRates": scheduled,
            "categories": categories,
            "priceLimits": limits,
            "shippingTaxable": shipping,
        })
    })
}

/// Often a price that goods have.
fn limit() -> impl Strategy<Value = Value> {
    prop_oneof![2 => 0..5000_u64, 2 => select(vec![99, 333, 999, 1999])].prop_map(Value::from)
}

fn exemption() -> impl Strategy<Value = Value> {
    let region = prop_oneof![4 => Just("country"), 4 => Just("state"), 1 => Just("other"), 2 => Just("both")];
    let user = prop_oneof![3 => Just(Value::Null), 2 => Just(json!("user-1"))];
    (region, user, period()).prop_map(|(region, user, period)| {
        object([
            ("region", json!(region)),
            ("userId", user),
            ("startsAt", period["startsAt"].clone()),
            ("endsAt", period["endsAt"].clone()),
        ])
    })
}

pub(super) fn filled(tax: &Value, home: Home, template: &Template) -> Value {
    let mut jurisdictions = Vec::new();
    for (number, jurisdiction) in tax["jurisdictions"].as_array().unwrap().iter().enumerate() {
        let mut jurisdiction = template.fill(jurisdiction);
        for places in ["places", "except"] {
            if let Some(places) = jurisdiction[places].as_array_mut() {
                let mut seen = Vec::new();
                places.retain(|place| {
                    let is_new = !seen.contains(place);
                    seen.push(place.clone());
                    is_new
                });
            }
        }
        jurisdiction["jurisdictionId"] = json!(format!("j-{}", 9 - number));
        jurisdiction["name"] = json!(format!("Tax {number}"));
        jurisdiction["included"] = tax["included"].clone();
        // What is free would be a part of the price that nobody can name.
        if tax["included"] == true {
            jurisdiction["priceLimits"] = json!({});
        }
        jurisdictions.push(jurisdiction);
    }
    let abroad = json!({
        "jurisdictionId": "abroad",
        "name": "Tax abroad",
        "places": [home.others().country()],
        "included": tax["includedAbroad"],
        "rates": {"standard": "1", "reduced": "7", "zero": "0"},
        "shippingTaxable": tax["net"],
    });
    let at = usize::try_from(tax["abroadAt"].as_u64().unwrap()).unwrap();
    jurisdictions.insert(at.min(jurisdictions.len()), abroad);
    // The loader wants the tax that is taken out to be somewhere in the file.
    let is_home = |j: &Value| j["included"] == true && j["places"].as_array().unwrap().contains(&tax["seller"]);
    let net = tax["net"] == true && jurisdictions.iter().any(is_home);
    object([
        ("sellerCountry", tax["seller"].clone()),
        ("exportPrices", if net { json!("net") } else { Value::Null }),
        ("jurisdictions", jurisdictions.into()),
    ])
}

pub(super) fn exemptions(exemptions: &Value, home: Home, template: &Template) -> Value {
    let country = home.country().to_owned();
    let state = home.state().map_or_else(|| country.clone(), |state| format!("{country}-{state}"));
    let other = home.others().country();
    let filled = exemptions.as_array().unwrap().iter().enumerate().map(|(number, exemption)| {
        let regions = match exemption["region"].as_str().unwrap() {
            "country" => json!([country]),
            "state" => json!([state]),
            "other" => json!([other]),
            _ => json!([other, state]),
        };
        let mut exemption = template.fill(exemption);
        exemption["certificateNumber"] = json!(format!("CERT-{}", number + 1));
        exemption["regions"] = regions;
        exemption.as_object_mut().unwrap().remove("region");
        exemption
    });
    filled.collect()
}
