//! The same request in another form: other spacing, another order of members, another base path, another version of the
//! functions.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::http::route::Route;
use tests::{
    event::{Event, request_from},
    world::{Shopper, World, confirmation, id_of, total_of},
};

use super::{KEY, REPLAYED, assert_replayed, beans, cancel, id_of_order};

/// The members of all objects in reverse order, with spaces between everything.
fn spread(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().rev().map(|(name, value)| format!("{} :\t{}", json!(name), spread(value))).collect();
            format!("{{ {} }}\n", members.join(" ,\r\n "))
        }
        Value::Array(items) => format!("[ {} ]", items.iter().map(spread).collect::<Vec<_>>().join(" , ")),
        Value::String(text) => {
            let escaped: Vec<_> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{}\"", escaped.concat())
        }
        plain => plain.to_string(),
    }
}

fn event(shopper: &Shopper, route: Route, body: String) -> Event {
    shopper.event(route).idempotency_key(KEY).header("content-type", "application/json").body(body)
}

#[tokio::test]
async fn the_same_json_with_other_spacing_order_and_escapes_is_the_same_body() {
    let world = World::new().await;
    let guest = world.guest();

    let first = guest.post_once(Route::Initiate, KEY, &beans(2)).await;
    let again = guest.send(Route::Initiate, &event(&guest, Route::Initiate, spread(&beans(2)))).await;
    assert_replayed(&again, &first);

    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    let placed = guest.send(Route::ConfirmOrder, &event(&guest, Route::ConfirmOrder, spread(&body))).await;
    assert_replayed(&guest.post_once(Route::ConfirmOrder, KEY, &body).await, &placed);

    let placed = placed.expect(201);
    let order = id_of_order(&placed);
    let reason = json!({"reason": "ordered twice"});
    let cancelled = cancel(&guest, order, KEY, &reason).await;
    let again = event(&guest, Route::CancelOrder, spread(&reason)).path("orderId", order);
    assert_replayed(&guest.send(Route::CancelOrder, &again).await, &cancelled);
    assert_eq!(world.stored_orders().await.len(), 1);
}

#[tokio::test]
async fn another_value_in_the_same_form_is_another_body() {
    let world = World::new().await;
    let guest = world.guest();
    guest.post_once(Route::Initiate, KEY, &beans(2)).await.expect(201);

    let null = json!({"cartItems": beans(2)["cartItems"], "currency": null});
    for other in [spread(&beans(3)), spread(&null), spread(&beans(2)).replace("\\u0065", "E")] {
        let answer = guest.send(Route::Initiate, &event(&guest, Route::Initiate, other.clone())).await;
        assert!([400, 422].contains(&answer.status()), "{other}: {:#}", answer.body());
        assert_eq!(answer.header(REPLAYED), None);
    }
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

/// A custom domain's base path and a stage stand before the path, and an id has two spellings.
#[tokio::test]
async fn a_key_counts_for_the_route_however_it_is_reached() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let order = order["orderId"].as_str().expect("an order");
    let first = guest.post_once(Route::Initiate, KEY, &beans(2)).await;
    let cancelled = cancel(&guest, order, KEY, &json!({})).await;
    cancelled.clone().expect(200);

    for (stage, prefix) in [("$default", "/shop"), ("prod", "/prod"), ("prod", ""), ("v1", "/v1/eu")] {
        for (route, first, id) in [
            (Route::Initiate, &first, None),
            (Route::CancelOrder, &cancelled, Some(order.to_owned())),
            (Route::CancelOrder, &cancelled, Some(order.to_uppercase())),
        ] {
            let event = guest.event(route).idempotency_key(KEY);
            let event = match &id {
                Some(id) => event.path("orderId", id).json(&json!({})),
                None => event.json(&beans(2)),
            };
            let mut event = event.value();
            let path = format!("{prefix}{}", event["rawPath"].as_str().expect("a path"));
            event["rawPath"] = json!(path);
            event["requestContext"]["http"]["path"] = json!(path);
            event["requestContext"]["stage"] = json!(stage);
            assert_replayed(&world.call(route.function(), request_from(&event)).await, first);
        }
    }
}

/// What the functions of before have kept: under the same id, for the body's bytes alone.
#[tokio::test]
async fn an_answer_that_an_earlier_version_kept_is_given_to_the_same_bytes() {
    let world = World::new().await;
    let guest = world.guest();
    let first = guest.post_once(Route::Initiate, KEY, &beans(2)).await;
    let kept = world.all("IDEMPOTENCY_TABLE").await.remove(0);
    let id = kept["id"].as_s().expect("an id").clone();
    let of_before = format!("guest#{}\nPOST /api/v1/checkout/initiate\n{KEY}", guest.guest_id());
    let hex = |text: &str| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(id, hex(&of_before));
    assert_eq!(kept["fingerprint"].as_s(), Ok(&hex(&beans(2).to_string())));
    let update = world.tables.client().update_item().table_name(world.tables.name("IDEMPOTENCY_TABLE"));
    let update = update.key("id", AttributeValue::S(id)).update_expression("REMOVE canonical");
    update.send().await.expect("an update");

    assert_replayed(&guest.post_once(Route::Initiate, KEY, &beans(2)).await, &first);
    let again = guest.send(Route::Initiate, &event(&guest, Route::Initiate, spread(&beans(2)))).await;
    again.refused(422, "IDEMPOTENCY_KEY_REUSED");
}
