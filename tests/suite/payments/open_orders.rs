//! Cards that make an order wait: how many of them a caller and an address may have, and for how long they hold stock.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tests::{
    race,
    world::{Answer, Setup, Shopper, World, id_of},
};

use super::{DECLINED, VISA, assert_books_balance, order_id, pay, ready, sold, state_of};

const OPEN: &str = "TOO_MANY_OPEN_ORDERS";

async fn shop(caller: &str, address: &str) -> Arc<World> {
    let setup = Setup::default().unlimited().cards().setting("OPEN_ORDERS_CALLER", caller);
    setup.setting("OPEN_ORDERS_ADDRESS", address).build().await
}

/// How many wait for their customer; each other was refused for too many open orders.
fn waiting(answers: &[Answer]) -> usize {
    let (waiting, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 202);
    for answer in refused {
        assert_eq!((answer.status(), &answer.body()["code"]), (409, &json!(OPEN)), "{:#}", answer.body());
    }
    waiting.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_who_share_an_address_and_pay_are_never_refused_for_each_other() {
    let world = shop("1/100", "1/2").await;
    let mut racers: Vec<(Shopper, _)> = Vec::new();
    for number in 0..12 {
        let shopper = if number % 2 == 0 { world.guest() } else { world.user(&format!("user-{number}")) };
        let shopper = shopper.from_address("198.51.100.9");
        let session = ready(&shopper).await;
        racers.push((shopper, session));
    }
    // What is open there already is nothing to them.
    let (cash, session) = racers.remove(0);
    cash.confirm(id_of(&session), super::TOTAL).await.expect(201);

    let orders = race::at_once(racers.len(), |racer| {
        let (shopper, session) = racers[racer].clone();
        async move { pay(&shopper, &session, VISA).await.expect(201) }
    })
    .await;

    assert!(orders.iter().all(|answer| state_of(&answer["order"]) == ("confirmed", "paid")));
    assert_eq!(world.open_orders().await.len(), 2, "that of the order in cash, and of its address");
    world.assert_open_orders_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_cards_at_one_address_whose_banks_ask_just_the_most_wait() {
    let world = shop("100/1000", "3/100").await;
    let mut racers = Vec::new();
    for _ in 0..8 {
        let guest = world.guest().from_address("198.51.100.9");
        let session = ready(&guest).await;
        racers.push((guest, session, world.stripe().secured().await));
    }

    let answers = race::at_once(8, |racer| {
        let (guest, session, token) = racers[racer].clone();
        async move { pay(&guest, &session, &token).await }
    })
    .await;

    assert_eq!(waiting(&answers), 3);
    assert_eq!(sold(&world).await, 3 * 2, "what was refused has given everything back");
    world.assert_open_orders_add_up().await;
    for ((guest, session, _), answer) in racers.iter().zip(&answers) {
        let shown = guest.session(id_of(session)).await.expect(200);
        if answer.status() == 202 {
            assert!(guest.cancel(order_id(&answer.body()["order"])).await.status() < 300);
            continue;
        }
        assert_eq!(shown["status"], "open", "they may pay in another way");
        let orders = guest.orders().await.expect(200);
        let order = &orders["orders"][0];
        assert_eq!(state_of(order), ("cancelled", "cancelled"));
        let intent = world.stripe().intent_of(order_id(order)).await.expect("a payment");
        assert_eq!(intent["status"], "canceled", "nobody can pay it any more");
    }
    assert_eq!(world.open_orders().await.len(), 0);
    let (guest, session, token) = racers.iter().zip(&answers).find(|(_, answer)| answer.status() == 409).unwrap().0;
    pay(guest, session, token).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_cards_of_one_caller_just_the_most_wait_or_are_unknown() {
    for unknown in [false, true] {
        let world = shop("2/100", "100/1000").await;
        let guest = world.guest();
        let mut sessions = Vec::new();
        for _ in 0..6 {
            let token = if unknown { VISA.to_owned() } else { world.stripe().secured().await };
            sessions.push((ready_with_no_coupon(&guest).await, token));
        }
        if unknown {
            world.stripe().proxy.down().await;
        }

        let answers = race::at_once(6, |racer| {
            let (guest, (session, token)) = (guest.clone(), sessions[racer].clone());
            async move { pay(&guest, &session, &token).await }
        })
        .await;

        assert_eq!(waiting(&answers), 2, "unknown: {unknown}");
        assert_eq!(sold(&world).await, 2 * 2, "unknown: {unknown}");
        world.assert_open_orders_add_up().await;
        world.stripe().proxy.up().await;
        // Paid in the end, or given up: either way the place is free.
        for seconds in [90, 1900, 2100] {
            let late = world.container_after(Duration::from_secs(seconds));
            world.reconcile(&late).await.unwrap();
        }
        assert_eq!(world.open_orders().await.len(), 0, "unknown: {unknown}");
        world.assert_open_orders_add_up().await;
    }
}

async fn ready_with_no_coupon(guest: &Shopper) -> serde_json::Value {
    guest.fill_cart(&[("espresso-beans", 2)]).await
}

#[tokio::test]
async fn a_card_gives_its_place_back_however_it_ends() {
    let world = shop("1/100", "1/100").await;
    for end in ["authenticated", "failed", "called off", "declined at once"] {
        let guest = world.guest();
        let session = ready(&guest).await;
        if end == "declined at once" {
            pay(&guest, &session, DECLINED).await.refused(402, "PAYMENT_DECLINED");
            assert_books_balance(&world).await;
            continue;
        }
        let token = world.stripe().secured().await;
        let order = pay(&guest, &session, &token).await.expect(202)["order"].take();
        world.assert_open_orders_add_up().await;
        assert_eq!(world.open_orders().await.len(), 2, "the caller's, and the address's");
        let secret = order["payment"]["clientSecret"].as_str().unwrap();
        if end == "called off" {
            drop(guest.cancel(order_id(&order)).await);
        } else {
            world.stripe().authenticate(secret, end == "authenticated").await;
            pay(&guest, &session, &token).await;
        }
        assert_eq!(world.open_orders().await.len(), 0, "{end}");
        assert_books_balance(&world).await;
    }
}

#[tokio::test]
async fn a_customer_who_never_goes_to_their_bank_holds_stock_for_ten_minutes() {
    let world = shop("1/100", "1/100").await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let order = pay(&guest, &session, &world.stripe().secured().await).await.expect(202)["order"].take();
    world.reconcile(&world.container_after(Duration::from_secs(540))).await.unwrap();
    assert_eq!((sold(&world).await, world.open_orders().await.len()), (2, 2), "they still have a minute");

    world.reconcile(&world.container_after(Duration::from_secs(660))).await.unwrap();

    let shown = guest.order(order_id(&order)).await.expect(200);
    assert_eq!(state_of(&shown["order"]), ("cancelled", "cancelled"));
    let intent = world.stripe().intent_of(order_id(&order)).await.unwrap();
    assert_eq!(intent["status"], "canceled", "at the provider first");
    assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
    assert_eq!(world.open_orders().await.len(), 0);
    assert_books_balance(&world).await;
}

/// A card that isn't asked for anything keeps the whole limit; one that is has at most what is left of it.
#[tokio::test]
async fn the_customers_time_is_a_setting_within_the_payments_limit() {
    for (limit, action, holds, over) in [("300", "900", 240, 330), ("1800", "120", 90, 150)] {
        let setup = Setup::default().unlimited().cards().setting("PAYMENT_LIMIT_SECONDS", limit);
        let world = setup.setting("PAYMENT_ACTION_SECONDS", action).build().await;
        let guest = world.guest();
        pay(&guest, &ready(&guest).await, &world.stripe().secured().await).await.expect(202);
        world.reconcile(&world.container_after(Duration::from_secs(holds))).await.unwrap();
        assert_eq!(sold(&world).await, 2, "{limit}, {action}");
        world.reconcile(&world.container_after(Duration::from_secs(over))).await.unwrap();
        assert_eq!(sold(&world).await, 0, "{limit}, {action}");
        assert_books_balance(&world).await;
    }
}

/// The reconciler hears that a bank asks for a customer whose address has no room: it gives the order up.
#[tokio::test]
async fn whoever_learns_that_an_order_must_wait_gives_it_up_where_there_is_no_room() {
    let world = shop("10/100", "1/100").await;
    let (first, second) = (world.guest().from_address("198.51.100.9"), world.guest().from_address("198.51.100.9"));
    let session = ready(&second).await;
    let token = world.stripe().secured().await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let order = pay(&second, &session, &token).await.expect(202)["order"].take();
    pay(&first, &ready(&first).await, &world.stripe().secured().await).await.expect(202);

    world.reconcile(&world.container_after(Duration::from_secs(90))).await.unwrap();

    let shown = second.order(order_id(&order)).await.expect(200);
    assert_eq!(state_of(&shown["order"]), ("cancelled", "cancelled"));
    assert_eq!(sold(&world).await, 2);
    world.assert_open_orders_add_up().await;
}
