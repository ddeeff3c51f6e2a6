//! The process is killed between any two effects, and whoever comes next finishes what it began: with one counter of stock, and
//! with parts that are too small for an order.

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use shared::{app::App, http::route::Route};
use tests::{
    binaries::binary,
    event::Event,
    runtime_api::Bootstrap,
    servers::root,
    world::{Setup, Shopper, Totals, World, card_confirmation, id_of, in_lists},
};
use uuid::Uuid;

use super::{
    DECLINED, TOTAL, VISA, assert_books_balance, bought, order_id, pay, ready, reconcile::until_settled, sold,
};

const SOON: Duration = Duration::from_secs(90);

/// Whoever may come next.
#[derive(Clone, Copy, Debug)]
enum Healer {
    Client,
    Webhook,
    Reconciler,
}

/// In every order.
const HEALERS: [[Healer; 3]; 6] = {
    use Healer::{Client, Reconciler, Webhook};
    [
        [Client, Webhook, Reconciler],
        [Client, Reconciler, Webhook],
        [Webhook, Client, Reconciler],
        [Webhook, Reconciler, Client],
        [Reconciler, Client, Webhook],
        [Reconciler, Webhook, Client],
    ]
};

const PAYING: [&str; 4] = [
    "payment: before the provider",
    "payment: the provider has answered",
    "order: written, the cache not told",
    "payment: written down",
];
const RECONCILING: &str = "reconcile: about to look";
const CHANGING: [&str; 2] = ["order: nothing changed", "order: written, the cache not told"];

/// Kills a function at a point of its work on one event.
async fn killed(world: &World, function: &str, event: &Value, point: &str) {
    let mut settings = world.settings().clone();
    settings.insert("CHECKOUT_CRASH_AT".to_owned(), point.to_owned());
    let mut process = Bootstrap::start(&binary(function), &settings).await;
    let ended = process.dies_of(event).await;
    assert_eq!(ended, Some(Signal::SIGKILL as i32), "{function} lives on past {point}");
}

/// The last order of a guest, if there is one.
pub(super) async fn last_order(world: &World, guest: &Shopper) -> Option<String> {
    let owner = format!("guest#{}", guest.guest_id());
    let orders = world.stored_orders().await;
    let mut ids: Vec<_> = orders
        .iter()
        .filter(|order| order["owner"].as_s() == Ok(&owner))
        .map(|order| order["orderId"].as_s().expect("an id").clone())
        .collect();
    ids.sort();
    ids.pop()
}

/// The provider tells of the guest's last payment, if there is one. Returns what it is answered.
pub(super) async fn tell(world: &Arc<World>, guest: &Shopper) -> u16 {
    let Some(order) = last_order(world, guest).await else { return 200 };
    let Some(intent) = world.stripe().intent_of(&order).await else { return 200 };
    world.tell(&format!("evt_{}", Uuid::new_v4()), "payment_intent.changed", &intent).await.status()
}

async fn reconciler(world: &Arc<World>, container: &Arc<App>) {
    let done = world.reconcile(container).await.expect("the table is there");
    assert_eq!(done.failed, 0);
}

/// A shop with one counter of the beans, and one with 64 parts of one bag each. They take turns.
async fn shops(capture: &str) -> [Arc<World>; 2] {
    let setup = || Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", capture);
    [setup().build().await, setup().stocked("espresso-beans", 64, 64).build().await]
}

/// A customer confirms, and the process dies; the healers come in each order.
async fn confirmation_dies(card: &str, point: &str) {
    let shops = shops("automatic").await;
    for (world, healers) in shops.iter().cycle().zip(HEALERS) {
        let guest = world.guest();
        let session = ready(&guest).await;
        let token = if card == "secured" { world.stripe().secured().await } else { card.to_owned() };
        let body = card_confirmation(id_of(&session), TOTAL, &token);
        let event = guest.event(Route::ConfirmOrder).json(&body).value();
        killed(world, "confirm-order", &event, point).await;
        let mut answers = Vec::new();
        for healer in healers {
            match healer {
                Healer::Client => {
                    let answer = pay(&guest, &session, &token).await;
                    let expected: &[u16] = match card {
                        VISA => &[200, 201],
                        DECLINED => &[402],
                        _ => &[202],
                    };
                    assert!(expected.contains(&answer.status()), "{card}, {point}, {healers:?}: {:#}", answer.body());
                    answers.push(answer.body()["order"]["orderId"].clone());
                }
                Healer::Webhook => assert_eq!(tell(world, &guest).await, 200),
                Healer::Reconciler => reconciler(world, &world.container_after(SOON)).await,
            }
        }
        // Whoever asks again gets the same order.
        if card == VISA {
            let again = pay(&guest, &session, &token).await.expect(200);
            assert_eq!(again["order"]["orderId"], answers[0]);
            let orders = guest.orders().await.expect(200);
            assert_eq!(orders["orders"], json!([in_lists(&again["order"])]), "{point}, {healers:?}");
        }
    }
    for world in shops {
        until_settled(&world).await;
        assert_books_balance(&world).await;
    }
}

#[tokio::test]
async fn a_confirmation_that_dies_anywhere_is_finished_by_whoever_comes_next() {
    for point in ["confirm: nothing done", "confirm: reserved"].iter().chain(&PAYING) {
        confirmation_dies(VISA, point).await;
    }
}

#[tokio::test]
async fn a_declined_confirmation_that_dies_anywhere_gives_back_once() {
    for point in ["confirm: reserved", "payment: declined and not cancelled"].iter().chain(&PAYING) {
        confirmation_dies(DECLINED, point).await;
    }
}

#[tokio::test]
async fn a_confirmation_that_dies_while_the_bank_asks_waits_for_the_customer_and_no_longer() {
    for point in ["confirm: reserved"].iter().chain(&PAYING) {
        confirmation_dies("secured", point).await;
    }
}

/// What is asked of an order after the sale.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Cancel,
    Refund(Uuid),
    /// A refund of one bag, which is in stock again.
    RefundLine(Uuid),
    /// One bag is cancelled.
    CancelLine(Uuid),
    /// One bag has come back.
    Receive(Uuid),
    Capture,
}

impl Wish {
    fn event(self, guest: &Shopper, staff: &Shopper, order: &str) -> Event {
        match self {
            Self::Cancel => guest.event_about(Route::CancelOrder, order),
            Self::Refund(id) => {
                staff.event_about(Route::RefundOrder, order).json(&json!({"refundId": id, "amount": 1000}))
            }
            Self::RefundLine(id) => {
                let body = json!({"refundId": id, "items": [{"line": 0, "quantity": 1}], "restock": true});
                staff.event_about(Route::RefundOrder, order).json(&body)
            }
            Self::CancelLine(id) => {
                let body = json!({"cancellationId": id, "items": [{"line": 0, "quantity": 1}]});
                guest.event_about(Route::CancelOrder, order).json(&body)
            }
            Self::Receive(id) => {
                let event = staff.event_about(Route::UpdateReturn, order).path("returnId", id.to_string());
                event.json(&json!({"status": "received"}))
            }
            Self::Capture => staff.event_about(Route::CaptureOrder, order),
        }
    }

    /// What must have happened before.
    async fn prepare(self, guest: &Shopper, staff: &Shopper, order: &str) {
        if let Self::Receive(id) = self {
            staff.set_status(order, "shipped").await.expect(200);
            guest.ask_return(order, id, &[[0, 1]]).await.expect(201);
        }
    }

    /// Bags that are in stock again afterwards.
    const fn restocks(self) -> u64 {
        match self {
            Self::Cancel => 2,
            Self::RefundLine(_) | Self::CancelLine(_) | Self::Receive(_) => 1,
            Self::Refund(_) | Self::Capture => 0,
        }
    }

    async fn ask(self, guest: &Shopper, staff: &Shopper, order: &str) -> Value {
        let answer = match self {
            Self::Cancel => guest.cancel(order).await,
            Self::Refund(id) => staff.refund(order, id, Some(1000)).await,
            Self::RefundLine(id) => staff.refund_lines(order, id, &[[0, 1]], json!({"restock": true})).await,
            Self::CancelLine(id) => guest.cancel_lines(order, id, &[[0, 1]]).await,
            Self::Receive(id) => staff.decide_return(order, id, &json!({"status": "received"})).await,
            Self::Capture => staff.capture(order).await,
        };
        answer.expect(200)["order"].take()
    }
}

/// Somebody wishes for something, and the process dies; the healers come in each order.
async fn wish_dies(capture: &str, function: &str, wish: impl Fn() -> Wish, expected: (&str, i64, i64)) {
    for point in CHANGING.iter().chain(&PAYING) {
        let shops = shops(capture).await;
        for (world, healers) in shops.iter().cycle().zip(HEALERS) {
            let (guest, staff, wish) = (world.guest(), world.staff(), wish());
            let order = bought(&guest).await;
            let id = order_id(&order);
            wish.prepare(&guest, &staff, id).await;
            let sold_before = sold(world).await;
            killed(world, function, &wish.event(&guest, &staff, id).value(), point).await;
            for healer in healers {
                match healer {
                    Healer::Client => {
                        let done = wish.ask(&guest, &staff, id).await;
                        assert_eq!(done["paymentStatus"], expected.0, "{point}, {healers:?}");
                    }
                    Healer::Webhook => assert_eq!(tell(world, &guest).await, 200),
                    Healer::Reconciler => reconciler(world, &world.container_after(SOON)).await,
                }
            }
            let Totals { captured, refunded, .. } = world.stripe().totals().await[id];
            assert_eq!((captured, refunded), (expected.1, expected.2), "{point}, {healers:?}");
            assert_eq!(sold(world).await, sold_before - wish.restocks(), "{point}, {healers:?}");
        }
        for world in &shops {
            assert_books_balance(world).await;
        }
    }
}

#[tokio::test]
async fn a_cancellation_that_dies_anywhere_refunds_and_restocks_once() {
    wish_dies("automatic", "cancel-order", || Wish::Cancel, ("refunded", TOTAL, TOTAL)).await;
}

#[tokio::test]
async fn a_refund_that_dies_anywhere_is_made_once() {
    let wish = || Wish::Refund(Uuid::new_v4());
    wish_dies("automatic", "refund-order", wish, ("partially_refunded", TOTAL, 1000)).await;
}

/// One of two bags, with its share of the discount and of the tax.
const BAG: i64 = (TOTAL - 599) / 2;

#[tokio::test]
async fn a_refund_by_line_that_dies_anywhere_is_made_once_and_restocked_once() {
    let wish = || Wish::RefundLine(Uuid::new_v4());
    wish_dies("automatic", "refund-order", wish, ("partially_refunded", TOTAL, BAG)).await;
}

#[tokio::test]
async fn a_cancellation_of_units_that_dies_anywhere_refunds_and_restocks_once() {
    let wish = || Wish::CancelLine(Uuid::new_v4());
    wish_dies("automatic", "cancel-order", wish, ("partially_refunded", TOTAL, BAG)).await;
}

#[tokio::test]
async fn a_receipt_of_a_return_that_dies_anywhere_refunds_and_restocks_once() {
    let wish = || Wish::Receive(Uuid::new_v4());
    wish_dies("automatic", "update-return", wish, ("partially_refunded", TOTAL, BAG)).await;
}

#[tokio::test]
async fn a_capture_that_dies_anywhere_is_made_once() {
    wish_dies("manual", "capture-order", || Wish::Capture, ("paid", TOTAL, 0)).await;
}

#[tokio::test]
async fn a_webhook_or_a_reconciler_that_dies_anywhere_is_followed_by_another() {
    for function in ["payment-webhook", "reconcile"] {
        for point in [RECONCILING].iter().filter(|_| function == "reconcile").chain(&PAYING) {
            // The process lives in the present: what it finishes must be due by then.
            let world = Setup::default().unlimited().cards().build().await;
            let guest = world.guest();
            let session = ready(&guest).await;
            world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
            let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
            let event = if function == "reconcile" {
                world.make_due(order_id(&order)).await;
                json!({})
            } else {
                let intent = world.stripe().intent_of(order_id(&order)).await.expect("it was paid");
                let told = json!({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": intent}});
                let secret = tools::stripe_server::WEBHOOK_SECRET;
                tests::world::webhook(&told.to_string(), secret, tests::world::now()).value()
            };
            killed(&world, function, &event, point).await;
            until_settled(&world).await;
            let shown = guest.order(order_id(&order)).await.expect(200);
            assert_eq!(super::state_of(&shown["order"]), ("confirmed", "paid"), "{function}, {point}");
            assert_books_balance(&world).await;
        }
    }
}

/// Every point in the code is one at which something dies here, and has its row in the document.
#[test]
fn every_crash_point_is_died_at_and_documented() {
    let of = |text: &str, before: &str, after: &str| -> BTreeSet<String> {
        text.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0.to_owned())).collect()
    };
    let sources = ["shared/src/checkout", "shared/src/adapters"].into_iter().flat_map(|folder| {
        let files = fs::read_dir(root().join(folder)).expect("use cases and stores");
        files.map(|file| fs::read_to_string(file.expect("a file").path()).unwrap_or_default())
    });
    let points = sources.flat_map(|text| of(&text, "crash::point(\"", "\")"));
    // These have tests of their own: `operator::customer`, `checkout::abandoned` and `checkout::stock`.
    let is_elsewhere =
        |point: &String| ["erase: ", "abandon: ", "stock: "].iter().any(|begin| point.starts_with(begin));
    let points: BTreeSet<_> = points.filter(|point| !is_elsewhere(point)).collect();
    let document = fs::read_to_string(root().join("docs/PAYMENTS.md")).expect("the document");
    let table = document.split("| Killed at |").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a table");
    assert_eq!(of(table, "\n| `", "` |"), points);

    let others = ["confirm: nothing done", "confirm: reserved", "payment: declined and not cancelled"];
    let died: BTreeSet<_> =
        PAYING.iter().chain(&CHANGING).chain(&others).chain(&[RECONCILING]).map(ToString::to_string).collect();
    assert_eq!(died, points);
}
