//! Amounts that no card can pay: refused before anything is reserved where the smallest one is known, and as what they
//! are where only the provider knows.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    answering::Answering,
    world::{Setup, card_confirmation, id_of, sample_catalog, total_of},
};

use super::{TOTAL, VISA, crashes::last_order, pay, ready, sold, state_of};

/// The sample catalog with a coupon that leaves a few cents to pay, and this rule for cards.
fn nearly_free(cards: Option<Value>) -> Value {
    let mut catalog = sample_catalog();
    let most = json!({"code": "MOST", "discount": {"type": "fixed", "amounts": {"USD": 1980}}, "combinable": true});
    let sent = json!({"code": "SENT", "discount": {"type": "freeShipping"}, "combinable": true});
    catalog["coupons"].as_array_mut().unwrap().extend([most, sent]);
    if let Some(cards) = cards {
        catalog["cards"] = cards;
    }
    catalog
}

#[tokio::test]
async fn a_total_below_the_smallest_is_refused_before_anything_is_reserved() {
    // 0.19 USD with its tax: below Stripe's own smallest amount, and not below the shop's.
    for (cards, minimum) in [
        (None, Some(50)),
        (Some(json!({"minimumTotals": {"EUR": 1}})), Some(50)),
        (Some(json!({"minimumTotals": {"USD": 21}})), Some(21)),
        (Some(json!({"minimumTotals": {"USD": 20}})), None),
        (Some(json!({"minimumTotals": {"USD": 0}})), None),
    ] {
        let world = Setup::default().unlimited().cards().catalog(nearly_free(cards.clone())).build().await;
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        guest.apply_coupon(id_of(&session), "SENT").await.expect(200);
        let session = guest.apply_coupon(id_of(&session), "MOST").await.expect(200);
        let (checkout, total) = (id_of(&session), total_of(&session));
        assert_eq!(total, 20, "{session:#}");

        let answer = guest.pay(checkout, total, VISA).await;

        let Some(minimum) = minimum else {
            // The local Stripe takes any amount.
            assert_eq!(state_of(&answer.expect(201)["order"]), ("confirmed", "paid"), "{cards:?}");
            continue;
        };
        let problem = answer.refused(422, "AMOUNT_TOO_SMALL_FOR_CARD");
        assert_eq!(problem["minimumTotal"], minimum, "{cards:?}");
        assert_eq!((sold(&world).await, world.stored_orders().await.len()), (0, 0));
        assert_eq!(world.stripe().proxy.traffic().requests, 0, "Stripe isn't asked");
        // The session is open: there are other ways to pay, and more to buy.
        guest.confirm(checkout, total).await.expect(201);
    }
}

/// In the documented shape of a request that Stripe refuses.
fn refused(code: &str, param: &str) -> String {
    let error = json!({"type": "invalid_request_error", "code": code, "param": param, "message": "…"});
    json!({ "error": error }).to_string()
}

#[tokio::test]
async fn an_amount_that_the_provider_refuses_is_no_declined_card() {
    let stripe = Answering::with("").await;
    stripe.answer(500, json!({"error": {"type": "api_error", "message": "nothing was prepared"}}).to_string());
    let setup = Setup::default().unlimited().setting("DECLINE_LIMITS", "1/1/1");
    let setup = setup.setting("STRIPE_API_URL", stripe.url("")).setting("STRIPE_SECRET_KEY", "sk_test_123");
    let world = setup.build().await;
    let none = json!({"object": "list", "data": [], "has_more": false}).to_string();
    let answers = |code: &str, param: &str| {
        stripe.answer_next("POST /v1/payment_intents", 400, refused(code, param));
        stripe.answer_next("GET /v1/payment_intents?", 200, none.clone());
    };
    let guest = world.guest();
    let session = ready(&guest).await;
    for (code, param) in [
        ("amount_too_small", "amount"),
        ("amount_too_large", "amount"),
        ("amount_too_large", ""),
        ("parameter_invalid_integer", "amount"),
        ("invalid_currency", "currency"),
    ] {
        answers(code, param);
        let problem = pay(&guest, &session, VISA).await.refused(422, "AMOUNT_REFUSED_BY_PROVIDER");
        assert_eq!(problem["providerCode"], code);
        // Everything is as before, and the order says why it isn't one.
        assert_eq!(sold(&world).await, 0);
        assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
        let order = last_order(&world, &guest).await.expect("an order");
        let order = guest.order(&order).await.expect(200)["order"].take();
        assert_eq!(state_of(&order), ("cancelled", "cancelled"));
        assert_eq!(order["payment"]["history"].as_array().unwrap().last().unwrap()["code"], code);
        world.assert_open_orders_add_up().await;
    }
    // Under a key the refusal is kept.
    answers("amount_too_large", "amount");
    let body = card_confirmation(id_of(&session), TOTAL, VISA);
    guest.post_once(Route::ConfirmOrder, "key", &body).await.refused(422, "AMOUNT_REFUSED_BY_PROVIDER");
    let again = guest.post_once(Route::ConfirmOrder, "key", &body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    again.refused(422, "AMOUNT_REFUSED_BY_PROVIDER");
    // None of these was a decline: a first card may still be declined, and then no other is tried.
    answers("resource_missing", "payment_method");
    pay(&guest, &session, VISA).await.refused(402, "PAYMENT_DECLINED");
    pay(&guest, &session, VISA).await.refused(429, "TOO_MANY_DECLINES");
}
