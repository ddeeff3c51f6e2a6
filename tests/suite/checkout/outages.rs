//! Stores that are gone, hang or answer with trouble, before every step of a purchase.

use serde_json::json;
use tests::{
    dynamo_faults::{Fault, Rule},
    proxy::Mode,
    world::{Purchase, STEPS, Setup, california, id_of, patiently, total_of},
};

/// A world whose stores are given up on soon, because these tests wait for it.
fn impatient() -> Setup {
    Setup::default().unlimited().setting("REDIS_TIMEOUT_MS", "200").hasty_under_faults(500)
}

#[tokio::test]
async fn a_purchase_survives_a_redis_that_is_killed_and_comes_back_empty() {
    let world = impatient().own_redis().build().await;
    let mut purchase = Purchase::by(world.guest());
    for step in 0..STEPS {
        if step == 3 {
            world.keys.server().stop();
        }
        if step == 5 {
            world.keys.server().start_again().unwrap();
        }
        purchase.step(step).await;
    }
    purchase.is_whole(&world, 0).await;
}

#[tokio::test]
async fn a_flush_between_every_two_steps_loses_nothing() {
    let world = impatient().build().await;
    let mut purchase = Purchase::by(world.guest());
    for step in 0..STEPS {
        purchase.step(step).await;
        world.keys.clear();
    }
    purchase.is_whole(&world, 0).await;
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_loaded_again() {
    let world = Setup::default().own_redis().build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let mut connection = world.keys.connection().await;
    let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();

    let answer = guest.apply_coupon(id_of(&session), "SAVE20").await;
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("9"));
    // Counted by the server, not by the container alone.
    assert!(world.keys.all().iter().any(|key| key.ends_with("apply-coupon")), "{:?}", world.keys.all());
}

#[tokio::test]
async fn a_dead_redis_costs_a_few_attempts_and_then_none_until_it_is_probed() {
    let world = impatient().build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    world.redis.set(Mode::Hang).await;
    world.redis.cut();

    let before = world.redis.traffic().connections;
    // Far less than a second's worth of work: the breaker's rest is not over.
    for _ in 0..5 {
        guest.session(id_of(&session)).await.expect(200);
    }
    let attempts = world.redis.traffic().connections - before;
    assert!((1..=4).contains(&attempts), "{attempts} connections for five requests");
}

#[tokio::test]
async fn with_redis_gone_each_container_counts_what_it_sees() {
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "200").build().await;
    world.redis.down().await;
    let guest = world.guest();
    for _ in 0..10 {
        guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    }
    let refused = guest.initiate(&[("espresso-beans", 1)]).await;
    assert_eq!(refused.code(), Some("RATE_LIMITED"));
    assert!(refused.header("retry-after").is_some());
    // Another container has seen nothing of it: it lets pass what a whole Redis would have refused.
    guest.clone().served_by(&world.container()).initiate(&[("espresso-beans", 1)]).await.expect(201);

    // What passed while Redis was there counts, too.
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "200").build().await;
    let guest = world.guest();
    for _ in 0..9 {
        guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    }
    world.redis.down().await;
    guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    guest.initiate(&[("espresso-beans", 1)]).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn health_names_the_store_that_is_down() {
    let world = impatient().build().await;
    let health = async || {
        let event = tests::event::Event::get("/api/v1/checkout/health");
        world.call("health", event.request()).await.expect(200)
    };
    assert_eq!(health().await["status"], "ok");
    world.redis.down().await;
    let told = health().await;
    assert_eq!((&told["status"], &told["redis"]["status"]), (&json!("degraded"), &json!("down")));
    assert_eq!(told["dynamodb"]["status"], "up");
    assert_eq!(told["payments"]["status"], "unknown", "Redis would know");
    world.redis.up().await;
    world.dynamodb.add(Rule::on("GetItem", Fault::InternalServerError));
    assert_eq!(health().await["dynamodb"]["status"], "down");
}

/// It answers every PING and every read; what is asked of it is to take what the checkout writes.
#[tokio::test]
async fn health_says_that_redis_takes_no_writes() {
    let world = Setup::default().own_redis().build().await;
    let health = async || {
        let event = tests::event::Event::get("/api/v1/checkout/health");
        world.call("health", event.request()).await.expect(200)
    };
    let mut redis = world.keys.connection().await;
    let mut tell = async |words: &str| {
        let mut command = redis::Cmd::new();
        for word in words.split(' ') {
            command.arg(word);
        }
        command.query_async::<()>(&mut redis).await.unwrap_or_else(|error| panic!("{words}: {error}"));
    };
    assert_eq!(health().await["status"], "ok");
    for (fault, mended) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ] {
        tell(fault).await;
        let told = health().await;
        assert_eq!(told["status"], "degraded", "{fault}");
        // A replica is left alone at once, as a server that is down is.
        let expected = if fault.starts_with("REPLICAOF") { "down" } else { "refuses-writes" };
        assert_eq!(told["redis"]["status"], expected, "{fault}");
        tell(mended).await;
        // The breaker may be open after a replica.
        patiently(async || health().await["status"] == "ok").await;
    }
}

/// Nobody asks Stripe for it: the functions that pay leave a note when it fails them, and only then.
#[tokio::test]
async fn health_says_that_payments_fail() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    let health = async || {
        let asked = world.stripe().proxy.traffic().requests;
        let event = tests::event::Event::get("/api/v1/checkout/health");
        let told = world.call("health", event.request()).await.expect(200);
        assert_eq!(world.stripe().proxy.traffic().requests, asked, "a probe costs no call");
        told
    };
    let pay = async |token: &str| {
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        guest.pay(id_of(&session), total_of(&session), token).await
    };
    pay("pm_card_visa").await.expect(201);
    // A card that is declined is no failure of Stripe's.
    pay("pm_card_chargeCustomerFail").await.expect(402);
    let told = health().await;
    assert_eq!((&told["status"], &told["payments"]), (&json!("ok"), &json!({"status": "ok"})));

    world.stripe().proxy.down().await;
    pay("pm_card_visa").await.expect(202);

    let told = health().await;
    assert_eq!((&told["status"], &told["payments"]["status"]), (&json!("degraded"), &json!("failing")));
    assert!(told["payments"]["lastFailureSeconds"].is_u64(), "{told}");
    let mut redis = world.keys.connection().await;
    let key = format!("{}payments-failed", world.keys.prefix());
    let ttl: i64 = redis::cmd("TTL").arg(&key).query_async(&mut redis).await.unwrap();
    // Longer than the four minutes for which the reconciler leaves a waiting order alone.
    assert!((241..=300).contains(&ttl), "it is forgotten in {ttl} s");
    let _: () = redis::cmd("DEL").arg(&key).query_async(&mut redis).await.unwrap();
    assert_eq!(health().await["status"], "ok");
}

/// Everything `DynamoDB` may answer instead of doing what was asked.
const TROUBLES: [(&str, Fault); 5] = [
    ("throttling", Fault::Throttling),
    ("provisioned throughput", Fault::ProvisionedThroughputExceeded),
    ("request limit", Fault::RequestLimitExceeded),
    ("internal error", Fault::InternalServerError),
    ("hang", Fault::Hang),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_trouble_of_dynamodb_is_not_noticed_and_a_lasting_one_is_a_503_that_loses_nothing() {
    // The last call of each step: nothing of it must be told as done.
    let writes = ["PutItem", "PutItem", "PutItem", "BatchGetItem", "PutItem", "TransactWriteItems"];
    for (what, fault) in TROUBLES {
        let world = impatient().build().await;
        let mut purchase = Purchase::by(world.guest());
        for (step, operation) in writes.into_iter().enumerate() {
            // Lasting: every attempt of the SDK fails.
            world.dynamodb.add(Rule::on(operation, fault.clone()));
            let refused = purchase.attempt(step).await;
            assert_eq!(refused.code(), Some("STORE_UNAVAILABLE"), "{what} at step {step}: {:#}", refused.body());
            assert!(refused.header("retry-after").is_some(), "{what} at step {step}");
            world.dynamodb.clear_rules();
            // Passing: the first attempt fails.
            let hits = world.dynamodb.add(Rule::on(operation, fault.clone()).times(1));
            purchase.step(step).await;
            assert_eq!(hits.count(), 1, "{what} at step {step}");
            world.dynamodb.clear_rules();
        }
        purchase.is_whole(&world, 0).await;
    }
}

#[tokio::test]
async fn transactions_that_collide_are_tried_again_until_they_go_through() {
    let world = impatient().build().await;
    let guest = world.guest();
    for fault in
        [Fault::TransactionConflict, Fault::TransactionCanceled("ThrottlingError"), Fault::TransactionInProgress]
    {
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault).times(5));
        guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
        assert_eq!(hits.count(), 5);
        world.dynamodb.clear_rules();
    }
    assert_eq!(world.stored_orders().await.len(), 3);
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 3);
}

#[tokio::test]
async fn a_transaction_that_never_stops_colliding_is_given_up_at_the_deadline() {
    let world = impatient().build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::TransactionConflict));
    let hasty = guest.clone().served_by(&world.container_with(&[("REQUEST_TIMEOUT_MS", "2000")]));
    hasty.confirm(id_of(&session), total_of(&session)).await.refused(503, "BUSY");
    assert!(world.stored_orders().await.is_empty());
    world.dynamodb.clear_rules();
    guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
}

#[tokio::test]
async fn keys_that_a_batch_left_out_are_asked_for_again() {
    let world = Setup::default().build().await;
    let guest = world.guest();
    let hits = world.dynamodb.add(Rule::on("BatchGetItem", Fault::Unprocessed).times(3));
    let session = guest.initiate(&[("espresso-beans", 1), ("cbd-tea", 1), ("limited-print", 1)]).await.expect(201);
    assert_eq!(session["summary"]["subtotal"], 1999 + 1299 + 2500);
    assert_eq!(hits.count(), 3);
}

#[tokio::test]
async fn a_write_of_one_item_that_meets_a_transaction_is_made_again() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let hits = world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict).times(3));
    let session = guest.ship_to(id_of(&session), &california()).await.expect(200);
    assert_eq!((hits.count(), &session["version"]), (3, &json!(2)));
    guest.choose_shipping(id_of(&session), "us-standard").await.expect(200);

    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let hits = world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict).times(3));
    let order = world.staff().set_status(order["orderId"].as_str().unwrap(), "processing").await.expect(200);
    assert_eq!((hits.count(), &order["order"]["version"]), (3, &json!(2)));
}

#[tokio::test]
async fn a_store_that_is_too_slow_for_the_request_is_a_clear_answer_in_time() {
    let settings = Setup::default().setting("REQUEST_TIMEOUT_MS", "2000").setting("DYNAMODB_TIMEOUT_MS", "60000");
    let world = settings.build().await;
    let guest = world.guest();
    world.dynamodb.add(Rule::on("BatchGetItem", Fault::Hang));
    let answer = guest.initiate(&[("espresso-beans", 1)]).await;
    assert!(answer.header("x-request-id").is_some() && answer.header("ratelimit").is_some());
    answer.refused(503, "STORE_UNAVAILABLE");
}
