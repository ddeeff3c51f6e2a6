//! Whether a step asks more of its stores when there is more of everything, by counts: small sizes of what
//! `cargo run -p tests --example growth` and `--example worth` measure.

use tests::{
    growth::{assert_flat, lines, orders, sessions, waiting},
    worth::{Load, saved},
};

#[tokio::test]
async fn a_cart_of_fifty_lines_is_as_many_calls_as_one_of_one_line() {
    assert_flat(&lines(&[1, 50]).await);
}

#[tokio::test]
async fn an_owner_with_a_thousand_orders_asks_for_no_more_than_one_with_a_page_of_them() {
    assert_flat(&orders(&[1, 100, 1_000]).await);
}

#[tokio::test]
async fn a_session_among_a_thousand_takes_what_one_alone_takes() {
    assert_flat(&sessions(&[1, 1_000]).await);
}

#[tokio::test]
async fn of_fifty_orders_that_wait_for_the_reconciler_each_takes_what_one_takes() {
    assert_flat(&waiting(&[1, 50]).await);
}

/// The promise is 60 to 80 % fewer.
#[tokio::test]
async fn under_a_mixed_load_the_cache_saves_most_reads_of_the_database() {
    let load = Load { owners: 10, orders_of_each: 10, requests: 400, rate: 1.0, changes: 5, lists: 40, seed: 1 };
    let saved = saved(load).await;
    let (calls, units) = saved.percent();
    assert!(calls >= 60.0 && units >= 60.0, "{calls} % of the calls, {units} % of the units: {saved:#?}");
}
