//! The payment provider, with every fault that it can have.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use shared::{
    app::{App, Clock},
    telemetry::counts::counting,
};
use tests::{
    answering::Answering,
    proxy::Mode,
    world::{Answer, Setup, Shopper, World, id_of, is_unfinished, total_of},
};
use uuid::Uuid;

use super::{Outcome, Table};

const FAULTS: [&str; 9] = [
    "down",
    "hung",
    "slow",
    "too slow",
    "answer lost",
    "too many requests",
    "internal error",
    "key revoked",
    "secret out of reach",
];
const VISA: &str = "pm_card_visa";

#[derive(Clone, Copy, Debug)]
enum Act {
    Confirm,
    Cancel,
    SetStatus,
    Refund,
    Receive,
    Capture,
    Webhook,
    Reconcile,
}

const ACTS: [(&str, Act); 8] = [
    ("cancel-order", Act::Cancel),
    ("capture-order", Act::Capture),
    ("confirm-order", Act::Confirm),
    ("payment-webhook", Act::Webhook),
    ("reconcile", Act::Reconcile),
    ("refund-order", Act::Refund),
    ("update-order-status", Act::SetStatus),
    ("update-return", Act::Receive),
];

/// Someone about to act, and everything that they need in place.
struct Scene {
    world: Arc<World>,
    act: Act,
    guest: Shopper,
    checkout: String,
    total: i64,
    order: String,
    id: Uuid,
}

impl Scene {
    async fn set(world: &Arc<World>, act: Act) -> Self {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
        let mut order = String::new();
        if !matches!(act, Act::Confirm) {
            if matches!(act, Act::Reconcile) {
                world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
            }
            let paid = guest.pay(&checkout, total, VISA).await;
            order = paid.body()["order"]["orderId"].as_str().expect("an order").to_owned();
            match act {
                Act::Cancel | Act::Refund | Act::Receive | Act::SetStatus => {
                    drop(world.staff().capture(&order).await.expect(200));
                }
                Act::Reconcile => world.make_due(&order).await,
                _ => {}
            }
        }
        let id = Uuid::new_v4();
        if matches!(act, Act::Receive) {
            world.staff().set_status(&order, "shipped").await.expect(200);
            guest.ask_return(&order, id, &[[0, 1]]).await.expect(201);
        }
        Self { world: Arc::clone(world), act, guest, checkout, total, order, id }
    }

    async fn act(&self, container: &Arc<App>) -> Answer {
        let guest = self.guest.clone().served_by(container);
        let staff = self.world.staff().served_by(container);
        match self.act {
            Act::Confirm => guest.pay(&self.checkout, self.total, VISA).await,
            Act::Cancel => guest.cancel(&self.order).await,
            Act::SetStatus => staff.set_status(&self.order, "cancelled").await,
            Act::Refund => staff.refund(&self.order, self.id, Some(100)).await,
            Act::Receive => staff.decide_return(&self.order, self.id, &json!({"status": "received"})).await,
            Act::Capture => staff.capture(&self.order).await,
            Act::Webhook => {
                let intent = self.world.stripe().intent_of(&self.order).await.expect("a payment");
                let id = format!("evt_{}", self.id);
                self.world.tell_to(container, &id, "payment_intent.succeeded", &intent).await
            }
            Act::Reconcile => unreachable!("it answers nobody"),
        }
    }

    /// Acts, and says what came of it: status, lines in the log.
    async fn outcome(&self, container: &Arc<App>) -> (String, u64) {
        if !matches!(self.act, Act::Reconcile) {
            let answer = self.act(container).await;
            return (answer.status().to_string(), answer.counts().payments_degraded);
        }
        let (done, counts) = counting(self.world.reconcile(container)).await;
        let done = done.expect("the table is there");
        assert_eq!((done.settled + done.open, done.failed), (1, 0));
        (if done.settled == 1 { "settled" } else { "open" }.to_owned(), counts.payments_degraded)
    }

    /// Afterwards whoever comes next finishes it.
    async fn is_finished(&self, fault: &str) {
        let container = self.world.container();
        if matches!(self.act, Act::Reconcile) {
            let orders = self.world.stored_orders().await;
            let this = orders.iter().find(|order| order["orderId"].as_s() == Ok(&self.order)).expect("an order");
            if !is_unfinished(this) {
                return;
            }
            self.world.make_due(&self.order).await;
            assert_eq!(self.outcome(&container).await, ("settled".to_owned(), 0), "{fault}");
        } else {
            let again = self.act(&container).await;
            assert!(matches!(again.status(), 200 | 201), "{fault}, {:?}: {:#}", self.act, again.body());
        }
    }
}

async fn cell(world: &Arc<World>, fault: &str, act: Act) -> String {
    let scene = Scene::set(world, act).await;
    let proxy = &world.stripe().proxy;
    let elsewhere = Answering::with("").await;
    let mut config = world.app().config.clone();
    let stripe = config.stripe.as_mut().expect("a shop that takes cards");
    match fault {
        "hung" | "too slow" => stripe.timeout = Duration::from_millis(300),
        "too many requests" | "internal error" | "key revoked" => stripe.url = elsewhere.url(""),
        "secret out of reach" => {
            let settings = [
                ("STRIPE_SECRET_KEY", String::new()),
                ("STRIPE_SECRET_KEY_FROM", "ssm:/checkout/stripe-key".to_owned()),
                ("AWS_ENDPOINT_URL_SSM", elsewhere.url("")),
            ];
            let mut with = world.settings().clone();
            with.extend(settings.map(|(name, value)| (name.to_owned(), value)));
            let vars = shared::config::vars::Vars::new(with);
            config.stripe = shared::config::Config::read(vars).expect("settings").stripe;
        }
        _ => {}
    }
    let container = Arc::new(App::new(config, Clock::System).expect("a container"));
    match fault {
        "down" => proxy.down().await,
        "hung" => proxy.set(Mode::Hang).await,
        "slow" => proxy.set(Mode::Delay(Duration::from_millis(20))).await,
        "too slow" => proxy.set(Mode::Delay(Duration::from_millis(600))).await,
        "answer lost" => proxy.drop_answers(1),
        "too many requests" => {
            elsewhere.answer(429, r#"{"error":{"type":"invalid_request_error","code":"rate_limit"}}"#);
        }
        "internal error" => elsewhere.answer(500, r#"{"error":{"type":"api_error"}}"#),
        "key revoked" => elsewhere.answer(401, r#"{"error":{"type":"invalid_request_error"}}"#),
        _ => elsewhere.answer(400, r#"{"__type":"AccessDeniedException"}"#),
    }
    let before = proxy.traffic().requests;
    let (status, degraded) = scene.outcome(&container).await;
    // Those that were sent and whose deadline was waited out.
    let timeouts = if matches!(fault, "hung" | "too slow") { proxy.traffic().requests - before } else { 0 };
    proxy.drop_answers(0);
    proxy.up().await;
    proxy.cut();
    scene.is_finished(fault).await;
    Outcome { status, degraded, timeouts }.to_string()
}

#[tokio::test]
async fn every_route_that_asks_the_provider_answers_each_of_its_faults_as_documented() {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let mut columns = Vec::new();
    for fault in FAULTS {
        let mut column = Vec::new();
        for (function, act) in ACTS {
            column.push((function, cell(&world, fault, act).await));
        }
        columns.push((fault, column));
    }
    Table::measured(columns).stands_under("Stripe");
}
