//! Currencies of a catalog that can't be right.

use serde_json::{Value, json};

use super::refusals::{faults, refused};

#[test]
fn currencies_that_can_not_be() {
    let currencies = |of: Value| move |c: &mut Value| c["currencies"] = of;
    for (at, of) in [
        ("/currencies/default", json!({})),
        ("/currencies", json!("EUR")),
        ("/currencies/default", json!({"default": "Euro"})),
        ("/currencies/byCountry/UK", json!({"default": "EUR", "byCountry": {"UK": ["GBP"]}})),
        ("/currencies/byCountry/US-CA", json!({"default": "EUR", "byCountry": {"US-CA": ["USD"]}})),
        ("/currencies/byCountry/PR", json!({"default": "EUR", "byCountry": {"PR": ["USD"]}})),
        ("/currencies/byCountry/GB", json!({"default": "EUR", "byCountry": {"GB": []}})),
        ("/currencies/byCountry/GB", json!({"default": "EUR", "byCountry": {"GB": ["GBP", "EUR", "GBP"]}})),
        ("/currencies/byCountry/GB/1", json!({"default": "EUR", "byCountry": {"GB": ["GBP", "gold"]}})),
        ("/currencies/byCountry/GB", json!({"default": "EUR", "byCountry": {"GB": "GBP"}})),
        ("/currencies/others", json!({"default": "EUR", "others": []})),
    ] {
        refused(at, currencies(of));
    }
    assert_eq!(
        faults(currencies(json!({"default": "EUR", "byCountry": {"GB": ["GBP", "EUR"]}}))),
        Vec::<String>::new()
    );
}
