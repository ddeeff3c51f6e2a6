//! Paying with a card: success, refusal, the customer's bank, and a provider that gives no answer.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    proxy::Mode,
    world::{Setup, card_confirmation, id_of, in_lists, is_unfinished},
};

use super::{
    DECLINED, TOTAL, VISA, assert_books_balance, bought, crashes::last_order, order_id, pay, ready, shop, sold,
    state_of,
};

#[tokio::test]
async fn a_good_card_pays_the_order_once() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let order = pay(&guest, &session, VISA).await.expect(201)["order"].take();
    assert_eq!(state_of(&order), ("confirmed", "paid"));
    assert_eq!(order["payment"]["capturedAmount"], TOTAL);
    let history: Vec<_> = order["payment"]["history"].as_array().unwrap().iter().map(|e| &e["status"]).collect();
    assert_eq!(history, ["pending", "paid"]);
    let moves: Vec<_> =
        order["statusHistory"].as_array().unwrap().iter().map(|e| (&e["status"], &e["actor"])).collect();
    assert_eq!(moves, [(&json!("pending"), &json!("customer")), (&json!("confirmed"), &json!("payment"))]);
    assert_eq!(order["payment"]["clientSecret"], Value::Null);

    let intent = world.stripe().intent_of(order_id(&order)).await.unwrap();
    assert_eq!((&intent["amount"], &intent["currency"]), (&json!(TOTAL), &json!("usd")));
    assert_eq!(intent["metadata"]["owner"], Value::Null, "a guest's id is as good as a password");

    // Again, and with another card: the same order, and nothing more is taken.
    for token in [VISA, DECLINED] {
        assert_eq!(pay(&guest, &session, token).await.expect(200)["order"], order);
    }
    assert_eq!(guest.order(order_id(&order)).await.expect(200)["order"], order);
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn a_declined_card_gives_everything_back_and_another_may_be_tried() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let problem = pay(&guest, &session, DECLINED).await.refused(402, "PAYMENT_DECLINED");
    assert_eq!(problem["declineCode"], "generic_decline");
    assert_eq!(sold(&world).await, 0);
    let shown = guest.session(id_of(&session)).await.expect(200);
    assert_eq!(shown["status"], "open");
    // The attempt is no order of the customer's, and answers to who asks for it.
    assert_eq!(guest.orders().await.expect(200), json!({"orders": []}));
    let attempt = last_order(&world, &guest).await.expect("an attempt");
    assert_eq!(state_of(&guest.order(&attempt).await.expect(200)["order"]), ("cancelled", "declined"));
    assert_books_balance(&world).await;

    let order = pay(&guest, &session, VISA).await.expect(201)["order"].take();
    assert_eq!(state_of(&order), ("confirmed", "paid"));
    assert_ne!(order["orderId"], json!(attempt));
    assert_eq!(guest.orders().await.expect(200)["orders"], json!([in_lists(&order)]));
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn a_token_that_stripe_does_not_know_is_a_declined_card() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    pay(&guest, &session, "pm_nobody_has_this").await.refused(402, "PAYMENT_DECLINED");
    assert_eq!(state_of(&pay(&guest, &session, VISA).await.expect(201)["order"]), ("confirmed", "paid"));
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn a_bank_that_wants_to_see_the_customer_is_gone_to_with_the_client_secret() {
    let world = shop().await;
    for success in [true, false] {
        let guest = world.guest();
        let session = ready(&guest).await;
        let token = world.stripe().secured().await;
        let answer = pay(&guest, &session, &token).await;
        let place = answer.header("location").unwrap().to_owned();
        let order = answer.expect(202)["order"].take();
        assert_eq!(place, format!("/api/v1/checkout/orders/{}", order_id(&order)));
        assert_eq!(state_of(&order), ("pending", "requires_action"));
        let secret = order["payment"]["clientSecret"].as_str().unwrap();
        assert!(secret.starts_with("pi_"), "{secret}");
        let stored = world.stored_orders().await;
        assert!(!format!("{stored:?}").contains(secret), "it is stored nowhere");
        // The page was loaded again: the same secret.
        let again = pay(&guest, &session, &token).await.expect(202)["order"].take();
        assert_eq!(again["payment"]["clientSecret"], secret);

        world.stripe().authenticate(secret, success).await;
        let done = pay(&guest, &session, &token).await;
        if success {
            let done = done.expect(200)["order"].take();
            assert_eq!((&done["orderId"], state_of(&done)), (&order["orderId"], ("confirmed", "paid")));
        } else {
            done.refused(402, "PAYMENT_DECLINED");
            assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
        }
    }
    assert_books_balance(&world).await;
}

/// The provider hangs, refuses, or does what it was asked and its answer is lost: the order waits, and the next one who
/// asks finishes it.
#[tokio::test]
async fn a_provider_that_gives_no_answer_leaves_an_order_that_the_next_try_finishes() {
    for fault in ["refuse", "hang", "answer lost"] {
        let world = Setup::default().unlimited().cards().setting("STRIPE_TIMEOUT_MS", "1000").build().await;
        let guest = world.guest();
        let session = ready(&guest).await;
        let proxy = &world.stripe().proxy;
        match fault {
            "refuse" => proxy.down().await,
            "hang" => proxy.set(Mode::Hang).await,
            _ => proxy.drop_answers_to("POST /v1/payment_intents", 1),
        }
        let answer = pay(&guest, &session, VISA).await;
        assert_eq!(answer.counts().payments_degraded, 1, "{fault}");
        let order = answer.expect(202)["order"].take();
        assert_eq!(state_of(&order), ("pending", "pending"), "{fault}");
        // Nobody can call it off while nobody knows whether it is paid.
        guest.cancel(order_id(&order)).await.refused(409, "PAYMENT_IN_PROGRESS");
        proxy.up().await;
        proxy.cut();
        let done = pay(&guest, &session, VISA).await.expect(200)["order"].take();
        assert_eq!((&done["orderId"], state_of(&done)), (&order["orderId"], ("confirmed", "paid")), "{fault}");
        assert_books_balance(&world).await;
    }
}

/// A function that waited longer would be killed, and the customer would see a gateway's error.
#[tokio::test]
async fn the_request_has_an_end_before_the_provider_has_one() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    world.stripe().proxy.set(Mode::Hang).await;
    // Enough for the database of a busy machine, and less than the provider may take.
    let hasty = guest.clone().served_by(&world.container_with(&[("REQUEST_TIMEOUT_MS", "3000")]));
    let answer = pay(&hasty, &session, VISA).await;
    assert_eq!(answer.counts().payments_degraded, 0, "the provider's own deadline was waited out");
    let order = answer.expect(202)["order"].take();
    world.stripe().proxy.up().await;
    world.stripe().proxy.cut();
    let done = pay(&guest, &session, VISA).await.expect(200)["order"].take();
    assert_eq!((order_id(&done), state_of(&done)), (order_id(&order), ("confirmed", "paid")));
}

#[tokio::test]
async fn an_idempotency_key_gives_the_final_answer_once_there_is_one() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let body = card_confirmation(id_of(&session), TOTAL, VISA);
    let route = shared::http::route::Route::ConfirmOrder;
    world.stripe().proxy.down().await;
    guest.post_once(route, "key", &body).await.expect(202);
    world.stripe().proxy.up().await;
    let done = guest.post_once(route, "key", &body).await;
    assert_eq!(done.header("idempotent-replayed"), None, "202 was not the end of it");
    let done = done.expect(200);
    let again = guest.post_once(route, "key", &body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(200), done);
    guest.post_once(route, "key", &card_confirmation(id_of(&session), TOTAL, DECLINED)).await.expect(422);
}

#[tokio::test]
async fn a_shop_without_a_key_takes_no_cards_and_card_data_is_refused_unread() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    pay(&guest, &session, VISA).await.refused(422, "PAYMENT_METHOD_UNAVAILABLE");
    for (name, value) in [("notes", json!("4242 4242 4242 4242")), ("cvc", json!("123"))] {
        let mut body = card_confirmation(id_of(&session), TOTAL, VISA);
        body[name] = value;
        guest.post(shared::http::route::Route::ConfirmOrder, &body).await.refused(400, "CARD_DATA_NOT_ACCEPTED");
    }
    let body = card_confirmation(id_of(&session), TOTAL, "tok_visa");
    let refused = guest.post(shared::http::route::Route::ConfirmOrder, &body).await.refused(400, "VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["pointer"], "/paymentToken");
}

#[tokio::test]
async fn many_confirmations_at_once_pay_once() {
    let world = shop().await;
    for _ in 0..5 {
        let guest = world.guest();
        let session = ready(&guest).await;
        let containers: Vec<_> = (0..4).map(|_| world.container()).collect();
        let answers = tests::race::at_once(8, |at| {
            let guest = guest.clone().served_by(&containers[at % 4]);
            let session = session.clone();
            async move { pay(&guest, &session, VISA).await }
        })
        .await;
        let orders: std::collections::BTreeSet<_> = answers
            .iter()
            .map(|answer| {
                assert!(matches!(answer.status(), 200..=202), "{:#}", answer.body());
                order_id(&answer.body()["order"]).to_owned()
            })
            .collect();
        assert_eq!(orders.len(), 1);
    }
    tests::world::patiently(async || {
        let container = world.container_after(Duration::from_secs(120));
        world.reconcile(&container).await.unwrap();
        world.stored_orders().await.iter().all(|order| !is_unfinished(order))
    })
    .await;
    assert_books_balance(&world).await;
    let _ = bought(&world.guest()).await;
}
