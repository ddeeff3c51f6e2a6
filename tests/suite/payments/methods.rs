//! Other methods than cards: those that are paid on another page, and those whose bank takes days.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::{checkout::reconcile::Reconciled, http::route::Route};
use tests::{
    stack::Stack,
    world::{Answer, Setup, Shopper, World, card_confirmation, id_of, total_of},
};

use super::{TOTAL, VISA, assert_books_balance, order_id, ready, reconcile::until_settled, sold, state_of};

const DAY: Duration = Duration::from_hours(24);
const RETURN_URL: &str = "https://shop.example/done?cart=1";

fn setup() -> Setup {
    Setup::default().unlimited().cards().setting("PAYMENT_METHODS", "card,klarna,ideal,us_bank_account,sepa_debit")
}

async fn shop() -> Arc<World> {
    setup().build().await
}

/// A confirmation with a method, and what Stripe.js made of it.
fn with(session: &Value, method: &str, token: &str) -> Value {
    let mut body = card_confirmation(id_of(session), total_of(session), token);
    body["paymentMethod"] = json!(method);
    body["returnUrl"] = json!(RETURN_URL);
    body
}

async fn pay_by(world: &World, guest: &Shopper, session: &Value, method: &str) -> Answer {
    let token = world.stripe().confirmation_token(method).await;
    guest.post(Route::ConfirmOrder, &with(session, method, &token)).await
}

async fn hear(world: &World, order: &str, kind: &str) {
    let intent = world.stripe().intent_of(order).await.expect("a payment");
    world.tell(&format!("evt_{kind}_{order}"), &format!("payment_intent.{kind}"), &intent).await.expect(200);
}

async fn shown(guest: &Shopper, order: &str) -> Value {
    guest.order(order).await.expect(200)["order"].take()
}

#[tokio::test]
async fn a_wallet_is_paid_on_its_own_page_and_the_customer_comes_back() {
    let world = shop().await;
    for heard in [false, true] {
        let guest = world.guest();
        let session = ready(&guest).await;
        let token = world.stripe().confirmation_token("klarna").await;
        let body = with(&session, "klarna", &token);
        let order = guest.post(Route::ConfirmOrder, &body).await.expect(202)["order"].take();
        assert_eq!((state_of(&order), &order["paymentMethod"]), (("pending", "requires_action"), &json!("klarna")));
        let page = order["payment"]["redirectUrl"].as_str().expect("a page").to_owned();
        let id = order_id(&order);
        assert_eq!(shown(&guest, id).await["payment"]["redirectUrl"], page.as_str(), "after a reload");

        let back = world.stripe().at_wallet(&page, true).await;
        assert!(back.starts_with("https://shop.example/done?cart=1&payment_intent="), "{back}");
        if heard {
            hear(&world, id, "succeeded").await;
        }
        let order = guest.post(Route::ConfirmOrder, &body).await.expect(200)["order"].take();
        assert_eq!((state_of(&order), order_id(&order)), (("confirmed", "paid"), id));
        assert!(order["payment"]["redirectUrl"].is_null() && order["payment"]["clientSecret"].is_null());
    }
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn after_a_refusal_on_that_page_another_method_pays() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let order = pay_by(&world, &guest, &session, "klarna").await.expect(202)["order"].take();
    world.stripe().at_wallet(order["payment"]["redirectUrl"].as_str().unwrap(), false).await;
    let paid = guest.pay(id_of(&session), TOTAL, VISA).await.expect(201)["order"].take();
    assert_ne!(order_id(&paid), order_id(&order));
    let first = shown(&guest, order_id(&order)).await;
    assert_eq!(state_of(&first), ("cancelled", "declined"));

    // And one who comes back without having paid may pay by another method too.
    let guest = world.guest();
    let session = ready(&guest).await;
    pay_by(&world, &guest, &session, "klarna").await.expect(202);
    guest.pay(id_of(&session), TOTAL, VISA).await.expect(201);
    assert_books_balance(&world).await;
}

/// The answer is lost, and so is the container: the same token leads to the same payment.
#[tokio::test]
async fn a_confirmation_token_pays_once_though_its_answer_is_lost() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let token = world.stripe().confirmation_token("card").await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let body = with(&session, "card", &token);
    let first = guest.post(Route::ConfirmOrder, &body).await.expect(202)["order"].take();
    let again = guest.post(Route::ConfirmOrder, &body).await.expect(200)["order"].take();
    assert_eq!((state_of(&again), order_id(&again)), (("confirmed", "paid"), order_id(&first)));

    let guest = world.guest();
    let session = ready(&guest).await;
    let used = guest.post(Route::ConfirmOrder, &with(&session, "card", &token)).await;
    used.refused(402, "PAYMENT_DECLINED");
    // A token of another method than the request says.
    let token = world.stripe().confirmation_token("klarna").await;
    guest.post(Route::ConfirmOrder, &with(&session, "card", &token)).await.refused(402, "PAYMENT_DECLINED");
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn a_direct_debit_takes_days_and_then_the_order_stands() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let token = world.stripe().confirmation_token("us_bank_account").await;
    let body = with(&session, "us_bank_account", &token);
    let order = guest.post(Route::ConfirmOrder, &body).await.expect(202)["order"].take();
    let id = order_id(&order);
    assert_eq!(state_of(&order), ("pending", "processing"));
    assert!(order["payment"]["clientSecret"].is_null(), "the customer has done everything");
    assert_eq!(sold(&world).await, 2, "its goods are kept for it");

    // The same page again, one that makes a new token for each click, and one that pays in another way.
    assert_eq!(order_id(&guest.post(Route::ConfirmOrder, &body).await.expect(202)["order"]), id);
    let again = pay_by(&world, &guest, &session, "us_bank_account").await.expect(202)["order"].take();
    assert_eq!(order_id(&again), id);
    guest.pay(id_of(&session), TOTAL, VISA).await.refused(409, "PAYMENT_IN_PROGRESS");
    guest.confirm(id_of(&session), TOTAL).await.refused(409, "PAYMENT_IN_PROGRESS");
    assert_eq!(state_of(&shown(&guest, id).await), ("pending", "processing"), "nothing was given up");

    // Nobody asks the provider all the time; nothing is given up while the bank is at work.
    assert_eq!(world.reconcile(&world.container_after(DAY / 4)).await.unwrap(), Reconciled::default());
    let open = Reconciled { settled: 0, open: 1, failed: 0 };
    assert_eq!(world.reconcile(&world.container_after(DAY)).await.unwrap(), open);
    assert_eq!(state_of(&shown(&guest, id).await), ("pending", "processing"));

    world.stripe().settle(id, true).await;
    hear(&world, id, "succeeded").await;
    let order = shown(&guest, id).await;
    assert_eq!(state_of(&order), ("confirmed", "paid"));
    let history: Vec<_> =
        order["payment"]["history"].as_array().unwrap().iter().map(|event| &event["status"]).collect();
    assert_eq!(history, ["pending", "processing", "paid"]);
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn a_debit_that_bounces_or_never_ends_gives_everything_back() {
    let world = shop().await;
    for (bounces, past) in [(true, DAY * 3), (false, DAY * 15)] {
        let guest = world.guest();
        let session = ready(&guest).await;
        let order = pay_by(&world, &guest, &session, "us_bank_account").await.expect(202)["order"].take();
        if bounces {
            world.stripe().settle(order_id(&order), false).await;
        }
        // The event was lost, so the reconciler asks.
        let done = Reconciled { settled: 1, open: 0, failed: 0 };
        assert_eq!(world.reconcile(&world.container_after(past)).await.unwrap(), done);
        let status = if bounces { "declined" } else { "cancelled" };
        assert_eq!(state_of(&shown(&guest, order_id(&order)).await), ("cancelled", status));
        assert_eq!(sold(&world).await, 0);
    }
    assert_books_balance(&world).await;
}

/// Only some debits can be stopped. Of the others the money goes back once it has come.
#[tokio::test]
async fn a_cancellation_of_a_debit_under_way_ends_in_a_cancelled_order() {
    let world = shop().await;
    for (comes, status) in [(true, "refunded"), (false, "declined")] {
        let guest = world.guest();
        let session = in_berlin(&guest).await;
        let order = pay_by(&world, &guest, &session, "sepa_debit").await.expect(202)["order"].take();
        let id = order_id(&order);
        let asked = guest.cancel(id).await.expect(202)["order"].take();
        assert_eq!(state_of(&asked), ("pending", "processing"));
        assert!(asked["cancellationRequestedAt"].is_string());
        world.stripe().settle(id, comes).await;
        hear(&world, id, if comes { "succeeded" } else { "payment_failed" }).await;
        until_settled(&world).await;
        let order = shown(&guest, id).await;
        assert_eq!(state_of(&order), ("cancelled", status));
        assert_eq!(order["statusHistory"].as_array().unwrap().last().unwrap()["actor"], "customer");
        let totals = world.stripe().totals().await.get(id).copied().unwrap_or_default();
        assert_eq!(totals.captured, totals.refunded);
    }

    let guest = world.guest();
    let session = ready(&guest).await;
    let order = pay_by(&world, &guest, &session, "us_bank_account").await.expect(202)["order"].take();
    let order = guest.cancel(order_id(&order)).await.expect(200)["order"].take();
    assert_eq!(state_of(&order), ("cancelled", "cancelled"));
    assert_books_balance(&world).await;
}

/// In euros.
async fn in_berlin(guest: &Shopper) -> Value {
    let body = json!({
        "cartItems": tests::world::cart(&[("espresso-beans", 1)]), "currency": "EUR", "shippingMethodId": "de-standard",
        "shippingAddress": {
            "firstName": "Ada", "lastName": "Lovelace", "addressLine1": "Unter den Linden 1", "city": "Berlin",
            "postalCode": "10117", "country": "DE"
        }
    });
    guest.post(Route::Initiate, &body).await.expect(201)
}

/// Nothing can stop it once it is under way, so it counts before it begins.
#[tokio::test]
async fn debits_count_for_their_address_before_anything_is_charged() {
    let world = setup().setting("OPEN_ORDERS_ADDRESS", "1/100").build().await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let guest = world.guest().from_address("198.51.100.9");
        let session = ready(&guest).await;
        answers.push(pay_by(&world, &guest, &session, "us_bank_account").await);
    }
    let [first, second] = <[Answer; 2]>::try_from(answers).unwrap();
    second.refused(409, "TOO_MANY_OPEN_ORDERS");
    let order = first.expect(202)["order"].take();
    assert_eq!(sold(&world).await, 2);
    world.stripe().settle(order_id(&order), true).await;
    hear(&world, order_id(&order), "succeeded").await;
    assert_eq!(world.open_orders().await.len(), 0);
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn each_method_has_its_own_time() {
    let minutes = |minutes| Duration::from_mins(minutes);
    for (setting, in_time, too_late) in [("klarna", minutes(50), minutes(61)), ("klarna=120", minutes(1), minutes(3))] {
        let world = setup().setting("PAYMENT_METHODS", setting).build().await;
        let guest = world.guest();
        let session = ready(&guest).await;
        let order = pay_by(&world, &guest, &session, "klarna").await.expect(202)["order"].take();
        assert_eq!(world.reconcile(&world.container_after(in_time)).await.unwrap(), Reconciled::default());
        let done = Reconciled { settled: 1, open: 0, failed: 0 };
        assert_eq!(world.reconcile(&world.container_after(too_late)).await.unwrap(), done);
        assert_eq!(state_of(&shown(&guest, order_id(&order)).await), ("cancelled", "cancelled"));
        assert_books_balance(&world).await;
    }
}

#[tokio::test]
async fn what_can_be_held_is_held_and_what_cannot_is_paid_at_once() {
    let world = setup().setting("PAYMENT_CAPTURE", "manual").build().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let order = pay_by(&world, &guest, &session, "klarna").await.expect(202)["order"].take();
    world.stripe().at_wallet(order["payment"]["redirectUrl"].as_str().unwrap(), true).await;
    hear(&world, order_id(&order), "amount_capturable_updated").await;
    let order = shown(&guest, order_id(&order)).await;
    assert_eq!(state_of(&order), ("confirmed", "authorized"));
    assert!(order["payment"]["capturableUntil"].is_string());
    let captured = world.staff().capture(order_id(&order)).await.expect(200)["order"].take();
    assert_eq!(state_of(&captured), ("confirmed", "paid"));

    let guest = world.guest();
    let session = ready(&guest).await;
    let order = pay_by(&world, &guest, &session, "us_bank_account").await.expect(202)["order"].take();
    world.stripe().settle(order_id(&order), true).await;
    hear(&world, order_id(&order), "succeeded").await;
    assert_eq!(state_of(&shown(&guest, order_id(&order)).await), ("confirmed", "paid"));
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn what_a_method_needs_is_said_before_anything_is_reserved() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let refused = async |method: &str, code: &str| pay_by(&world, &guest, &session, method).await.refused(422, code);
    refused("paypal", "PAYMENT_METHOD_UNAVAILABLE").await;
    refused("ideal", "PAYMENT_METHOD_NOT_IN_CURRENCY").await;
    let faulty = async |method: &str, token: Value, url: Value, pointer: &str| {
        let mut body = with(&session, method, VISA);
        (body["paymentToken"], body["returnUrl"]) = (token, url);
        let problem = guest.post(Route::ConfirmOrder, &body).await.refused(400, "VALIDATION_FAILED");
        let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|of| &of["pointer"]).collect();
        assert_eq!(pointers, [pointer], "{problem:#}");
    };
    faulty("us_bank_account", json!(VISA), Value::Null, "/paymentToken").await;
    faulty("klarna", json!(VISA), Value::Null, "/returnUrl").await;
    faulty("klarna", Value::Null, json!(RETURN_URL), "/paymentToken").await;
    faulty("card", json!(VISA), json!("http://shop.example/"), "/returnUrl").await;
    faulty("cash_on_delivery", Value::Null, json!(RETURN_URL), "/returnUrl").await;
    faulty("bitcoin", json!(VISA), json!(RETURN_URL), "/paymentMethod").await;
    faulty("free", json!(VISA), json!(RETURN_URL), "/paymentMethod").await;
    assert_eq!((sold(&world).await, world.stored_orders().await.len()), (0, 0));

    let cards_only = Setup::default().unlimited().cards().build().await;
    let guest = cards_only.guest();
    let session = ready(&guest).await;
    pay_by(&cards_only, &guest, &session, "klarna").await.refused(422, "PAYMENT_METHOD_UNAVAILABLE");
}

/// Functions that ship have no key of Stripe. Each is tried with the variables that the template gives it, and no others.
#[tokio::test]
async fn the_setting_to_ship_uncaptured_reaches_the_functions_that_ship() {
    let setup = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual");
    let world = setup.setting("SHIP_UNCAPTURED", "true").build().await;
    let stack = Stack::new();
    for function in ["create-fulfillment", "update-order-status"] {
        let order = super::bought(&world.guest()).await;
        assert_eq!(state_of(&order), ("confirmed", "authorized"));
        let staff = world.staff().served_by(&world.deployed(&stack, function));
        if function == "create-fulfillment" {
            staff.fulfill(order_id(&order), uuid::Uuid::new_v4(), &[[0, 2]]).await.expect(201);
        } else {
            staff.set_status(order_id(&order), "processing").await.expect(200);
            staff.set_status(order_id(&order), "shipped").await.expect(200);
        }
    }
}
