//! What Stripe tells by itself, in any order and any number of times.

use base64::Engine as _;
use serde_json::json;
use tests::{
    answering::{Answering, Asked},
    dynamo_faults::{Fault, Rule},
    event::Event,
    world::{Setup, now, patiently, webhook},
};
use tools::stripe_server::WEBHOOK_SECRET;

use super::{TOTAL, VISA, assert_books_balance, bought, order_id, pay, ready, shop, state_of};

#[tokio::test]
async fn an_event_finishes_what_the_customer_did_not() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
    let intent = world.stripe().intent_of(order_id(&order)).await.expect("it was paid");

    let told = world.tell("evt_1", "payment_intent.succeeded", &intent).await.expect(200);
    assert_eq!(told["received"], "done");
    let shown = guest.order(order_id(&order)).await.expect(200)["order"].take();
    assert_eq!(state_of(&shown), ("confirmed", "paid"));
    assert_eq!(world.tell("evt_1", "payment_intent.succeeded", &intent).await.expect(200)["received"], "again");
    // Late, and of before: it is not believed.
    for (id, kind) in [
        ("evt_2", "payment_intent.payment_failed"),
        ("evt_3", "payment_intent.canceled"),
        ("evt_4", "payment_intent.of_tomorrow"),
    ] {
        assert_eq!(world.tell(id, kind, &intent).await.expect(200)["received"], "done");
    }
    assert_eq!(guest.order(order_id(&order)).await.expect(200)["order"], shown);
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn what_is_not_signed_by_stripe_is_refused_and_changes_nothing() {
    let world = shop().await;
    let body = r#"{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{}}}"#;
    let call = async |event: &Event| world.call("payment-webhook", event.request()).await;
    call(&webhook(body, WEBHOOK_SECRET, now())).await.expect(200);
    for event in [
        webhook(body, "whsec_other", now()),
        webhook(body, WEBHOOK_SECRET, now() - 400),
        webhook(body, WEBHOOK_SECRET, now() + 400),
        webhook(body, WEBHOOK_SECRET, now()).body(body.replace("evt_1", "evt_2")),
        webhook(body, WEBHOOK_SECRET, now()).header("stripe-signature", "t=1"),
    ] {
        call(&event).await.refused(400, "SIGNATURE_INVALID");
    }
    // Byte for byte, however the gateway passes it on.
    let encoded = base64::engine::general_purpose::STANDARD.encode(body);
    call(&webhook(body, WEBHOOK_SECRET, now()).body(encoded).base64()).await.expect(200);
    call(&webhook("{}", WEBHOOK_SECRET, now())).await.expect(400);
    call(&webhook("not json", WEBHOOK_SECRET, now())).await.expect(400);

    let rotating = Setup::default().cards().setting("STRIPE_WEBHOOK_SECRET", "whsec_new,whsec_old").build().await;
    for secret in ["whsec_new", "whsec_old"] {
        rotating.call("payment-webhook", webhook(body, secret, now()).request()).await.expect(200);
    }
    let without = Setup::default().cards().setting("STRIPE_WEBHOOK_SECRET", "").build().await;
    without.call("payment-webhook", webhook(body, "", now()).request()).await.refused(400, "SIGNATURE_INVALID");
}

#[tokio::test]
async fn what_is_about_no_order_of_ours_is_ignored_or_written_down() {
    let world = shop().await;
    let intent = json!({"id": "pi_elsewhere", "metadata": {}});
    assert_eq!(world.tell("evt_1", "payment_intent.succeeded", &intent).await.expect(200)["received"], "ignored");
    assert_eq!(world.tell("evt_2", "invoice.paid", &intent).await.expect(200)["received"], "ignored");

    let lost =
        json!({"id": "pi_lost", "metadata": {"order_id": "01936b2e-0000-7000-8000-000000000000", "owner": "user#ada"}});
    let told = world.tell("evt_3", "payment_intent.succeeded", &lost).await;
    assert_eq!(told.counts().unknown_payments, 1);
    assert_eq!(told.expect(200)["received"], "unknown");
    // And another payment than the order's own.
    let order = bought(&world.guest()).await;
    let other = json!({"id": "pi_other", "metadata": {"order_id": order["orderId"]}});
    assert_eq!(world.tell("evt_4", "payment_intent.succeeded", &other).await.expect(200)["received"], "unknown");
    // In a table that stays when the stack goes.
    let kept = world.all("INVENTORY_TABLE").await;
    for intent in ["pi_lost", "pi_other"] {
        let id = format!("unknown-payment#{intent}");
        assert!(kept.iter().any(|item| item["id"].as_s() == Ok(&id) && !item.contains_key("ttl")), "{intent}");
    }
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn an_event_whose_payment_cannot_be_asked_for_is_to_be_sent_again() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
    let intent = world.stripe().intent_of(order_id(&order)).await.unwrap();
    world.stripe().proxy.down().await;
    world.tell("evt_1", "payment_intent.succeeded", &intent).await.refused(503, "PAYMENTS_UNAVAILABLE");
    world.stripe().proxy.up().await;
    assert_eq!(world.tell("evt_1", "payment_intent.succeeded", &intent).await.expect(200)["received"], "done");
    assert_eq!(state_of(&guest.order(order_id(&order)).await.expect(200)["order"]), ("confirmed", "paid"));
}

/// A capture is final, so an event about the payment of a paid order needs no answer of Stripe's. Refunds and disputes have
/// events of their own.
#[tokio::test]
async fn of_a_payment_that_is_captured_nothing_is_asked() {
    let world = shop().await;
    let guest = world.guest();
    let order = bought(&guest).await;
    let id = order_id(&order);
    let intent = world.stripe().intent_of(id).await.unwrap();
    let before = world.stripe().proxy.traffic().requests;
    for (event, kind) in [("evt_1", "payment_intent.succeeded"), ("evt_2", "payment_intent.canceled")] {
        assert_eq!(world.tell(event, kind, &intent).await.expect(200)["received"], "done");
    }
    assert_eq!(world.stripe().proxy.traffic().requests, before);
    world.stripe().proxy.down().await;
    assert_eq!(world.tell("evt_3", "payment_intent.succeeded", &intent).await.expect(200)["received"], "done");
    // Not even about what else is wanted of it: that is the reconciler's.
    world.staff().refund(id, uuid::Uuid::new_v4(), Some(100)).await;
    assert_eq!(world.tell("evt_4", "payment_intent.succeeded", &intent).await.expect(200)["received"], "done");
    world.stripe().proxy.up().await;
    world.make_due(id).await;
    world.reconcile(world.app()).await.expect("it runs");
    assert_eq!(state_of(&guest.order(id).await.expect(200)["order"]), ("confirmed", "partially_refunded"));
    assert_eq!(world.stripe().totals().await[id].refunded, 100);
}

/// localstripe sends its own events, with its own signature, a second after they happened.
#[tokio::test]
async fn the_servers_own_events_are_understood() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let token = world.stripe().secured().await;
    let order = pay(&guest, &session, &token).await.expect(202)["order"].take();
    let listener = Answering::with("").await;
    world.stripe().send_events_to(&listener.url("/"));
    world.stripe().authenticate(order["payment"]["clientSecret"].as_str().unwrap(), true).await;
    patiently(async || {
        // Other tests' events come too: the shop knows nothing of their orders.
        for Asked { headers, body, .. } in listener.asked() {
            let signature = headers["stripe-signature"].to_str().expect("text");
            let is_ours = std::str::from_utf8(body.as_ref()).expect("text").contains(order_id(&order));
            let event =
                Event::post("/api/v1/checkout/webhooks/stripe").header("stripe-signature", signature).body(body);
            let status = world.call("payment-webhook", event.request()).await.status();
            // Of a new order that can't be found the event is to come again.
            assert!(status == 200 || !is_ours && status == 503, "{status}");
        }
        state_of(&guest.order(order_id(&order)).await.expect(200)["order"]) == ("confirmed", "paid")
    })
    .await;
    assert_eq!(order["summary"]["totalAmount"], TOTAL);
    assert_books_balance(&world).await;
}

/// An event may be here before the index knows its order: it is told once more, and is no alarm.
#[tokio::test]
async fn an_event_that_overtakes_the_index_comes_again() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
    let intent = world.stripe().intent_of(order_id(&order)).await.expect("it was paid");
    assert_eq!(intent["metadata"], json!({"order_id": order["orderId"]}), "no owner");
    // Not in the index, however often it is asked, and then a moment later.
    let mut hidden = intent.clone();
    hidden["metadata"]["order_id"] = json!(uuid::Uuid::now_v7());
    let told = world.tell("evt_1", "payment_intent.succeeded", &hidden).await;
    assert_eq!(told.counts().unknown_payments, 0);
    told.refused(503, "ORDER_NOT_THERE_YET");
    let behind = world.dynamodb.add(Rule::on("Query", Fault::NothingFound).times(2));
    let told = world.tell("evt_2", "payment_intent.succeeded", &intent).await.expect(200);
    assert_eq!((told["received"].as_str(), behind.count()), (Some("done"), 2));
    assert_books_balance(&world).await;
}

/// As it was told once, by payments that are still under way.
#[tokio::test]
async fn an_event_that_names_the_owner_is_understood() {
    let world = shop().await;
    let guest = world.guest();
    let order = bought(&guest).await;
    let mut intent = world.stripe().intent_of(order_id(&order)).await.expect("a payment");
    for owner in
        [format!("guest#{}", guest.guest_id()), "guest#c232ab00-9414-11ec-b3c8-9f6bdeced846".to_owned(), "?".to_owned()]
    {
        intent["metadata"]["owner"] = json!(owner);
        let told = world.tell(&format!("evt_{owner}"), "payment_intent.succeeded", &intent).await.expect(200);
        assert_eq!(told["received"], "done", "{owner}");
    }
}
