//! The number of a limit's parts changes while the coupon is used, and so does the limit.

use serde_json::Value;
use shared::adapters::dynamodb::catalog_load::CatalogEntry;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{id_of, limited, sample_catalog},
};

use super::{CODE, assert_used_up, buy, cart, carts, confirm, load, shop};

#[tokio::test]
async fn a_load_changes_the_number_of_parts_and_the_limit_and_no_use_is_forgotten() {
    let world = shop(10, 1).await;
    let guest = world.guest();
    buy(&guest).await;
    buy(&guest).await;
    for (limit, parts, left) in
        [(10, 4, Some(8)), (30, 4, Some(28)), (5, 4, Some(3)), (5, 64, Some(3)), (5, 1, None), (7, 3, Some(5))]
    {
        load(&world, limited(CODE, limit, parts)).await;
        let by_part = world.coupon_left_by_part(CODE).await;
        assert_eq!(by_part.len(), if left.is_some() { usize::from(parts) } else { 0 }, "{limit} in {parts}");
        assert_eq!(by_part.iter().sum::<u64>(), left.unwrap_or_default(), "{limit} in {parts}");
        assert_eq!(world.coupon_uses(CODE).await, 2, "{limit} in {parts}");
    }
    // It has been used more often than it may be: nothing of it is divided, and nobody uses it until it may be used again.
    load(&world, limited(CODE, 1, 8)).await;
    assert_eq!((world.coupon_left_by_part(CODE).await, world.coupon_uses(CODE).await), (vec![], 2));
    assert_used_up(&guest).await;
    load(&world, limited(CODE, 3, 8)).await;
    assert_eq!(world.coupon_left_by_part(CODE).await.len(), 8);
    buy(&guest).await;
    assert_used_up(&guest).await;

    // Without a limit nothing is counted, and what was counted is kept.
    let mut without = limited(CODE, 3, 8);
    let coupons = without["coupons"].as_array_mut().expect("coupons");
    let coupon = coupons.last_mut().and_then(Value::as_object_mut).expect("a coupon");
    coupon.retain(|name, _| !["totalLimit", "limitParts"].contains(&name.as_str()));
    load(&world, without).await;
    buy(&guest).await;
    assert_eq!((world.coupon_left_by_part(CODE).await, world.coupon_uses(CODE).await), (vec![], 3));
    load(&world, limited(CODE, 4, 2)).await;
    buy(&guest).await;
    assert_used_up(&guest).await;
}

#[tokio::test]
async fn a_use_goes_back_to_wherever_it_is_counted_now() {
    let world = shop(20, 1).await;
    let guest = world.guest();
    let mut orders = vec![buy(&guest).await];
    let mut uses = 1;
    for parts in [8, 3, 1, 2, 1] {
        load(&world, limited(CODE, 20, parts)).await;
        for _ in 0..3 {
            orders.push(buy(&guest).await);
            uses += 1;
        }
        // The oldest, and the one before the last change.
        for at in [0, orders.len() - 4] {
            guest.cancel(&orders.remove(at)).await.expect(200);
            uses -= 1;
            assert_eq!(world.coupon_uses(CODE).await, uses, "{parts} parts");
        }
    }
    for order in &orders {
        guest.cancel(order).await.expect(200);
    }
    assert_eq!(world.coupon_uses(CODE).await, 0);
    for _ in 0..20 {
        buy(&guest).await;
    }
    assert_used_up(&guest).await;
}

#[tokio::test]
async fn a_use_is_taken_as_it_is_counted_when_it_is_written() {
    for (before, after) in [(1, 4), (4, 1), (8, 2), (2, 8)] {
        for last in [false, true] {
            let world = shop(if last { 1 } else { 9 }, before).await;
            let guest = world.guest();
            let session = cart(&guest).await;
            let (gate, other) = (Gate::closed(), world.guest());
            let other = (other.clone(), cart(&other).await);
            let hold = Rule::on("TransactWriteItems", Fault::Hold(gate.clone())).containing("orderNumber").times(1);
            let hits = world.dynamodb.add(hold);
            let buying = tokio::spawn(confirm((guest.clone(), session)));
            gate.arrived(1).await;
            load(&world, limited(CODE, if last { 1 } else { 9 }, after)).await;
            if last {
                confirm(other).await.expect(201);
            }
            gate.open();
            let answer = buying.await.expect("an answer");
            if last {
                answer.refused(409, "COUPON_LIMIT_REACHED");
            } else {
                answer.expect(201);
            }
            assert_eq!((hits.count(), world.coupon_uses(CODE).await), (1, 1), "{before} to {after}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_is_used_and_given_back_while_its_limit_and_the_number_of_its_parts_change() {
    let world = shop(40, 1).await;
    let mut uses = 0;
    for sequence in [[4, 9, 2], [1, 6, 3], [8, 1, 5]] {
        let early = world.guest();
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(buy(&early).await);
        }
        let carts = carts(&world, 8).await;
        at_once(12, |nth| {
            let (world, cart, early) = (world.clone(), carts.get(nth).cloned(), early.clone());
            let order = orders.get(nth.wrapping_sub(8)).cloned();
            async move {
                if let Some(cart) = cart {
                    confirm(cart).await.expect(201);
                } else if let Some(order) = order {
                    early.cancel(&order).await.expect(200);
                } else {
                    for (parts, limit) in sequence.into_iter().zip([55, 34, 40]) {
                        load(&world, limited(CODE, limit, parts)).await;
                    }
                }
            }
        })
        .await;
        uses += 8;
        assert_eq!(world.coupon_uses(CODE).await, uses, "{sequence:?}");
        assert_eq!(world.coupon_left_by_part(CODE).await.len(), usize::from(sequence[2]));
    }
}

#[tokio::test]
async fn a_load_that_breaks_off_forgets_no_use_and_the_next_one_finishes_it() {
    for ((limit, before), (other, after)) in [((9, 1), (9, 4)), ((9, 4), (9, 1)), ((9, 3), (12, 5))] {
        for through in 0..6 {
            let world = shop(limit, before).await;
            let guest = world.guest();
            buy(&guest).await;
            let fault = if through % 2 == 0 { Fault::AnswerLost } else { Fault::Error(400, "AccessDeniedException") };
            world.dynamodb.add(Rule::on("TransactWriteItems", fault).skip(through));
            let catalog = serde_json::from_value(limited(CODE, other, after)).expect("a catalog");
            let ended = world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await;
            world.dynamodb.clear_rules();
            assert_eq!(world.coupon_uses(CODE).await, 1, "{through} of {before} to {after}: {ended:?}");
            buy(&guest).await;
            load(&world, limited(CODE, other, after)).await;
            assert_eq!(world.coupon_uses(CODE).await, 2);
            let parts = world.coupon_left_by_part(CODE).await.len();
            assert_eq!(parts, if after == 1 { 0 } else { usize::from(after) });
        }
    }
}

#[tokio::test]
async fn a_coupon_that_comes_back_goes_on_where_it_was() {
    let world = shop(3, 4).await;
    let guest = world.guest();
    buy(&guest).await;
    load(&world, sample_catalog()).await;
    buy(&guest).await;
    let coupon = CatalogEntry::Coupon(CODE.parse().expect("a code"));
    world.app().catalog.withdraw(&coupon).await.expect("a delete");
    assert_eq!((world.coupon_left_by_part(CODE).await, world.coupon_uses(CODE).await), (vec![], 2));
    let session = guest.fill_cart(&[("gift-card-note", 1)]).await;
    guest.apply_coupon(id_of(&session), CODE).await.refused(422, "COUPON_UNKNOWN");
    load(&world, limited(CODE, 3, 1)).await;
    assert_eq!(world.coupon_uses(CODE).await, 2);
    buy(&guest).await;
    assert_used_up(&guest).await;
}

#[tokio::test]
async fn another_limit_holds_at_once_and_the_parts_stay() {
    let world = shop(20, 8).await;
    let guest = world.guest();
    for _ in 0..4 {
        buy(&guest).await;
    }
    // The counter itself takes the difference, up or down; if it can't, they are divided anew.
    for limit in [60, 40, 41, 6] {
        let session = cart(&guest).await;
        let gate = Gate::closed();
        let hold = Rule::on("TransactWriteItems", Fault::Hold(gate.clone())).containing("orderNumber").times(1);
        world.dynamodb.add(hold);
        let buying = tokio::spawn(confirm((guest.clone(), session)));
        gate.arrived(1).await;
        load(&world, limited(CODE, limit, 8)).await;
        gate.open();
        let order = buying.await.expect("an answer").expect(201);
        let left = world.coupon_left_by_part(CODE).await;
        assert_eq!((left.len(), left.iter().sum::<u64>()), (8, limit - 5), "{left:?}");
        guest.cancel(order["order"]["orderId"].as_str().expect("an id")).await.expect(200);
        assert_eq!(world.coupon_uses(CODE).await, 4, "{limit}");
    }
    buy(&guest).await;
    buy(&guest).await;
    assert_used_up(&guest).await;
    // Nobody has to look at eight parts for nothing.
    load(&world, limited(CODE, 6, 8)).await;
    assert_eq!((world.coupon_left_by_part(CODE).await, world.coupon_uses(CODE).await), (vec![], 6));
    assert_used_up(&guest).await;
}

#[tokio::test]
async fn a_load_that_dies_before_the_end_leaves_no_higher_limit_than_either() {
    for (before, after) in [(9, 3), (3, 9)] {
        for through in [0, 5, 20] {
            let world = shop(before, 4).await;
            let fault = Fault::Error(400, "AccessDeniedException");
            world.dynamodb.add(Rule::on("PutItem", fault).skip(through));
            let catalog = serde_json::from_value(limited(CODE, after, 4)).expect("a catalog");
            let ended = world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await;
            assert!(ended.is_err());
            world.dynamodb.clear_rules();
            let left: u64 = world.coupon_left_by_part(CODE).await.iter().sum();
            assert_eq!(left, 3, "{through} of {before} to {after}");
            load(&world, limited(CODE, after, 4)).await;
            assert_eq!(world.coupon_left_by_part(CODE).await.iter().sum::<u64>(), after);
        }
    }
}
