//! Catalogs that can't be right: each is refused at its place before anything is written.

use serde_json::{Value, json};
use tests::world::sample_catalog;

/// The faults of the sample catalog after a change.
pub(super) fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut catalog = sample_catalog();
    change(&mut catalog);
    let faults = tools::catalog::read(&catalog.to_string()).err().unwrap_or_default();
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[track_caller]
pub(super) fn refused(at: &str, change: impl FnOnce(&mut Value)) {
    assert_eq!(faults(change), [at]);
}

#[test]
fn products_that_contradict_themselves() {
    let price = |starts: &str, ends: &str| json!({"prices": {"USD": 1}, "startsAt": starts, "endsAt": ends});
    refused("/products/0/scheduledPrices/1", |c| {
        let (one, two) = ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z");
        c["products"][0]["scheduledPrices"] =
            json!([price(one, two), price("2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z")]);
    });
    // One that begins when the other ends doesn't overlap it, nor does one of another currency.
    let next = faults(|c| {
        let (one, two, three) = ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
        let yen = json!({"prices": {"JPY": 1}, "startsAt": one});
        c["products"][0]["scheduledPrices"] = json!([price(one, two), price(two, three), yen]);
    });
    assert_eq!(next, Vec::<String>::new());
    refused("/products/0/scheduledPrices/0/endsAt", |c| {
        let (one, two) = ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z");
        c["products"][0]["scheduledPrices"] = json!([price(two, one)]);
    });
    refused("/products/0/taxCode", |c| c["products"][0]["taxCode"] = json!("no-such-code"));
    refused("/products/0/categories/0", |c| c["products"][0]["categories"] = json!(["not a category"]));
    refused("/products/0/weightGrams", |c| c["products"][0]["weightGrams"] = json!(0));
    refused("/products/0/weightGrams", |c| c["products"][0]["weightGrams"] = json!(1_000_001));
    refused("/products/1/variants/0/weightGrams", |c| c["products"][1]["variants"][0]["weightGrams"] = json!(0));
    refused("/products/4/notShippableTo/0/regions/0", |c| {
        c["products"][4]["notShippableTo"][0]["regions"][0] = json!("US-XX");
    });
    refused("/products/4/notShippableTo/0/regions/1/postalCodes/0", |c| {
        let part = json!({"region": "GB", "postalCodes": ["SW1AA"]});
        c["products"][4]["notShippableTo"][0]["regions"] = json!(["US-ID", part]);
    });
    refused("/products/1/maxPerOrder", |c| c["products"][1]["maxPerOrder"] = json!(0));
    refused("/products/1/maxPerOrder", |c| c["products"][1]["maxPerOrder"] = json!(-1));
    refused("/products/1/minPerOrder", |c| c["products"][1]["minPerOrder"] = json!(0));
    refused("/products/1/minPerOrder", |c| c["products"][1]["minPerOrder"] = json!(1.5));
    refused("/products/1/minPerOrder", |c| {
        c["products"][1]["minPerOrder"] = json!(6);
        c["products"][1]["maxPerOrder"] = json!(5);
    });
    for (at, backorder) in [
        ("/limit", json!({"limit": 0, "availableInDays": 5})),
        ("/limit", json!({"limit": 1_000_001, "availableInDays": 5})),
        ("/limit", json!({"limit": -1, "availableInDays": 5})),
        ("/limit", json!({"limit": "unlimited", "availableInDays": 5})),
        ("/availableInDays", json!({"limit": 5, "availableInDays": 0})),
        ("/availableInDays", json!({"limit": 5, "availableInDays": 366})),
        ("/availableInDays", json!({"limit": 5, "availableInDays": 1.5})),
        ("/availableInDays", json!({"limit": 5})),
        ("/limit", json!({"availableInDays": 5})),
        ("", json!(true)),
        ("/upTo", json!({"limit": 5, "availableInDays": 5, "upTo": 5})),
    ] {
        refused(&format!("/products/0/backorder{at}"), |c| c["products"][0]["backorder"] = backorder.clone());
        refused(&format!("/products/1/variants/1/backorder{at}"), |c| {
            c["products"][1]["variants"][1]["backorder"] = backorder;
        });
    }
    // It goes beyond a stock that is counted, and stands where that stands.
    let backorder = json!({"limit": 5, "availableInDays": 5});
    assert_eq!(faults(|c| c["products"][0]["backorder"] = backorder.clone()), Vec::<String>::new());
    refused("/products/0/backorder", |c| {
        (c["products"][0]["stock"], c["products"][0]["backorder"]) = (json!("unlimited"), backorder.clone());
    });
    refused("/products/1/backorder", |c| c["products"][1]["backorder"] = backorder.clone());
    refused("/products/1/variants/0/backorder", |c| {
        let kit = &mut c["products"][1];
        (kit["stock"], kit["variants"][0]["backorder"]) = (json!(5), backorder.clone());
        for variant in kit["variants"].as_array_mut().unwrap() {
            variant.as_object_mut().unwrap().remove("stock");
        }
    });
    // So does the mark from which on it is low.
    for low in [0, -1, 1_000_000_001] {
        refused("/products/0/lowStockAt", |c| c["products"][0]["lowStockAt"] = json!(low));
        refused("/products/1/variants/1/lowStockAt", |c| c["products"][1]["variants"][1]["lowStockAt"] = json!(low));
    }
    for low in [1, 1_000_000_000] {
        assert_eq!(faults(|c| c["products"][0]["lowStockAt"] = json!(low)), Vec::<String>::new());
    }
    refused("/products/0/lowStockAt", |c| {
        (c["products"][0]["stock"], c["products"][0]["lowStockAt"]) = (json!("unlimited"), json!(5));
    });
    refused("/products/1/lowStockAt", |c| c["products"][1]["lowStockAt"] = json!(5));
    refused("/products/1/variants/0/lowStockAt", |c| {
        let kit = &mut c["products"][1];
        (kit["stock"], kit["variants"][0]["lowStockAt"]) = (json!(5), json!(5));
        for variant in kit["variants"].as_array_mut().unwrap() {
            variant.as_object_mut().unwrap().remove("stock");
        }
    });
    // A stock of all variants, and one of each.
    assert_eq!(
        faults(|c| c["products"][1]["stock"] = json!(5)),
        ["/products/1/variants/0/stock", "/products/1/variants/1/stock"]
    );
    refused("/products/1/variants/0/stock", |c| {
        c["products"][1]["variants"][0].as_object_mut().unwrap().remove("stock");
    });
}

#[test]
fn cash_on_delivery_that_says_too_little() {
    let cash = |of: Value| move |c: &mut Value| c["cashOnDelivery"] = of;
    for (at, of) in [
        ("/cashOnDelivery/countries", json!({"enabled": true, "maximumTotals": {"USD": 1}})),
        ("/cashOnDelivery/maximumTotals", json!({"enabled": true, "countries": ["US"]})),
        (
            "/cashOnDelivery/countries/1",
            json!({"enabled": true, "countries": ["US", "XX"], "maximumTotals": {"USD": 1}}),
        ),
        ("/cashOnDelivery/countries/0", json!({"enabled": true, "countries": ["US-CA"], "maximumTotals": {"USD": 1}})),
        (
            "/cashOnDelivery/maximumTotals/USD",
            json!({"enabled": true, "countries": ["US"], "maximumTotals": {"USD": -1}}),
        ),
        ("/cashOnDelivery/maximumTotals/XYZ", json!({"enabled": false, "maximumTotals": {"XYZ": 1}})),
        ("/cashOnDelivery/enabled", json!({"countries": ["US"], "maximumTotals": {"USD": 1}})),
        ("/cashOnDelivery/enabled", json!({"enabled": "yes"})),
        ("/cashOnDelivery/country", json!({"enabled": false, "country": "US"})),
    ] {
        refused(at, cash(of));
    }
    assert_eq!(faults(cash(json!({"enabled": false}))), Vec::<String>::new());
    assert_eq!(faults(|c| drop(c.as_object_mut().unwrap().remove("cashOnDelivery"))), Vec::<String>::new());
}

#[test]
fn smallest_totals_for_cards_that_are_no_amounts() {
    let cards = |of: Value| move |c: &mut Value| c["cards"] = of;
    for (at, of) in [
        ("/cards/minimumTotals/USD", json!({"minimumTotals": {"USD": -1}})),
        ("/cards/minimumTotals/XYZ", json!({"minimumTotals": {"XYZ": 50}})),
        ("/cards/minimumTotals/USD", json!({"minimumTotals": {"USD": "50"}})),
        ("/cards/minimumTotal", json!({"minimumTotals": {}, "minimumTotal": {"USD": 50}})),
        ("/cards", json!([])),
        ("/cards/minimumTotals", json!({})),
    ] {
        refused(at, cards(of));
    }
    assert_eq!(faults(cards(json!(null))), Vec::<String>::new());
    assert_eq!(faults(cards(json!({"minimumTotals": {"USD": 0, "EUR": 1000}}))), Vec::<String>::new());
}

#[test]
fn coupons_that_can_not_work() {
    for (at, of) in [
        ("/coupons/0/discount/buy", json!({"discount": {"type": "buyGet", "buy": 0, "get": 1}})),
        ("/coupons/0/discount/get", json!({"discount": {"type": "buyGet", "buy": 1, "get": 0}})),
        ("/coupons/0/discount/percent", json!({"discount": {"type": "buyGet", "buy": 1, "get": 1, "percent": "101"}})),
        ("/coupons/0/discount/amounts", json!({"discount": {"type": "fixed", "amounts": {}}})),
        ("/coupons/0/maximumDiscount/USD", json!({"maximumDiscount": {"USD": -1}})),
        ("/coupons/0/minimumSubtotal/XYZ", json!({"minimumSubtotal": {"XYZ": 1}})),
        ("/coupons/0/categories/1", json!({"categories": ["tea", ""]})),
        ("/coupons/0/products/0", json!({"products": ["no-such-product"]})),
        ("/coupons/0/endsAt", json!({"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"})),
        ("/coupons/0/totalLimit", json!({"totalLimit": 0})),
        ("/coupons/0/discount/amounts", json!({"discount": {"type": "fixedPerItem", "amounts": {}}})),
        ("/coupons/0/discount/methods/0", json!({"discount": {"type": "freeShipping", "methods": ["no-such-method"]}})),
        ("/coupons/0/discount/zones/0", json!({"discount": {"type": "freeShipping", "zones": ["no-such-zone"]}})),
        ("/coupons/0/excludedProducts/0", json!({"excludedProducts": ["no-such-product"]})),
        ("/coupons/0/excludedCategories/0", json!({"excludedCategories": ["#"]})),
        ("/coupons/0/signedInOnly", json!({"signedInOnly": "yes"})),
        ("/coupons/0/totalLimit", json!({"automatic": true, "totalLimit": 1})),
        ("/coupons/0/customerLimit", json!({"automatic": true, "customerLimit": 1})),
        ("/coupons/0/firstOrderOnly", json!({"automatic": true, "firstOrderOnly": true})),
    ] {
        refused(at, |c| c["coupons"][0].as_object_mut().unwrap().extend(of.as_object().unwrap().clone()));
    }
}

#[test]
fn shipping_that_makes_no_sense() {
    let method = "/shipping/zones/0/methods/0";
    for (at, of) in [
        ("cost/steps/USD", json!({"cost": {"type": "byValue", "steps": {"USD": [{"from": 5, "amount": 1}]}}})),
        (
            "cost/steps/USD",
            json!({"cost": {"type": "byValue", "steps": {"USD": [{"from": 0, "amount": 1}, {"from": 0, "amount": 2}]}}}),
        ),
        ("cost/steps/USD", json!({"cost": {"type": "byValue", "steps": {"USD": []}}})),
        (
            "cost/stepGrams",
            json!({"cost": {"type": "byWeight", "base": {"USD": 1}, "stepGrams": 0, "perStep": {"USD": 1}}}),
        ),
        ("deliveryDays", json!({"deliveryDays": {"min": 3, "max": 2}})),
        ("deliveryDays", json!({"deliveryDays": {"min": 3, "max": 400}})),
        ("onlyFor/categories/0", json!({"onlyFor": {"categories": ["#"]}})),
        ("handling/USD", json!({"handling": {"USD": -1}})),
        (
            "cost/steps/USD",
            json!({"cost": {"type": "byWeightSteps", "steps": {"USD": [{"fromGrams": 1, "amount": 1}]}}}),
        ),
        ("maximumWeightGrams", json!({"minimumWeightGrams": 2, "maximumWeightGrams": 1})),
        ("maximumValue", json!({"minimumValue": {"USD": 2}, "maximumValue": {"USD": 1}})),
        ("minimumValue/USD", json!({"minimumValue": {"USD": -2}})),
        ("onlyWith/products/0", json!({"onlyWith": {"products": [" "]}})),
        ("surcharges/0/with", json!({"surcharges": [{"name": "bulky", "amounts": {"USD": 1}, "with": {}}]})),
        (
            "surcharges/0/amounts",
            json!({"surcharges": [{"name": "bulky", "amounts": {}, "with": {"products": ["a"]}}]}),
        ),
    ] {
        refused(&format!("{method}/{at}"), |c| {
            c["shipping"]["zones"][0]["methods"][0].as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
        });
    }
    refused("/shipping/holidays/0", |c| c["shipping"]["holidays"][0] = json!("Christmas"));
    refused("/shipping/zones/0/except/0", |c| c["shipping"]["zones"][0]["except"] = json!(["XX"]));
    refused("/shipping/zones/0/places", |c| c["shipping"]["zones"][0]["places"] = json!([]));
    for codes in [json!(["9410-941"]), json!(["94199-94000"]), json!([""]), json!(["94_05"])] {
        refused("/shipping/zones/0/places/0/postalCodes/0", |c| {
            c["shipping"]["zones"][0]["places"][0] = json!({"region": "US", "postalCodes": codes});
        });
    }
    // What no code of the country begins with.
    for (region, good, code) in [
        ("US", "941", "SW1"),
        ("DE", "10115", "101155"),
        ("GB", "PA20-PA49", "PA49-PA20"),
        ("GB", "SW1A", "AB1-DD9"),
        ("GB", "PA", "PA2-PA2 1"),
        ("GB", "PA2 1AA", "90210"),
        ("IE", "D6W", "D6"),
        ("CA", "K1A", "D1A"),
        ("NL", "1234 AB", "AB"),
    ] {
        refused("/shipping/zones/0/places/0/postalCodes/1", |c| {
            c["shipping"]["zones"][0]["places"][0] = json!({"region": region, "postalCodes": [good, code]});
        });
    }
    refused("/shipping/zones/0/methods/1/shippingMethodId", |c| {
        c["shipping"]["zones"][0]["methods"][1]["shippingMethodId"] = json!("us-standard");
    });
}

#[test]
fn taxes_that_contradict_each_other() {
    // The sample's own jurisdiction is Japan's.
    let add = |c: &mut Value, jurisdiction: Value| {
        c["tax"]["jurisdictions"].as_array_mut().unwrap().insert(1, jurisdiction);
    };
    let tokyo = json!({"jurisdictionId": "JP-13", "name": "Tokyo", "places": ["JP-13"], "rates": {"standard": "1"}});
    // Prices that include one tax and not the other.
    refused("/tax/jurisdictions/1/included", |c| add(c, tokyo.clone()));
    for (at, of) in [
        ("jurisdictionId", json!({"jurisdictionId": "JP"})),
        ("name", json!({"name": " "})),
        ("places", json!({"places": []})),
        ("places", json!({"places": ["JP-13", "DE"]})),
        ("places", json!({"except": ["US"]})),
        ("rates", json!({"rates": {}})),
        ("rates/standard", json!({"rates": {"standard": "7,25"}})),
        ("rates/standard", json!({"rates": {"standard": "100.1"}})),
        ("places/0/region", json!({"places": [{"region": "JP-99", "county": "x"}]})),
    ] {
        refused(&format!("/tax/jurisdictions/1/{at}"), |c| {
            let mut jurisdiction = tokyo.clone();
            jurisdiction["included"] = json!(true);
            jurisdiction.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
            add(c, jurisdiction);
        });
    }
    refused("/tax/sellerCountry", |c| c["tax"]["sellerCountry"] = json!("USA"));
    refused("/tax/sellerCountry", |c| c["tax"]["sellerCountry"] = json!("GB-SCT"));
    refused("/tax/exportPrices", |c| c["tax"]["exportPrices"] = json!("free"));
    refused("/tax/exportPrices", |c| c["tax"]["exportPrices"] = json!("net"));
    let first = |of: &'static str, value: Value| move |c: &mut Value| c["tax"]["jurisdictions"][0][of] = value;
    for (at, categories) in [
        ("/categories/book", json!({"book": "standard"})),
        ("/categories/books", json!({"books": "cheap"})),
        ("/categories/books", json!({"books": 7})),
    ] {
        refused(&format!("/tax/jurisdictions/0{at}"), first("categories", categories));
    }
    let limit = |each: Value, taxed: &str| json!({"clothing": {"each": each, "taxed": taxed}});
    for (at, limits) in [
        ("", limit(json!({"USD": 17500}), "excess")),
        ("/each", limit(json!({}), "excess")),
        ("/each/USD", limit(json!({"USD": -1}), "whole")),
        ("/each/XYZ", limit(json!({"XYZ": 1}), "whole")),
        ("/taxed", limit(json!({"USD": 1}), "all")),
    ] {
        refused(&format!("/tax/jurisdictions/1/priceLimits/clothing{at}"), |c| {
            let categories = if at.is_empty() { json!({}) } else { json!({"clothing": "standard"}) };
            add(
                c,
                json!({"jurisdictionId": "US-X", "name": "X", "places": ["US"], "rates": {"standard": "4"},
                "categories": categories, "priceLimits": limits}),
            );
        });
    }
    refused("/tax/jurisdictions/0/priceLimits/standard", |c| {
        c["tax"]["jurisdictions"][0]["priceLimits"] = json!({"standard": {"each": {"JPY": 1}, "taxed": "excess"}});
    });
    for (at, scheduled) in [
        ("/rates/standard", json!([{"rates": {"standard": "a lot"}}])),
        ("/rates/standard", json!([{"rates": {"standard": "101"}}])),
        ("/endsAt", json!([{"rates": {}, "startsAt": "2026-02-01T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}])),
        ("/startsAt", json!([{"rates": {}, "startsAt": "2026-02-01"}])),
        ("/from", json!([{"rates": {}, "from": "2026-02-01T00:00:00Z"}])),
    ] {
        refused(&format!("/tax/jurisdictions/0/scheduledRates/0{at}"), first("scheduledRates", scheduled));
    }
    let twice = json!([{"rates": {"standard": "1"}}, {"rates": {"standard": "2"}, "startsAt": "2026-02-01T00:00:00Z"}]);
    refused("/tax/jurisdictions/0/scheduledRates/1", first("scheduledRates", twice));
    refused("/taxExemptions/0/regions/0", |c| c["taxExemptions"][0]["regions"][0] = json!("Atlantis"));
    refused("/taxExemptions/0/certificateNumber", |c| c["taxExemptions"][0]["certificateNumber"] = json!("a b"));
}

/// The rates that are shipped: every state and DC, every member state, the UK, every province and territory.
#[test]
fn the_base_rates_are_complete() {
    let catalog = sample_catalog();
    let jurisdictions = catalog["tax"]["jurisdictions"].as_array().unwrap();
    let covers = |code: &str| {
        jurisdictions
            .iter()
            .any(|j| j["places"].as_array().unwrap().iter().any(|p| *p == json!(code) || p["region"] == json!(code)))
    };
    let of = |country: &str, not: &[&str]| -> Vec<String> {
        let country = rust_iso3166::from_alpha2(country).unwrap();
        let codes = country.subdivisions().unwrap().iter().map(|s| s.code.to_owned());
        codes.filter(|code| !not.contains(&code.as_str())).collect()
    };
    let outlying = ["US-AS", "US-GU", "US-MP", "US-PR", "US-UM", "US-VI"];
    let states = of("US", &outlying);
    assert_eq!(states.len(), 51);
    let provinces = of("CA", &[]);
    assert_eq!(provinces.len(), 13);
    let countries = shared::domain::vat::MEMBER_STATES.iter().map(|code| (*code).to_owned());
    for code in states.into_iter().chain(provinces).chain(countries).chain(["GB".to_owned()]) {
        assert!(covers(&code), "{code} has no rate");
    }
    let reduced = |id: &str| {
        jurisdictions.iter().find(|j| j["jurisdictionId"] == json!(id)).map(|j| j["rates"]["reduced"].clone())
    };
    for (id, each, taxed) in [("US-MA", 17500, "excess"), ("US-NY", 11000, "whole"), ("US-RI", 25000, "excess")] {
        let state = jurisdictions.iter().find(|j| j["jurisdictionId"] == json!(id)).unwrap();
        for code in ["clothing", "childrens-clothes"] {
            assert_eq!(state["priceLimits"][code], json!({"each": {"USD": each}, "taxed": taxed}), "{id}");
        }
    }
    // Denmark is the one member state without a reduced rate.
    for country in shared::domain::vat::MEMBER_STATES.iter().filter(|code| **code != "DK") {
        assert!(reduced(country).is_some_and(|rate| rate.is_string()), "{country}");
    }
}
