//! Payment methods of a catalog that no order could use.

use serde_json::{Value, json};

use super::refusals::{faults, refused};

#[test]
fn payment_methods_that_no_order_can_use() {
    let methods = |of: Value| {
        move |c: &mut Value| {
            c.as_object_mut().unwrap().remove("cashOnDelivery");
            c["paymentMethods"] = of;
        }
    };
    let cash = |more: &[(&str, Value)]| {
        let mut rule = json!({"method": "cash_on_delivery", "countries": ["US"], "maximumTotals": {"USD": 1}});
        for (name, value) in more {
            rule[*name] = value.clone();
        }
        json!([rule])
    };
    for (at, of) in [
        ("/paymentMethods", json!([])),
        ("/paymentMethods", json!({})),
        ("/paymentMethods/1/method", json!([{"method": "card"}, {"countries": ["US"]}])),
        ("/paymentMethods/0/method", json!([{"method": "bitcoin"}])),
        ("/paymentMethods/0/method", json!([{"method": "free"}])),
        ("/paymentMethods/0/country", json!([{"method": "card", "country": "US"}])),
        ("/paymentMethods/0/countries/0", json!([{"method": "card", "countries": ["UK"]}])),
        ("/paymentMethods/0/countries/1", json!([{"method": "card", "countries": ["US", "US-CA"]}])),
        ("/paymentMethods/0/currencies/0", json!([{"method": "card", "currencies": ["XYZ"]}])),
        ("/paymentMethods/0/currencies/0", json!([{"method": "ideal", "currencies": ["USD"]}])),
        ("/paymentMethods/0/fee/USD", json!([{"method": "sepa_debit", "fee": {"USD": 1}}])),
        ("/paymentMethods/0/fee/USD", json!([{"method": "card", "fee": {"USD": -1}}])),
        ("/paymentMethods/0/fee/USD", json!([{"method": "card", "fee": {"USD": "5"}}])),
        (
            "/paymentMethods/0/currencies/1",
            json!([{"method": "card", "currencies": ["USD", "EUR"], "fee": {"USD": 1}}]),
        ),
        (
            "/paymentMethods/0/maximumTotals/EUR",
            cash(&[("maximumTotals", json!({"EUR": 1, "USD": 1})), ("fee", json!({"USD": 1}))]),
        ),
        ("/paymentMethods/0/maximumTotals/USD", cash(&[("minimumTotals", json!({"USD": 2}))])),
        ("/paymentMethods/0/feeTaxCode", cash(&[("feeTaxCode", json!("standard"))])),
        ("/paymentMethods/0/feeTaxCode", cash(&[("fee", json!({"USD": 1})), ("feeTaxCode", json!("no-such-code"))])),
        ("/paymentMethods/0/countries", cash(&[("countries", json!([]))])),
        ("/paymentMethods/0/maximumTotals", cash(&[("maximumTotals", json!({}))])),
        ("/paymentMethods/1/countries", json!([{"method": "card"}, {"method": "card", "countries": ["US"]}])),
        (
            "/paymentMethods/1/countries",
            json!([{"method": "card", "countries": ["US", "DE"]}, {"method": "card", "countries": ["DE"]}]),
        ),
    ] {
        assert_eq!(faults(methods(of.clone())), [at], "{of}");
    }
    let good = json!([
        {"method": "card", "countries": ["US"]}, {"method": "card", "countries": ["DE"], "fee": {"EUR": 50}},
        cash(&[("fee", json!({"USD": 500})), ("feeTaxCode", json!("food"))])[0]
    ]);
    assert_eq!(faults(methods(good.clone())), Vec::<String>::new());
    // Cash is said in one place.
    refused("/cashOnDelivery", |c| c["paymentMethods"] = good);
}
