//! The incidents, each as real as this machine allows: real functions, real stores, and faults between them.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use shared::http::route::Route;
use tests::{
    binaries::binary,
    dynamo_faults::{Fault, Rule},
    proxy::Mode,
    runtime_api::Bootstrap,
    world::{Answer, Setup, World, card_confirmation, cart, confirmation, id_of, now, total_of, webhook},
};
use tools::stripe_server::WEBHOOK_SECRET;

use super::Incident;

/// The sections that are walked through below.
pub(super) const WALKED: [&str; 15] = [
    "Slow",
    "FunctionErrors",
    "Flood",
    "RedisDown",
    "RedisFull",
    "DynamoDbDown",
    "DynamoDbThrottled",
    "StripeDown",
    "UnknownPayments",
    "FailedRefunds",
    "Disputes",
    "AuthorizationsEnding",
    "Reconciler",
    "Contention",
    "CardTesting",
];

/// A shop whose stores have the deadlines that are deployed.
fn as_deployed() -> Setup {
    Setup::default()
        .setting("REDIS_TIMEOUT_MS", "150")
        .setting("DYNAMODB_TIMEOUT_MS", "1000")
        .setting("REQUEST_TIMEOUT_MS", "8000")
}

/// A guest opens a checkout, and looks at it.
async fn shop_a_little(incident: &mut Incident, world: &Arc<World>) {
    let guest = world.guest();
    let open = guest.event(Route::Initiate).json(&json!({"cartItems": cart(&[("espresso-beans", 1)])}));
    incident.serve(Route::Initiate, &[open]).await;
}

#[tokio::test]
async fn slow() {
    // Patient with Redis: at the deployed deadline, 60 ms later is late on a busy machine.
    let world = as_deployed().setting("REDIS_TIMEOUT_MS", "2000").setting("DYNAMODB_TIMEOUT_MS", "5000").build().await;
    world.dynamodb.add(Rule::on("*", Fault::Delay(Duration::from_millis(400))));
    world.redis.set(Mode::Delay(Duration::from_millis(60))).await;
    let mut incident = Incident::of("Slow", world.settings());
    shop_a_little(&mut incident, &world).await;
    incident.walk().await;
}

#[tokio::test]
async fn function_errors() {
    let world = World::new().await;
    let mut settings = world.settings().clone();
    settings.insert("RATE_LIMIT_INITIATE".to_owned(), "ten".to_owned());
    let mut incident = Incident::of("FunctionErrors", &settings);
    let ended = Bootstrap::start(&binary("initiate"), &settings).await.end().await;
    incident.heard(&ended.stdout);
    incident.walk().await;
}

#[tokio::test]
async fn flood() {
    let world = as_deployed().setting("REDIS_TIMEOUT_MS", "5000").build().await;
    let flooder = world.nobody().from_address("203.0.113.9");
    let mut incident = Incident::of("Flood", world.settings());
    let open = flooder.event(Route::Initiate).json(&json!({"cartItems": cart(&[("espresso-beans", 1)])}));
    let answers = incident.serve(Route::Initiate, &vec![open; 14]).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 429).count(), 4);
    incident.walk().await;
}

#[tokio::test]
async fn redis_down() {
    let world = as_deployed().build().await;
    world.redis.down().await;
    let mut incident = Incident::of("RedisDown", world.settings());
    shop_a_little(&mut incident, &world).await;
    incident.walk().await;
}

#[tokio::test]
async fn redis_full() {
    let world = as_deployed().setting("REDIS_TIMEOUT_MS", "5000").own_redis().build().await;
    let tell = |command: &[&str]| {
        let client = redis::Client::open(world.keys.url()).expect("a URL");
        let mut connection = client.get_connection().expect("Redis answers");
        let mut cmd = redis::cmd(command[0]);
        cmd.arg(&command[1..]);
        cmd.exec(&mut connection).expect("Redis does it");
    };
    tell(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    tell(&["CONFIG", "SET", "maxmemory", "1"]);
    let mut incident = Incident::of("RedisFull", world.settings());
    shop_a_little(&mut incident, &world).await;
    incident.walk().await;
}

#[tokio::test]
async fn dynamodb_down() {
    let world = as_deployed().build().await;
    let mut settings = world.settings().clone();
    settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), "http://127.0.0.1:1".to_owned());
    let mut incident = Incident::of("DynamoDbDown", &settings);
    shop_a_little(&mut incident, &world).await;
    incident.walk().await;
}

#[tokio::test]
async fn dynamodb_throttled() {
    let world = as_deployed().build().await;
    world.dynamodb.add(Rule::on("PutItem", Fault::Throttling));
    let mut incident = Incident::of("DynamoDbThrottled", world.settings());
    shop_a_little(&mut incident, &world).await;
    incident.walk().await;
}

#[tokio::test]
async fn stripe_down() {
    let world = as_deployed().setting("REDIS_TIMEOUT_MS", "5000").cards().build().await;
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    world.stripe().proxy.down().await;
    let card = card_confirmation(id_of(&ready), total_of(&ready), "pm_card_visa");
    let mut incident = Incident::of("StripeDown", world.settings());
    let [answer] = incident
        .serve(Route::ConfirmOrder, &[guest.event(Route::ConfirmOrder).json(&card)])
        .await
        .try_into()
        .expect("one answer");
    answer.expect(202);
    incident.walk().await;
}

/// Stripe tells of something.
async fn told(incident: &mut Incident, kind: &str, object: serde_json::Value) {
    let event = json!({"id": "evt_runbook", "type": kind, "data": {"object": object}}).to_string();
    let answers = incident.serve(Route::PaymentWebhook, &[webhook(&event, WEBHOOK_SECRET, now())]).await;
    assert_eq!(answers.iter().map(Answer::status).collect::<Vec<_>>(), [200]);
}

#[tokio::test]
async fn unknown_payments() {
    let world = as_deployed().cards().build().await;
    let mut incident = Incident::of("UnknownPayments", world.settings());
    // Of a new one the event would come again: the index may be behind.
    let order = "01941f29-7c00-7aaa-8000-0123456789ab";
    told(&mut incident, "payment_intent.succeeded", json!({"id": "pi_runbook", "metadata": {"order_id": order}})).await;
    incident.walk().await;
}

#[tokio::test]
async fn failed_refunds() {
    let world = as_deployed().cards().build().await;
    let order = paid(&world).await;
    world.staff().refund(&order, uuid::Uuid::new_v4(), Some(500)).await.expect(200);
    let [refund] = world.stripe().refunds_of(&order).await.try_into().expect("one refund");
    let refund = world.stripe().settle_refund(&refund, "failed").await;
    let mut incident = Incident::of("FailedRefunds", world.settings());
    told(&mut incident, "refund.failed", refund).await;
    incident.walk().await;
}

#[tokio::test]
async fn disputes() {
    let world = as_deployed().cards().build().await;
    let order = paid(&world).await;
    let dispute = world.stripe().dispute(&order, 0, 500, "needs_response", 1).await;
    let mut incident = Incident::of("Disputes", world.settings());
    told(&mut incident, "charge.dispute.created", dispute).await;
    incident.walk().await;
}

#[tokio::test]
async fn authorizations_ending() {
    let world = as_deployed().setting("PAYMENT_CAPTURE", "manual").cards().build().await;
    let order = paid(&world).await;
    world.end_authorization_soon(&order).await;
    let mut incident = Incident::of("AuthorizationsEnding", world.settings());
    let mut process = Bootstrap::start(&binary("reconcile"), &incident.settings).await;
    process.invoke(&json!({})).await;
    incident.heard(&process.stop().await.stdout);
    incident.walk().await;
}

/// An order that a guest has just paid by card.
async fn paid(world: &Arc<World>) -> String {
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let order = guest.pay(id_of(&ready), total_of(&ready), "pm_card_visa").await.expect(201);
    order["order"]["orderId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn reconciler() {
    let world = as_deployed().setting("REDIS_TIMEOUT_MS", "5000").cards().build().await;
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    world.stripe().proxy.down().await;
    let waiting = guest.pay(id_of(&ready), total_of(&ready), "pm_card_visa").await.expect(202);
    let order = waiting["order"]["orderId"].as_str().expect("an id");
    world.make_due(order).await;
    world.damage(order).await;
    let mut incident = Incident::of("Reconciler", world.settings());
    let mut process = Bootstrap::start(&binary("reconcile"), &incident.settings).await;
    process.invoke(&json!({})).await;
    incident.heard(&process.stop().await.stdout);
    incident.walk().await;
}

#[tokio::test]
async fn contention() {
    let world = as_deployed().setting("REQUEST_TIMEOUT_MS", "1500").setting("REDIS_TIMEOUT_MS", "5000").build().await;
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::TransactionConflict));
    let confirm = guest.event(Route::ConfirmOrder).json(&confirmation(id_of(&ready), total_of(&ready)));
    let mut incident = Incident::of("Contention", world.settings());
    let answers = incident.serve(Route::ConfirmOrder, &[confirm]).await;
    assert_eq!(answers.iter().map(Answer::status).collect::<Vec<_>>(), [503]);
    incident.walk().await;
}

#[tokio::test]
async fn card_testing() {
    let setup = as_deployed().setting("REDIS_TIMEOUT_MS", "5000").setting("DECLINE_LIMITS", "1/1/1");
    let world = setup.cards().build().await;
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let card = card_confirmation(id_of(&ready), total_of(&ready), "pm_card_chargeCustomerFail");
    let confirm = guest.event(Route::ConfirmOrder).json(&card);
    let mut incident = Incident::of("CardTesting", world.settings());
    let answers = incident.serve(Route::ConfirmOrder, &[confirm.clone(), confirm]).await;
    assert_eq!(answers.iter().map(Answer::status).collect::<Vec<_>>(), [402, 429]);
    incident.walk().await;
}
