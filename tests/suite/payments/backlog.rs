//! What a run of the reconciler gets done with a slow provider: the real use case on stores of a few lines, in a time
//! that stands still while somebody works, so that the counts are exact.

mod never_asked;
mod shop;

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use shared::{
    checkout::reconcile::Reconciled,
    domain::{
        ids::OrderId,
        order::{Order, OrderStatus},
    },
};
use tokio::time::Instant;
use uuid::Uuid;

use self::shop::{BEGIN, EVERY, RUN, Shop};

/// Ten minutes without the provider leave 600 orders. The first is given up half an hour after it was placed.
#[tokio::test(start_paused = true)]
async fn six_hundred_orders_are_paid_long_before_their_limit_with_a_provider_that_takes_a_second() {
    let shop = Shop::after_an_outage(600, 10);
    let begin = Instant::now();
    let mut now = BEGIN + time::Duration::minutes(11);
    let mut runs = 0;
    while shop.open() > 0 {
        assert!(runs < 2, "{} orders are left after {runs} runs", shop.open());
        shop.run(now).await;
        runs += 1;
        now += EVERY;
    }
    assert!(shop.orders.lock().unwrap().values().all(|order| order.status == OrderStatus::Confirmed));
    assert_eq!(shop.calls.load(Ordering::SeqCst), 600, "each was asked for once");
    assert_eq!(shop.most_at_once.load(Ordering::SeqCst), 16, "as many together as Stripe's limit allows");
    // 600 calls of a second, 16 at once.
    assert_eq!(begin.elapsed().as_secs(), 600_u64.div_ceil(16));
}

/// What one run has no time for, the next one begins with.
#[tokio::test(start_paused = true)]
async fn a_run_ends_in_time_and_the_next_goes_on_with_the_longest_waiting() {
    let shop = Shop::after_an_outage(2000, 10);
    let begin = Instant::now();
    let first = shop.run(BEGIN + time::Duration::minutes(11)).await;
    assert_eq!(begin.elapsed(), RUN);
    assert_eq!(first, Reconciled { settled: 16 * 50, open: 0, failed: 0 });
    assert!(shop.put_off.lock().unwrap().is_empty());
    let settled = |order: &Order| order.payment.due().is_none();
    let youngest_settled = shop.orders.lock().unwrap().values().filter(|o| settled(o)).map(|o| o.history[0].at).max();
    let oldest_left = shop.orders.lock().unwrap().values().filter(|o| !settled(o)).map(|o| o.history[0].at).min();
    assert!(youngest_settled <= oldest_left, "the longest waiting come first, whatever their shard");
    let second = shop.run(BEGIN + time::Duration::minutes(12)).await;
    assert_eq!(second.settled, 16 * 50);
}

/// An order that the provider never answers for has its own time, and costs nobody else theirs.
#[tokio::test(start_paused = true)]
async fn an_order_that_hangs_costs_its_own_time_only() {
    let hanging = OrderId::new(Uuid::from_u128(1));
    let shop = Shop { hangs: Some(hanging), ..Shop::after_an_outage(300, 10) };
    let begin = Instant::now();
    let done = shop.run(BEGIN + time::Duration::minutes(11)).await;
    assert_eq!(done, Reconciled { settled: 299, open: 1, failed: 0 });
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}", begin.elapsed());
    assert_eq!(*shop.put_off.lock().unwrap(), BTreeMap::from([(hanging, 1)]));
    // Each time later, until its limit decides.
    for minutes in 12..40 {
        shop.run(BEGIN + time::Duration::minutes(minutes)).await;
    }
    assert_eq!(shop.open(), 0);
    let places = shop.put_off.lock().unwrap()[&hanging];
    assert!((6..=10).contains(&places), "{places} in half an hour");
    assert_eq!(shop.orders.lock().unwrap()[&hanging].status, OrderStatus::Cancelled);
}
