//! Loads of the catalog: they write where levels begin, and leave what is counted.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{
    dynamo_faults::{Fault, Rule},
    race::at_once,
    world::{Setup, World, id_of, sample_catalog, total_of, with_carts},
};

use super::levels::{levels, moved, product, told, with_prints};

async fn load(world: &World, catalog: Value, reset: &[&str]) {
    let catalog = serde_json::from_value(catalog).expect("a catalog");
    let reset = reset.iter().map(|sku| sku.parse().expect("a name")).collect();
    world.app().catalog.load_catalog(&catalog, &reset, || ()).await.unwrap_or_else(|error| panic!("{error:?}"));
}

/// Every item of the table, by its id.
async fn counters(world: &World) -> BTreeMap<String, HashMap<String, AttributeValue>> {
    let all = world.all("INVENTORY_TABLE").await.into_iter();
    all.map(|item| (item["id"].as_s().expect("a text").clone(), item)).collect()
}

async fn shop(prints: Value) -> Arc<World> {
    Setup::default().unlimited().catalog(with_prints(prints)).build().await
}

#[tokio::test]
async fn a_load_that_moves_a_mark_tells_the_level_that_changes_by_it_and_counts_nothing() {
    let world = shop(json!({"stock": 12})).await;
    world.guest().buy(&[("limited-print", 2)]).await;
    let mut expected = Vec::new();
    for (mark, change) in [
        (json!({"lowStockAt": 9}), None),
        (json!({"lowStockAt": 10}), Some(("in_stock", "low"))),
        (json!({"lowStockAt": 500}), None),
        // Taken off, it is in stock again.
        (json!({}), Some(("low", "in_stock"))),
    ] {
        let mut members = json!({"stock": 12});
        members.as_object_mut().unwrap().append(mark.clone().as_object_mut().unwrap());
        load(&world, with_prints(members), &[]).await;
        expected.extend(change.map(|(before, now)| (before.to_owned(), now.to_owned(), 10)));
        assert_eq!(levels(&world, "limited-print").await, expected, "{mark}");
        assert_eq!(world.left("limited-print").await, 10);
    }

    // More may be sold of the mug, and then no more.
    assert_eq!(levels(&world, "sold-out-mug").await, moved([("in_stock", "sold_out", 0)]), "as it was opened");
    let mut catalog = sample_catalog();
    product(&mut catalog, "sold-out-mug")["backorder"] = json!({"limit": 2, "availableInDays": 5});
    load(&world, catalog.clone(), &[]).await;
    world.guest().buy(&[("sold-out-mug", 1)]).await;
    load(&world, sample_catalog(), &[]).await;
    let expected = [("in_stock", "sold_out", 0), ("sold_out", "backorder", 0), ("backorder", "sold_out", -1)];
    assert_eq!(levels(&world, "sold-out-mug").await, moved(expected));
}

#[tokio::test]
async fn a_load_that_changes_nothing_tells_nothing_and_a_reset_keeps_the_marks() {
    let members = json!({"stock": 12, "lowStockAt": 5, "backorder": {"limit": 3, "availableInDays": 10}});
    let world = shop(members.clone()).await;
    world.guest().buy(&[("limited-print", 8)]).await;
    world.staff().receive("espresso-beans", 7, "DN-1").await.expect(201);
    let (before, events) = (counters(&world).await, told(&world).await);
    let marks = |counters: &BTreeMap<String, HashMap<String, AttributeValue>>| {
        let number = |name: &str| counters["stock#limited-print"][name].as_n().cloned().expect("a number");
        [number("lowStockAt"), number("soldOutAt")]
    };
    assert_eq!(marks(&before), ["5", "-3"]);

    load(&world, with_prints(members.clone()), &[]).await;
    assert_eq!(counters(&world).await, before);
    assert_eq!(told(&world).await, events);

    load(&world, with_prints(members), &["limited-print"]).await;
    assert_eq!(levels(&world, "limited-print").await, moved([("in_stock", "low", 4), ("low", "in_stock", 12)]));
    assert_eq!(marks(&counters(&world).await), ["5", "-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_while_the_shop_sells_lose_no_sale_and_wait_for_those_under_way() {
    let world = shop(json!({"stock": 100})).await;
    let carts = with_carts(&world, 10, &[("limited-print", 1)]).await;
    at_once(14, |nth| {
        let (world, cart) = (world.clone(), carts.get(nth).cloned());
        async move {
            if let Some((session, guest)) = cart {
                guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
            } else {
                load(&world, with_prints(json!({"stock": 100, "lowStockAt": nth})), &[]).await;
            }
        }
    })
    .await;
    assert_eq!(world.left("limited-print").await, 90);

    let hits = world.dynamodb.add(Rule::on("UpdateItem", Fault::TransactionConflict).times(3));
    load(&world, with_prints(json!({"stock": 100, "lowStockAt": 95})), &[]).await;
    assert_eq!(hits.count(), 3);
    assert_eq!(levels(&world, "limited-print").await, moved([("in_stock", "low", 90)]));
}

#[tokio::test]
async fn a_load_that_breaks_off_is_finished_by_the_next() {
    let world = Setup::default().unlimited().build().await;
    let catalog = with_prints(json!({"stock": 5, "lowStockAt": 5}));
    let file = serde_json::from_value(catalog.clone()).expect("a catalog");
    world.dynamodb.add(Rule::on("UpdateItem", Fault::AnswerLost).skip(2));
    assert!(world.app().catalog.load_catalog(&file, &[].into(), || ()).await.is_err());
    world.dynamodb.clear_rules();
    load(&world, catalog, &[]).await;
    assert_eq!(levels(&world, "limited-print").await, moved([("in_stock", "low", 5)]));
}
