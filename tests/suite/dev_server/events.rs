//! Requests become events as API Gateway makes them, and answers become responses.

use std::net::SocketAddr;

use hyper::{Method, Request, StatusCode, body::Bytes, http::request::Parts};
use serde_json::{Value, json};
use tests::{event::Event, servers::template, world::World};
use time::macros::datetime;
use tools::gateway::{event, routes::Routes};
use uuid::Uuid;

use super::{BASE, Setup};

const PEER: &str = "127.0.0.1:50000";

fn made(request: Request<&'static [u8]>) -> Value {
    let (parts, body) = request.into_parts();
    event_of(&parts, &Bytes::from_static(body))
}

fn event_of(parts: &Parts, body: &Bytes) -> Value {
    let routes = Routes::of(&template());
    let found = routes.find(&parts.method, parts.uri.path()).expect("a route");
    event::of(&event::Call {
        peer: PEER.parse::<SocketAddr>().expect("an address"),
        parts,
        body,
        route: &found.route,
        parameters: found.parameters,
        id: Uuid::nil(),
        now: datetime!(2026-11-23 12:00:00.5 UTC),
    })
}

#[test]
fn each_route_of_the_template_is_routed_to_its_function() {
    let routes = Routes::of(&template());
    for function in template().functions {
        for route in &function.routes {
            let method: Method = route.method.parse().expect("a method");
            let path = route.path.replace(['{', '}'], "");
            let found = routes.find(&method, &path).unwrap_or_else(|| panic!("{method} {path} has no function"));
            assert_eq!((found.function.as_str(), &found.route), (function.name(), route));
        }
    }
}

#[test]
fn an_event_has_the_shape_of_the_suites_own() {
    // The suite's events were taken from API Gateway's; what each holds is another matter.
    let request = Request::post("/api/v1/checkout/orders/01a2097b-b00b-7055-9c70-09370d5d2d20/cancel?a=1")
        .header("host", "checkout.example.com")
        .header("user-agent", "suite")
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .body(b"{}".as_slice())
        .expect("a request");
    let ours = made(request);
    let theirs = Event::post("/api/v1/checkout/orders/{orderId}/cancel")
        .path("orderId", "01a2097b-b00b-7055-9c70-09370d5d2d20")
        .query("a", "1")
        .json(&json!({}))
        .value();
    assert_eq!(shape(&ours), shape(&theirs));
    for same in ["version", "routeKey", "rawPath", "rawQueryString", "pathParameters", "queryStringParameters", "body"]
    {
        assert_eq!(ours[same], theirs[same], "{same}");
    }
    for same in ["domainName", "domainPrefix", "routeKey", "stage", "accountId"] {
        assert_eq!(ours["requestContext"][same], theirs["requestContext"][same], "{same}");
    }
    assert_eq!(ours["requestContext"]["time"], "23/Nov/2026:12:00:00 +0000");
    assert_eq!(ours["requestContext"]["timeEpoch"], 1_795_435_200_500_u64);
    assert_eq!(ours["requestContext"]["http"]["sourceIp"], "127.0.0.1");
}

/// The names in a document, and the kind of each value.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "yes or no".into(),
        Value::Null => Value::Null,
    }
}

#[test]
fn headers_are_in_lower_case_and_joined_and_cookies_stand_elsewhere() {
    let request = Request::get("/api/v1/checkout/orders")
        .header("X-Thing", "1")
        .header("x-thing", "2")
        .header("Cookie", "a=1; b=2")
        .header("cookie", "c=3")
        .header("X-Forwarded-For", "203.0.113.9")
        .header("x-latin", [b'a', 0xE9].as_slice())
        .body(b"".as_slice())
        .expect("a request");
    let event = made(request);
    assert_eq!(event["headers"]["x-thing"], "1,2");
    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    assert_eq!(event["headers"]["cookie"], Value::Null);
    assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.9, 127.0.0.1");
    assert_eq!(event["headers"]["x-latin"], "a\u{FFFD}");
    for absent in ["body", "queryStringParameters", "pathParameters"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
}

#[test]
fn the_query_stays_as_it_was_sent_and_the_path_is_decoded() {
    let request = Request::get("/api/v1/checkout/orders/a%20b?status=x%20y&status=z&empty=&=none&c=%E2%82%AC+")
        .body(b"".as_slice())
        .expect("a request");
    let event = made(request);
    assert_eq!(event["rawQueryString"], "status=x%20y&status=z&empty=&=none&c=%E2%82%AC+");
    let parameters = json!({"status": "x y,z", "empty": "", "": "none", "c": "€ "});
    assert_eq!(event["queryStringParameters"], parameters);
    assert_eq!(event["rawPath"], "/api/v1/checkout/orders/a b");
    assert_eq!(event["pathParameters"], json!({"orderId": "a b"}));
}

#[test]
fn only_text_is_sent_as_text() {
    let body = |kind: Option<&str>, body: &'static [u8]| {
        let mut request = Request::post("/api/v1/checkout/initiate");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let event = made(request.body(body).expect("a request"));
        (event["body"].clone(), event["isBase64Encoded"] == true)
    };
    for kind in [
        None,
        Some("application/json"),
        Some("Application/JSON; charset=utf-8"),
        Some("text/plain"),
        Some("application/problem+json"),
    ] {
        assert_eq!(body(kind, b"{}"), (json!("{}"), false), "{kind:?}");
    }
    for kind in ["application/octet-stream", "application/x-www-form-urlencoded", "multipart/form-data", "image/png"] {
        assert_eq!(body(Some(kind), b"{}"), (json!("e30="), true), "{kind}");
    }
    // Not UTF-8, whatever it is called.
    assert_eq!(body(Some("application/json"), b"\xFF\xFE"), (json!("//4="), true));
}

#[tokio::test]
async fn a_purchase_goes_through_the_gateway() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let caller = server.caller();
    let guest = [("x-guest-id", "9549a1ab-ad00-4d46-8088-d00f037ddd5b"), ("content-type", "application/json")];
    let post = async |path: &str, body: Value| {
        let method = if path == "/address" { "PUT" } else { "POST" };
        caller.send(method, &format!("{BASE}{path}"), &guest, &body.to_string()).await
    };

    let opened = post("/initiate", json!({"cartItems": [{"productId": "espresso-beans", "quantity": 2}]})).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{opened:?}");
    let id = opened.json()["checkoutId"].as_str().expect("an id").to_owned();
    post("/address", json!({"checkoutId": id, "shippingAddress": tests::world::california()})).await;
    post("/calculate-shipping", json!({"checkoutId": id, "shippingMethodId": "us-standard"})).await;
    let total = post("/calculate-tax", json!({"checkoutId": id})).await.json()["summary"]["totalAmount"].clone();
    assert_eq!(total, 4887);
    let placed = post("/confirm-order", tests::world::confirmation(&id, 4887)).await;
    assert_eq!(placed.status, StatusCode::CREATED, "{placed:?}");
    let order = placed.json()["order"]["orderId"].as_str().expect("an id").to_owned();
    let read = caller.send("GET", &format!("{BASE}/orders/{order}"), &guest, "").await;
    assert_eq!((read.status, &read.json()["order"]["orderId"]), (StatusCode::OK, &json!(order)));

    let session = caller.send("GET", &format!("{BASE}/session/{id}"), &guest, "").await;
    let etag = session.header("etag").expect("an etag").to_owned();
    let unchanged = [guest[0], ("if-none-match", etag.as_str())];
    let unchanged = caller.send("GET", &format!("{BASE}/session/{id}"), &unchanged, "").await;
    assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_the_gateway_and_the_connection_goes_on() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let caller = server.caller();
    let initiate = format!("{BASE}/initiate");
    for size in [11 * 1024 * 1024, 7 * 1024 * 1024] {
        let seen = caller.send("POST", &initiate, &[("content-type", "text/plain")], &" ".repeat(size)).await;
        assert_eq!(seen.status, StatusCode::PAYLOAD_TOO_LARGE, "{size}");
        assert_eq!(caller.get(&format!("{BASE}/health")).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_event_that_is_no_json_is_refused() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let seen = server.caller().invoke("health", "{").await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert_eq!(seen.json()["errorType"], "InvalidRequestContentException");
    let event = Event::get("/api/v1/checkout/health").value().to_string();
    let seen = server.caller().invoke("health", &event).await;
    assert_eq!((seen.status, &seen.json()["statusCode"]), (StatusCode::OK, &json!(200)));
}
