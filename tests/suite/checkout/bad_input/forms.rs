//! Bodies that aren't what they say, on each route that reads one.

use base64::{Engine, engine::general_purpose::STANDARD};
use shared::http::route::Route;

use super::{Refusal, Shop, each_is_refused, invalid, refusal, with_body};

const WHOLE: Refusal = invalid("");
/// Their bodies may be left out.
const OPTIONAL: [Route; 2] = [Route::CancelOrder, Route::CaptureOrder];

#[tokio::test]
async fn no_body_is_refused_where_one_is_needed() {
    let shop = Shop::open().await;
    let needs_one = with_body().filter(|route| !OPTIONAL.contains(route));
    let cases = needs_one.flat_map(|route| {
        let event = shop.event(route).header("content-type", "application/json");
        [
            ("nothing".to_owned(), route, event.clone(), WHOLE),
            ("emptiness".to_owned(), route, event.clone().body(""), WHOLE),
            ("white space".to_owned(), route, event.body(" \n\t"), WHOLE),
        ]
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let shop = Shop::open().await;
    let bytes: [&[u8]; 3] = [b"{\"checkoutId\":\"\xFF\xFE\"}", b"\xED\xA0\x80", &[0; 32]];
    let cases = with_body().flat_map(|route| {
        let event = shop.event(route).header("content-type", "application/json");
        bytes.map(|bytes| (format!("{bytes:?}"), route, event.clone().body(STANDARD.encode(bytes)).base64(), WHOLE))
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_body_of_65_kb_or_of_6_mb_is_too_large_however_it_is_sent() {
    let shop = Shop::open().await;
    let too_large = refusal(413, "PAYLOAD_TOO_LARGE");
    let cases = with_body().flat_map(|route| {
        let padded = format!("{}{}", shop.good_body(route), " ".repeat(65 * 1024));
        let event = shop.event(route).header("content-type", "application/json");
        [
            (
                "6 MB of text".to_owned(),
                route,
                event.clone().body(format!("{padded}{}", " ".repeat(6_000_000))),
                too_large,
            ),
            ("65 KB of text".to_owned(), route, event.clone().body(padded.clone()), too_large),
            ("65 KB of base64".to_owned(), route, event.body(STANDARD.encode(padded)).base64(), too_large),
        ]
    });

    each_is_refused(&shop, cases).await;
}

/// The size comes first: what is too large is neither searched for card numbers nor read.
#[tokio::test]
async fn what_is_too_large_is_not_looked_at_whatever_it_holds() {
    let shop = Shop::open().await;
    let too_large = refusal(413, "PAYLOAD_TOO_LARGE");
    let bodies =
        ["4242424242424242 ", "[", "{\"cvc\":1,", "\"", "\u{20ac}"].map(|text| text.repeat(1_200_000 / text.len()));
    let cases = Route::ALL.into_iter().flat_map(|route| {
        let event = shop.event(route).header("content-type", "text/plain");
        let base64 = event.clone().body("A".repeat(1_600_000)).base64();
        let texts = bodies.clone().map(|body| (format!("{body:.20}"), route, event.clone().body(body), too_large));
        texts.into_iter().chain([("base64".to_owned(), route, base64, too_large)])
    });
    each_is_refused(&shop, cases).await;

    let too_long = refusal(414, "QUERY_TOO_LONG");
    let cases = Route::ALL.into_iter().flat_map(|route| {
        ["4242424242424242", "a", "%41"].map(|text| {
            let event = shop.event(route).query("status", text.repeat(8000 / text.len()));
            (text.to_owned(), route, event, too_long)
        })
    });
    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn another_content_type_than_json_is_refused() {
    let shop = Shop::open().await;
    let types =
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"];
    let cases = with_body().flat_map(|route| {
        let event = shop.event(route).json(&shop.good_body(route));
        let unsupported = refusal(415, "UNSUPPORTED_MEDIA_TYPE");
        types.map(|kind| (kind.to_owned(), route, event.clone().header("content-type", kind), unsupported))
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn what_is_nested_too_deep_is_refused() {
    let shop = Shop::open().await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(5000), close.repeat(5000));
    let cases = with_body().flat_map(|route| {
        let event = shop.event(route).header("content-type", "application/json");
        let objects = deep("{\"a\":", "}");
        let lists = format!("{{\"cartItems\":{0},\"checkoutId\":{0},\"reason\":{0},\"status\":{0}}}", deep("[", "]"));
        let at = Refusal { at: None, ..WHOLE };
        [
            ("objects".to_owned(), route, event.clone().body(objects), at),
            ("lists".to_owned(), route, event.body(lists), at),
        ]
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_number_past_every_range_is_refused() {
    let shop = Shop::open().await;
    let body = |number: &str| format!(r#"{{"cartItems":[{{"productId":"espresso-beans","quantity":{number}}}]}}"#);
    let cases = ["1e999", "-1e999", "123456789012345678901234567890", "NaN", "Infinity", "0x10", "01", "+1", "1."];
    let cases = cases.map(|number| {
        let event = shop.event(Route::Initiate).header("content-type", "application/json").body(body(number));
        (number.to_owned(), Route::Initiate, event, Refusal { at: None, ..invalid("") })
    });

    each_is_refused(&shop, cases).await;
}
