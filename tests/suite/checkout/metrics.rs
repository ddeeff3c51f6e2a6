//! What the functions count, as `CloudWatch` reads it, and the alarms upon it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use shared::http::route::Route;
use tests::{
    binaries::binary,
    dynamo_faults::{Fault, Rule},
    event::Event,
    proxy::Mode,
    runtime_api::{Bootstrap, Ended, Outcome},
    servers::root,
    world::{Answer, Setup, World, cart, id_of},
};
use tools::stripe_server::WEBHOOK_SECRET;

const STACK: &str = "shop-stack";

/// The lines of Embedded Metric Format that a process wrote.
fn blobs(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.filter(|line| line.get("_aws").is_some()).collect()
}

/// The value of a metric in a line: a number, or nothing.
fn told(blob: &Value, metric: &str) -> u64 {
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
        let mut settings = world.settings().clone();
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
    Setup::default().setting("REDIS_TIMEOUT_MS", "200").setting("RATE_LIMIT_INITIATE", "2/60").cards().build().await
}

/// Everything that can happen, in as few functions as will do. Returns their lines.
async fn eventful() -> Vec<Value> {
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
    let refund = json!({"payment_intent": "pi_1", "failure_reason": "unknown", "metadata": {"refund_id": "1"}});
    let told = json!({"id": "evt_2", "type": "refund.failed", "data": {"object": refund}}).to_string();
    webhook.send(&tests::world::webhook(&told, WEBHOOK_SECRET, tests::world::now())).await.expect(200);
    let paid = world.guest();
    let ready = paid.fill_cart(&[("espresso-beans", 1)]).await;
    world.stripe().proxy.down().await;
    let mut confirm = Function::start(&world, Route::ConfirmOrder).await;
    let card = tests::world::card_confirmation(id_of(&ready), tests::world::total_of(&ready), "pm_card_visa");
    confirm.send(&paid.event(Route::ConfirmOrder).json(&card)).await.expect(202);

    let mut all = Vec::new();
    for function in [initiate, show, get, address, webhook, confirm] {
        all.extend(function.stop().await);
    }
    all
}

#[tokio::test]
async fn what_happened_is_counted_once_in_one_line_an_invocation() {
    let lines = eventful().await;

    assert_eq!(lines.len(), 3 + 2 + 2 + 3 - 1 + 3, "one an invocation, and none where nothing was counted: {lines:#?}");
    let requests: BTreeSet<_> = lines.iter().map(|line| line["function_request_id"].as_str().unwrap()).collect();
    assert_eq!(requests.len(), lines.len());
    let mut sums: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in &lines {
        assert_eq!(line["service"], STACK);
        assert!(line["_aws"]["Timestamp"].as_u64().is_some_and(|ms| ms > 1_700_000_000_000));
        for (metric, _) in shared::telemetry::emf::metrics(&shared::telemetry::counts::Counts::default()) {
            let count = told(line, metric);
            if count > 0 {
                *sums.entry((line["route"].as_str().unwrap(), metric)).or_default() += count;
            }
        }
    }
    let expected = BTreeMap::from([
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
        // The session's copy is neither read nor replaced.
        (("update-address", "RedisDegraded"), 2),
        (("update-address", "RedisTimeouts"), 1),
        (("update-address", "BreakerOpenings"), 1),
        (("payment-webhook", "ColdStarts"), 1),
        (("payment-webhook", "UnknownPayments"), 1),
        (("payment-webhook", "FailedRefunds"), 1),
        (("confirm-order", "ColdStarts"), 1),
        (("confirm-order", "SessionHits"), 1),
        (("confirm-order", "PaymentsDegraded"), 1),
    ]);
    assert_eq!(sums, expected);
}

/// A scalar of the template: itself, or what a `!Ref` to the stack's name stands for.
fn scalar(value: &Yaml) -> String {
    match value {
        Yaml::Tagged(tagged) if tagged.value == "AWS::StackName" => STACK.to_owned(),
        Yaml::String(text) => text.clone(),
        other => panic!("a text is needed here: {other:?}"),
    }
}

#[tokio::test]
async fn each_alarm_is_on_a_metric_and_dimensions_that_the_functions_tell() {
    let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
    let template: Yaml = serde_yaml_ng::from_str(&text).expect("YAML");
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(scalar(&variables["POWERTOOLS_SERVICE_NAME"]), STACK);
    let namespace = scalar(&variables["POWERTOOLS_METRICS_NAMESPACE"]);
    let lines = eventful().await;
    let resources = template["Resources"].as_mapping().expect("resources");
    let alarms: Vec<_> = resources.iter().filter(|(_, r)| r["Type"] == "AWS::CloudWatch::Alarm").collect();

    assert!(alarms.len() >= 5);
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        // AWS's own are told by AWS.
        if scalar(&alarm["Namespace"]) == "AWS/SQS" {
            continue;
        }
        let metric = scalar(&alarm["MetricName"]);
        let dimensions: BTreeMap<String, String> = alarm["Dimensions"]
            .as_sequence()
            .expect("dimensions")
            .iter()
            .map(|dimension| (scalar(&dimension["Name"]), scalar(&dimension["Value"])))
            .collect();
        let fits = |line: &Value| {
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            let sets = directive["Dimensions"].as_array().expect("dimension sets");
            let same = |set: &Value| {
                let names: BTreeSet<_> = set.as_array().expect("names").iter().filter_map(Value::as_str).collect();
                names == dimensions.keys().map(String::as_str).collect()
            };
            directive["Namespace"] == namespace.as_str()
                && told(line, &metric) > 0
                && sets.iter().any(same)
                && dimensions.iter().all(|(name, value)| line[name] == value.as_str())
        };
        assert_eq!(scalar(&alarm["Namespace"]), namespace, "{name:?}");
        assert!(lines.iter().any(fits), "{name:?}: nobody tells {metric} with {dimensions:?}");
    }
}
