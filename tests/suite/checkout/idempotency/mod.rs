//! `Idempotency-Key`: one key, one effect, one answer.

mod claimed;
mod keys;
mod other_forms;
mod races;
mod refusals;
mod replays;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Answer, Shopper, cart};

const KEY: &str = "9b2f0a4e-6d1c-4f57-8a3e-2c5d7e9f1b04";
const REPLAYED: &str = "idempotent-replayed";

/// What initiate takes for some bags of beans.
fn beans(quantity: u32) -> Value {
    json!({"cartItems": cart(&[("espresso-beans", quantity)])})
}

async fn cancel(shopper: &Shopper, order: &str, key: &str, body: &Value) -> Answer {
    let event = shopper.event(Route::CancelOrder).path("orderId", order).idempotency_key(key);
    shopper.send(Route::CancelOrder, &event.json(body)).await
}

/// The first answer again, marked as such.
#[track_caller]
fn assert_replayed(again: &Answer, first: &Answer) {
    assert_eq!((again.status(), again.body()), (first.status(), first.body()));
    assert_eq!(again.header(REPLAYED), Some("true"));
    assert_eq!(first.header(REPLAYED), None);
    assert_eq!(again.header("content-type"), first.header("content-type"));
}

fn id_of_order(answer: &Value) -> &str {
    answer["order"]["orderId"].as_str().expect("an order")
}
