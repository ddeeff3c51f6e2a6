//! Levels of stock: the shop is told of each that is reached, once, and of nothing else.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::domain::stock::StockMarks;
use tests::{
    pipe::Pipe,
    race::at_once,
    world::{Setup, World, id_of, sample_catalog, total_of, with_carts},
};
use uuid::Uuid;

pub(super) fn pipe() -> Pipe {
    Pipe::of_the_template("StockLevelsPipe", "stock-level-changed.schema.json")
}

/// A catalog whose limited print has these members, and no other mark.
pub(super) fn with_prints(more: Value) -> Value {
    let mut catalog = sample_catalog();
    let print = product(&mut catalog, "limited-print");
    if let (Some(print), Value::Object(mut more)) = (print.as_object_mut(), more) {
        print.remove("lowStockAt");
        print.append(&mut more);
    }
    catalog
}

pub(super) fn product<'a>(catalog: &'a mut Value, id: &str) -> &'a mut Value {
    let products = catalog["products"].as_array_mut().expect("products");
    products.iter_mut().find(|product| product["productId"] == id).unwrap_or_else(|| panic!("no {id}"))
}

async fn shop(prints: Value) -> Arc<World> {
    Setup::default().unlimited().catalog(with_prints(prints)).build().await
}

/// The details of all events so far, oldest first of each counter.
pub(super) async fn told(world: &World) -> Vec<Value> {
    let events = pipe().events(&world.counter_changes().await);
    events.into_iter().map(|mut event| event["detail"].take()).collect()
}

/// What was told of a product, or of a variant: the level before, the level, and what was left.
pub(super) async fn levels(world: &World, sku: &str) -> Vec<(String, String, i64)> {
    let text = |detail: &Value, name: &str| detail[name].as_str().unwrap_or_default().to_owned();
    let told = told(world).await.into_iter().filter(|detail| {
        let (name, _number) = detail["eventId"].as_str().and_then(|id| id.rsplit_once('/')).expect("a number");
        name == sku
    });
    told.map(|of| (text(&of, "levelBefore"), text(&of, "level"), of["left"].as_i64().expect("a number"))).collect()
}

pub(super) fn moved<const N: usize>(moves: [(&str, &str, i64); N]) -> Vec<(String, String, i64)> {
    moves.into_iter().map(|(before, now, left)| (before.to_owned(), now.to_owned(), left)).collect()
}

#[tokio::test]
async fn each_level_is_told_once_when_a_sale_or_a_delivery_reaches_it() {
    let backorder = json!({"limit": 3, "availableInDays": 10});
    let world = shop(json!({"stock": 12, "lowStockAt": 5, "backorder": backorder})).await;
    let (guest, staff) = (world.guest(), world.staff());
    assert_eq!(levels(&world, "limited-print").await, [], "it opens in stock");

    guest.buy(&[("limited-print", 6)]).await;
    assert_eq!(levels(&world, "limited-print").await, [], "6 are left");
    let second = guest.buy(&[("limited-print", 1)]).await;
    let mut expected = moved([("in_stock", "low", 5)]);
    assert_eq!(levels(&world, "limited-print").await, expected);
    let low = told(&world).await.pop().expect("an event");
    assert_eq!((&low["productId"], &low["variantId"]), (&json!("limited-print"), &Value::Null));
    assert_eq!((&low["lowStockAt"], low["at"].as_str().map(str::len)), (&json!(5), Some("2026-11-27T10:30:18Z".len())));

    guest.buy(&[("limited-print", 4)]).await;
    assert_eq!(levels(&world, "limited-print").await, expected, "it is low already");
    guest.buy(&[("limited-print", 1)]).await;
    let last = guest.buy(&[("limited-print", 3)]).await;
    guest.initiate(&[("limited-print", 1)]).await.refused(409, "INSUFFICIENT_STOCK");
    expected.extend(moved([("low", "backorder", 0), ("backorder", "sold_out", -3)]));
    assert_eq!(levels(&world, "limited-print").await, expected);

    // What is cancelled or delivered leads back, by whole steps or over some of them.
    let last = last["orderId"].as_str().unwrap();
    guest.cancel_lines(last, Uuid::new_v4(), &[[0, 1]]).await.expect(200);
    staff.receive("limited-print", 3, "DN-1").await.expect(201);
    guest.cancel(second["orderId"].as_str().unwrap()).await.expect(200);
    staff.receive("limited-print", 100, "DN-2").await.expect(201);
    staff.receive("limited-print", 100, "DN-3").await.expect(201);
    expected.extend(moved([("sold_out", "backorder", -2), ("backorder", "low", 1), ("low", "in_stock", 102)]));
    assert_eq!(levels(&world, "limited-print").await, expected);
    assert_eq!(world.left("limited-print").await, 202);

    // Without backorders and without a mark there are two levels.
    let world = shop(json!({"stock": 2})).await;
    let order = world.guest().buy(&[("limited-print", 2)]).await;
    let owner = world.staff();
    owner.cancel(order["orderId"].as_str().unwrap()).await.expect(200);
    let expected = moved([("in_stock", "sold_out", 0), ("sold_out", "in_stock", 2)]);
    assert_eq!(levels(&world, "limited-print").await, expected);
    assert_eq!(told(&world).await.pop().expect("an event")["lowStockAt"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_buy_at_once_reach_each_level_once_and_in_order() {
    for _ in 0..3 {
        let world = shop(json!({"stock": 12, "lowStockAt": 5})).await;
        let carts = with_carts(&world, 20, &[("limited-print", 1)]).await;
        let statuses = at_once(20, |nth| {
            let (session, guest) = carts[nth].clone();
            async move { guest.confirm(id_of(&session), total_of(&session)).await.status() }
        })
        .await;
        let sold = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!((sold, world.left("limited-print").await), (12, 0), "{statuses:?}");

        let expected = moved([("in_stock", "low", 5), ("low", "sold_out", 0)]);
        assert_eq!(levels(&world, "limited-print").await, expected);
        let numbers: Vec<u128> = told(&world)
            .await
            .iter()
            .filter(|detail| detail["productId"] == "limited-print")
            .map(|detail| detail["eventId"].as_str().unwrap().rsplit_once('/').unwrap().1.parse().unwrap())
            .collect();
        assert!(numbers.is_sorted() && numbers.len() == 2, "{numbers:?}");
    }
}

#[tokio::test]
async fn a_record_that_comes_again_is_the_same_event() {
    let world = shop(json!({"stock": 3, "lowStockAt": 1})).await;
    world.guest().buy(&[("limited-print", 2)]).await;
    world.guest().buy(&[("limited-print", 1)]).await;
    let (pipe, records) = (pipe(), world.counter_changes().await);
    let all = pipe.events(&records);
    let mut ids: Vec<_> = all.iter().map(|event| event["detail"]["eventId"].as_str().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((count, ids.len()), (3, 3), "the mug that opens sold out, low and sold out: {all:#?}");
    // However the pipe divides the stream, and however often it reads it.
    let one_by_one: Vec<_> = records.iter().filter_map(|record| pipe.event(record)).collect();
    assert_eq!(one_by_one, all);
    let twice = [records.clone(), records].concat();
    assert_eq!(pipe.events(&twice), [all.clone(), all].concat());
}

#[tokio::test]
async fn what_crosses_no_level_and_what_is_no_stock_tells_nothing() {
    let world = Setup::default().unlimited().build().await;
    let opened = world.counter_changes().await.len();
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201)["order"].take();
    assert_ne!(world.open_orders().await.len(), 0);
    guest.cancel(order["orderId"].as_str().unwrap()).await.expect(200);
    world.staff().receive("espresso-beans", 5, "DN-1").await.expect(201);

    let records = world.counter_changes().await.split_off(opened);
    let of = |begin: &str| {
        let id = |record: &Value| record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap().to_owned();
        records.iter().filter(|record| id(record).starts_with(begin)).count()
    };
    for begin in ["stock#", "stock-changes#", "coupon#", "open#"] {
        assert!(of(begin) > 0, "{begin} is not in the stream");
    }
    // A shop that has no marks pays for none of them.
    assert_eq!(pipe().passing(&records), Vec::<&Value>::new());
}

#[tokio::test]
async fn variants_are_told_by_the_counter_that_they_have() {
    let mut catalog = sample_catalog();
    let kit = product(&mut catalog, "pour-over-kit");
    (kit["variants"][0]["stock"], kit["variants"][0]["lowStockAt"]) = (json!(4), json!(2));
    let world = Setup::default().unlimited().catalog(catalog.clone()).build().await;
    let guest = world.guest();
    guest.buy(&[("pour-over-kit/white", 2), ("pour-over-kit/black", 2)]).await;
    assert_eq!(levels(&world, "pour-over-kit/white").await, moved([("in_stock", "low", 2)]));
    let low = told(&world).await.pop().expect("an event");
    assert_eq!((&low["productId"], &low["variantId"]), (&json!("pour-over-kit"), &json!("white")));
    assert_eq!(levels(&world, "pour-over-kit/black").await, []);

    let kit = product(&mut catalog, "pour-over-kit");
    (kit["stock"], kit["lowStockAt"]) = (json!(4), json!(2));
    for variant in kit["variants"].as_array_mut().unwrap() {
        variant.as_object_mut().unwrap().retain(|name, _| !["stock", "lowStockAt"].contains(&name.as_str()));
    }
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    world.guest().buy(&[("pour-over-kit/white", 1), ("pour-over-kit/black", 1)]).await;
    assert_eq!(levels(&world, "pour-over-kit").await, moved([("in_stock", "low", 2)]));
    assert_eq!(told(&world).await.pop().expect("an event")["variantId"], Value::Null);
}

#[tokio::test]
async fn a_counter_without_marks_is_told_when_nothing_is_left_and_one_that_is_deleted_not_at_all() {
    let world = Setup::default().unlimited().build().await;
    let (table, inventory) = (world.tables.client(), world.tables.name("INVENTORY_TABLE"));
    let id = AttributeValue::S("stock#limited-print".to_owned());
    let bare = table.put_item().table_name(&inventory).item("id", id.clone());
    bare.item("available", AttributeValue::N("1".to_owned())).send().await.expect("a write");
    world.guest().buy(&[("limited-print", 1)]).await;
    let expected = moved([("in_stock", "sold_out", 0)]);
    assert_eq!(levels(&world, "limited-print").await, expected);
    table.delete_item().table_name(inventory).key("id", id).send().await.expect("a write");
    assert_eq!(levels(&world, "limited-print").await, expected);
}

/// The sum of the parts decides, and each run of the reconciler looks at it.
#[tokio::test]
async fn a_stock_in_parts_is_told_by_its_sum() {
    let world = shop(json!({"stock": 12, "lowStockAt": 5, "stockParts": 4})).await;
    let (guest, staff) = (world.guest(), world.staff());
    let run = async || world.reconcile(world.app()).await.expect("a run");
    run().await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(guest.buy(&[("limited-print", 1)]).await);
    }
    run().await;
    assert_eq!(levels(&world, "limited-print").await, [], "each part is below the mark, and the sum is not");
    guest.buy(&[("limited-print", 1)]).await;
    run().await;
    let mut expected = moved([("in_stock", "low", 5)]);
    assert_eq!(levels(&world, "limited-print").await, expected);
    run().await;
    guest.buy(&[("limited-print", 5)]).await;
    run().await;
    run().await;
    expected.extend(moved([("low", "sold_out", 0)]));
    assert_eq!(levels(&world, "limited-print").await, expected, "once");
    guest.cancel(orders[0]["orderId"].as_str().unwrap()).await.expect(200);
    run().await;
    staff.receive("limited-print", 20, "DN-1").await.expect(201);
    run().await;
    expected.extend(moved([("sold_out", "low", 1), ("low", "in_stock", 21)]));
    assert_eq!(levels(&world, "limited-print").await, expected);
    let told = told(&world).await.pop().expect("an event");
    assert_eq!((&told["productId"], &told["variantId"]), (&json!("limited-print"), &Value::Null));
}

/// Every pair of images of one counter: the filter lets each through whose level differs, and the function decides as the
/// command does that shows the level.
#[test]
fn the_pipe_and_the_command_mean_the_same_levels() {
    let mut images = Vec::new();
    for left in [-3, -2, -1, 0, 1, 2, 3, 5, 6] {
        for low_stock_at in [None, Some(2), Some(5)] {
            images.extend([0, -2].map(|sold_out_at| (left, StockMarks { low_stock_at, sold_out_at })));
        }
    }
    let image = |(left, marks): &(i64, StockMarks)| {
        let number = |number: i64| json!({ "N": number.to_string() });
        let mut image = json!({"id": {"S": "stock#tea"}, "available": number(*left)});
        if let Some(low) = marks.low_stock_at {
            image["lowStockAt"] = number(low);
        }
        if marks.sold_out_at != 0 {
            image["soldOutAt"] = number(marks.sold_out_at);
        }
        image
    };
    let level = |(left, marks): &(i64, StockMarks)| -> &'static str { marks.level(*left).into() };
    let pairs = || images.iter().flat_map(|old| images.iter().map(move |new| (old, new)));
    let record = |(number, (old, new)): (usize, (&_, &_))| {
        json!({"eventName": "MODIFY", "dynamodb": {"Keys": {"id": {"S": "stock#tea"}}, "OldImage": image(old),
               "NewImage": image(new), "SequenceNumber": number.to_string(), "ApproximateCreationDateTime": 1_795_775_418}})
    };
    let records: Vec<Value> = pairs().enumerate().map(record).collect();
    let told = pipe().events(&records);
    let told: Vec<_> = told.iter().map(|event| (&event["detail"]["levelBefore"], &event["detail"]["level"])).collect();
    let levels: Vec<[Value; 2]> = pairs().map(|(old, new)| [json!(level(old)), json!(level(new))]).collect();
    let expected: Vec<_> = levels.iter().filter(|[old, new]| old != new).map(|[old, new]| (old, new)).collect();
    assert_eq!(told, expected);

    let mut others = records.clone();
    for record in &mut others {
        record["dynamodb"]["Keys"]["id"]["S"] = json!("stock-changes#tea");
    }
    assert_eq!(pipe().passing(&others), Vec::<&Value>::new(), "it is no counter of stock");
}
