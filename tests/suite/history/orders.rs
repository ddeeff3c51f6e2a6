//! Orders: staff moves them on, and their owner reads them, one by one and in lists.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use shared::http::route::Route;
use tests::{
    seed::{Dice, seeds},
    world::{Answer, Setup, Shopper, World},
};
use tokio::task::JoinSet;

use super::{
    check::{Answers, Trust, check},
    faults::{beside, trouble},
    record::{Ask, Record, Told},
};

const ORDERS: usize = 4;
const READERS: usize = 6;
const READS: usize = 16;
/// Of an order in the cache, and of a list.
const LIFE: Duration = Duration::from_secs(1);
const MOVES: [&str; 3] = ["processing", "shipped", "delivered"];

fn told(order: &Value) -> Told {
    let status = order["status"].as_str().expect("a status").to_owned();
    Told::Document { version: order["version"].as_u64().expect("a version"), fields: vec![("status", status)] }
}

fn heard(answer: &Answer) -> Told {
    match answer.status() {
        200 => told(&answer.body()["order"]),
        _ => panic!("nobody expects {}: {:#}", answer.status(), answer.body()),
    }
}

/// The order as a list has it, with any limit, so that several lists are cached.
async fn listed(guest: &Shopper, id: &str, limit: usize) -> Told {
    let event = guest.event(Route::ListOrders).query("limit", (10 + limit).to_string());
    let list = guest.send(Route::ListOrders, &event).await.expect(200);
    let orders = list["orders"].as_array().expect("a list").iter();
    told(orders.into_iter().find(|order| order["orderId"] == id).expect("it is in the list"))
}

async fn history(seed: u64, with_faults: bool) {
    let mut setup = Setup::default().unlimited();
    if with_faults {
        // Where nothing fails, a busy machine must not look like a store that does.
        setup = setup.setting("REDIS_TIMEOUT_MS", "100");
    }
    let life = LIFE.as_secs().to_string();
    let world: Arc<World> =
        setup.setting("ORDER_CACHE_SECONDS", &life).setting("ORDER_LIST_CACHE_SECONDS", &life).build().await;
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();
    let (guest, staff) = (world.guest(), world.staff());
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().expect("an id").to_owned());
    }
    let record = Arc::new(Record::new());
    let mut dice = Dice::of(seed);
    let mut clients = JoinSet::new();
    for (document, id) in orders.iter().cloned().enumerate() {
        let (record, staff, containers) = (Arc::clone(&record), staff.clone(), containers.clone());
        let mut dice = Dice::of(dice.seed());
        clients.spawn(async move {
            for status in MOVES {
                tokio::time::sleep(Duration::from_millis(dice.below(700) as u64)).await;
                let someone = staff.clone().served_by(dice.pick(&containers));
                let wish = Ask::Set { field: "status", value: status.to_owned() };
                let work = async { heard(&someone.set_status(&id, status).await) };
                record.note(READERS, document, wish, work).await;
            }
        });
    }
    for reader in 0..READERS {
        let (record, guest, orders, containers) =
            (Arc::clone(&record), guest.clone(), orders.clone(), containers.clone());
        let mut dice = Dice::of(dice.seed());
        clients.spawn(async move {
            for _ in 0..READS {
                tokio::time::sleep(Duration::from_millis(dice.below(250) as u64)).await;
                let document = dice.below(orders.len());
                let someone = guest.clone().served_by(dice.pick(&containers));
                let (list, limit) = (dice.percent(50), dice.below(3));
                let work = async {
                    let id = &orders[document];
                    if list { listed(&someone, id, limit).await } else { heard(&someone.order(id).await) }
                };
                record.note(reader, document, Ask::Read, work).await;
            }
        });
    }
    let (enough, faults) = (ORDERS * MOVES.len() + READERS * READS - 10, dice.seed());
    let recorded = || record.len();
    let done = beside(clients, with_faults.then(|| trouble(Arc::clone(&world), recorded, faults, enough, &[]))).await;

    let operations = record.operations();
    // A reader may have read the database before the change, and filled the cache right after it.
    let longest =
        operations.iter().filter(|o| !o.is_change()).map(|o| o.ended.saturating_sub(o.began)).max().unwrap_or_default();
    let trust = if with_faults { Trust::For(LIFE + longest) } else { Trust::Never };
    tokio::time::sleep(LIFE).await;
    for (document, id) in orders.iter().enumerate() {
        let last = told(&guest.order(id).await.expect(200)["order"]);
        if let Err(broken) = check(&operations, document, &last, trust, Answers::Arrive) {
            panic!("HISTORY_SEED={seed}: {broken}\nfaults: {done:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_old_order_is_shown_for_longer_than_an_entry_lives_even_if_the_cache_cant_be_told() {
    for seed in seeds("HISTORY", 4) {
        history(seed, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_every_reader_sees_every_move_at_once() {
    for seed in seeds("HISTORY", 3) {
        history(seed, false).await;
    }
}
