//! Stock that is counted in parts: sold to the last unit, never beyond it, and given back to where it came from.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::domain::counter::Counter;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Setup, Shopper, World, id_of, sample_catalog, total_of, with_carts},
};
use uuid::Uuid;

use super::{
    super::races::{Fleet, all_before_any},
    levels::product,
};

/// The sample catalog with so many prints, in so many parts.
pub(super) fn prints(stock: u64, parts: u8) -> Value {
    let mut catalog = sample_catalog();
    let print = product(&mut catalog, "limited-print");
    (print["stock"], print["stockParts"]) = (json!(stock), json!(parts));
    catalog
}

async fn shop(stock: u64, parts: u8) -> Arc<World> {
    Setup::default().unlimited().catalog(prints(stock, parts)).build().await
}

pub(super) fn order_id(order: &Value) -> &str {
    order["orderId"].as_str().expect("an order's id")
}

/// What an order has written down of the parts it took from.
async fn taken(world: &World, order: &str) -> Vec<(usize, u32)> {
    let orders = world.stored_orders().await;
    let order = orders.iter().find(|of| of["orderId"].as_s().is_ok_and(|id| id == order)).expect("it is there");
    let reserved = order["reservedStock"].as_l().expect("a list")[0].as_m().expect("a map");
    let parts = reserved.get("parts").map(|parts| parts.as_l().expect("a list").as_slice()).unwrap_or_default();
    let number = |part: &aws_sdk_dynamodb::types::AttributeValue, name: &str| -> u32 {
        part.as_m().expect("a map")[name].as_n().expect("a number").parse().expect("a small one")
    };
    parts.iter().map(|part| (number(part, "part") as usize, number(part, "units"))).collect()
}

#[tokio::test]
async fn a_sale_takes_from_one_part_and_what_is_cancelled_goes_back_to_it() {
    let world = shop(40, 8).await;
    let opened = world.left_by_part("limited-print").await;
    assert_eq!(opened, [5; 8]);
    let guest = world.guest();
    let mut parts = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let order = guest.buy(&[("limited-print", 3)]).await;
        let id = order_id(&order);
        let [(part, 3)] = taken(&world, id).await[..] else { panic!("one part") };
        parts.insert(part);
        let mut left = opened.clone();
        left[part] = 2;
        assert_eq!(world.left_by_part("limited-print").await, left);

        guest.cancel_lines(id, Uuid::new_v4(), &[[0, 1]]).await.expect(200);
        left[part] = 3;
        assert_eq!(world.left_by_part("limited-print").await, left, "one of three");
        assert_eq!(taken(&world, id).await, [(part, 3)]);
        guest.cancel(id).await.expect(200);
        assert_eq!(world.left_by_part("limited-print").await, opened);
    }
    assert_eq!(parts.len(), 8, "whoever comes next takes from the next part");
}

#[tokio::test]
async fn an_order_takes_from_several_parts_when_one_has_too_little_and_all_of_it_can_be_sold() {
    let world = shop(10, 4).await;
    let (guest, staff) = (world.guest(), world.staff());
    let opened = world.left_by_part("limited-print").await;
    assert_eq!(opened.iter().sum::<i64>(), 10);
    let short = guest.initiate(&[("limited-print", 11)]).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!(short["problems"][0]["available"], 10);
    let order = guest.buy(&[("limited-print", 9)]).await;
    let id = order_id(&order);
    let parts = taken(&world, id).await;
    assert!(parts.len() > 2 && parts.iter().map(|(_, units)| units).sum::<u32>() == 9, "{parts:?}");
    let short = guest.initiate(&[("limited-print", 2)]).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!(short["problems"][0]["available"], 1);
    let last = guest.buy(&[("limited-print", 1)]).await;
    guest.initiate(&[("limited-print", 1)]).await.refused(409, "INSUFFICIENT_STOCK");
    let event = guest.event_about(shared::http::route::Route::GetProduct, "limited-print").query("currency", "USD");
    let shown = guest.send(shared::http::route::Route::GetProduct, &event).await.expect(200);
    assert!(shown.to_string().contains("sold_out"), "{shown:#}");

    // Unit by unit, all back to where they came from.
    for _ in 0..9 {
        guest.cancel_lines(id, Uuid::new_v4(), &[[0, 1]]).await.expect(200);
    }
    guest.cancel(order_id(&last)).await.expect(200);
    assert_eq!(world.left_by_part("limited-print").await, opened);

    // A delivery is spread.
    assert_eq!(staff.receive("limited-print", 30, "DN-1").await.expect(201)["available"], 40);
    assert_eq!(world.left_by_part("limited-print").await, [10; 4]);
}

/// What each of these answered, and that exactly what there was is sold.
fn sold_exactly(answers: &[tests::world::Answer], stock: usize) {
    let sold = answers.iter().filter(|answer| answer.status() == 201).count();
    for answer in answers.iter().filter(|answer| answer.status() != 201) {
        answer.clone().refused(409, "INSUFFICIENT_STOCK");
    }
    assert_eq!(sold, stock);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_units_are_all_sold_and_no_more_whoever_comes_at_once() {
    for parts in [2, 4, 16] {
        let world = shop(6, parts).await;
        let (fleet, staff) = (Fleet::of(&world, 4), world.staff());
        for round in 0..6 {
            let carts = with_carts(&world, 16, &[("limited-print", 1)]).await;
            let confirm = |nth: usize| {
                let (session, guest) = carts[nth].clone();
                let guest = guest.served_by(fleet.container(nth));
                async move { guest.confirm(id_of(&session), total_of(&session)).await }
            };
            let answers = if round % 2 == 0 {
                at_once(16, confirm).await
            } else {
                all_before_any(&world, "TransactWriteItems", 16, confirm).await
            };
            sold_exactly(&answers, 6);
            assert_eq!(world.left_by_part("limited-print").await, vec![0; parts.into()], "round {round}");
            staff.receive("limited-print", 6, &format!("DN-{round}")).await.expect(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_several_units_that_meet_leave_less_than_any_of_them_wants() {
    for round in 0..6 {
        let world = shop(20, 8).await;
        let carts = with_carts(&world, 10, &[("limited-print", 3)]).await;
        let answers = at_once(10, |nth| {
            let (session, guest) = carts[nth].clone();
            async move { guest.confirm(id_of(&session), total_of(&session)).await }
        })
        .await;
        sold_exactly(&answers, 6);
        assert_eq!(world.left("limited-print").await, 2, "round {round}");
    }
}

#[tokio::test]
async fn a_unit_that_moves_while_the_parts_are_read_is_not_missed() {
    let world = shop(0, 2).await;
    world.staff().receive("limited-print", 1, "DN-1").await.expect(201);
    let guest = world.guest();
    // It is in the other part when the counter is read, and in the counter when that part is.
    let moved = world.app().catalog.clone();
    let sku = Counter::Stock("limited-print".parse().expect("a name"));
    let parts = world.left_by_part("limited-print").await;
    if parts == [1, 0] {
        assert!(moved.move_units(&sku, 1, 1, deadline()).await.expect("a move"));
    }
    let gate = Gate::closed();
    let hits =
        world.dynamodb.add(Rule::on("BatchGetItem", Fault::Hold(gate.clone())).containing("stock-part#").times(1));
    let buying = tokio::spawn({
        let guest = guest.clone();
        async move { guest.initiate(&[("limited-print", 1)]).await }
    });
    gate.arrived(1).await;
    assert!(moved.move_units(&sku, 1, -1, deadline()).await.expect("a move"));
    gate.open();
    buying.await.expect("an answer").expect(201);
    assert_eq!(hits.count(), 1);
}

pub(super) fn deadline() -> tokio::time::Instant {
    tokio::time::Instant::now() + std::time::Duration::from_secs(20)
}

#[tokio::test]
async fn without_redis_it_sells_too_and_a_part_that_others_write_is_left_alone() {
    let world = shop(40, 4).await;
    let guest = world.guest();
    world.redis.down().await;
    for _ in 0..3 {
        guest.buy(&[("limited-print", 1)]).await;
    }
    world.redis.up().await;
    assert_eq!(world.left("limited-print").await, 37);

    // Whoever meets another on a part tries the next.
    world.dynamodb.forget_calls();
    let hits = world.dynamodb.add(Rule::on("TransactWriteItems", Fault::TransactionConflict).times(1));
    guest.buy(&[("limited-print", 1)]).await;
    assert_eq!((hits.count(), world.left("limited-print").await), (1, 36));
}

#[tokio::test]
async fn an_answer_that_is_lost_takes_and_gives_back_once() {
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs] {
        let catalog = prints(8, 8);
        let world = Setup::default().unlimited().catalog(catalog).hasty_under_faults(800).build().await;
        let guest = world.guest();
        // The first form of the transaction fails, because no part has two; the answer to the second is lost.
        let session = guest.fill_cart(&[("limited-print", 2)]).await;
        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).skip(1).times(1));
        let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
        assert_eq!(hits.count(), 1);
        let id = order_id(&order["order"]);
        assert_eq!((world.stored_orders().await.len(), world.left("limited-print").await), (1, 6));
        assert_eq!(taken(&world, id).await.len(), 2);

        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(1));
        guest.cancel(id).await.expect(200);
        assert_eq!((hits.count(), world.left_by_part("limited-print").await), (1, vec![1; 8]), "{fault:?}");
    }
}

#[tokio::test]
async fn one_part_costs_what_it_cost_and_several_no_call_of_the_database_more() {
    async fn calls(world: &Arc<World>, guest: &Shopper) -> (std::collections::BTreeMap<String, usize>, u64) {
        guest.buy(&[("limited-print", 1)]).await;
        let session = guest.fill_cart(&[("limited-print", 1)]).await;
        world.dynamodb.forget_calls();
        let before = world.redis.traffic().requests;
        guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
        (world.dynamodb.counts(), world.redis.traffic().requests - before)
    }
    let (one, several) = (shop(100, 1).await, shop(100, 8).await);
    let (one, several) = (calls(&one, &one.guest()).await, calls(&several, &several.guest()).await);
    assert_eq!(one.0, several.0);
    assert!(several.1 <= one.1 + 1, "it asks whose turn it is, mostly together with what it asks anyway");
}

#[tokio::test]
async fn an_order_of_more_parts_than_a_transaction_takes_is_placed() {
    let mut catalog = prints(64, 64);
    // No more than may be paid at the door.
    product(&mut catalog, "limited-print")["prices"] = json!({"USD": 100});
    let beans = product(&mut catalog, "espresso-beans");
    (beans["stock"], beans["stockParts"], beans["prices"]) = (json!(64), json!(64), json!({"USD": 100}));
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let guest = world.guest();
    assert_eq!(world.left_by_part("espresso-beans").await, [1; 64]);
    let order = guest.buy(&[("limited-print", 62), ("espresso-beans", 60)]).await;
    assert_eq!((world.left("limited-print").await, world.left("espresso-beans").await), (2, 4));
    guest.cancel(order_id(&order)).await.expect(200);
    assert_eq!((world.left("limited-print").await, world.left("espresso-beans").await), (64, 64));
}
