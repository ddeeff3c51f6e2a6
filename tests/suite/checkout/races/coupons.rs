//! Coupons with limits, when many want the last use.

use std::sync::Arc;

use serde_json::Value;
use tests::{
    race,
    world::{Answer, Shopper, World, id_of, total_of},
};

use super::{Fleet, all_before_any};

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_for_one_use_is_used_once_by_20_guests_at_once() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 4);
    let carts = carts_with(&world, "ONCE", 20).await;

    let answers = race::at_once(20, |racer| {
        let (guest, session) = carts[racer].clone();
        let guest = guest.served_by(fleet.container(racer));
        async move { guest.confirm(id_of(&session), total_of(&session)).await }
    })
    .await;

    // Whoever came late enough to see it used up while pricing is told so by another code.
    assert_used_once(&world, &carts, answers, &["COUPON_LIMIT_REACHED", "COUPON_NO_LONGER_VALID"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_for_one_use_that_20_guests_all_saw_unused_is_used_once() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 4);
    let carts = carts_with(&world, "ONCE", 20).await;

    let answers = confirmed_at_once(&world, &fleet, &carts, |_| "ada@example.com".to_owned()).await;

    assert_used_once(&world, &carts, answers, &["COUPON_LIMIT_REACHED"]).await;
}

async fn carts_with(world: &Arc<World>, code: &'static str, count: usize) -> Vec<(Shopper, Value)> {
    race::at_once(count, |_| {
        let guest = world.guest();
        async move {
            let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
            let session = guest.apply_coupon(id_of(&session), code).await.expect(200);
            (guest, session)
        }
    })
    .await
}

/// Confirms all of them, none before all have been priced.
async fn confirmed_at_once(
    world: &Arc<World>,
    fleet: &Fleet,
    carts: &[(Shopper, Value)],
    email: impl Fn(usize) -> String,
) -> Vec<Answer> {
    all_before_any(world, "TransactWriteItems", carts.len(), |racer| {
        let (guest, session) = carts[racer].clone();
        let (guest, email) = (guest.served_by(fleet.container(racer)), email(racer));
        async move { guest.confirm_as(&email, &session).await }
    })
    .await
}

async fn assert_used_once(world: &World, carts: &[(Shopper, Value)], answers: Vec<Answer>, refusals: &[&str]) {
    let (placed, refused): (Vec<_>, Vec<_>) = carts.iter().zip(answers).partition(|(_, answer)| answer.status() == 201);
    assert_eq!(placed.len(), 1);
    assert_eq!(placed[0].1.body()["order"]["coupon"]["couponCode"], "ONCE");
    assert_eq!(world.coupon_uses("ONCE").await, 1);
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 1);
    for ((_, session), answer) in &refused {
        assert!(answer.status() == 409 && refusals.contains(&answer.code().unwrap()), "{answer:#?}");
        let stored = world.stored_session(id_of(session)).await.unwrap();
        assert_eq!(stored["status"].as_s().unwrap(), "open");
    }

    // The way on: without the coupon the purchase goes through.
    let ((guest, session), _) = &refused[0];
    let session = guest.remove_coupon(id_of(session)).await.expect(200);
    guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    assert_eq!(world.coupon_uses("ONCE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_for_one_use_each_is_used_once_by_a_guest_with_two_carts() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 2);
    let guest = world.guest();
    let mut carts = Vec::new();
    for _ in 0..2 {
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        carts.push(guest.apply_coupon(id_of(&session), "ONEEACH").await.expect(200));
    }

    let answers = all_before_any(&world, "TransactWriteItems", 2, |racer| {
        let (guest, session) = (guest.clone().served_by(fleet.container(racer)), carts[racer].clone());
        async move { guest.confirm(id_of(&session), total_of(&session)).await }
    })
    .await;

    let (placed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 201);
    assert_eq!((placed.len(), refused.len()), (1, 1));
    refused[0].clone().refused(409, "COUPON_ALREADY_USED");
    let owner = format!("guest#{}", guest.guest_id());
    assert_eq!(world.coupon_uses_by("ONEEACH", &owner).await, 1);
    assert_eq!(world.stored_orders().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_for_one_use_each_is_used_once_by_eight_guests_with_one_mailbox() {
    for _ in 0..5 {
        let world = World::new().await;
        let fleet = Fleet::of(&world, 2);
        let carts = carts_with(&world, "ONEEACH", 8).await;

        let answers = confirmed_at_once(&world, &fleet, &carts, |racer| format!("ada+{racer}@example.com")).await;

        let (placed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 201);
        assert_eq!(placed.len(), 1);
        for answer in refused {
            answer.refused(409, "COUPON_ALREADY_USED");
        }
        assert_eq!(world.own_uses("ONEEACH").await, [1, 1]);
        assert_eq!(world.stored_orders().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_for_one_use_each_is_there_for_everyone() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 2);
    let carts = carts_with(&world, "ONEEACH", 8).await;

    let answers = confirmed_at_once(&world, &fleet, &carts, |racer| format!("racer{racer}@example.com")).await;

    assert!(answers.iter().all(|answer| answer.status() == 201), "{answers:#?}");
    for (guest, _) in &carts {
        assert_eq!(world.coupon_uses_by("ONEEACH", &format!("guest#{}", guest.guest_id())).await, 1);
    }
}
