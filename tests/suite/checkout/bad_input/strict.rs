//! Every route's body is strict: it has the members that the route knows, and nothing else, or there is none at all.
//!
//! The cases are made from [`Route::ALL`] and from each route's good body, so a new route, a new member and a new nested
//! object have theirs without a word here.

use serde_json::{Value, json};
use shared::http::route::{BodyKind, Route};
use tests::event::Event;

use super::{Case, Refusal, Shop, each_is_refused, invalid, refusal};

/// Names of members that no route has: those of other systems, of other routes, and of JavaScript's own.
const UNKNOWN: [&str; 8] =
    ["userId", "unitPrice", "discountAmount", "totalAmount", "zip", "__proto__", "checkout/Id", "Amount"];

/// Whole bodies that are no JSON object.
const NO_OBJECTS: [(&str, &str); 13] = [
    ("text", "hello"),
    ("a form", "checkoutId=1&couponCode=SAVE20"),
    ("a list", "[]"),
    ("a list of a body's values", "[\"6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f\",\"SAVE20\"]"),
    ("a string", "\"{}\""),
    ("a number", "12"),
    ("null", "null"),
    ("true", "true"),
    ("XML", "<cart/>"),
    ("a comment", "/* {} */ {}"),
    ("a byte order mark", "\u{FEFF}{}"),
    ("an object that doesn't end", "{"),
    ("a key without quotes", "{checkoutId: 1}"),
];

/// What stands in the place of an object within a body.
fn no_objects() -> [Value; 5] {
    [json!([]), json!(["Ada", "Sample", null]), json!("x"), json!(7), json!(true)]
}

/// The pointers of all objects in a body; that of the body itself is empty.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            let within = members.iter().flat_map(|(name, value)| objects(value, &format!("{at}/{}", escaped(name))));
            std::iter::once(at.to_owned()).chain(within).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| objects(item, &format!("{at}/{index}"))).collect()
        }
        _ => Vec::new(),
    }
}

/// Pointers live as long as the test binary: a [`Refusal`] is copied into many cases.
fn kept(pointer: String) -> &'static str {
    pointer.leak()
}

/// The body as text, with a member of this object given twice.
fn with_member_twice(body: &Value, at: &str, name: &str) -> String {
    const MARK: &str = "?once more?";
    let mut marked = body.clone();
    let object = marked.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
    let value = object[name].clone();
    object.insert(MARK.to_owned(), value);
    marked.to_string().replace(MARK, name)
}

/// What a route that reads JSON is sent, made from what it takes.
fn against_its_body(shop: &Shop, route: Route) -> Vec<Case> {
    let body = shop.good_body(route);
    let event = shop.event(route).header("content-type", "application/json");
    let mut cases = Vec::new();
    for (what, text) in NO_OBJECTS {
        cases.push((what.to_owned(), route, event.clone().body(text), invalid("")));
    }
    let somewhere = Refusal { at: None, ..invalid("") };
    // On the way to what follows, the first object's fault may be found.
    for (what, text) in [("two objects", "{}{}".to_owned()), ("more behind it", format!("{body}x"))] {
        cases.push((what.to_owned(), route, event.clone().body(text), somewhere));
    }
    for at in objects(&body, "") {
        let object = body.pointer(&at).and_then(Value::as_object).expect("an object");
        // Attributes have the names that the shop's page gives them: fields.rs has those that aren't names.
        let unknown = if at.ends_with("/attributes") { &[][..] } else { &UNKNOWN };
        for name in unknown {
            let mut body = body.clone();
            body.pointer_mut(&at).expect("an object")[name] = json!("x");
            let place = kept(format!("{at}/{}", name.replace('/', "~1")));
            cases.push((format!("{place} is unknown"), route, event.clone().body(body.to_string()), invalid(place)));
        }
        for name in object.keys() {
            let text = with_member_twice(&body, &at, name);
            cases.push((format!("{at}/{name} twice"), route, event.clone().body(text), somewhere));
        }
        if at.is_empty() {
            continue;
        }
        let place = kept(at);
        for value in no_objects() {
            let mut body = body.clone();
            *body.pointer_mut(place).expect("an object") = value.clone();
            cases.push((format!("{place} = {value}"), route, event.clone().body(body.to_string()), invalid(place)));
        }
    }
    cases
}

/// What a route that reads no body is sent.
fn some_body(event: Event) -> impl Iterator<Item = (String, Event)> {
    let event = event.header("content-type", "application/json");
    let texts = ["{}", "{\"amount\":1000}", "[]", "null", "0", "hello", "<cart/>", "\u{FEFF}", "{"];
    texts.into_iter().map(move |text| (text.to_owned(), event.clone().body(text)))
}

#[tokio::test]
async fn every_route_refuses_every_body_that_is_not_its_own() {
    let shop = Shop::open().await;
    let mut cases = Vec::new();
    for route in Route::ALL {
        match route.spec().body {
            BodyKind::Json => cases.extend(against_its_body(&shop, route)),
            BodyKind::Nothing => {
                let sent = some_body(shop.event(route));
                cases.extend(sent.map(|(what, event)| (what, route, event, invalid(""))));
            }
            // What isn't signed is not even read.
            BodyKind::Signed => {
                let sent = some_body(shop.event(route));
                cases.extend(sent.map(|(what, event)| (what, route, event, refusal(400, "SIGNATURE_INVALID"))));
            }
        }
    }

    each_is_refused(&shop, cases).await;
}

/// The other half: what the test above makes its cases from is what the routes take.
#[tokio::test]
async fn a_good_body_and_no_body_where_none_belongs_are_taken() {
    let shop = Shop::open().await;
    for route in Route::ALL {
        let event = shop.event(route);
        let events = match route.spec().body {
            BodyKind::Json => vec![event.json(&shop.good_body(route))],
            BodyKind::Nothing => vec![event.clone(), event.clone().body(""), event.body(" \r\n")],
            BodyKind::Signed => continue,
        };
        for event in events {
            let answer = shop.send(route, &event).await;
            assert!(!matches!(answer.status(), 400 | 415 | 500..), "{route:?}: {:#}", answer.body());
        }
    }
}

#[tokio::test]
async fn a_capture_takes_no_body_an_empty_one_or_the_whole_amount() {
    let world = tests::world::Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let staff = world.staff();
    let held = async || {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        let total = tests::world::total_of(&session);
        let order = guest.pay(tests::world::id_of(&session), total, "pm_card_visa").await.expect(201);
        (order["order"]["orderId"].as_str().expect("an id").to_owned(), total)
    };
    let capture = async |order: &str, body: Option<&str>| {
        let event = staff.event_about(Route::CaptureOrder, order).header("content-type", "application/json");
        staff.send(Route::CaptureOrder, &body.into_iter().fold(event, Event::body)).await
    };
    for body in [None, Some(""), Some(" \n"), Some("{}"), Some("{\"amount\":null}")] {
        let (order, total) = held().await;
        let captured = capture(&order, body).await.expect(200);
        assert_eq!(captured["order"]["payment"]["capturedAmount"], total, "{body:?}");
    }
    let (order, total) = held().await;
    let too_much = capture(&order, Some(&json!({"amount": total + 1}).to_string())).await;
    assert_eq!(too_much.refused(409, "CAPTURE_EXCEEDS_PAYMENT")["authorized"], total);
    assert_eq!(world.stripe().totals().await.get(&order), None, "nothing was taken");
    // A part is captured once, and the rest is released.
    for body in ["{\"amount\":1000}", "{\"amount\":1000}", "{}"] {
        let captured = capture(&order, Some(body)).await.expect(200)["order"].take();
        assert_eq!(captured["paymentStatus"], "partially_paid");
        let payment = &captured["payment"];
        assert_eq!((&payment["capturedAmount"], &payment["releasedAmount"]), (&json!(1000), &json!(total - 1000)));
    }
    for amount in [1001, total] {
        let other = capture(&order, Some(&json!({"amount": amount}).to_string())).await;
        assert_eq!(other.refused(409, "ALREADY_CAPTURED")["captured"], 1000);
    }
    let totals = world.stripe().totals().await[&order];
    assert_eq!((totals.captured, totals.refunded), (1000, 0));
}
