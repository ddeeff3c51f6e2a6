use std::sync::Arc;

use tests::servers::{self, Tables};

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
        let names: Vec<_> = tables.settings().map(|(_, name)| name).collect();
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names.iter().all(|name| listed.contains(name)), "{names:?}");
    }
    assert_ne!(first.name("ORDERS_TABLE"), second.name("ORDERS_TABLE"));
}
