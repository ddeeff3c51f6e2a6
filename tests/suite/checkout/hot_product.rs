//! One product that everybody wants, in the model of contention: who gets it. How fast, and after how many attempts, depends on
//! the machine, so `--example hot` measures it.

use std::time::Duration;

use tests::{
    dynamo_faults::Contention,
    hot::{Sale, Wanted, sell},
};

/// As on AWS with 20 ms and 1,000 units, forty times as slow: so that a busy machine's own delays are small beside it.
const SLOW: Contention = Contention { hold: Duration::from_millis(800), units_per_second: 25 };
/// Eighty times as slow, for what counts attempts: a part's turn comes again a second after it is free, and not half of one.
const SLOWER: Contention = Contention { hold: Duration::from_millis(1600), units_per_second: 13 };
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn in_32_parts_hardly_anyone_is_sent_away() {
    let sale = Sale {
        wanted: Wanted::Product,
        parts: 32,
        stock: 1000,
        contention: SLOWER,
        buyers: 200,
        rate: 12.5,
        patience: 2 * PATIENCE,
    };
    let told = sell(sale).await;
    assert_eq!((told.sold + told.busy, told.sold_out), (200, 0), "{told:?}");
    assert!(told.busy < 3, "{told:?}");
    assert!(told.attempts_of(99) <= 3, "{told:?}");
    assert_eq!(told.left, 1000 - i64::try_from(told.sold).expect("few"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_hundred_are_all_sold_to_twice_as_many_who_want_them() {
    let sale = Sale {
        wanted: Wanted::Product,
        parts: 32,
        stock: 100,
        contention: SLOW,
        buyers: 200,
        rate: 25.0,
        patience: 2 * PATIENCE,
    };
    let told = sell(sale).await;
    assert_eq!((told.sold, told.sold_out, told.busy, told.left), (100, 100, 0, 0), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_hundred_uses_of_a_coupon_are_all_made_by_twice_as_many_who_want_them() {
    let (wanted, patience) = (Wanted::Coupon, 2 * PATIENCE);
    let sale = Sale { wanted, parts: 32, stock: 100, contention: SLOW, buyers: 200, rate: 25.0, patience };
    let told = sell(sale).await;
    assert_eq!((told.sold, told.sold_out, told.busy, told.left), (100, 100, 0, 0), "{told:?}");
}

/// Ten times as many as one counter takes: those who are let in are as many as ever, and the others don't take their place.
#[tokio::test(flavor = "multi_thread")]
async fn ten_times_as_many_as_it_takes_are_turned_away_without_a_storm() {
    let sale = Sale {
        wanted: Wanted::Product,
        parts: 1,
        stock: 1000,
        contention: SLOW,
        buyers: 75,
        rate: 12.0,
        patience: Duration::from_secs(6),
    };
    let told = sell(sale).await;
    assert_eq!((told.sold + told.busy, told.sold_out), (75, 0), "{told:?}");
    assert!(told.sold > 0, "{told:?}");
    assert_eq!(told.left, 1000 - i64::try_from(told.sold).expect("few"));
}
