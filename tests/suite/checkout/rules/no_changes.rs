//! A change that changes nothing writes nothing; and one that states a value still wins over what a copy hasn't heard of.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    race::at_once,
    world::{Setup, Shopper, World, california, cart, id_of},
};

const WRITES: [&str; 4] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];

fn writes(world: &World) -> usize {
    world.dynamodb.calls().iter().filter(|call| WRITES.contains(&call.operation.as_str())).count()
}

/// Every request that changes a session.
fn changes(checkout: &str) -> Vec<(Route, Value)> {
    let mut elsewhere = california();
    elsewhere["addressLine1"] = json!("2 Market Street");
    vec![
        (Route::UpdateItems, json!({"checkoutId": checkout, "cartItems": cart(&[("espresso-beans", 3)])})),
        (Route::UpdateAddress, json!({"checkoutId": checkout, "shippingAddress": elsewhere})),
        (Route::UpdateAddress, json!({"checkoutId": checkout, "billingAddress": california()})),
        (Route::CalculateShipping, json!({"checkoutId": checkout, "shippingMethodId": "us-express"})),
        (Route::CalculateTax, json!({"checkoutId": checkout, "vatNumber": "DE136695976"})),
        (Route::CalculateTax, json!({"checkoutId": checkout, "vatNumber": null})),
        (Route::ApplyCoupon, json!({"checkoutId": checkout, "couponCode": "SAVE20"})),
        (Route::RemoveCoupon, json!({"checkoutId": checkout, "couponCode": "SAVE20"})),
        (Route::RemoveCoupon, json!({"checkoutId": checkout})),
    ]
}

async fn shop() -> Arc<World> {
    Setup::default().unlimited().build().await
}

async fn filled(world: &Arc<World>) -> (Shopper, String) {
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    (guest, id_of(&session).to_owned())
}

#[tokio::test]
async fn every_change_of_a_session_that_is_made_again_writes_nothing() {
    let world = shop().await;
    let (guest, checkout) = filled(&world).await;
    for (route, body) in changes(&checkout) {
        let changed = guest.post(route, &body).await.expect(200);
        for (what, container) in [("with its copy", world.app().clone()), ("elsewhere", world.container())] {
            world.dynamodb.forget_calls();
            let again = guest.clone().served_by(&container).post(route, &body).await.expect(200);
            assert_eq!(again["version"], changed["version"], "{body}, {what}");
            assert_eq!(again["updatedAt"], changed["updatedAt"], "{body}, {what}");
            assert_eq!(writes(&world), 0, "{body}, {what}: {:?}", world.dynamodb.calls());
        }
        // Without a copy too.
        world.keys.clear();
        world.dynamodb.forget_calls();
        assert_eq!(guest.post(route, &body).await.expect(200)["version"], changed["version"], "{body}");
        assert_eq!(writes(&world), 0, "{body}");
    }
}

#[tokio::test]
async fn one_of_several_coupons_that_is_applied_again_keeps_its_place() {
    let world = shop().await;
    let (guest, checkout) = filled(&world).await;
    guest.apply_coupon(&checkout, "COFFEE5").await.expect(200);
    let both = guest.apply_coupon(&checkout, "WELCOME").await.expect(200);
    world.dynamodb.forget_calls();

    let again = guest.apply_coupon(&checkout, "COFFEE5").await.expect(200);

    assert_eq!((&again["coupons"], &again["version"]), (&both["coupons"], &both["version"]));
    assert_eq!(writes(&world), 0);
}

#[tokio::test]
async fn a_change_that_changes_nothing_keeps_the_session_alive_as_reading_does() {
    let world = shop().await;
    let guest = world.guest();
    // Without an address: offers have dates, which change by themselves.
    let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    let nothing = json!({"checkoutId": id_of(&session)});
    for minutes in [20, 40, 60] {
        let later = guest.clone().served_by(&world.container_after(Duration::from_secs(minutes * 60)));
        let kept = later.post(Route::RemoveCoupon, &nothing).await.expect(200);
        assert_eq!(kept["version"], 1, "after {minutes} minutes");
    }
    let much_later = guest.clone().served_by(&world.container_after(Duration::from_secs(100 * 60)));
    much_later.post(Route::RemoveCoupon, &nothing).await.refused(404, "SESSION_EXPIRED");
}

/// The copy says A, the database says B, and the request says A: A it shall be.
#[tokio::test]
async fn a_stated_value_wins_over_one_that_the_copy_has_not_heard_of() {
    for round in 0..25 {
        let world = shop().await;
        let (guest, checkout) = filled(&world).await;
        let express = guest.choose_shipping(&checkout, "us-express").await.expect(200);
        // Another container changes it, and Redis doesn't hear.
        let elsewhere = guest.clone().served_by(&world.container());
        world.redis.down().await;
        elsewhere.choose_shipping(&checkout, "us-standard").await.expect(200);
        world.redis.up().await;
        let fresh = guest.clone().served_by(&world.container());

        let wins = fresh.choose_shipping(&checkout, "us-express").await.expect(200);

        assert_eq!(express["version"], 2);
        assert_eq!((&wins["version"], &wins["shippingMethod"]["shippingMethodId"]), (&json!(4), &json!("us-express")));
        let stored = guest.served_by(&world.container()).session(&checkout).await.expect(200);
        assert_eq!(stored["shippingMethod"]["shippingMethodId"], "us-express", "round {round}");
    }
}

/// Whoever is answered last of two who set different values at once sees theirs or the other's, and the store agrees with
/// one of them: a change that found nothing to do has read what it answers with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_changes_at_once_each_answers_with_its_own_value() {
    for round in 0..25 {
        let world = shop().await;
        let (guest, checkout) = filled(&world).await;
        let methods = ["us-standard", "us-express"];
        let containers: Vec<_> = (0..4).map(|_| world.container()).collect();
        let answers = at_once(8, |number| {
            let guest = guest.clone().served_by(&containers[number % 4]);
            let (checkout, method) = (checkout.clone(), methods[number % 2]);
            async move { (method, guest.choose_shipping(&checkout, method).await.expect(200)) }
        })
        .await;
        for (method, answer) in &answers {
            assert_eq!(answer["shippingMethod"]["shippingMethodId"], *method, "round {round}");
        }
        let last = answers.iter().max_by_key(|(_, answer)| answer["version"].as_u64()).unwrap();
        let stored = guest.clone().served_by(&world.container()).session(&checkout).await.expect(200);
        assert_eq!(stored["version"], last.1["version"], "round {round}");
        assert_eq!(stored["shippingMethod"], last.1["shippingMethod"], "round {round}");
    }
}

#[tokio::test]
async fn a_move_of_an_order_to_where_it_is_writes_nothing() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();
    for (status, again) in [("processing", 200), ("shipped", 200), ("delivered", 200)] {
        staff.set_status(order, status).await.expect(200);
        world.dynamodb.forget_calls();
        staff.set_status(order, status).await.expect(again);
        assert_eq!(writes(&world), 0, "{status}: {:?}", world.dynamodb.calls());
    }
    let other = guest.buy(&[("espresso-beans", 1)]).await;
    let other = other["orderId"].as_str().unwrap();
    guest.cancel(other).await.expect(200);
    world.dynamodb.forget_calls();
    guest.cancel(other).await.expect(200);
    assert_eq!(writes(&world), 0, "{:?}", world.dynamodb.calls());
}
