use std::{sync::Arc, time::Duration};

use redis::AsyncCommands;
use tests::{keys::Keys, proxy::FaultProxy, servers, tables::Tables};

#[test]
fn tests_at_the_same_time_share_a_server() {
    let (first, second) = (servers::redis(), servers::redis());
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn each_test_has_tables_of_its_own() {
    let (first, second) = (Tables::create().await, Tables::create().await);
    let listed = first.client().list_tables().into_paginator().items().send();
    let listed: Vec<_> = listed.collect::<Result<_, _>>().await.unwrap();

    for tables in [&first, &second] {
        let settings = tables.settings();
        assert_eq!(settings.len(), servers::template().tables.len(), "{settings:?}");
        assert!(settings.values().all(|name| listed.contains(name)), "{settings:?}");
    }
    assert_ne!(first.name("ORDERS_TABLE"), second.name("ORDERS_TABLE"));
}

#[tokio::test]
async fn each_test_has_keys_of_its_own() {
    let (first, second) = (Keys::reserve(), Keys::reserve());
    let mut redis = first.connection().await;
    for keys in [&first, &second] {
        let () = redis.set(format!("{}key", keys.prefix()), 1).await.unwrap();
    }

    first.clear();

    assert!(first.all().is_empty());
    assert_eq!(second.all(), ["key"]);
    second.clear();
}

#[tokio::test]
async fn a_command_whose_answer_is_dropped_took_effect() {
    let keys = Keys::reserve();
    let proxy = FaultProxy::before(keys.address()).await;
    let client = redis::Client::open(format!("redis://{}", proxy.address())).unwrap();
    let mut behind = client.get_multiplexed_async_connection().await.unwrap();
    let counter = format!("{}counter", keys.prefix());

    proxy.drop_answers_to("INCR", 1);
    let answer = tokio::time::timeout(Duration::from_secs(5), behind.incr::<_, _, i64>(&counter, 1)).await;

    answer.expect("a reset is noticed at once").expect_err("the answer is lost");
    assert_eq!(keys.connection().await.get::<_, i64>(&counter).await.unwrap(), 1);
    keys.clear();
}
