//! Deliveries of stock with values that can't be right.

use serde_json::json;
use shared::http::route::Route;

use super::{Shop, each_is_refused, fields::values};

#[tokio::test]
async fn a_delivery_has_a_quantity_a_reference_and_a_reason() {
    let shop = Shop::open().await;
    let mut cases = Vec::new();
    let quantities = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1.0),
        json!("1"),
        json!(null),
        json!(1_000_000_001),
        json!(u64::MAX),
        json!(1e30),
    ];
    cases.extend(values(&shop, Route::ReceiveStock, "/quantity", &quantities));
    let texts = [
        json!(""),
        json!("\u{200b} "),
        json!("x".repeat(201)),
        json!("a\u{0}b"),
        json!("a\u{2028}b"),
        json!("a\nb\u{7f}"),
        json!("a\u{E000}b"),
    ];
    for at in ["/reference", "/reason"] {
        cases.extend(values(&shop, Route::ReceiveStock, at, &texts));
    }
    let names = [json!(""), json!("a b"), json!("a#b"), json!("a/b"), json!("ä"), json!("x".repeat(65))];
    cases.extend(values(&shop, Route::ReceiveStock, "/variantId", &names));

    each_is_refused(&shop, cases).await;
}
