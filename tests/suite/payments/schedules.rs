//! Random schedules: everybody acts in any order, dies anywhere, and loses answers; then the books balance. Half of them buy
//! from one counter of stock, and half from parts that are too small for an order.
//!
//! `PAYMENT_SEEDS` runs more of them, `PAYMENT_FIRST` later ones, `PAYMENT_SEED` one of them again.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::{app::App, crash::dying_at, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    seed::{Dice, seeds},
    world::{Setup, Shopper, World, card_confirmation, id_of, is_unfinished, total_of},
};
use uuid::Uuid;

use super::{
    DECLINED, VISA,
    lines::shown::{counted, money_adds_up, status_is_true},
    ready, sold,
};

/// Schedules that share a shop and its containers.
const TOGETHER: usize = 20;

#[derive(Clone, Copy, Debug)]
enum Act {
    Pay,
    Cancel,
    Refund,
    Capture,
    Webhook,
    Reconcile,
    Bank {
        success: bool,
    },
    /// With another card, while the first may wait for its customer.
    PayOther,
    CancelUnit,
    RefundUnit,
    ShipUnit,
    /// A unit comes back, if one was shipped.
    ReturnUnit,
    /// Somebody refunds in the Dashboard.
    Dashboard,
    /// The customer objects at the bank.
    Dispute,
    /// The bank decides about it.
    Decide {
        won: bool,
    },
}

/// What befalls an act.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Fine,
    /// It dies at its n-th point.
    Dies(usize),
    /// The provider does what it is asked, and nobody hears of it.
    ProviderMute,
    /// The database does what it is asked, and nobody hears of it.
    DatabaseMute,
    ProviderGone,
}

struct Schedule {
    seed: u64,
    card: &'static str,
    acts: Vec<(Act, Fate)>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PAYMENT_SEED={} ({}): {:?}", self.seed, self.card, self.acts)
    }
}

impl Schedule {
    fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let card = *dice.pick(&[VISA, VISA, VISA, DECLINED, "secured", "secured", "debit"]);
        let length = 2 + dice.below(8);
        // It begins with somebody who pays.
        let mut acts = vec![(Act::Pay, Self::fate(&mut dice))];
        for _ in 0..length {
            let act = match dice.below(20) {
                0..3 => Act::Pay,
                3..5 => Act::Cancel,
                5 => Act::Refund,
                6 => Act::Capture,
                7 => Act::Webhook,
                8..10 => Act::Reconcile,
                10 => Act::PayOther,
                11 => Act::CancelUnit,
                12 => Act::RefundUnit,
                13 => Act::ShipUnit,
                14 => Act::ReturnUnit,
                15 => Act::Dashboard,
                16 => *dice.pick(&[Act::Dispute, Act::Decide { won: true }, Act::Decide { won: false }]),
                _ => Act::Bank { success: dice.percent(70) },
            };
            acts.push((act, Self::fate(&mut dice)));
        }
        Self { seed, card, acts }
    }

    fn fate(dice: &mut Dice) -> Fate {
        match dice.below(10) {
            0..4 => Fate::Fine,
            4..8 => Fate::Dies(dice.below(8)),
            8 => Fate::ProviderMute,
            _ => *dice.pick(&[Fate::DatabaseMute, Fate::ProviderGone]),
        }
    }

    async fn run(&self, shop: &mut Shop) {
        let world = &Arc::clone(&shop.world);
        let guest = world.guest();
        let session = ready(&guest).await;
        let token = match self.card {
            "secured" => world.stripe().secured().await,
            "debit" => world.stripe().confirmation_token("us_bank_account").await,
            card => card.to_owned(),
        };
        let mut minute = 0;
        for (act, fate) in &self.acts {
            minute += 2;
            let container = shop.container_after(minute);
            match fate {
                Fate::ProviderMute => world.stripe().proxy.drop_answers_to("POST /v1", 1),
                Fate::ProviderGone => world.stripe().proxy.down().await,
                Fate::DatabaseMute => {
                    // In parts, the first transaction of an order often finds too little in one.
                    let skips = usize::from(shop.is_split && matches!(act, Act::Pay) && self.seed % 4 == 2);
                    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::AnswerLost).skip(skips).times(1));
                }
                _ => {}
            }
            let work = self.act(*act, world, &container, &guest, &session, &token);
            match fate {
                Fate::Dies(nth) => drop(dying_at(*nth, work).await),
                _ => work.await,
            }
            world.stripe().proxy.drop_answers(0);
            world.stripe().proxy.up().await;
            world.dynamodb.clear_rules();
        }
    }

    async fn act(
        &self,
        act: Act,
        world: &Arc<World>,
        container: &Arc<App>,
        guest: &Shopper,
        session: &Value,
        token: &str,
    ) {
        let order = super::crashes::last_order(world, guest).await;
        let guest = guest.clone().served_by(container);
        let staff = world.staff().served_by(container);
        let answer = match (act, &order) {
            (Act::Pay, _) => {
                let mut body = card_confirmation(id_of(session), total_of(session), token);
                body["paymentMethod"] = json!(if self.card == "debit" { "us_bank_account" } else { "card" });
                guest.post(Route::ConfirmOrder, &body).await
            }
            (Act::PayOther, _) => {
                let other = world.stripe().token("4242424242424242").await;
                guest.pay(id_of(session), total_of(session), &other).await
            }
            (Act::CancelUnit, Some(order)) => guest.cancel_lines(order, Uuid::new_v4(), &[[0, 1]]).await,
            (Act::RefundUnit, Some(order)) => {
                staff.refund_lines(order, Uuid::new_v4(), &[[0, 1]], json!({"restock": true})).await
            }
            (Act::ShipUnit, Some(order)) => staff.fulfill(order, Uuid::new_v4(), &[[0, 1]]).await,
            (Act::ReturnUnit, Some(order)) => {
                let id = Uuid::new_v4();
                staff.ask_return(order, id, &[[0, 1]]).await;
                staff.decide_return(order, id, &json!({"status": "received", "restock": true, "refund": true})).await
            }
            (Act::Dashboard | Act::Dispute | Act::Decide { .. }, Some(order)) => {
                elsewhere(world, order, act).await;
                return;
            }
            (Act::Cancel, Some(order)) => guest.cancel(order).await,
            (Act::Refund, Some(order)) => staff.refund(order, Uuid::new_v4(), Some(1000)).await,
            (Act::Capture, Some(order)) => staff.capture(order).await,
            (Act::Webhook, Some(_)) => {
                assert!(matches!(super::crashes::tell(world, &guest).await, 200 | 503), "{self}");
                return;
            }
            (Act::Reconcile, _) => {
                let _ = world.reconcile(container).await;
                return;
            }
            (Act::Bank { success }, Some(order)) => {
                if let Some(intent) = world.stripe().intent_of(order).await {
                    let secret = intent["client_secret"].as_str().expect("a secret");
                    match intent["status"].as_str() {
                        Some("requires_action") => drop(world.stripe().authenticate(secret, success).await),
                        Some("processing") => drop(world.stripe().settle(order, success).await),
                        _ => {}
                    }
                }
                return;
            }
            (_, None) => return,
        };
        let code = answer.code().unwrap_or_default();
        assert!(answer.status() < 500 || answer.status() == 503, "{self}, {act:?}: {:#}", answer.body());
        assert_ne!(code, "INTERNAL_ERROR", "{self}");
    }
}

/// What happens to a payment without the shop.
async fn elsewhere(world: &World, order: &str, act: Act) {
    const PART: i64 = 700;
    let totals = world.stripe().totals().await.get(order).copied().unwrap_or_default();
    let disputes = world.stripe().disputes_of(order).await;
    let taken = disputes.iter().map(|of| of["balance_transactions"].as_array().map_or(0, Vec::len) % 2).sum::<usize>();
    let has_rest = totals.captured - totals.refunded - i64::try_from(taken).expect("few") * PART >= PART;
    match act {
        Act::Dashboard if has_rest && taken == 0 => drop(world.stripe().refund_in_dashboard(order, Some(PART)).await),
        Act::Dispute if has_rest => {
            drop(world.stripe().dispute(order, disputes.len(), PART, "needs_response", 1).await);
        }
        Act::Decide { won } if taken > 0 => {
            let (status, moves) = if won { ("won", 2) } else { ("lost", 1) };
            let open = |of: &Value| of["status"] == "needs_response";
            // Newest first.
            if let Some(at) = disputes.iter().rev().position(open) {
                world.stripe().dispute(order, at, PART, status, moves).await;
            }
        }
        _ => {}
    }
}

/// A shop, with a container for each minute that somebody lives in: they are dear to make.
struct Shop {
    world: Arc<World>,
    is_split: bool,
    containers: BTreeMap<u64, Arc<App>>,
}

impl Shop {
    async fn open(capture: &str, is_split: bool) -> Self {
        let setup = Setup::default().unlimited().cards().setting("PAYMENT_METHODS", "card,us_bank_account");
        let setup = setup.setting("PAYMENT_CAPTURE", capture);
        let setup = match capture {
            _ if !is_split => setup,
            "manual" => setup.stocked("espresso-beans", 47, 8),
            // No part has the two units of an order.
            _ => setup.stocked("espresso-beans", 64, 64),
        };
        Self { world: setup.build().await, is_split, containers: BTreeMap::new() }
    }

    fn container_after(&mut self, minutes: u64) -> Arc<App> {
        let container = self.containers.entry(minutes);
        Arc::clone(container.or_insert_with(|| self.world.container_after(Duration::from_secs(60 * minutes))))
    }

    async fn banks_decide_and_events_come(&self, minutes: u64) {
        let stripe = self.world.stripe();
        for order in self.world.stored_orders().await {
            let id = order["orderId"].as_s().expect("a text");
            let Some(mut intent) = stripe.intent_of(id).await else { continue };
            if intent["status"] == "processing" {
                intent = stripe.settle(id, true).await;
            }
            let kind = if intent["status"] == "succeeded" { "succeeded" } else { "canceled" };
            let event = format!("evt_{id}_{minutes}");
            self.world.tell(&event, &format!("payment_intent.{kind}"), &intent).await;
            let charge = json!({"object": "charge", "payment_intent": intent["id"]});
            self.world.tell(&format!("{event}_ledger"), "charge.refunded", &charge).await;
        }
    }

    /// Time goes on until nobody has anything to do any more.
    async fn comes_to_rest(&mut self, schedule: &Schedule) {
        for minutes in (25..130).step_by(5) {
            let container = self.container_after(minutes);
            self.banks_decide_and_events_come(minutes).await;
            let done = self.world.reconcile(&container).await.expect("the table is there");
            assert_eq!(done.failed, 0, "{schedule}");
            // A debit that has just begun isn't looked at for hours.
            let orders = self.world.stored_orders().await;
            let status = |of: usize| orders[of]["status"].as_s().expect("a text").as_str();
            if (0..orders.len()).all(|of| !is_unfinished(&orders[of]) && status(of) != "pending") {
                return;
            }
        }
        panic!("{schedule}: something is due for ever");
    }
}

/// When everybody has come to rest, each order shows the provider's truth, its own numbers add up, and stock is what the
/// standing units have taken.
async fn everything_adds_up(world: &Arc<World>, schedule: &Schedule) {
    let totals = world.stripe().totals().await;
    let mut taken = 0;
    for stored in world.stored_orders().await {
        let text = |name: &str| stored[name].as_s().expect("a text").as_str();
        let (id, owner) = (text("orderId"), text("owner"));
        let guest = world.guest().known_as_guest(owner.strip_prefix("guest#").expect("a guest"));
        let order = guest.order(id).await.expect(200)["order"].take();
        let lines = counted(&order).unwrap_or_else(|error| panic!("{schedule}: {error}"));
        money_adds_up(&order).unwrap_or_else(|error| panic!("{schedule}: {error}"));
        status_is_true(&order, &lines).unwrap_or_else(|error| panic!("{schedule}: {error}"));
        taken += lines.iter().map(|line| line.ordered - line.restocked).sum::<u64>();

        let of = |name: &str| order["payment"][name].as_i64().unwrap_or_default();
        let provider = totals.get(id).copied().unwrap_or_default();
        let shown = (of("capturedAmount"), of("refundedAmount"));
        assert_eq!(shown, (provider.captured, provider.refunded), "{schedule}: {order:#}");
        assert!(provider.intents <= 1, "{schedule}");
        let disputes = world.stripe().disputes_of(id).await;
        let withdrawn = disputes.iter().filter(|of| of["balance_transactions"].as_array().map_or(0, Vec::len) % 2 == 1);
        let withdrawn: i64 = withdrawn.map(|of| of["amount"].as_i64().expect("an amount")).sum();
        assert_eq!(of("disputedAmount"), withdrawn, "{schedule}: {order:#}");
        let moved = |name: &str| -> i64 {
            let history = order["payment"]["history"].as_array().into_iter().flatten();
            history.filter_map(|event| event[name].as_i64()).sum()
        };
        assert_eq!(moved("received") - moved("paidBack"), of("netAmount"), "{schedule}: {order:#}");
        if order["status"] == "cancelled" {
            assert_eq!(of("netAmount"), of("owedAmount"), "{schedule}: {order:#}");
            assert!(of("owedAmount") == 0 || !disputes.is_empty(), "{schedule}: {order:#}");
        } else {
            assert_ne!(order["status"], "pending", "{schedule}: {order:#}");
        }
    }
    assert_eq!(sold(world).await, taken, "{schedule}: stock says what the orders say");
    world.assert_parts_add_up("espresso-beans").await;
    world.assert_open_orders_add_up().await;
    let standing =
        world.stored_orders().await.iter().filter(|order| order["status"].as_s().unwrap() != "cancelled").count();
    assert_eq!(world.own_uses("ONEEACH").await, [standing, standing], "{schedule}: coupons say what the orders say");
}

#[expect(clippy::print_stdout, reason = "libtest shows it where the test fails: how to do it again")]
#[tokio::test]
async fn whatever_happens_the_books_balance() {
    let mut shops = BTreeMap::<_, Vec<u64>>::new();
    for seed in seeds("PAYMENT", 60) {
        let capture = if seed % 3 == 0 { "manual" } else { "automatic" };
        shops.entry((capture, seed % 2 == 0)).or_default().push(seed);
    }
    for ((capture, is_split), seeds) in shops {
        for seeds in seeds.chunks(TOGETHER) {
            let mut shop = Shop::open(capture, is_split).await;
            for seed in seeds {
                let schedule = Schedule::of(*seed);
                println!("{schedule}");
                schedule.run(&mut shop).await;
                shop.comes_to_rest(&schedule).await;
                everything_adds_up(&shop.world, &schedule).await;
            }
        }
    }
}
