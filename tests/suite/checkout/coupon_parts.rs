//! A coupon's total limit that is counted in parts: used to the last time, never beyond it, and given back to where it came from.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Answer, Setup, Shopper, World, id_of, limited, sample_catalog, total_of},
};

use super::races::{Fleet, all_before_any};

const CODE: &str = "RUSH";

async fn shop(limit: u64, parts: u8) -> Arc<World> {
    Setup::default().unlimited().catalog(limited(CODE, limit, parts)).build().await
}

async fn load(world: &World, catalog: Value) {
    let catalog = serde_json::from_value(catalog).expect("a catalog");
    world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await.unwrap_or_else(|error| panic!("{error:?}"));
}

/// A cart with the coupon on.
async fn cart(guest: &Shopper) -> Value {
    let session = guest.fill_cart(&[("gift-card-note", 1)]).await;
    guest.apply_coupon(id_of(&session), CODE).await.expect(200)
}

async fn carts(world: &Arc<World>, count: usize) -> Vec<(Shopper, Value)> {
    at_once(count, |_| {
        let guest = world.guest();
        async move { (guest.clone(), cart(&guest).await) }
    })
    .await
}

async fn confirm((guest, session): (Shopper, Value)) -> Answer {
    guest.confirm(id_of(&session), total_of(&session)).await
}

async fn buy(guest: &Shopper) -> String {
    let order = confirm((guest.clone(), cart(guest).await)).await.expect(201);
    order["order"]["orderId"].as_str().expect("an id").to_owned()
}

/// Which part an order has written down.
async fn part_of(world: &World, order: &str) -> Option<usize> {
    let orders = world.stored_orders().await;
    let order = orders.iter().find(|of| of["orderId"].as_s().is_ok_and(|id| id == order)).expect("it is there");
    let hold = order["reservedCoupons"].as_l().expect("a list")[0].as_m().expect("a map");
    hold.get("part").map(|part| part.as_n().expect("a number").parse().expect("a small one"))
}

fn is_used_up(answer: &Answer) -> bool {
    answer.status() == 409 && ["COUPON_LIMIT_REACHED", "COUPON_NO_LONGER_VALID"].contains(&answer.code().unwrap_or(""))
}

async fn assert_used_up(guest: &Shopper) {
    let session = guest.fill_cart(&[("gift-card-note", 1)]).await;
    guest.apply_coupon(id_of(&session), CODE).await.refused(422, "COUPON_LIMIT_REACHED");
}

#[tokio::test]
async fn a_use_is_taken_from_one_part_and_goes_back_to_it() {
    let world = shop(8, 4).await;
    assert_eq!(world.coupon_left_by_part(CODE).await, [2; 4]);
    let guest = world.guest();
    let mut orders = Vec::new();
    for nth in 1..=8 {
        orders.push(buy(&guest).await);
        assert_eq!(world.coupon_uses(CODE).await, nth);
        if nth == 4 {
            assert_eq!(world.coupon_left_by_part(CODE).await, [1; 4], "whoever comes next takes from the next part");
        }
    }
    assert_used_up(&guest).await;
    for order in &orders {
        let part = part_of(&world, order).await.expect("it is in parts");
        let mut left = world.coupon_left_by_part(CODE).await;
        left[part] += 1;
        guest.cancel(order).await.expect(200);
        guest.cancel(order).await.expect(200);
        assert_eq!(world.coupon_left_by_part(CODE).await, left);
    }
    assert_eq!(world.coupon_left_by_part(CODE).await, [2; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_uses_are_all_made_and_no_more_whoever_comes_at_once() {
    for (parts, limit) in [(2, 5), (4, 5), (16, 5)] {
        let world = shop(limit, parts).await;
        let fleet = Fleet::of(&world, 4);
        for round in 0..4 {
            let carts = carts(&world, 14).await;
            let race = |nth: usize| {
                let (guest, session) = carts[nth].clone();
                confirm((guest.served_by(fleet.container(nth)), session))
            };
            let answers = if round % 2 == 0 {
                at_once(14, race).await
            } else {
                all_before_any(&world, "TransactWriteItems", 14, race).await
            };
            let (used, refused): (Vec<_>, Vec<_>) = answers.iter().zip(&carts).partition(|(of, _)| of.status() == 201);
            assert_eq!(used.len(), 5, "{parts} parts, round {round}");
            assert!(refused.iter().all(|(answer, _)| is_used_up(answer)), "{refused:?}");
            assert!(world.coupon_left_by_part(CODE).await.iter().all(|left| *left == 0));
            for (answer, (guest, _)) in used {
                let order = answer.body()["order"]["orderId"].as_str().expect("an id");
                guest.cancel(order).await.expect(200);
            }
            assert_eq!(world.coupon_uses(CODE).await, 0);
        }
    }
}

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

/// Its counter has changed between what the confirmation read and what it writes.
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
async fn it_is_used_and_given_back_while_the_number_of_its_parts_changes() {
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
                    for parts in sequence {
                        load(&world, limited(CODE, 40, parts)).await;
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

/// However many of its writes go through.
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
async fn an_answer_that_is_lost_takes_and_gives_back_once() {
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs] {
        let catalog = limited(CODE, 4, 4);
        let world = Setup::default().unlimited().catalog(catalog).hasty_under_faults(800).build().await;
        let guest = world.guest();
        let session = cart(&guest).await;
        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(1));
        let order = confirm((guest.clone(), session)).await.expect(201);
        assert_eq!((hits.count(), world.coupon_uses(CODE).await), (1, 1), "{fault:?}");
        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(1));
        guest.cancel(order["order"]["orderId"].as_str().expect("an id")).await.expect(200);
        assert_eq!((hits.count(), world.coupon_left_by_part(CODE).await), (1, vec![1; 4]), "{fault:?}");
    }
}

#[tokio::test]
async fn one_part_costs_what_it_cost_and_several_no_call_of_the_database_more() {
    async fn calls(world: &Arc<World>) -> std::collections::BTreeMap<String, usize> {
        let guest = world.guest();
        buy(&guest).await;
        let session = cart(&guest).await;
        world.dynamodb.forget_calls();
        confirm((guest, session)).await.expect(201);
        world.dynamodb.counts()
    }
    assert_eq!(calls(&shop(100, 1).await).await, calls(&shop(100, 8).await).await);
}

/// A coupon and a product in parts, and another coupon that is in one.
#[tokio::test]
async fn whatever_of_an_order_is_short_is_told_and_nothing_is_taken() {
    let mut catalog = limited(CODE, 1, 4);
    for coupon in catalog["coupons"].as_array_mut().expect("coupons") {
        if ["ONCE", CODE].contains(&coupon["code"].as_str().expect("a code")) {
            coupon["combinable"] = json!(true);
        }
    }
    catalog = tests::world::stocked(catalog, "limited-print", 2, 4);
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let (guest, other) = (world.guest(), world.guest());
    let session = guest.fill_cart(&[("limited-print", 1)]).await;
    guest.apply_coupon(id_of(&session), CODE).await.expect(200);
    let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
    let gate = Gate::closed();
    let hold = Rule::on("TransactWriteItems", Fault::Hold(gate.clone())).containing("orderNumber").times(1);
    world.dynamodb.add(hold);
    let buying = tokio::spawn(confirm((guest.clone(), session)));
    gate.arrived(1).await;
    let order = buy(&other).await;
    gate.open();
    buying.await.expect("an answer").refused(409, "COUPON_LIMIT_REACHED");
    assert_eq!((world.coupon_uses(CODE).await, world.coupon_uses("ONCE").await), (1, 0));
    assert_eq!(world.left("limited-print").await, 2);

    other.cancel(&order).await.expect(200);
    let session = guest.fill_cart(&[("limited-print", 1)]).await;
    guest.apply_coupon(id_of(&session), CODE).await.expect(200);
    let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
    let order = confirm((guest.clone(), session)).await.expect(201);
    assert_eq!((world.coupon_uses(CODE).await, world.coupon_uses("ONCE").await), (1, 1));
    guest.cancel(order["order"]["orderId"].as_str().expect("an id")).await.expect(200);
    assert_eq!((world.coupon_uses(CODE).await, world.coupon_uses("ONCE").await), (0, 0));
    assert_eq!(world.left("limited-print").await, 2);
}

/// What was counted of a coupon stays when the coupon is withdrawn.
#[tokio::test]
async fn a_coupon_that_comes_back_goes_on_where_it_was() {
    let world = shop(3, 4).await;
    let guest = world.guest();
    buy(&guest).await;
    load(&world, sample_catalog()).await;
    buy(&guest).await;
    world
        .app()
        .catalog
        .withdraw(&shared::adapters::dynamodb::catalog_load::CatalogEntry::Coupon(CODE.parse().unwrap()))
        .await
        .expect("a delete");
    let session = guest.fill_cart(&[("gift-card-note", 1)]).await;
    guest.apply_coupon(id_of(&session), CODE).await.refused(422, "COUPON_UNKNOWN");
    load(&world, limited(CODE, 3, 1)).await;
    assert_eq!(world.coupon_uses(CODE).await, 2);
    buy(&guest).await;
    assert_used_up(&guest).await;
}
