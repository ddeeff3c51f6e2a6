//! The person, or others, act while they are erased.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use shared::{domain::ids::Owner, http::route::Route, ports::Sessions as _};
use tests::{
    race::at_once,
    world::{confirmation, id_of, total_of},
};
use time::OffsetDateTime;

use super::{
    assert_no_marks, books,
    deaths::{run, user},
    deliver,
    life::{MARKS, address, marked, shop},
};

fn guest(id: &str) -> Owner {
    format!("guest#{id}").parse().expect("an id")
}

fn cart() -> serde_json::Value {
    json!({
        "cartItems": tests::world::cart(&[("espresso-beans", 2)]), "shippingAddress": address(),
        "shippingMethodId": "us-standard"
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_at_the_same_time_loses_nothing_and_keeps_nothing() {
    let world = shop().await;
    for round in 0..12 {
        let (shopper, account) = (world.guest(), world.user("user-marked"));
        for _ in 0..2 {
            let session = shopper.post(Route::Initiate, &cart()).await.expect(201);
            let body = marked(confirmation(id_of(&session), total_of(&session)));
            let order = shopper.post(Route::ConfirmOrder, &body).await.expect(201);
            deliver(&world.staff(), order["order"]["orderId"].as_str().expect("an id")).await;
        }
        let before = books(&world).await;
        let id = shopper.guest_id().to_owned();
        let results = at_once(2, |which| {
            let (account, app, id) = (account.clone(), Arc::clone(world.app()), id.clone());
            async move {
                if which == 0 {
                    let claimed = account.post(Route::Claim, &json!({"guestId": id})).await;
                    assert!([200, 503].contains(&claimed.status()), "{:#}", claimed.body());
                } else {
                    run(&app, guest(&id)).await.expect("it goes well");
                }
            }
        });
        results.await;
        // Whatever the account got is the account's, and goes with it.
        run(world.app(), guest(&id)).await.expect("it goes well");
        let report = run(world.app(), user()).await.expect("it goes well");
        assert!(report.stays.is_empty(), "round {round}: {report:?}");
        assert_eq!(books(&world).await, before, "round {round}");
        assert_no_marks(&world, &[&MARKS[..13], &[id.as_str()]].concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_confirmation_at_the_same_time_is_an_order_that_stays_or_no_order() {
    let world = shop().await;
    let (mut stayed, mut refused) = (0, 0);
    for round in 0..16 {
        let shopper = world.guest();
        let session = shopper.post(Route::Initiate, &cart()).await.expect(201);
        let body = marked(confirmation(id_of(&session), total_of(&session)));
        let id = shopper.guest_id().to_owned();
        let results = at_once(2, |which| {
            let (shopper, app, id, body) = (shopper.clone(), Arc::clone(world.app()), id.clone(), body.clone());
            async move {
                if which == 0 {
                    tokio::time::sleep(Duration::from_millis(3 * round)).await;
                    return shopper.post(Route::ConfirmOrder, &body).await.status();
                }
                run(&app, guest(&id)).await.expect("it goes well");
                0
            }
        });
        let status = results.await[0];
        let orders = world.stored_orders().await;
        let theirs = orders.iter().find(|order| order["owner"].as_s().is_ok_and(|owner| owner.ends_with(&id)));
        match (status, theirs) {
            (200 | 201, Some(order)) => {
                stayed += 1;
                assert_eq!(order["email"].as_s().expect("a text"), "Mark.Mail@example.com", "an open order is whole");
                deliver(&world.staff(), order["orderId"].as_s().expect("an id")).await;
            }
            (404, None) => refused += 1,
            other => panic!("round {round}: {other:?}"),
        }
        world.assert_open_orders_add_up().await;
        let report = run(world.app(), guest(&id)).await.expect("it goes well");
        assert!(report.stays.is_empty(), "round {round}: {report:?}");
        assert_no_marks(&world, &[&MARKS[..13], &[id.as_str()]].concat()).await;
    }
    assert_eq!(100_000 - world.stock("espresso-beans").await, stayed * 2, "{refused} were refused");
}

#[tokio::test]
async fn a_request_that_read_a_session_before_cant_bring_its_copy_back() {
    let world = shop().await;
    let shopper = world.guest();
    let session = shopper.post(Route::Initiate, &cart()).await.expect(201);
    let id = id_of(&session).parse().expect("an id");
    let now = OffsetDateTime::now_utc();
    let loaded = world.app().sessions.load(id, None, now).await.expect("an answer").expect("a session");
    let report = run(world.app(), guest(shopper.guest_id())).await.expect("it goes well");
    assert_eq!((report.erased.sessions, report.stays.len()), (1, 0));

    world.app().sessions.touch(loaded, now).await;
    assert_no_marks(&world, &[&MARKS[..], &[shopper.guest_id()]].concat()).await;
    shopper.session(id_of(&session)).await.refused(404, "SESSION_NOT_FOUND");
    shopper.ship_to(id_of(&session), &address()).await.refused(404, "SESSION_NOT_FOUND");
}
