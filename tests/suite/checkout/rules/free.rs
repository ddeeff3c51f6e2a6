//! A total of zero needs no card, no token, and no cash at the door: the order is paid at once.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, Shopper, World, confirmation, id_of, sample_catalog, total_of};

/// The sample shop with coupons for everything, and with or without a rule for cash.
fn generous(cash: bool) -> Setup {
    let mut catalog = sample_catalog();
    let gift = json!({"code": "GIFT", "discount": {"type": "percentage", "percent": "100"}, "combinable": true});
    let sent = json!({"code": "SENT", "discount": {"type": "freeShipping"}, "combinable": true});
    catalog["coupons"].as_array_mut().unwrap().extend([gift, sent]);
    if !cash {
        catalog.as_object_mut().unwrap().remove("cashOnDelivery");
    }
    Setup::default().unlimited().catalog(catalog)
}

/// A session that costs nothing.
async fn free(guest: &Shopper) -> Value {
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    guest.apply_coupon(id_of(&session), "GIFT").await.expect(200);
    let session = guest.apply_coupon(id_of(&session), "SENT").await.expect(200);
    assert_eq!(total_of(&session), 0, "{session:#}");
    session
}

/// What confirms a session at this total with these two members; null leaves one out.
fn paying(session: &Value, total: i64, method: &Value, token: &Value) -> Value {
    let mut body = confirmation(id_of(session), total);
    let members = body.as_object_mut().unwrap();
    for (name, value) in [("paymentMethod", method), ("paymentToken", token)] {
        members.remove(name);
        if !value.is_null() {
            members.insert(name.to_owned(), value.clone());
        }
    }
    body
}

fn state(order: &Value) -> [&Value; 3] {
    ["status", "paymentMethod", "paymentStatus"].map(|name| &order[name])
}

async fn sold(world: &Arc<World>) -> u64 {
    100_000 - world.stock("espresso-beans").await
}

#[tokio::test]
async fn nothing_is_paid_by_no_method_or_by_any_in_a_shop_that_offers_none() {
    // Neither cash nor cards: whoever asked for either with something to pay would be refused.
    let world = generous(false).build().await;
    for (method, token) in [
        (json!(null), json!(null)),
        (json!("card"), json!(null)),
        (json!("card"), json!("pm_card_visa")),
        (json!("cash_on_delivery"), json!(null)),
        (json!("free"), json!(null)),
    ] {
        let guest = world.guest();
        let session = free(&guest).await;
        let before = sold(&world).await;
        let body = paying(&session, 0, &method, &token);

        let confirmed = guest.post(Route::ConfirmOrder, &body).await.expect(201);

        let order = &confirmed["order"];
        assert_eq!(state(order), [&json!("confirmed"), &json!("free"), &json!("paid")], "{method}");
        assert_eq!((order["payment"].clone(), sold(&world).await - before), (Value::Null, 2), "{method}");
        // Again: the same order.
        assert_eq!(guest.post(Route::ConfirmOrder, &body).await.expect(200), confirmed);
        assert_eq!(guest.order(order["orderId"].as_str().unwrap()).await.expect(200), confirmed);
    }
}

#[tokio::test]
async fn a_shop_with_cards_asks_no_bank_and_counts_no_decline() {
    let world = generous(true).cards().setting("DECLINE_LIMITS", "1/1/1").build().await;
    for _ in 0..3 {
        let guest = world.guest().from_address("198.51.100.9");
        let session = free(&guest).await;
        let answer = guest.pay(id_of(&session), 0, "pm_card_chargeCustomerFail").await.expect(201);
        assert_eq!(state(&answer["order"])[1], &json!("free"));
        let order = answer["order"]["orderId"].as_str().unwrap();
        assert_eq!(world.stripe().totals().await.get(order), None);
    }
}

#[tokio::test]
async fn a_method_is_needed_as_soon_as_something_is_to_be_paid() {
    let world = generous(true).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let total = total_of(&session);
    let refused = |method: Value| paying(&session, total, &method, &json!(null));
    for (method, at) in
        [(json!(null), "/paymentMethod"), (json!("free"), "/paymentMethod"), (json!("card"), "/paymentToken")]
    {
        let problem = guest.post(Route::ConfirmOrder, &refused(method)).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], at);
    }
    // Whoever says that it costs nothing is told what it costs, with or without a method.
    for method in [json!(null), json!("free"), json!("cash_on_delivery")] {
        let body = paying(&session, 0, &method, &json!(null));
        let problem = guest.post(Route::ConfirmOrder, &body).await.refused(409, "TOTAL_CHANGED");
        assert_eq!(total_of(&problem["session"]), total);
    }
    // And whoever pays for what has become free.
    let session = free(&guest).await;
    let body = paying(&session, total, &json!("cash_on_delivery"), &json!(null));
    guest.post(Route::ConfirmOrder, &body).await.refused(409, "TOTAL_CHANGED");
    assert_eq!((sold(&world).await, world.stored_orders().await.len()), (0, 0));
    // What is wrong with the request is said even if nothing is to be paid.
    for (method, token, at) in
        [(json!("bitcoin"), json!(null), "/paymentMethod"), (json!("card"), json!("tok_visa"), "/paymentToken")]
    {
        let body = paying(&session, 0, &method, &token);
        let problem = guest.post(Route::ConfirmOrder, &body).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], at);
    }
}

#[tokio::test]
async fn an_order_that_cost_nothing_and_is_cancelled_was_never_paid() {
    let world = generous(true).build().await;
    let guest = world.guest();
    let session = free(&guest).await;
    let body = paying(&session, 0, &json!(null), &json!(null));
    let order = guest.post_once(Route::ConfirmOrder, "key", &body).await.expect(201);
    let id = order["order"]["orderId"].as_str().unwrap();

    let cancelled = guest.cancel(id).await.expect(200);

    assert_eq!(state(&cancelled["order"]), [&json!("cancelled"), &json!("free"), &json!("cancelled")]);
    assert_eq!((sold(&world).await, world.open_orders().await.len()), (0, 0));
}
