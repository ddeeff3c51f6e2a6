//! A coupon's total limit that is counted in parts: used to the last time, never beyond it, and given back to where it came from.

mod changes;

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Answer, Setup, Shopper, World, id_of, limited, total_of},
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

/// Its counter has changed between what the confirmation read and what it writes.
/// However many of its writes go through.
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
/// A use goes back to a part that was read already, and another one is made of a part that is read next.
#[tokio::test]
async fn a_use_that_comes_back_while_the_parts_are_read_is_not_missed() {
    let world = shop(3, 2).await;
    let guest = world.guest();
    let key = format!("{}turn:coupon#{CODE}", world.keys.prefix());
    let mut redis = world.keys.connection().await;
    let mut turn = async |of: u64| {
        let _: () = redis::AsyncCommands::set(&mut redis, &key, of + 1).await.expect("an answer");
    };
    let other = world.guest();
    let (first, second) = (cart(&guest).await, cart(&other).await);
    // One is left, in the counter.
    turn(1).await;
    let theirs = buy(&guest).await;
    turn(0).await;
    buy(&guest).await;
    assert_eq!((part_of(&world, &theirs).await, world.coupon_left_by_part(CODE).await), (Some(1), vec![1, 0]));

    // The confirmation reads it in two tables; then it finds nothing in its part, reads all of them, and the counter again.
    let gate = Gate::closed();
    let read = Rule::on("BatchGetItem", Fault::Hold(gate.clone())).containing(format!("\"coupon#{CODE}\""));
    world.dynamodb.add(read.skip(3).times(1));
    turn(1).await;
    let buying = tokio::spawn(confirm((guest.clone(), first)));
    gate.arrived(1).await;
    guest.cancel(&theirs).await.expect(200);
    turn(0).await;
    confirm((other, second)).await.expect(201);
    assert_eq!(world.coupon_left_by_part(CODE).await, [0, 1]);
    gate.open();
    buying.await.expect("an answer").expect(201);
    assert_eq!(world.coupon_left_by_part(CODE).await, [0, 0]);
}

/// The documents of a load are written one by one.
#[tokio::test]
async fn an_order_that_was_claimed_gives_its_use_back_to_its_part() {
    let world = shop(8, 4).await;
    let (guest, user) = (world.guest(), world.user("ada"));
    let order = buy(&guest).await;
    let part = part_of(&world, &order).await.expect("it is in parts");
    user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    assert_eq!(part_of(&world, &order).await, Some(part));
    user.cancel(&order).await.expect(200);
    assert_eq!(world.coupon_left_by_part(CODE).await, [2; 4]);
}

#[tokio::test]
async fn a_limit_for_each_customer_is_told_before_the_other_and_counts_beside_it() {
    let mut catalog = limited(CODE, 2, 2);
    catalog["coupons"].as_array_mut().expect("coupons").last_mut().expect("a coupon")["customerLimit"] = json!(1);
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let (ada, grace) = (world.guest(), world.guest());
    let mine = [cart(&ada).await, cart(&ada).await];
    let gate = Gate::closed();
    let hold = Rule::on("TransactWriteItems", Fault::Hold(gate.clone())).containing("orderNumber").times(1);
    world.dynamodb.add(hold);
    let [first, second] = mine;
    let buying = tokio::spawn(confirm((ada.clone(), first)));
    gate.arrived(1).await;
    let order = confirm((ada.clone(), second)).await.expect(201);
    let grace_buys = grace.confirm_as("grace@example.com", &cart(&grace).await).await.expect(201);
    gate.open();
    // Both limits are reached by now.
    buying.await.expect("an answer").refused(409, "COUPON_ALREADY_USED");
    assert_eq!((world.coupon_uses(CODE).await, world.own_uses(CODE).await), (2, [2, 2]));
    for (guest, order) in [(&ada, order), (&grace, grace_buys)] {
        guest.cancel(order["order"]["orderId"].as_str().expect("an id")).await.expect(200);
    }
    assert_eq!((world.coupon_left_by_part(CODE).await, world.own_uses(CODE).await), (vec![1; 2], [0, 0]));
}

#[tokio::test]
async fn an_order_with_two_coupons_gives_both_back_after_their_parts_are_one() {
    let shop_with = |parts: u8| {
        let mut catalog = limited(CODE, 9, parts);
        for coupon in catalog["coupons"].as_array_mut().expect("coupons") {
            if ["ONCE", CODE].contains(&coupon["code"].as_str().expect("a code")) {
                (coupon["combinable"], coupon["totalLimit"]) = (json!(true), json!(9));
                coupon["limitParts"] = json!(parts);
            }
        }
        catalog
    };
    for (before, after) in [(4, 1), (1, 4), (8, 2)] {
        let world = Setup::default().unlimited().catalog(shop_with(before)).build().await;
        let guest = world.guest();
        let session = cart(&guest).await;
        let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
        let order = confirm((guest.clone(), session)).await.expect(201);
        load(&world, shop_with(after)).await;
        assert_eq!((world.coupon_uses(CODE).await, world.coupon_uses("ONCE").await), (1, 1));
        guest.cancel(order["order"]["orderId"].as_str().expect("an id")).await.expect(200);
        assert_eq!((world.coupon_uses(CODE).await, world.coupon_uses("ONCE").await), (0, 0), "{before} to {after}");
    }
}
