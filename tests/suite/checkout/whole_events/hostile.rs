//! Every text of an API Gateway event is hostile, with the real handlers behind it. `EVENT_CASES` says how many events.

use std::sync::Arc;

use proptest::{
    bool::weighted,
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    event::Event,
    token::{Signer, Token},
    world::{Setup, World, california, cart, confirmation},
};

use super::invoke;

const ID: &str = "6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f";
/// Stands for half of a surrogate pair, which only the text of an event can hold.
const LONE: &str = "\u{E000}";

/// A good event of a route, with every header that anything reads.
fn event(route: Route, token: Option<&str>) -> Value {
    let event = Event::new(route.method(), route.path()).guest(ID).idempotency_key(ID);
    let event = ["checkoutId", "orderId", "paymentMethodId", "productId"]
        .into_iter()
        .filter(|name| route.path().contains(&format!("{{{name}}}")))
        .fold(event, |event, name| event.path(name, ID));
    let event = event
        .header("if-none-match", "W/\"1\"")
        .header("origin", "https://shop.example.com")
        .header("content-encoding", "identity")
        .header("cookie", "a=b")
        .header("stripe-signature", "t=1,v1=00");
    let event = match token {
        Some(token) => event.bearer(token),
        None => event,
    };
    let body = match route {
        Route::Initiate => json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": california()}),
        Route::UpdateItems => json!({"checkoutId": ID, "cartItems": cart(&[("espresso-beans", 1)])}),
        Route::ConfirmOrder => confirmation(ID, 4887),
        Route::ApplyCoupon => json!({"checkoutId": ID, "couponCode": "SAVE20"}),
        Route::UpdateOrderStatus => json!({"status": "shipped"}),
        Route::CorrectOrder => json!({"customerInfo": {"email": "ada@example.org"}, "reason": "a typo"}),
        Route::ReceiveStock => json!({"quantity": 1, "reference": "DN-1042", "reason": "a delivery"}),
        Route::RefundOrder => json!({"refundId": ID}),
        Route::Claim => json!({"guestId": ID}),
        Route::LookupOrder => json!({"orderNumber": "RH83-HWTV-H8PB", "email": "ada@example.com"}),
        Route::CancelOrder => json!({"reason": "changed my mind"}),
        Route::CalculateShippingPreview => {
            json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": {"country": "US", "state": "CA"}})
        }
        _ => json!({"checkoutId": ID, "shippingAddress": california()}),
    };
    let event = if route == Route::ListOrders { event.query("limit", "5") } else { event };
    let mut event = if route.method() == "GET" { event } else { event.json(&body) }.value();
    event["cookies"] = json!(["a=b", "c=d"]);
    event["stageVariables"] = json!({"a": "b"});
    event["requestContext"]["authentication"] = json!({"clientCert": {"clientCertPem": "x", "subjectDN": "y"}});
    event["requestContext"]["authorizer"] =
        json!({"jwt": {"claims": {"a": "b"}, "scopes": ["c"]}, "lambda": {"d": "e"}});
    event
}

/// Texts that a part of the way might choke on.
const NASTY: &[&str] = &[
    "",
    " ",
    "\t",
    "\r\n",
    "\0",
    "\u{7f}",
    "\"",
    "<",
    ">",
    "'",
    "`",
    "^",
    "|",
    "\\",
    "{}",
    "[",
    "]",
    "#",
    "?",
    "&",
    "=",
    "%",
    "%00",
    "%0a",
    "%2",
    "%zz",
    "%ff",
    "%c3%28",
    "%ED%A0%80",
    "+",
    ";",
    ",",
    "//",
    "/../..",
    "/%2e%2e/",
    ":",
    "@",
    "a=1&a=2",
    "limit=1&limit=2",
    "limit=1&lim%69t=2",
    "limit=\"1\"",
    "a b",
    "a\tb",
    "limit=99999999999999999999",
    "http",
    "javascript",
    "https://",
    "://",
    "https://[",
    "[::1",
    "[::1]:99999",
    "host:port",
    "host:99999999",
    "a b.c",
    "\u{202e}",
    "\u{feff}{}",
    "\u{0}\u{1}",
    "é",
    "🙂",
    "ſ",
    LONE,
    "\u{10ffff}",
    "xn--",
    "ex%ample.com",
    "*",
    "W/",
    "W/\"",
    "W/\"1\", *",
    "\"1",
    "gzip",
    "GET",
    "get",
    "HEAD",
    "TRACE",
    "G ET",
    "application/json; charset=\"",
    "text/plain",
    "application/vnd.api+json; charset=latin1",
    "Bearer",
    "Bearer ",
    "Bearer a.b.c",
    "Bearer e30.e30.",
    "Basic YTpi",
    "00000000-0000-0000-0000-000000000000",
    ID,
    "127.0.0.1",
    "::",
    "::ffff:1.2.3.4",
    "999.1.1.1",
    "fe80::1%eth0",
    "{",
    "{}",
    "[]",
    "null",
    "{\"a\":",
    "{\"checkoutId\":1e999}",
    "{\"a\":\"\\ud800\"}",
    "e30=",
    "4242424242424242",
    "$default",
    "prod",
    "t=,v1=",
    "t=99999999999999999999,v1=zz",
    "-1",
    "NaN",
];

/// Those, and any text at all.
fn text() -> impl Strategy<Value = String> {
    let nasty = select(NASTY);
    let long = (select(vec!["a", "%", "é", "\"", "[", "{\"a\":", ",", ".", "\0"]), 1_usize..9000);
    prop_oneof![
        4 => nasty.prop_map(str::to_owned),
        2 => vec(any::<char>(), 0..12).prop_map(String::from_iter),
        1 => long.prop_map(|(part, times)| part.repeat(times)),
        1 => vec(any::<u8>(), 0..12).prop_map(|bytes| bytes.into_iter().map(char::from).collect()),
    ]
}

#[derive(Clone, Debug)]
enum Harm {
    /// Another text where one stands.
    Text(Index, String),
    /// The text with this in the middle of it.
    Splice(Index, Index, String),
    /// Another kind of value.
    Kind(Index, Value),
    Remove(Index),
    /// One more header, path parameter, stage variable, …
    Member(Index, String, String),
}

fn harm() -> impl Strategy<Value = Harm> {
    let kinds = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(1e300),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!(["a"]),
        json!({"a": "b"}),
        json!([null]),
        json!(""),
    ];
    prop_oneof![
        6 => (any::<Index>(), text()).prop_map(|(at, text)| Harm::Text(at, text)),
        3 => (any::<Index>(), any::<Index>(), text()).prop_map(|(at, middle, text)| Harm::Splice(at, middle, text)),
        1 => (any::<Index>(), select(kinds)).prop_map(|(at, kind)| Harm::Kind(at, kind)),
        1 => any::<Index>().prop_map(Harm::Remove),
        2 => (any::<Index>(), text(), text()).prop_map(|(at, name, text)| Harm::Member(at, name, text)),
    ]
}

/// The places of an event whose value is like this.
fn places(value: &Value, like: fn(&Value) -> bool) -> Vec<String> {
    fn walk(value: &Value, like: fn(&Value) -> bool, at: &str, found: &mut Vec<String>) {
        if like(value) && !at.is_empty() {
            found.push(at.to_owned());
        }
        match value {
            Value::Object(members) => members.iter().for_each(|(name, inner)| {
                walk(inner, like, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, inner)| walk(inner, like, &format!("{at}/{index}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, like, "", &mut found);
    found
}

fn harmed(mut event: Value, harms: Vec<Harm>) -> String {
    for harm in harms {
        let like = match &harm {
            Harm::Text(..) | Harm::Splice(..) => Value::is_string,
            Harm::Kind(..) | Harm::Remove(_) => |_: &Value| true,
            Harm::Member(..) => Value::is_object,
        };
        let places = places(&event, like);
        if places.is_empty() {
            continue;
        }
        match harm {
            Harm::Text(at, text) => *event.pointer_mut(at.get::<String>(&places)).unwrap() = json!(text),
            Harm::Splice(at, middle, text) => {
                let place = event.pointer_mut(at.get::<String>(&places)).unwrap();
                let mut chars: Vec<char> = place.as_str().unwrap_or_default().chars().collect();
                let middle = middle.index(chars.len() + 1);
                chars.splice(middle..middle, text.chars());
                *place = json!(String::from_iter(chars));
            }
            Harm::Kind(at, kind) => *event.pointer_mut(at.get::<String>(&places)).unwrap() = kind,
            Harm::Remove(at) => {
                let (parent, name) = at.get::<String>(&places).rsplit_once('/').unwrap();
                if let Some(Value::Object(members)) = event.pointer_mut(parent) {
                    members.remove(name);
                }
            }
            Harm::Member(at, name, text) => {
                let place = event.pointer_mut(at.get::<String>(&places)).unwrap();
                place.as_object_mut().unwrap().insert(name, json!(text));
            }
        }
    }
    event.to_string().replace(LONE, "\\ud800")
}

/// Whether an event asks for headers alone.
fn is_head(event: &str) -> bool {
    serde_json::from_str(event).is_ok_and(|event: Value| event["requestContext"]["http"]["method"] == "HEAD")
}

/// A whole answer with the request's id, and a problem where it isn't what was asked for.
fn check(reply: &Value, is_head: bool) -> Result<(), String> {
    let status = reply["statusCode"].as_u64().unwrap_or_default();
    let headers = &reply["headers"];
    let told = headers["x-request-id"].as_str().is_some_and(|id| !id.is_empty());
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap_or_default()).unwrap_or_default();
    // The answer to HEAD has no body.
    let is_whole = if is_head { reply["body"] == "" } else { body["code"].is_string() };
    let problem = headers["content-type"] == "application/problem+json" && is_whole;
    let good = matches!(status, 200..=299 | 304) || ((400..500).contains(&status) && problem);
    if told && good { Ok(()) } else { Err(format!("{reply:#}")) }
}

#[test]
fn every_event_gets_an_answer() {
    let cases = std::env::var("EVENT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let world: Arc<World> = runtime.block_on(Setup::default().cards().build());
    let token = Signer::es256().sign(&Token::staff("grace"));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    // A signature takes its time to check, and so does what comes after the limits: for most cases they are used up. All
    // of an event is read before.
    let (signed_in, fresh) = (weighted(0.1), weighted(0.1));
    let input = (select(Route::ALL.to_vec()), signed_in, fresh, any::<[u8; 3]>(), vec(harm(), 1..6));
    let result = TestRunner::new(config).run(&input, |(route, signed_in, fresh, [a, b, c], harms)| {
        let mut event = event(route, signed_in.then_some(&token));
        if fresh {
            event["requestContext"]["http"]["sourceIp"] = json!(format!("10.{a}.{b}.{c}"));
        }
        let event = harmed(event, harms);
        let reply = runtime.block_on(invoke(route.function(), world.app(), event.clone()));
        reply
            .and_then(|reply| check(&reply, is_head(&event)))
            .map_err(|fault| TestCaseError::fail(format!("{route:?} {event}: {fault}")))
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
