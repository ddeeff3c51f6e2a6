//! What becomes of a payment that waits for its customer, when they cancel, pay in another way, or come too late.

use std::time::Duration;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    race::at_once,
    world::{Answer, Shopper, World, card_confirmation, confirmation, id_of, total_of},
};

use super::{
    DECLINED, TOTAL, VISA, assert_books_balance, order_id, pay, ready, reconcile::until_settled, shop, state_of,
};

/// Past the time that a customer has to authenticate.
const TOO_LATE: Duration = Duration::from_secs(660);

/// An order whose bank asks the customer to authenticate: the session, the order, and the browser's secret.
async fn waiting(world: &World, guest: &Shopper) -> (Value, Value, String) {
    let session = ready(guest).await;
    let token = world.stripe().secured().await;
    let order = pay(guest, &session, &token).await.expect(202)["order"].take();
    let secret = order["payment"]["clientSecret"].as_str().expect("a secret").to_owned();
    (session, order, secret)
}

async fn cancel_because(guest: &Shopper, order: &str, reason: &str, key: Option<&str>) -> Answer {
    let event = guest.event_about(Route::CancelOrder, order).json(&json!({"reason": reason}));
    let event = key.into_iter().fold(event, |event, key| event.header("idempotency-key", key));
    guest.send(Route::CancelOrder, &event).await
}

/// The customer authenticates and then cancels, before the shop has heard that the payment succeeded.
#[tokio::test]
async fn a_cancellation_that_is_accepted_is_done_though_the_payment_succeeded_meanwhile() {
    let world = shop().await;
    for by_staff in [false, true] {
        let guest = world.guest();
        let (session, order, secret) = waiting(&world, &guest).await;
        let id = order_id(&order);
        world.stripe().authenticate(&secret, true).await;
        let cancelled = if by_staff {
            let body = json!({"status": "cancelled", "note": "out of stock", "noteVisibility": "customer"});
            let event = world.staff().event_about(Route::UpdateOrderStatus, id).json(&body);
            world.staff().send(Route::UpdateOrderStatus, &event).await
        } else {
            cancel_because(&guest, id, "changed my mind", Some("cancel-1")).await
        };
        let cancelled = cancelled.expect(200)["order"].take();
        assert_eq!(state_of(&cancelled), ("cancelled", "refunded"));
        let totals = world.stripe().totals().await[id];
        assert_eq!((totals.captured, totals.refunded), (TOTAL, TOTAL));
        let shown = guest.order(id).await.expect(200)["order"].take();
        let last = shown["statusHistory"].as_array().unwrap().last().unwrap().clone();
        let (actor, note) = if by_staff { ("staff", "out of stock") } else { ("customer", "changed my mind") };
        assert_eq!((&last["actor"], &last["note"]), (&json!(actor), &json!(note)));
        assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
        if !by_staff {
            let again = cancel_because(&guest, id, "changed my mind", Some("cancel-1")).await.expect(200);
            assert_eq!(again["order"]["status"], "cancelled");
        }
    }
    assert_books_balance(&world).await;
}

/// Without the provider the cancellation is kept, and the reconciler does it.
#[tokio::test]
async fn a_cancellation_waits_for_a_provider_that_is_down() {
    let world = shop().await;
    let guest = world.guest();
    let (_, order, secret) = waiting(&world, &guest).await;
    world.stripe().authenticate(&secret, true).await;
    world.stripe().proxy.down().await;
    let asked = cancel_because(&guest, order_id(&order), "changed my mind", None).await.expect(202)["order"].take();
    assert_eq!(state_of(&asked), ("pending", "requires_action"));
    assert!(asked["cancellationRequestedAt"].is_string(), "{asked:#}");
    world.stripe().proxy.up().await;
    until_settled(&world).await;
    let done = guest.order(order_id(&order)).await.expect(200)["order"].take();
    assert_eq!(state_of(&done), ("cancelled", "refunded"));
    assert_eq!(done["statusHistory"].as_array().unwrap().last().unwrap()["note"], "changed my mind");
    assert!(done["cancellationRequestedAt"].is_null());
    assert_books_balance(&world).await;
}

/// At the same moment: whichever comes first, a cancellation that was answered with success ends in a cancelled order,
/// and the money back.
#[tokio::test]
async fn a_customer_who_authenticates_and_cancels_at_once_gets_the_money_back() {
    let world = shop().await;
    for _ in 0..6 {
        let guest = world.guest();
        let (_, order, secret) = waiting(&world, &guest).await;
        let id = order_id(&order).to_owned();
        let answers = at_once(3, |nth| {
            let (world, guest, id, secret) = (world.clone(), guest.clone(), id.clone(), secret.clone());
            async move {
                match nth {
                    0 => {
                        world.stripe().authenticate(&secret, true).await;
                        None
                    }
                    1 => Some(cancel_because(&guest, &id, "no", None).await),
                    _ => {
                        let intent = world.stripe().intent_of(&id).await.expect("a payment");
                        world.tell(&format!("evt_{id}"), "payment_intent.succeeded", &intent).await;
                        None
                    }
                }
            }
        })
        .await;
        let status = answers.into_iter().flatten().next().expect("an answer").status();
        assert!(matches!(status, 200 | 202), "{status}");
    }
    until_settled(&world).await;
    assert!(world.stored_orders().await.iter().all(|order| order["status"].as_s().unwrap() == "cancelled"));
    assert_books_balance(&world).await;
}

/// Another card, after the customer gave up or failed at their bank; or cash. The first payment is ended before.
#[tokio::test]
async fn another_payment_takes_the_place_of_one_that_waits() {
    let world = shop().await;
    for failed in [false, true] {
        for cash in [false, true] {
            let guest = world.guest();
            let (session, first, secret) = waiting(&world, &guest).await;
            if failed {
                world.stripe().authenticate(&secret, false).await;
            }
            let mut body = if cash {
                confirmation(id_of(&session), total_of(&session))
            } else {
                card_confirmation(id_of(&session), total_of(&session), VISA)
            };
            let email = format!("new.{failed}.{cash}@example.com");
            body["customerInfo"]["email"] = json!(email);
            let answer = guest.post(Route::ConfirmOrder, &body).await;
            let order = answer.expect(201)["order"].take();
            assert_ne!(order_id(&order), order_id(&first));
            assert_eq!(order["customerInfo"]["email"], email);
            let expected = if cash { ("confirmed", "pending") } else { ("confirmed", "paid") };
            assert_eq!(state_of(&order), expected, "{failed} {cash}");
            let old = guest.order(order_id(&first)).await.expect(200)["order"].take();
            assert_eq!(old["status"], "cancelled");
            let late = world.stripe().authenticate(&secret, true).await;
            assert!(late["error"].is_object() || late["status"] == "canceled", "{late:#}");
            assert_eq!(world.stripe().totals().await.get(order_id(&first)), None);
        }
    }
    // A bad card in its place is declined as itself, and the session is open for the next.
    let guest = world.guest();
    let (session, _, _) = waiting(&world, &guest).await;
    pay(&guest, &session, DECLINED).await.refused(402, "PAYMENT_DECLINED");
    assert_eq!(state_of(&pay(&guest, &session, VISA).await.expect(201)["order"]), ("confirmed", "paid"));
    until_settled(&world).await;
    assert_books_balance(&world).await;
}

/// A tab with an old total can't become an order, so it doesn't end a payment either.
#[tokio::test]
async fn a_confirmation_of_another_total_does_not_end_a_payment_that_waits() {
    let world = shop().await;
    let guest = world.guest();
    let (session, first, secret) = waiting(&world, &guest).await;
    for wrong in [total_of(&session) - 1, total_of(&session) + 1] {
        let refused = guest.pay(id_of(&session), wrong, VISA).await.refused(409, "ORDER_ALREADY_PLACED");
        assert_eq!(refused["orderId"], first["orderId"]);
        let refused = guest.confirm(id_of(&session), wrong).await.refused(409, "ORDER_ALREADY_PLACED");
        assert_eq!(refused["orderId"], first["orderId"]);
    }
    world.stripe().authenticate(&secret, true).await;
    until_settled(&world).await;
    let order = guest.order(order_id(&first)).await.expect(200)["order"].take();
    assert_eq!(state_of(&order), ("confirmed", "paid"));
    assert_books_balance(&world).await;
}

/// The first payment had succeeded: it stands, the other card is not charged, and nothing else is dropped silently.
#[tokio::test]
async fn a_payment_that_succeeded_meanwhile_is_not_replaced() {
    let world = shop().await;
    let guest = world.guest();
    let (session, first, secret) = waiting(&world, &guest).await;
    world.stripe().authenticate(&secret, true).await;
    let mut body = card_confirmation(id_of(&session), total_of(&session), VISA);
    body["customerInfo"]["email"] = json!("new@example.com");
    let refused = guest.post(Route::ConfirmOrder, &body).await.refused(409, "ORDER_ALREADY_PLACED");
    assert_eq!(refused["orderId"], first["orderId"]);
    // A page makes a new token for each click.
    let order = pay(&guest, &session, VISA).await.expect(200)["order"].take();
    assert_eq!((order_id(&order), state_of(&order)), (order_id(&first), ("confirmed", "paid")));
    guest.confirm(id_of(&session), total_of(&session)).await.refused(409, "ORDER_ALREADY_PLACED");
    guest.pay(id_of(&session), 1, VISA).await.refused(409, "ORDER_ALREADY_PLACED");
    assert_eq!(world.stripe().totals().await[order_id(&first)].intents, 1);
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_books_balance(&world).await;
}

/// Two other cards at the same moment: one order is paid, once.
#[tokio::test]
async fn replacements_at_once_make_one_paid_order() {
    let world = shop().await;
    for _ in 0..4 {
        let guest = world.guest();
        let (session, _, _) = waiting(&world, &guest).await;
        let answers = at_once(4, |_| {
            let (guest, session) = (guest.clone(), session.clone());
            async move { pay(&guest, &session, VISA).await }
        })
        .await;
        let paid: Vec<_> = answers.iter().filter(|answer| matches!(answer.status(), 200 | 201)).collect();
        assert!(!paid.is_empty(), "{:?}", answers.iter().map(Answer::status).collect::<Vec<_>>());
        let first = order_id(&paid[0].body()["order"]).to_owned();
        assert!(paid.iter().all(|answer| order_id(&answer.body()["order"]) == first), "one order");
        let others = answers.iter().map(Answer::status).filter(|status| !matches!(status, 200 | 201));
        assert!(others.into_iter().all(|status| matches!(status, 409 | 503)));
    }
    until_settled(&world).await;
    assert_books_balance(&world).await;
}

/// A page that was loaded again goes on with the order's secret. Without the provider the order is shown without it.
#[tokio::test]
async fn a_reloaded_page_gets_the_secret_while_the_order_waits() {
    let world = shop().await;
    let guest = world.guest();
    let (_, order, secret) = waiting(&world, &guest).await;
    let shown = guest.order(order_id(&order)).await.expect(200)["order"].take();
    assert_eq!(shown["payment"]["clientSecret"], json!(secret));
    world.guest().order(order_id(&order)).await.expect(404);
    assert!(!guest.orders().await.expect(200).to_string().contains("clientSecret"), "not in lists");
    world.stripe().proxy.down().await;
    let shown = guest.order(order_id(&order)).await.expect(200)["order"].take();
    assert!(shown["payment"]["clientSecret"].is_null());
    world.stripe().proxy.up().await;
    world.stripe().authenticate(&secret, true).await;
    let shown = guest.order(order_id(&order)).await.expect(200)["order"].take();
    assert!(shown["payment"]["clientSecret"].is_null(), "it has been used");
}

/// 200 and 201 mean an order that stands. A late duplicate by its key never makes a second one.
#[tokio::test]
async fn after_the_time_limit_the_order_is_said_to_be_cancelled() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let token = world.stripe().secured().await;
    let body = card_confirmation(id_of(&session), total_of(&session), &token);
    let first = guest.post_once(Route::ConfirmOrder, "key-1", &body).await.expect(202)["order"].take();
    let late = guest.clone().served_by(&world.container_after(TOO_LATE));
    let refused = late.post_once(Route::ConfirmOrder, "key-1", &body).await.refused(409, "ORDER_CANCELLED");
    assert_eq!(refused["orderId"], first["orderId"]);
    assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
    // The same request, by its key, is the same order for ever; with another body it is none.
    for _ in 0..2 {
        late.post_once(Route::ConfirmOrder, "key-1", &body).await.refused(409, "ORDER_CANCELLED");
    }
    let other = card_confirmation(id_of(&session), total_of(&session), VISA);
    late.post_once(Route::ConfirmOrder, "key-1", &other).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(world.stored_orders().await.len(), 1);
    // A new request makes a new order, and a duplicate of the first still doesn't replace it.
    let second = guest.post_once(Route::ConfirmOrder, "key-2", &other).await.expect(201)["order"].take();
    assert_eq!(state_of(&second), ("confirmed", "paid"));
    let forgotten = guest.clone().served_by(&world.container_after(Duration::from_secs(25 * 3600)));
    for shopper in [&guest, &forgotten] {
        shopper.post_once(Route::ConfirmOrder, "key-1", &body).await.refused(409, "ORDER_CANCELLED");
    }
    assert_eq!(world.stored_orders().await.len(), 2);

    // An order that was cancelled after it was confirmed: its session stays what it is.
    guest.cancel(order_id(&second)).await.expect(200);
    pay(&guest, &session, VISA).await.refused(409, "ORDER_CANCELLED");
    until_settled(&world).await;
    assert_books_balance(&world).await;
}
