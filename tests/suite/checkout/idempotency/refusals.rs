//! What is kept of refusals: those that are final, and no others.

use serde_json::{Value, json};
use shared::{domain::ids::Sku, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Answer, Setup, Shopper, World, california, cart, confirmation, id_of, sample_catalog, total_of},
};
use uuid::Uuid;

use super::{KEY, assert_replayed, beans, cancel, id_of_order};

const OTHER_KEY: &str = "1f6c3d52-0b7e-49a8-b1d4-7e8f9a0c2b36";

async fn twice(shopper: &Shopper, route: Route, body: &Value) -> Answer {
    let first = shopper.post_once(route, KEY, body).await;
    assert_replayed(&shopper.post_once(route, KEY, body).await, &first);
    first
}

/// Nothing is kept of what rests on nothing that the caller has: anybody could fill the table with it.
#[tokio::test]
async fn a_refusal_to_who_has_nothing_is_made_anew_and_not_kept() {
    let world = World::new().await;
    let guest = world.guest();
    let nothing = Uuid::nil().to_string();
    let mut idaho = california();
    idaho["state"] = json!("ID");
    idaho["postalCode"] = json!("83702");
    let to_idaho = json!({"cartItems": cart(&[("cbd-tea", 1)]), "shippingAddress": idaho});
    let sold_out = json!({"cartItems": cart(&[("sold-out-mug", 1)])});
    let unknown = json!({"cartItems": cart(&[("no-such-thing", 1)])});
    for _ in 0..2 {
        let twice = async |route, body: &Value| guest.post_once(route, KEY, body).await;
        twice(Route::Initiate, &to_idaho).await.refused(422, "NOT_SHIPPABLE");
        twice(Route::Initiate, &sold_out).await.refused(409, "INSUFFICIENT_STOCK");
        twice(Route::Initiate, &unknown).await.refused(404, "PRODUCT_NOT_FOUND");
        twice(Route::ConfirmOrder, &confirmation(&nothing, 1)).await.refused(404, "SESSION_NOT_FOUND");
        cancel(&guest, &nothing, KEY, &json!({})).await.refused(404, "ORDER_NOT_FOUND");
    }
    assert_eq!(world.all("IDEMPOTENCY_TABLE").await.len(), 0);

    restock(&world, "sold-out-mug", 10).await;
    guest.post_once(Route::Initiate, KEY, &sold_out).await.expect(201);
    guest.post_once(Route::Initiate, KEY, &unknown).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_refused_confirm_takes_a_new_key_to_be_tried_again() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));

    twice(&guest, Route::ConfirmOrder, &confirmation(checkout, total - 1)).await.refused(409, "TOTAL_CHANGED");

    let right = confirmation(checkout, total);
    guest.post_once(Route::ConfirmOrder, KEY, &right).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    guest.post_once(Route::ConfirmOrder, OTHER_KEY, &right).await.expect(201);
}

#[tokio::test]
async fn a_refused_cancel_is_given_again() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let order = order["orderId"].as_str().unwrap();
    world.staff().set_status(order, "processing").await.expect(200);

    let first = cancel(&guest, order, KEY, &json!({})).await;
    world.staff().set_status(order, "cancelled").await.expect(200);
    let again = cancel(&guest, order, KEY, &json!({})).await;

    assert_replayed(&again, &first);
    again.refused(409, "ORDER_NOT_CANCELLABLE");
}

#[tokio::test]
async fn a_503_is_not_kept_and_the_same_key_succeeds_when_the_store_is_back() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    let broken = || world.dynamodb.add(Rule::on("TransactWriteItems", Fault::InternalServerError));

    broken();
    let unopened = guest.post_once(Route::Initiate, KEY, &beans(1)).await;
    assert_eq!(unopened.header("retry-after"), Some("1"));
    unopened.refused(503, "STORE_UNAVAILABLE");
    guest.post_once(Route::ConfirmOrder, KEY, &body).await.refused(503, "STORE_UNAVAILABLE");
    world.dynamodb.clear_rules();
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);
    let order = guest.post_once(Route::ConfirmOrder, KEY, &body).await.expect(201);

    broken();
    cancel(&guest, id_of_order(&order), KEY, &json!({})).await.refused(503, "STORE_UNAVAILABLE");
    world.dynamodb.clear_rules();
    cancel(&guest, id_of_order(&order), KEY, &json!({})).await.expect(200);

    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 2);
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

/// A key that couldn't be looked up isn't known to be new.
#[tokio::test]
async fn while_the_keys_cannot_be_read_nothing_is_done_under_one() {
    let world = World::new().await;
    let guest = world.guest();
    let keys = world.tables.name("IDEMPOTENCY_TABLE");
    world.dynamodb.add(Rule::on("BatchGetItem", Fault::InternalServerError).table(&keys));

    guest.post_once(Route::Initiate, KEY, &beans(1)).await.refused(503, "STORE_UNAVAILABLE");

    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 0);
    guest.post(Route::Initiate, &beans(1)).await.expect(201);
}

#[tokio::test]
async fn a_refusal_that_could_not_be_kept_is_given_all_the_same() {
    let world = World::new().await;
    let guest = world.guest();
    let keys = world.tables.name("IDEMPOTENCY_TABLE");
    world.dynamodb.add(Rule::on("PutItem", Fault::InternalServerError).table(&keys));

    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let body = confirmation(id_of(&session), total_of(&session) - 1);

    guest.post_once(Route::ConfirmOrder, KEY, &body).await.refused(409, "TOTAL_CHANGED");
}

#[tokio::test]
async fn a_400_a_401_and_a_429_are_not_kept() {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "2/300").build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    let mut without_customer = body.clone();
    without_customer.as_object_mut().unwrap().remove("customerInfo");
    let nobody = world.nobody();

    guest.post_once(Route::ConfirmOrder, KEY, &without_customer).await.refused(400, "VALIDATION_FAILED");
    nobody.post_once(Route::ConfirmOrder, KEY, &body).await.refused(401, "AUTHENTICATION_REQUIRED");
    guest
        .clone()
        .with_token("no.token.at-all")
        .post_once(Route::ConfirmOrder, KEY, &body)
        .await
        .refused(401, "INVALID_TOKEN");
    assert_eq!(guest.post_once(Route::ConfirmOrder, KEY, &body).await.status(), 201);

    guest.post(Route::Initiate, &beans(1)).await.expect(201);
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.refused(429, "RATE_LIMITED");
    guest.from_address("203.0.113.1").post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);
}

/// As the catalog's loader would, with fresh stock of one product.
async fn restock(world: &World, product: &str, units: u32) {
    let mut catalog = sample_catalog();
    let products = catalog["products"].as_array_mut().unwrap();
    let found = products.iter_mut().find(|found| found["productId"] == product).unwrap();
    found["stock"] = json!(units);
    let catalog = serde_json::from_value(catalog).unwrap();
    let named = shared::domain::ids::Sku { product: product.parse().unwrap(), variant: None };
    world.app().catalog.load_catalog(&catalog, &std::collections::BTreeSet::from([named]), || ()).await.unwrap();
}
