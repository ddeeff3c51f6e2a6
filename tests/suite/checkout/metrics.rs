//! What the functions count and time, as `CloudWatch` reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    binaries::binary,
    dynamo_faults::{Fault, Rule},
    event::Event,
    proxy::Mode,
    runtime_api::{Bootstrap, Ended, Outcome},
    world::{Answer, Setup, World, cart, id_of},
};
use tokio::sync::OnceCell;
use tools::stripe_server::WEBHOOK_SECRET;

pub(super) const STACK: &str = "shop-stack";

/// The lines of Embedded Metric Format that a process wrote.
fn blobs(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.filter(|line| line.get("_aws").is_some()).collect()
}

/// The value of a metric in a line: a number, or nothing.
pub(super) fn told(blob: &Value, metric: &str) -> u64 {
    let names = blob["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("metrics");
    let declared = names.iter().any(|name| name["Name"] == metric);
    let value = blob[metric].as_u64();
    assert_eq!(declared, value.is_some(), "{metric}: {blob:#}");
    value.unwrap_or_default()
}

struct Function {
    route: Route,
    bootstrap: Bootstrap,
}

impl Function {
    async fn start(world: &World, route: Route) -> Self {
        Self::with(route, world.settings().clone()).await
    }

    async fn with(route: Route, mut settings: BTreeMap<String, String>) -> Self {
        settings.insert("POWERTOOLS_SERVICE_NAME".to_owned(), STACK.to_owned());
        Self { route, bootstrap: Bootstrap::start(&binary(route.function()), &settings).await }
    }

    async fn send(&mut self, event: &Event) -> Answer {
        match self.bootstrap.invoke(&event.value()).await {
            Outcome::Answered(payload) => Answer::from_gateway(&payload),
            Outcome::Failed(error) => panic!("{:?}: {error:#}", self.route),
        }
    }

    async fn stop(self) -> Vec<Value> {
        blobs(&self.bootstrap.stop().await)
    }
}

async fn impatient() -> Arc<World> {
    Setup::default()
        .setting("REDIS_TIMEOUT_MS", "200")
        .setting("RATE_LIMIT_INITIATE", "2/60")
        .setting("DECLINE_LIMITS", "1/100/100")
        .setting("PAYMENT_CAPTURE", "manual")
        .cards()
        .build()
        .await
}

/// The lines of functions to which everything happens that can be counted. Made once.
pub(super) async fn eventful() -> &'static [Value] {
    static LINES: OnceCell<Vec<Value>> = OnceCell::const_new();
    LINES.get_or_init(everything).await
}

/// Everything that can happen, in as few functions as will do. Returns their lines.
async fn everything() -> Vec<Value> {
    let world = impatient().await;
    let guest = world.guest();
    let opened = json!({"cartItems": cart(&[("espresso-beans", 1)])});
    let open = guest.event(Route::Initiate).json(&opened);
    let mut initiate = Function::start(&world, Route::Initiate).await;
    let session = initiate.send(&open).await.expect(201);
    initiate.send(&open).await.expect(201);
    initiate.send(&open).await.refused(429, "RATE_LIMITED");

    let mut show = Function::start(&world, Route::GetSession).await;
    let read = guest.event(Route::GetSession).path("checkoutId", id_of(&session));
    show.send(&read).await.expect(200);
    world.keys.clear();
    show.send(&read).await.expect(200);

    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let mut get = Function::start(&world, Route::GetOrder).await;
    let unknown = guest.event(Route::GetOrder).path("orderId", order["orderId"].as_str().expect("an id"));
    get.send(&unknown).await.expect(404);
    get.send(&unknown).await.expect(404);

    let mut address = Function::start(&world, Route::UpdateAddress).await;
    let body = json!({"checkoutId": id_of(&session), "billingAddress": tests::world::california()});
    let change = guest.event(Route::UpdateAddress).json(&body);
    world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict).times(1));
    address.send(&change).await.expect(200);
    // Another change: the same again would write nothing.
    let body = json!({"checkoutId": id_of(&session), "shippingAddress": tests::world::california()});
    let change = guest.event(Route::UpdateAddress).json(&body);
    world.dynamodb.add(Rule::on("PutItem", Fault::Throttling));
    address.send(&change).await.refused(503, "STORE_UNAVAILABLE");
    world.dynamodb.clear_rules();
    world.redis.set(Mode::Hang).await;
    world.redis.cut();
    address.send(&change).await.expect(200);

    world.redis.up().await;
    let mut webhook = Function::start(&world, Route::PaymentWebhook).await;
    let intent = json!({"id": "pi_1", "metadata": {"order_id": order["orderId"]}});
    let told = json!({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": intent}}).to_string();
    webhook.send(&tests::world::webhook(&told, WEBHOOK_SECRET, tests::world::now())).await.expect(200);
    let sold = authorized(&world).await;
    world.staff().capture(&sold).await.expect(200);
    world.staff().refund(&sold, uuid::Uuid::new_v4(), Some(100)).await.expect(200);
    let [refund] = world.stripe().refunds_of(&sold).await.try_into().expect("one refund");
    let refund = world.stripe().settle_refund(&refund, "failed").await;
    let told = json!({"id": "evt_2", "type": "refund.failed", "data": {"object": refund}}).to_string();
    webhook.send(&tests::world::webhook(&told, WEBHOOK_SECRET, tests::world::now())).await.expect(200);
    let dispute = world.stripe().dispute(&sold, 0, 100, "needs_response", 1).await;
    let told = json!({"id": "evt_3", "type": "charge.dispute.created", "data": {"object": dispute}}).to_string();
    webhook.send(&tests::world::webhook(&told, WEBHOOK_SECRET, tests::world::now())).await.expect(200);
    let held = authorized(&world).await;
    world.end_authorization_soon(&held).await;
    let paid = world.guest();
    let mut confirm = Function::start(&world, Route::ConfirmOrder).await;
    let tester = world.guest();
    let tried = tester.fill_cart(&[("espresso-beans", 1)]).await;
    let bad =
        tests::world::card_confirmation(id_of(&tried), tests::world::total_of(&tried), "pm_card_chargeCustomerFail");
    confirm.send(&tester.event(Route::ConfirmOrder).json(&bad)).await.refused(402, "PAYMENT_DECLINED");
    confirm.send(&tester.event(Route::ConfirmOrder).json(&bad)).await.refused(429, "TOO_MANY_DECLINES");
    let ready = paid.fill_cart(&[("espresso-beans", 1)]).await;
    world.stripe().proxy.down().await;
    let card = tests::world::card_confirmation(id_of(&ready), tests::world::total_of(&ready), "pm_card_visa");
    let waiting = confirm.send(&paid.event(Route::ConfirmOrder).json(&card)).await.expect(202);

    world.stripe().proxy.up().await;
    let busy = contended(&world).await;
    let damaged = waiting["order"]["orderId"].as_str().expect("an order");
    let left = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    let mut all = reconciled(&world, damaged, &held, id_of(&left)).await;
    all.extend(not_indexed(&world, damaged).await);
    for function in [initiate, show, get, address, webhook, confirm, busy] {
        all.extend(function.stop().await);
    }
    all
}

/// An order whose bank holds the amount.
async fn authorized(world: &Arc<World>) -> String {
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let order = guest.pay(id_of(&ready), tests::world::total_of(&ready), "pm_card_visa").await.expect(201);
    order["order"]["orderId"].as_str().expect("an id").to_owned()
}

/// A cancellation that met others' writes until there was no more time.
async fn contended(world: &Arc<World>) -> Function {
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let mut hasty = world.settings().clone();
    hasty.insert("REQUEST_TIMEOUT_MS".to_owned(), "1000".to_owned());
    let mut cancel = Function::with(Route::CancelOrder, hasty).await;
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::TransactionConflict));
    let event = guest.event_about(Route::CancelOrder, order["orderId"].as_str().expect("an id"));
    cancel.send(&event).await.refused(503, "BUSY");
    world.dynamodb.clear_rules();
    cancel
}

/// A run of the reconciler that can't read a part of either index, nor this order, looks at one that is held, and finds that
/// this session was left.
async fn reconciled(world: &World, order: &str, held: &str, session: &str) -> Vec<Value> {
    leave(world, session).await;
    world.make_due(order).await;
    world.damage(order).await;
    let shard = |order: &str| order.parse::<uuid::Uuid>().expect("an id").as_bytes()[15] % 8;
    let other = (0..8).find(|other| ![order, held, session].map(shard).contains(other)).expect("one of eight");
    let other = format!(r#"":shard":{{"S":"{other}"}}"#);
    world.dynamodb.add(Rule::on("Query", Fault::Error(400, "AccessDeniedException")).containing(other));
    let mut settings = world.settings().clone();
    settings.insert("POWERTOOLS_SERVICE_NAME".to_owned(), STACK.to_owned());
    let mut process = Bootstrap::start(&binary("reconcile"), &settings).await;
    let outcome = process.invoke(&json!({})).await;
    assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
    world.dynamodb.clear_rules();
    blobs(&process.stop().await)
}

/// As if nobody had used it since 2020.
async fn leave(world: &World, session: &str) {
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let update = world.tables.client().update_item().table_name(world.tables.name("SESSIONS_TABLE"));
    let update = update.key("checkoutId", text(session)).update_expression("SET activeAt = :then, abandonAt = :then");
    let update = update.expression_attribute_values(":then", text("2020-01-01T00:00:00.000Z"));
    update.send().await.expect("an update");
}

/// A run of the index that can't read this order.
async fn not_indexed(world: &World, order: &str) -> Vec<Value> {
    let changed = world.changed_orders().await.into_iter().find(|changed| changed.id == order).expect("a record");
    let keys = json!({"owner": {"S": changed.owner}, "orderId": {"S": changed.id}});
    let record = json!({"eventName": "MODIFY", "dynamodb": {"Keys": keys, "SequenceNumber": "1"}});
    let mut settings = world.settings().clone();
    settings.insert("POWERTOOLS_SERVICE_NAME".to_owned(), STACK.to_owned());
    let mut process = Bootstrap::start(&binary("index-orders"), &settings).await;
    let outcome = process.invoke(&json!({"Records": [record]})).await;
    assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
    blobs(&process.stop().await)
}

#[tokio::test]
async fn what_happened_is_counted_once_in_one_line_an_invocation() {
    let lines = eventful().await;

    assert_eq!(lines.len(), 3 + 2 + 2 + 3 + 3 + 3 + 1 + 1 + 1, "one an invocation: {lines:#?}");
    let requests: BTreeSet<_> = lines.iter().map(|line| line["function_request_id"].as_str().unwrap()).collect();
    assert_eq!(requests.len(), lines.len());
    let mut sums: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in lines {
        assert_eq!(line["service"], STACK);
        assert!(line["_aws"]["Timestamp"].as_u64().is_some_and(|ms| ms > 1_700_000_000_000));
        for (metric, _) in shared::telemetry::emf::metrics(&shared::telemetry::counts::Counts::default()) {
            let count = told(line, metric);
            if count > 0 {
                *sums.entry((line["route"].as_str().unwrap(), metric)).or_default() += count;
            }
        }
    }
    let waited = sums.remove(&("reconcile", "OldestDueSeconds"));
    assert!(waited.is_some_and(|seconds| seconds > 100_000_000), "since 2020: {waited:?}");
    let collided = sums.remove(&("cancel-order", "VersionConflicts"));
    assert!(collided.is_some_and(|times| times > 1), "again and again: {collided:?}");
    let expected = BTreeMap::from([
        (("reconcile", "ColdStarts"), 1),
        (("reconcile", "ReconcileRuns"), 1),
        (("reconcile", "AuthorizationsEnding"), 1),
        (("reconcile", "ReconcileFailures"), 1),
        (("reconcile", "OrdersNotReconciled"), 1),
        (("reconcile", "CheckoutsAbandoned"), 1),
        (("reconcile", "AbandonedNotTold"), 1),
        (("index-orders", "ColdStarts"), 1),
        (("index-orders", "OrdersNotIndexed"), 1),
        (("initiate", "ColdStarts"), 1),
        (("initiate", "RateLimitViolations"), 1),
        (("get-session", "ColdStarts"), 1),
        (("get-session", "SessionHits"), 1),
        (("get-session", "SessionMisses"), 1),
        (("get-order", "ColdStarts"), 1),
        (("get-order", "OrderCacheMisses"), 1),
        (("get-order", "OrderCacheFills"), 1),
        (("get-order", "OrderCacheHits"), 1),
        (("update-address", "ColdStarts"), 1),
        (("update-address", "SessionHits"), 2),
        // Without a copy, and after the conflict.
        (("update-address", "SessionMisses"), 2),
        (("update-address", "VersionConflicts"), 1),
        (("update-address", "DynamoDbDegraded"), 1),
        // Neither the limit, the blocks and the session's copy are read, nor is the copy replaced.
        (("update-address", "RedisDegraded"), 4),
        (("update-address", "RedisTimeouts"), 1),
        (("update-address", "BreakerOpenings"), 1),
        (("payment-webhook", "ColdStarts"), 1),
        (("payment-webhook", "UnknownPayments"), 1),
        (("payment-webhook", "FailedRefunds"), 1),
        (("payment-webhook", "Disputes"), 1),
        (("confirm-order", "ColdStarts"), 1),
        (("confirm-order", "SessionHits"), 3),
        // The session is read past its copy after a decline, and before a confirmation is refused.
        (("confirm-order", "SessionMisses"), 2),
        (("confirm-order", "Declines"), 1),
        (("confirm-order", "DeclinesRefused"), 1),
        (("confirm-order", "PaymentsDegraded"), 1),
        (("cancel-order", "ColdStarts"), 1),
        (("cancel-order", "Contention"), 1),
    ]);
    assert_eq!(sums, expected);
}

/// How many calls to a store a line holds the durations of.
fn timed(line: &Value, metric: &str) -> usize {
    let declared = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("metrics").iter();
    let unit = declared.filter(|name| name["Name"] == metric).map(|name| name["Unit"].as_str()).next();
    let values = match &line[metric] {
        Value::Null => return 0,
        Value::Number(one) => vec![one.as_f64().expect("a number")],
        many => {
            let counts = many["Counts"].as_array().map(Vec::len);
            let values: Vec<_> = many["Values"].as_array().expect("values").iter().filter_map(Value::as_f64).collect();
            assert_eq!(counts, Some(values.len()), "{metric}: {line:#}");
            values
        }
    };
    assert_eq!(unit, Some(Some("Milliseconds")), "{metric}: {line:#}");
    assert!(values.iter().all(|ms| (0.0..60_000.0).contains(ms)), "{metric}: {line:#}");
    values.len()
}

#[tokio::test]
async fn each_call_to_a_store_is_timed_and_a_slow_store_is_named() {
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "1000").cards().build().await;
    let guest = world.guest();
    let ready = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let mut confirm = Function::start(&world, Route::ConfirmOrder).await;
    world.dynamodb.clear_rules();
    world.redis.set(Mode::Delay(std::time::Duration::from_millis(60))).await;
    let card = tests::world::card_confirmation(id_of(&ready), tests::world::total_of(&ready), "pm_card_visa");
    confirm.send(&guest.event(Route::ConfirmOrder).json(&card)).await.expect(201);
    let mut health = Function::start(&world, Route::Health).await;
    health.send(&guest.event(Route::Health)).await.expect(200);

    let paid = confirm.bootstrap.stop().await;
    let line = blobs(&paid).pop().expect("a line");
    let seen = (timed(&line, "RedisMs"), timed(&line, "DynamoDbMs"), timed(&line, "PaymentsMs"));
    // A session whose copy isn't believed is read.
    let misses = usize::try_from(told(&line, "SessionMisses")).expect("a few");
    assert_eq!(seen, (5, 4 + misses, 1), "as many as `costs` counts: {line:#}");
    let fastest = line["RedisMs"]["Values"].as_array().expect("values").iter().filter_map(Value::as_f64);
    assert!(fastest.fold(f64::MAX, f64::min) >= 60.0, "each waited for the slow Redis: {line:#}");
    let served = paid.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let served: Vec<_> = served.filter(|line| line["message"] == "Request served").collect();
    assert!(served[0]["redis_ms"].as_u64().is_some_and(|ms| ms >= 5 * 60), "{served:#?}");
    assert!(served[0]["dynamodb_ms"].is_u64() && served[0]["payments_ms"].is_u64(), "{served:#?}");
    let line = health.stop().await.pop().expect("a line");
    assert_eq!(
        (timed(&line, "RedisMs"), timed(&line, "DynamoDbMs"), timed(&line, "PaymentsMs")),
        (2, 1, 0),
        "its limit, and its own look: {line:#}"
    );
}
