//! A coupon's limit in one counter and in parts: buyers, cancellations, and loads that raise the limit and change the number of
//! parts. Each use is made once, and who is told that it is used up is told the truth.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shared::app::App;
use tests::{
    seed::{Dice, seeds},
    world::{Answer, Setup, Shopper, World, id_of, limited, total_of},
};
use tokio::task::JoinSet;

use super::counter::{Did, Record, a_moment, opened, to_the_end, until_known};

const CODE: &str = "RUSH";
const BUYERS: usize = 6;
const WISHES: usize = 7;

fn refused(answer: &Answer, record: &Record, began: Instant) {
    let code = answer.code().unwrap_or_default();
    assert!(["COUPON_LIMIT_REACHED", "COUPON_NO_LONGER_VALID"].contains(&code), "{answer:#?}");
    record.note(Did::WasRefused, 1, began);
}

/// Tries to buy with the coupon. The order.
async fn buy(guest: &Shopper, record: &Record) -> Option<String> {
    let session = opened(guest, "gift-card-note", 1).await.0.expect(201);
    let (on, began) = until_known(|| {
        let (guest, session) = (guest.clone(), session.clone());
        async move { guest.apply_coupon(id_of(&session), CODE).await }
    })
    .await;
    if on.status() != 200 {
        refused(&on, record, began);
        return None;
    }
    let session = on.body().clone();
    let first = Instant::now();
    let (known, last) = until_known(|| {
        let (guest, session) = (guest.clone(), session.clone());
        async move { guest.confirm(id_of(&session), total_of(&session)).await }
    })
    .await;
    if known.status() != 201 && known.status() != 200 {
        refused(&known, record, last);
        return None;
    }
    record.note(Did::Took, 1, first);
    Some(known.body()["order"]["orderId"].as_str().expect("an id").to_owned())
}

async fn give_back(guest: &Shopper, order: &str, record: &Record) {
    let began = Instant::now();
    let (answer, _) = until_known(|| {
        let (guest, order) = (guest.clone(), order.to_owned());
        async move { guest.cancel(&order).await }
    })
    .await;
    answer.expect(200);
    record.note(Did::GaveBack, 1, began);
}

/// One buyer's life.
async fn lives(world: Arc<World>, containers: Vec<Arc<App>>, seed: u64, record: Arc<Record>) {
    let mut dice = Dice::of(seed);
    let guest = world.guest();
    let mut orders: Vec<String> = Vec::new();
    for _ in 0..WISHES {
        let someone = guest.clone().served_by(dice.pick(&containers));
        if !orders.is_empty() && dice.percent(45) {
            let order = orders.swap_remove(dice.below(orders.len()));
            give_back(&someone, &order, &record).await;
        } else {
            orders.extend(buy(&someone, &record).await);
        }
    }
}

/// Loads this limit in so many parts. One that breaks off leaves another number.
async fn load(container: &App, limit: u64, parts: u8) {
    let file = serde_json::from_value(limited(CODE, limit, parts)).expect("a catalog");
    while container.catalog.load_catalog(&file, &[].into(), || ()).await.is_err() {
        a_moment().await;
    }
}

async fn history(seed: u64, with_faults: bool) {
    let mut dice = Dice::of(seed);
    // A few seeds have them all.
    let parts = [4, 1, 16, 2][usize::try_from(seed % 4).expect("few")];
    let opened = 4 + dice.below(9) as u64;
    let (raises, changes) = (dice.percent(50), dice.percent(70));
    let mut setup = Setup::default().unlimited().catalog(limited(CODE, opened, parts));
    if with_faults {
        setup = setup.setting("REDIS_TIMEOUT_MS", "100");
    }
    let world = setup.build().await;
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();
    let record = Arc::new(Record::default());
    let mut clients = JoinSet::new();
    for _ in 0..BUYERS {
        clients.spawn(lives(Arc::clone(&world), containers.clone(), dice.seed(), Arc::clone(&record)));
    }
    if raises || changes {
        let (container, record) = (world.container(), Arc::clone(&record));
        let (mut dice, mut limit, mut parts) = (Dice::of(dice.seed()), opened, parts);
        clients.spawn(async move {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(dice.below(300) as u64)).await;
                let more = if raises { 1 + dice.below(3) as u64 } else { 0 };
                if changes {
                    parts = *dice.pick(&[1, 3, 4, 9]);
                }
                limit += more;
                let began = Instant::now();
                load(&container, limit, parts).await;
                record.note(Did::Delivered, u32::try_from(more).expect("few"), began);
            }
        });
    }
    let faults = (with_faults, dice.seed(), BUYERS * WISHES - 10);
    let done = to_the_end(&world, clients, &record, faults).await;

    let told = format!("HISTORY_SEED={seed}: {opened} in {parts}, raises: {raises}, changes: {changes}, {done:?}");
    let opened = i64::try_from(opened).expect("few");
    record.refusals_are_true(opened).unwrap_or_else(|lie| panic!("{told}: {lie}"));
    let uses = i64::try_from(world.coupon_uses(CODE).await).expect("few");
    assert_eq!(uses, -record.change(false), "{told}");
    assert!(uses <= opened + record.change(true), "{told}: {uses}");
    let orders = world.stored_orders().await;
    let stand = orders.iter().filter(|order| order["status"].as_s().is_ok_and(|status| status != "cancelled"));
    assert_eq!(i64::try_from(stand.count()).expect("few"), uses, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_each_use_is_made_once_and_nobody_is_told_a_lie() {
    for seed in seeds("HISTORY", 4) {
        history(seed, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_nobody_is_told_that_it_is_used_up_while_uses_are_left() {
    for seed in seeds("HISTORY", 4) {
        history(seed, false).await;
    }
}
