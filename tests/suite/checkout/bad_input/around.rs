//! What stands around a body: its type, its encoding, and the query beside it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use shared::http::route::Route;

use super::{Refusal, Shop, each_is_refused, invalid, refusal, with_body};

const UNSUPPORTED: Refusal = refusal(415, "UNSUPPORTED_MEDIA_TYPE");

/// Each with whether it is JSON in UTF-8.
const TYPES: [(&str, bool); 22] = [
    ("application/json", true),
    ("Application/JSON", true),
    ("application/json;charset=utf-8", true),
    ("application/json; charset=UTF-8", true),
    ("application/json; charset=\"utf-8\"; q=1", true),
    ("application/json;", true),
    ("application/vnd.shop.v1+json", true),
    ("application/merge-patch+json", true),
    ("application/problem+JSON; charset=utf-8", true),
    ("application/json; charset=latin1", false),
    ("application/json; charset=utf-16", false),
    ("application/json; v=1; charset=iso-8859-1", false),
    ("application/vnd.api+json; charset=latin1", false),
    ("application/+json", false),
    ("application/a b+json", false),
    ("application/jsonp", false),
    ("application/json+xml", false),
    ("application/json-seq", false),
    ("text/json", false),
    ("json", false),
    ("", false),
    ("application/json, application/json", false),
];

#[tokio::test]
async fn a_type_whose_syntax_is_json_passes_and_no_other() {
    let shop = Shop::open().await;
    let event = |route, kind: &str| shop.event(route).json(&shop.good_body(route)).header("content-type", kind);
    for (kind, _) in TYPES.iter().filter(|(_, good)| *good) {
        let answer = shop.send(Route::CalculateShipping, &event(Route::CalculateShipping, kind)).await;
        assert_eq!(answer.status(), 200, "{kind}: {:#}", answer.body());
    }
    let bad = TYPES.iter().filter(|(_, good)| !*good);
    let bad: Vec<_> = bad.map(|(kind, _)| *kind).collect();
    let cases = with_body().flat_map(|route| bad.iter().map(move |kind| (route, *kind)));

    each_is_refused(&shop, cases.map(|(route, kind)| (kind.to_owned(), route, event(route, kind), UNSUPPORTED))).await;
}

#[tokio::test]
async fn an_encoded_body_is_refused_on_every_route_that_reads_one() {
    let shop = Shop::open().await;
    for encoding in ["identity", "Identity", "identity, identity", ""] {
        let event = shop.event(Route::CalculateShipping).json(&shop.good_body(Route::CalculateShipping));
        let answer = shop.send(Route::CalculateShipping, &event.header("content-encoding", encoding)).await;
        assert_eq!(answer.status(), 200, "{encoding}: {:#}", answer.body());
    }
    let cases = with_body().chain([Route::PaymentWebhook]).flat_map(|route| {
        let event = shop.event(route).header("content-type", "application/json");
        let event = match route {
            Route::PaymentWebhook => event.body("{}"),
            _ => event.body(shop.good_body(route).to_string()),
        };
        ["gzip", "GZIP", "br", "deflate", "zstd", "identity, gzip", "gzip,gzip", "aws-chunked", "é"].map(|encoding| {
            (encoding.to_owned(), route, event.clone().header("content-encoding", encoding), UNSUPPORTED)
        })
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn another_unicode_encoding_than_utf_8_is_named() {
    let shop = Shop::open().await;
    let text = shop.good_body(Route::CalculateShipping).to_string();
    let utf_16: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = utf_16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = utf_16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let utf_32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    for (bytes, says) in [
        ([b"\xEF\xBB\xBF", text.as_bytes()].concat(), "byte order mark"),
        ([b"\xFF\xFE".to_vec(), little.clone()].concat(), "UTF-16"),
        ([b"\xFE\xFF".to_vec(), big.clone()].concat(), "UTF-16"),
        (little, "UTF-16"),
        (big, "UTF-16"),
        (utf_32, "UTF-32"),
    ] {
        let event = shop.event(Route::CalculateShipping).header("content-type", "application/json");
        let answer = shop.send(Route::CalculateShipping, &event.body(STANDARD.encode(&bytes)).base64()).await;
        let detail = answer.refused(400, "VALIDATION_FAILED")["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(says), "{says}: {detail}");
    }
}

#[tokio::test]
async fn numbers_and_texts_that_json_cant_hold_are_refused() {
    let shop = Shop::open().await;
    let values =
        ["1e999", "-1e999", "01", "1.", "NaN", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u00\"", "\"\u{0}\"", "\"\t\""];
    let cases = with_body().flat_map(|route| {
        let name = shop.good_body(route).as_object().and_then(|body| body.keys().next().cloned()).expect("a member");
        let event = shop.event(route).header("content-type", "application/json");
        values.map(|value| {
            let body = format!("{{\"{name}\":{value}}}");
            (body.clone(), route, event.clone().body(body), Refusal { at: None, ..invalid("") })
        })
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_parameter_that_is_given_twice_is_refused_on_every_route() {
    let shop = Shop::open().await;
    let mut cases = Vec::new();
    for route in Route::ALL.into_iter().filter(|route| *route != Route::PaymentWebhook) {
        let event = shop.event(route);
        let has_body = with_body().any(|with_body| with_body == route);
        let event = if has_body { event.json(&shop.good_body(route)) } else { event };
        let twice = event.query("a/b", "1").query("c", "2").query("a/b", "1");
        cases.push(("a/b".to_owned(), route, twice, invalid("/query/a~1b")));
    }
    let orders = || shop.event(Route::ListOrders);
    for (name, first, second) in
        [("limit", "5", "5"), ("limit", "5", "6"), ("status", "pending", "shipped"), ("cursor", "", "")]
    {
        let at = match name {
            "limit" => invalid("/query/limit"),
            "status" => invalid("/query/status"),
            _ => invalid("/query/cursor"),
        };
        cases.push((name.to_owned(), Route::ListOrders, orders().query(name, first).query(name, second), at));
    }

    each_is_refused(&shop, cases).await;
    let once = orders().query("limit", "5").query("status", "pending");
    shop.send(Route::ListOrders, &once).await.expect(200);
}

#[tokio::test]
async fn a_header_that_makes_sense_once_is_refused_where_it_was_sent_twice() {
    let shop = Shop::open().await;
    let id = shop.guest.guest_id();
    let twice = shop.event(Route::ListOrders).header("x-guest-id", format!("{id},{id}"));
    let key = shop.event(Route::Initiate).json(&shop.good_body(Route::Initiate)).idempotency_key("a,a");
    let cases = [
        ("a guest id twice".to_owned(), Route::ListOrders, twice, invalid("/headers/x-guest-id")),
        ("a key twice".to_owned(), Route::Initiate, key, invalid("/headers/idempotency-key")),
    ];

    each_is_refused(&shop, cases).await;
    // Two spellings of one header, which no gateway sends: as if they were one.
    let mut event = shop.event(Route::ListOrders).value();
    event["headers"]["X-Guest-Id"] = json!(id);
    let answer = shop.world.call("list-orders", tests::event::request_from(&event)).await;
    assert_eq!(answer.refused(400, "VALIDATION_FAILED")["errors"][0]["pointer"], "/headers/x-guest-id");
}
