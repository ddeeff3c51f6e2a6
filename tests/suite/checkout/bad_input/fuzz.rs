//! Requests that nobody thought of: whatever comes in, reading it ends in a command or in a 4xx, and never in a panic.
//!
//! Each body is read by every route, so that 91,000 bodies make a million runs; `FUZZ_CASES` makes them more or fewer.

use lambda_http::{Body, Request, RequestExt as _};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    string::string_regex,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use shared::{
    checkout::{
        address::UpdateAddress,
        confirmation::Confirm,
        coupon::{ApplyCoupon, RemoveCoupon},
        merge_guest::MergeGuest,
        orders::{Cancel, CaptureOrder, Refund, SetStatus},
        preview::PreviewShipping,
        shipping::CalculateShipping,
        tax::CalculateTax,
    },
    http::{body::Command, problem::Problem, session_commands::InitiateRequest},
};
use tests::world::{california, cart, confirmation};

const CHECKOUT: &str = "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f";

/// A body that a route takes, and how the route reads it.
type Reader = fn(&Request) -> Result<(), Problem>;

fn reader<C: Command>(request: &Request) -> Result<(), Problem> {
    C::decode(request).map(drop)
}

fn routes() -> Vec<(Value, Reader)> {
    let place = json!({"country": "US", "state": "CA", "county": "Marin", "postalCode": "94105"});
    let items = cart(&[("espresso-beans", 2), ("pour-over-kit/white", 1)]);
    let address = json!({
        "checkoutId": CHECKOUT, "shippingAddress": california(), "billingAddress": california(), "recoverByEmail": true
    });
    let initiate = json!({
        "cartItems": items, "guestId": CHECKOUT, "currency": "USD", "shippingAddress": california(),
        "billingAddress": california(), "shippingMethodId": "us-standard", "recoverByEmail": false
    });
    let tax = json!({"checkoutId": CHECKOUT, "taxExemptionCertificate": "CA-1", "vatNumber": "DE136695976"});
    let status = json!({"status": "shipped", "note": "out", "trackingNumber": "1Z", "carrier": "UPS"});
    vec![
        (initiate, reader::<InitiateRequest>),
        (address, reader::<UpdateAddress>),
        (json!({"checkoutId": CHECKOUT, "shippingMethodId": "us-standard"}), reader::<CalculateShipping>),
        (tax, reader::<CalculateTax>),
        (json!({"checkoutId": CHECKOUT, "couponCode": "SAVE20"}), reader::<ApplyCoupon>),
        (json!({"checkoutId": CHECKOUT, "couponCode": "SAVE20"}), reader::<RemoveCoupon>),
        (confirmation(CHECKOUT, 4887), reader::<Confirm>),
        (json!({"reason": "changed my mind"}), reader::<Cancel>),
        (json!({"amount": 1000}), reader::<CaptureOrder>),
        (json!({"refundId": CHECKOUT, "amount": 1000, "reason": "a scratch"}), reader::<Refund>),
        (status, reader::<SetStatus>),
        (json!({"guestId": CHECKOUT}), reader::<MergeGuest>),
        (json!({"cartItems": items, "currency": "USD", "shippingAddress": place}), reader::<PreviewShipping>),
    ]
}

/// Texts that are close to something, and texts that are nothing.
fn text() -> impl Strategy<Value = String> {
    let close = select(vec![
        "",
        " ",
        "US",
        "us-ca",
        "DE",
        "EL123",
        "DE136695976",
        "FR83404833048",
        "XX",
        "USD",
        "JPY",
        "SAVE20",
        "94105",
        "94105-",
        "-",
        "+1 415",
        "x#y",
        "\u{0}",
        "\u{202E}",
        "\u{FEFF}",
        "🙂",
        "é",
        "e\u{301}",
        "ß",
        "ŉ",
        "İ",
        "١٢",
        CHECKOUT,
        "00000000-0000-0000-0000-000000000000",
        "card",
        "cash_on_delivery",
        "shipped",
        "a@b.example",
        "@",
        "9007199254740993",
    ]);
    prop_oneof![
        close.prop_map(ToOwned::to_owned),
        vec(any::<char>(), 0..30).prop_map(String::from_iter),
        // A regex as a strategy is parsed for each case; one that is made once isn't.
        string_regex("[A-Z]{2}[0-9A-Z]{0,14}").unwrap(),
        string_regex("[0-9a-f-]{36}").unwrap(),
        (any::<char>(), 1_usize..3000).prop_map(|(c, times)| std::iter::repeat_n(c, times).collect()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What is done to a good body.
#[derive(Clone, Debug)]
enum Harm {
    Replace(Index, Value),
    Remove(Index),
    Add(Index, String, Value),
    /// In the text: the bytes from here on become these.
    Splice(Index, Vec<u8>),
    Cut(Index),
    /// The text is sent as it is, but said to be base64.
    Nothing,
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        6 => (any::<Index>(), value()).prop_map(|(at, value)| Harm::Replace(at, value)),
        2 => any::<Index>().prop_map(Harm::Remove),
        2 => (any::<Index>(), text(), value()).prop_map(|(at, name, value)| Harm::Add(at, name, value)),
        2 => (any::<Index>(), vec(any::<u8>(), 0..8)).prop_map(|(at, bytes)| Harm::Splice(at, bytes)),
        1 => any::<Index>().prop_map(Harm::Cut),
        1 => Just(Harm::Nothing),
    ]
}

/// Every place in a value, itself included.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| {
            places(inner, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| places(inner, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn harmed(mut body: Value, harms: Vec<Harm>) -> Vec<u8> {
    let mut bytes: Option<Vec<u8>> = None;
    for harm in harms {
        let mut all = Vec::new();
        places(&body, "", &mut all);
        match harm {
            Harm::Replace(at, value) => *body.pointer_mut(at.get::<String>(&all)).unwrap() = value,
            Harm::Remove(at) => {
                let (parent, name) = at.get::<String>(&all).rsplit_once('/').unwrap_or_default();
                match body.pointer_mut(parent) {
                    Some(Value::Object(members)) => drop(members.remove(name)),
                    Some(Value::Array(items)) if !items.is_empty() => drop(items.pop()),
                    _ => {}
                }
            }
            Harm::Add(at, name, value) => match body.pointer_mut(at.get::<String>(&all)) {
                Some(Value::Object(members)) => drop(members.insert(name, value)),
                Some(Value::Array(items)) => items.extend(std::iter::repeat_n(value, name.len().min(60))),
                _ => {}
            },
            Harm::Splice(at, with) => {
                let text = bytes.get_or_insert_with(|| body.to_string().into_bytes());
                let from = at.index(text.len() + 1);
                text.splice(from..(from + with.len()).min(text.len()), with);
            }
            Harm::Cut(at) => {
                let text = bytes.get_or_insert_with(|| body.to_string().into_bytes());
                text.truncate(at.index(text.len() + 1));
            }
            Harm::Nothing => {}
        }
    }
    bytes.unwrap_or_else(|| body.to_string().into_bytes())
}

fn request(bytes: Vec<u8>, content_type: Option<&str>, binary: bool) -> Request {
    let body = match String::from_utf8(bytes) {
        Ok(text) if !binary => Body::Text(text),
        Ok(text) => Body::Binary(text.into_bytes()),
        Err(error) => Body::Binary(error.into_bytes()),
    };
    let mut request = Request::new(body);
    if let Some(content_type) = content_type {
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
    }
    request.with_path_parameters(std::collections::HashMap::from([("orderId".to_owned(), vec![CHECKOUT.to_owned()])]))
}

#[test]
fn fuzzed_requests_end_in_a_command_or_in_a_4xx() {
    let cases = std::env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(91_000);
    let routes = routes();
    for (body, read) in &routes {
        let good = request(body.to_string().into_bytes(), Some("application/json"), false);
        assert!(read(&good).is_ok(), "{body}: {:?}", read(&good));
    }
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let kinds =
        select(vec![Some("application/json"), Some("application/json; charset=utf-8"), None, Some("text/plain")]);
    let input = (any::<Index>(), vec(harm(), 1..4), kinds, any::<bool>());
    let result = TestRunner::new(config).run(&input, |(route, harms, kind, binary)| {
        let request = request(harmed(route.get(&routes).0.clone(), harms), kind, binary);
        for (_, read) in &routes {
            if let Err(problem) = read(&request) {
                check(&problem).map_err(TestCaseError::fail)?;
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// A refusal is a 4xx with a code, and one for what the request says names the places.
fn check(problem: &Problem) -> Result<(), String> {
    let named = |pointer: &str| pointer.is_empty() || pointer.starts_with('/');
    let places = problem.errors.iter().all(|error| !error.detail.is_empty() && named(&error.pointer));
    let told = problem.code != "VALIDATION_FAILED" || (places && !problem.errors.is_empty());
    let refused = (400..500).contains(&problem.status) && !problem.code.is_empty();
    if told && refused { Ok(()) } else { Err(format!("{problem:?}")) }
}
