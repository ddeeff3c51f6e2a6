//! Stock in one counter and in parts: buyers, cancellations, deliveries, and loads that change the number of parts. Each unit is
//! sold once, and who is told that it is sold out is told the truth.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shared::app::App;
use tests::{
    seed::{Dice, seeds},
    world::{Answer, Setup, Shopper, World, id_of, number, restocked, sample_catalog, stocked, total_of},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::counter::{Did, Record, a_moment, opened, to_the_end, until_known};

const PRINT: &str = "limited-print";
const BUYERS: usize = 6;
const WISHES: usize = 7;
const DELIVERIES: usize = 3;

/// Tries to buy. The order, and its units that stand.
async fn buy(guest: &Shopper, units: u32, record: &Record) -> Option<(String, u32)> {
    let (opened, began) = opened(guest, PRINT, units).await;
    let refused = |answer: Answer, began: Instant| {
        answer.refused(409, "INSUFFICIENT_STOCK");
        record.note(Did::WasRefused, units, began);
    };
    if opened.status() != 201 {
        refused(opened, began);
        return None;
    }
    let session = opened.body().clone();
    let first = Instant::now();
    let (known, last) = until_known(|| {
        let (guest, session) = (guest.clone(), session.clone());
        async move { guest.confirm(id_of(&session), total_of(&session)).await }
    })
    .await;
    if known.status() != 201 && known.status() != 200 {
        refused(known, last);
        return None;
    }
    record.note(Did::Took, units, first);
    let order = known.body()["order"]["orderId"].as_str().expect("an id").to_owned();
    Some((order, units))
}

/// Gives back an order, or one unit of it. Returns how many units of it stand.
async fn give_back(guest: &Shopper, (order, units): (&str, u32), whole: bool, record: &Record) -> u32 {
    let (began, id) = (Instant::now(), Uuid::new_v4());
    let back = if whole { units } else { 1 };
    let (answer, _) = until_known(|| {
        let (guest, order) = (guest.clone(), order.to_owned());
        async move { if whole { guest.cancel(&order).await } else { guest.cancel_lines(&order, id, &[[0, 1]]).await } }
    })
    .await;
    answer.expect(200);
    record.note(Did::GaveBack, back, began);
    units - back
}

async fn load(container: &App, units: u64, parts: u8) -> bool {
    let file = serde_json::from_value(stocked(sample_catalog(), PRINT, units, parts)).expect("a catalog");
    container.catalog.load_catalog(&file, &[].into(), || ()).await.is_ok()
}

/// One buyer's life.
async fn lives(world: Arc<World>, containers: Vec<Arc<App>>, seed: u64, record: Arc<Record>) {
    let mut dice = Dice::of(seed);
    let guest = world.guest();
    let mut orders: Vec<(String, u32)> = Vec::new();
    for _ in 0..WISHES {
        let someone = guest.clone().served_by(dice.pick(&containers));
        if !orders.is_empty() && dice.percent(45) {
            let at = dice.below(orders.len());
            let (order, units) = orders.swap_remove(at);
            let whole = units == 1 || dice.percent(60);
            let units = give_back(&someone, (&order, units), whole, &record).await;
            orders.extend((units > 0).then_some((order, units)));
        } else {
            let units = 1 + u32::try_from(dice.below(3)).expect("few");
            orders.extend(buy(&someone, units, &record).await);
        }
    }
}

async fn history(seed: u64, with_faults: bool) {
    let mut dice = Dice::of(seed);
    // A few seeds have them all.
    let parts = [1, 2, 5, 16][usize::try_from(seed % 4).expect("few")];
    let units = 5 + dice.below(12) as u64;
    let (delivers, changes) = (dice.percent(60), dice.percent(60));
    let mut setup = Setup::default().unlimited().stocked(PRINT, units, parts);
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
    if delivers {
        let (world, record) = (Arc::clone(&world), Arc::clone(&record));
        let mut dice = Dice::of(dice.seed());
        clients.spawn(async move {
            let staff = world.staff();
            for nth in 0..DELIVERIES {
                tokio::time::sleep(Duration::from_millis(dice.below(300) as u64)).await;
                let (units, began) = (1 + dice.below(5), Instant::now());
                let (answer, _) = until_known(|| {
                    let staff = staff.clone();
                    async move { staff.receive(PRINT, units as u64, &format!("DN-{nth}")).await }
                })
                .await;
                assert!(matches!(answer.status(), 200 | 201), "{:#}", answer.body());
                record.note(Did::Delivered, u32::try_from(units).expect("few"), began);
            }
        });
    }
    if changes {
        let container = world.container();
        let mut dice = Dice::of(dice.seed());
        clients.spawn(async move {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(dice.below(300) as u64)).await;
                let parts = *dice.pick(&[1, 3, 4, 9]);
                // One that breaks off leaves another number.
                while !load(&container, units, parts).await {
                    a_moment().await;
                }
            }
        });
    }
    let faults = (with_faults, dice.seed(), BUYERS * WISHES - 10);
    let done = to_the_end(&world, clients, &record, faults).await;

    let told = format!("HISTORY_SEED={seed}: {units} in {parts}, delivers: {delivers}, changes: {changes}, {done:?}");
    let opened = i64::try_from(units).expect("few");
    record.refusals_are_true(opened).unwrap_or_else(|lie| panic!("{told}: {lie}"));
    let change = |delivered| record.change(delivered);
    let left = world.left_by_part(PRINT).await;
    assert!(left.iter().all(|left| *left >= 0), "{told}: {left:?}");
    assert_eq!(left.iter().sum::<i64>(), opened + change(true) + change(false), "{told}: {left:?}");
    let mut held = 0;
    for order in world.stored_orders().await {
        let reserved = order["reservedStock"].as_l().expect("a list")[0].as_m().expect("a map");
        held += number(reserved, "units") - restocked(&order);
    }
    assert_eq!(i64::try_from(held).expect("few"), -change(false), "{told}");
    if !delivers && !changes {
        world.assert_parts_add_up(PRINT).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_each_unit_is_sold_once_and_nobody_is_told_a_lie() {
    for seed in seeds("HISTORY", 4) {
        history(seed, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_nobody_is_told_that_it_is_sold_out_while_enough_is_left() {
    for seed in seeds("HISTORY", 3) {
        history(seed, false).await;
    }
}
