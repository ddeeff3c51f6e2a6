//! The number of a stock's parts changes while it sells, and no unit is lost or added.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    domain::stock::{StockDecision, StockOrder, StockWish},
    ports::{ChangeId, Stock as _},
};
use tests::{
    dynamo_faults::{Fault, Rule},
    race::at_once,
    world::{Setup, World, id_of, total_of, with_carts},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    levels::{levels, moved, product},
    parts::{deadline, order_id, prints},
};

async fn load(world: &World, catalog: Value, reset: &[&str]) {
    let catalog = serde_json::from_value(catalog).expect("a catalog");
    let reset = reset.iter().map(|sku| sku.parse().expect("a name")).collect();
    world.app().catalog.load_catalog(&catalog, &reset, || ()).await.unwrap_or_else(|error| panic!("{error:?}"));
}

async fn shop(stock: u64, parts: u8) -> Arc<World> {
    Setup::default().unlimited().catalog(prints(stock, parts)).build().await
}

#[tokio::test]
async fn a_load_changes_the_number_of_parts_and_nothing_else() {
    let world = shop(50, 1).await;
    world.guest().buy(&[("limited-print", 2)]).await;
    for parts in [1, 2, 7, 64, 3, 1, 5, 1] {
        load(&world, prints(50, parts), &[]).await;
        let left = world.left_by_part("limited-print").await;
        assert_eq!((left.len(), left.iter().sum::<i64>()), (usize::from(parts), 48));
        let (least, most) = (left.iter().min().unwrap(), left.iter().max().unwrap());
        assert!(most - least <= i64::from(parts), "they are even: {left:?}");
        // What it opens with is set anew where that is asked for.
        load(&world, prints(50, parts), &["limited-print"]).await;
        assert_eq!(world.left("limited-print").await, 50);
        world.guest().buy(&[("limited-print", 2)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sales_deliveries_and_returns_go_on_while_the_number_changes() {
    let world = shop(60, 1).await;
    let mut expected = 60;
    for (round, sequence) in [[4, 9, 2], [1, 6, 3], [8, 1, 5]].into_iter().enumerate() {
        let bought = world.guest();
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(order_id(&bought.buy(&[("limited-print", 2)]).await).to_owned());
        }
        let carts = with_carts(&world, 10, &[("limited-print", 1)]).await;
        at_once(15, |nth| {
            let (world, cart, order) =
                (world.clone(), carts.get(nth).cloned(), orders.get(nth.wrapping_sub(10)).cloned());
            let bought = bought.clone();
            async move {
                if let Some((session, guest)) = cart {
                    guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
                } else if let Some(order) = order {
                    bought.cancel(&order).await.expect(200);
                } else if nth == 13 {
                    world.staff().receive("limited-print", 7, &format!("DN-{round}")).await.expect(201);
                } else {
                    for parts in sequence {
                        load(&world, prints(60, parts), &[]).await;
                    }
                }
            }
        })
        .await;
        expected += 7 - 10;
        let left = world.left_by_part("limited-print").await;
        assert_eq!((left.iter().sum::<i64>(), left.len()), (expected, usize::from(sequence[2])), "{left:?}");
        assert!(left.iter().all(|left| *left >= 0), "{left:?}");
    }
}

#[tokio::test]
async fn what_came_from_a_part_that_is_no_more_there_goes_to_the_counter() {
    let world = shop(24, 1).await;
    let guest = world.guest();
    let old = guest.buy(&[("limited-print", 2)]).await;
    load(&world, prints(24, 8), &[]).await;
    let mut orders = vec![old];
    for _ in 0..8 {
        orders.push(guest.buy(&[("limited-print", 1)]).await);
    }
    let several = guest.buy(&[("limited-print", 5)]).await;
    assert_eq!(world.left("limited-print").await, 24 - 15);
    load(&world, prints(24, 3), &[]).await;
    for unit in 0..5 {
        guest.cancel_lines(order_id(&several), Uuid::new_v4(), &[[0, 1]]).await.expect(200);
        assert_eq!(world.left("limited-print").await, 24 - 14 + unit);
    }
    for order in &orders {
        guest.cancel(order_id(order)).await.expect(200);
        guest.cancel(order_id(order)).await.expect(200);
    }
    let left = world.left_by_part("limited-print").await;
    assert_eq!((left.len(), left.iter().sum::<i64>()), (3, 24), "{left:?}");
}

/// However many of its writes go through.
#[tokio::test]
async fn a_change_that_breaks_off_loses_nothing_and_the_next_one_finishes_it() {
    for (before, after) in [(1, 4), (4, 1), (3, 5)] {
        for through in 0..6 {
            let world = shop(21, before).await;
            world.guest().buy(&[("limited-print", 1)]).await;
            let fault = if through % 2 == 0 { Fault::AnswerLost } else { Fault::Error(400, "AccessDeniedException") };
            world.dynamodb.add(Rule::on("TransactWriteItems", fault).skip(through));
            let catalog = serde_json::from_value(prints(21, after)).expect("a catalog");
            let ended = world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await;
            world.dynamodb.clear_rules();
            let left = world.left_by_part("limited-print").await;
            assert_eq!(left.iter().sum::<i64>(), 20, "{through} of {before} to {after}: {ended:?}, {left:?}");
            world.guest().buy(&[("limited-print", 1)]).await;
            load(&world, prints(21, after), &[]).await;
            let left = world.left_by_part("limited-print").await;
            assert_eq!((left.len(), left.iter().sum::<i64>()), (usize::from(after), 19), "{left:?}");
        }
    }
}

/// The counter has as many as before, and another part has more.
#[tokio::test]
async fn a_count_is_not_written_if_the_counter_has_been_split_since_it_was_read() {
    let world = shop(7, 1).await;
    let (guest, sku) = (world.guest(), "limited-print".parse().expect("a name"));
    let order = guest.buy(&[("limited-print", 2)]).await;
    let (stock, at) = (&world.app().catalog, OffsetDateTime::now_utc());
    let mut counter = stock.counter(&sku).await.expect("a read");
    load(&world, prints(7, 2), &[]).await;
    guest.cancel(order_id(&order)).await.expect(200);
    let [5, others] = world.left_by_part("limited-print").await[..] else { panic!("as it was read") };
    assert!(others > 0);

    let wish = StockWish::Set(3);
    let count = StockOrder { wish, reference: "C-1".into(), reason: "count".into(), by: "ada".into(), at };
    let decided = counter.change(count).expect("it may be counted");
    let StockDecision::Make(change) = decided else { panic!("{decided:?}") };
    let written = stock.write(&sku, &change, &counter, ChangeId(Uuid::new_v4()), deadline()).await.expect("an answer");
    assert_eq!((written, world.left("limited-print").await), (false, 7));
}

/// More was sold than is there, and the shop sells no more beyond it.
#[tokio::test]
async fn a_stock_that_is_owed_can_be_counted_in_parts() {
    let mut catalog = prints(2, 1);
    let print = product(&mut catalog, "limited-print");
    print.as_object_mut().expect("a product").remove("stockParts");
    print["backorder"] = json!({"limit": 10, "availableInDays": 5});
    let owing = Setup::default().unlimited().catalog(catalog).build().await;
    let guest = owing.guest();
    let order = guest.buy(&[("limited-print", 5)]).await;
    load(&owing, prints(2, 4), &[]).await;
    assert_eq!(owing.left_by_part("limited-print").await, [-3, 0, 0, 0]);
    guest.initiate(&[("limited-print", 1)]).await.refused(409, "INSUFFICIENT_STOCK");
    owing.staff().receive("limited-print", 2, "DN-1").await.expect(201);
    guest.initiate(&[("limited-print", 1)]).await.refused(409, "INSUFFICIENT_STOCK");
    owing.staff().receive("limited-print", 5, "DN-2").await.expect(201);
    guest.buy(&[("limited-print", 4)]).await;
    guest.initiate(&[("limited-print", 1)]).await.refused(409, "INSUFFICIENT_STOCK");
    guest.cancel(order_id(&order)).await.expect(200);
    load(&owing, prints(2, 1), &[]).await;
    assert_eq!(owing.left_by_part("limited-print").await, [5]);
}

/// It was told as whole meanwhile.
#[tokio::test]
async fn a_stock_that_gets_parts_again_is_told_from_where_it_is() {
    let world = shop(8, 4).await;
    let (guest, staff) = (world.guest(), world.staff());
    let run = async || world.reconcile(world.app()).await.expect("a run");
    run().await;
    load(&world, prints(8, 1), &[]).await;
    guest.buy(&[("limited-print", 8)]).await;
    let told = levels(&world, "limited-print").await;
    assert_eq!(told.last().map(|(_, level, _)| level.as_str()), Some("sold_out"), "{told:?}");
    load(&world, prints(8, 4), &[]).await;
    staff.receive("limited-print", 8, "DN-1").await.expect(201);
    run().await;
    let mut told = levels(&world, "limited-print").await;
    assert_eq!(told.pop().into_iter().collect::<Vec<_>>(), moved([("sold_out", "in_stock", 8)]), "{told:?}");
}
