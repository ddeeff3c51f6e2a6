//! One purchase with a card through the functions' own processes, and what of it is billed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    binaries::binary,
    dynamo_faults::Call,
    event::Event,
    pipe::Pipe,
    runtime_api::{Bootstrap, Outcome},
    stream,
    world::{Setup, Shopper, World, california, card_confirmation, cart, id_of, total_of, webhook},
};
use tools::stripe_server::WEBHOOK_SECRET;

/// What one step takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Requests to the API.
    pub(super) requests: u64,
    pub(super) trips: u64,
    pub(super) commands: u64,
    pub(super) redis_bytes: u64,
    pub(super) stripe: u64,
    pub(super) gets: u64,
    pub(super) puts: u64,
    pub(super) transactions: u64,
    pub(super) reads: f64,
    pub(super) writes: f64,
    pub(super) answer_bytes: usize,
    pub(super) log_bytes: usize,
    pub(super) metric_bytes: usize,
}

/// Everything that a purchase leaves.
#[derive(Debug, Default)]
pub(super) struct Purchase {
    pub(super) steps: Vec<Step>,
    /// A run of the reconciler that finds nothing.
    pub(super) idle_run: Step,
    /// Records that pass the filter of the orders' pipe, each of which is an event.
    pub(super) events: usize,
    /// Those that pass any other pipe's.
    pub(super) others: usize,
    /// Bytes of what stays in the database: in the table of orders, in its search.
    pub(super) kept: [usize; 2],
    /// Custom metrics: a name and the values of its dimensions.
    pub(super) metrics: BTreeSet<(String, String)>,
}

struct Shop {
    world: Arc<World>,
    processes: BTreeMap<&'static str, Bootstrap>,
    purchase: Purchase,
}

impl Shop {
    async fn open() -> Self {
        let world = Setup::default().unlimited().cards().build().await;
        world.dynamodb.meter();
        let mut settings = world.settings().clone();
        settings.insert("POWERTOOLS_SERVICE_NAME".to_owned(), "checkout".to_owned());
        let mut processes = BTreeMap::new();
        for name in [
            "initiate",
            "update-address",
            "calculate-shipping",
            "calculate-tax",
            "apply-coupon",
            "confirm-order",
            "get-order",
            "payment-webhook",
            "index-orders",
            "reconcile",
        ] {
            processes.insert(name, Bootstrap::start(&binary(name), &settings).await);
        }
        Self { world, processes, purchase: Purchase::default() }
    }

    /// Gives a function an event, and notes what that takes.
    async fn take(&mut self, name: &'static str, event: &Value) -> Value {
        self.world.dynamodb.forget_calls();
        let (before, asked) = (self.world.redis.traffic(), self.world.stripe().proxy.traffic().requests);
        let process = self.processes.get_mut(name).expect("a function");
        let Outcome::Answered(answer) = process.invoke(event).await else { panic!("{name} failed") };
        let after = self.world.redis.traffic();
        let mut step = Step {
            name,
            requests: u64::from(answer["statusCode"].is_u64()),
            trips: after.requests - before.requests,
            commands: after.commands - before.commands,
            redis_bytes: after.bytes_to_server + after.bytes_to_client
                - before.bytes_to_server
                - before.bytes_to_client,
            stripe: self.world.stripe().proxy.traffic().requests - asked,
            answer_bytes: answer["body"].as_str().map_or(0, str::len) + answer["headers"].to_string().len(),
            ..Step::default()
        };
        for call in self.world.dynamodb.calls() {
            step.add(&call);
        }
        self.purchase.steps.push(step);
        answer
    }

    async fn send(&mut self, route: Route, event: &Event, status: u64) -> Value {
        let answer = self.take(route.function(), &event.value()).await;
        assert_eq!(answer["statusCode"], status, "{route:?}: {answer:#}");
        serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default()
    }

    async fn post(&mut self, guest: &Shopper, route: Route, status: u64, body: &Value) -> Value {
        self.send(route, &guest.event(route).json(body), status).await
    }

    /// The purchase of README.md, paid by card; its webhook; its place in the index; and a run of the reconciler.
    async fn sell(&mut self) {
        let world = Arc::clone(&self.world);
        let guest = world.guest();
        let opened = json!({"cartItems": cart(&[("espresso-beans", 2)])});
        let session = self.post(&guest, Route::Initiate, 201, &opened).await;
        let id = id_of(&session).to_owned();
        let place = json!({"checkoutId": id, "shippingAddress": california()});
        self.post(&guest, Route::UpdateAddress, 200, &place).await;
        let choice = json!({"checkoutId": id, "shippingMethodId": "us-standard"});
        self.post(&guest, Route::CalculateShipping, 200, &choice).await;
        self.post(&guest, Route::CalculateTax, 200, &json!({"checkoutId": id})).await;
        let coupon = json!({"checkoutId": id, "couponCode": "SAVE20"});
        let session = self.post(&guest, Route::ApplyCoupon, 200, &coupon).await;
        let order = self.confirm(&guest, &id, &session).await;
        self.send(Route::GetOrder, &guest.event_about(Route::GetOrder, &order), 200).await;
        self.follow(&order).await;
        self.take("reconcile", &json!({})).await;
        self.purchase.kept =
            [kept(&world, "ORDERS_TABLE", &order).await, kept(&world, "ORDER_SEARCH_TABLE", &order).await];
    }

    /// The same by a front end that sends all it knows with its first request, and asks for nothing that it was told.
    async fn sell_at_once(&mut self) {
        let world = Arc::clone(&self.world);
        let guest = world.guest();
        let opened = json!({
            "cartItems": cart(&[("espresso-beans", 2)]), "shippingAddress": california(), "shippingMethodId": "us-standard",
            "couponCodes": ["SAVE20"]
        });
        let session = self.post(&guest, Route::Initiate, 201, &opened).await;
        let order = self.confirm(&guest, id_of(&session), &session).await;
        self.follow(&order).await;
    }

    async fn confirm(&mut self, guest: &Shopper, id: &str, session: &Value) -> String {
        let card = card_confirmation(id, total_of(session), "pm_card_visa");
        let confirmed = self.post(guest, Route::ConfirmOrder, 201, &card).await;
        confirmed["order"]["orderId"].as_str().expect("an id").to_owned()
    }

    /// What Stripe and the stream tell of an order that was paid.
    async fn follow(&mut self, order: &str) {
        let world = Arc::clone(&self.world);
        let intent = world.stripe().intent_of(order).await.expect("an intent");
        let told =
            json!({"id": format!("evt_{order}"), "type": "payment_intent.succeeded", "data": {"object": intent}});
        let told = webhook(&told.to_string(), WEBHOOK_SECRET, tests::world::now());
        self.send(Route::PaymentWebhook, &told, 200).await;
        let records = of_order(stream::records(&world.tables, "ORDERS_TABLE").await, order);
        // Those of one order mostly come together: the template lets them wait for each other.
        self.take("index-orders", &json!({"Records": records})).await;
        self.purchase.events =
            Pipe::of_the_template("OrderEventsPipe", "order-changed.schema.json").passing(&records).len();
    }

    /// Stops the processes, for what they have written.
    async fn close(mut self) -> Purchase {
        let stock = stream::records(&self.world.tables, "INVENTORY_TABLE").await;
        let sold: Vec<_> = stock.into_iter().filter(|record| record["eventName"] == "MODIFY").collect();
        self.purchase.others =
            Pipe::of_the_template("StockLevelsPipe", "stock-level-changed.schema.json").passing(&sold).len();
        for (name, process) in self.processes {
            let written = process.stop().await.stdout;
            let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            self.purchase.metrics.extend(lines.iter().flat_map(metrics));
            // In the order in which it was invoked.
            let mut requests: Vec<&str> =
                lines.iter().filter_map(|line| line["function_request_id"].as_str()).collect();
            requests.dedup();
            let steps = self.purchase.steps.iter_mut().filter(|step| step.name == name);
            let ends = requests.len().checked_sub(steps.count());
            for (step, request) in
                self.purchase.steps.iter_mut().filter(|step| step.name == name).zip(&requests[ends.unwrap_or(0)..])
            {
                for line in lines.iter().filter(|line| line["function_request_id"] == *request) {
                    let bytes = as_deployed(line).to_string().len() + 1;
                    let kind = if line["_aws"].is_object() { &mut step.metric_bytes } else { &mut step.log_bytes };
                    *kind += bytes;
                }
            }
        }
        let run = self.purchase.steps.pop().expect("the reconciler's");
        self.purchase.idle_run = run;
        self.purchase
    }
}

impl Step {
    fn add(&mut self, call: &Call) {
        let capacity = call.capacity;
        match call.operation.as_str() {
            "GetItem" | "BatchGetItem" | "Query" => {
                self.gets += 1;
                self.reads += capacity.total;
            }
            "TransactWriteItems" => {
                self.transactions += 1;
                self.writes += capacity.total;
            }
            "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" => {
                self.puts += 1;
                self.writes += capacity.total;
            }
            other => panic!("{other}: is it a read or a write?"),
        }
    }
}

/// Second purchases of new processes, step by step and in as few requests as possible: the first open their connections and
/// load the scripts.
pub(super) async fn purchases() -> [Purchase; 2] {
    let mut shop = Shop::open().await;
    shop.sell().await;
    shop.sell_at_once().await;
    shop.purchase = Purchase::default();
    shop.sell_at_once().await;
    let (of_the_short, events) = (shop.purchase.steps.len(), shop.purchase.events);
    shop.sell().await;
    let mut purchase = shop.close().await;
    let steps = purchase.steps.drain(..of_the_short).collect();
    let short = Purchase { steps, events, others: purchase.others, ..Purchase::default() };
    [purchase, short]
}

fn of_order(mut records: Vec<Value>, order: &str) -> Vec<Value> {
    records.retain(|record| record["dynamodb"]["Keys"]["orderId"]["S"] == order);
    records
}

/// What a line of the local runtime would be on AWS, where names are longer, with times of a usual length.
fn as_deployed(line: &Value) -> Value {
    let mut line = line.clone();
    let members = line.as_object_mut().expect("an object");
    for (name, value) in members.iter_mut() {
        match name.as_str() {
            "function_arn" => {
                *value = json!(
                    "arn:aws:lambda:us-east-1:123456789012:function:checkout-CalculateShippingFunction-AbCdEfGhIjKl:live"
                );
            }
            "function_memory_size" => *value = json!(512),
            "timestamp" => *value = json!("2026-11-28T12:00:00.000Z"),
            "RedisMs" | "DynamoDbMs" | "PaymentsMs" => {
                // Times that are the same to the microsecond stand there once, with their count.
                let counts = value["Counts"].as_array().map(|counts| counts.iter().filter_map(Value::as_u64).sum());
                let number: u64 = counts.unwrap_or(1);
                let number = usize::try_from(number).expect("few");
                let mut usual = json!({"Values": vec![1.234; number], "Counts": vec![1; number]});
                *value = if value.is_object() { usual.take() } else { json!(1.234) };
            }
            _ if name.ends_with("_ms") && value.is_number() => *value = json!(12),
            _ => {}
        }
    }
    line
}

/// The metrics that a line makes, each once for each set of dimensions.
fn metrics(line: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
        for dimensions in directive["Dimensions"].as_array().into_iter().flatten() {
            let values = dimensions.as_array().into_iter().flatten();
            let values: Vec<_> = values.map(|name| line[name.as_str().unwrap_or_default()].to_string()).collect();
            let names = directive["Metrics"].as_array().into_iter().flatten();
            found.extend(names.map(|metric| (metric["Name"].to_string(), values.join(","))));
        }
    }
    found
}

/// Bytes of the items of an order, as `DynamoDB` counts them.
async fn kept(world: &World, table: &str, order: &str) -> usize {
    let items = world.all(table).await.into_iter();
    let of_order = items.filter(|item| item.get("orderId").and_then(|id| id.as_s().ok()).is_some_and(|id| id == order));
    of_order.map(|item| item.iter().map(|(name, value)| name.len() + bytes(value)).sum::<usize>()).sum()
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
        AttributeValue::M(members) => {
            3 + members.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>()
        }
        _ => 1,
    }
}
