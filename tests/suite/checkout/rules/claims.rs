//! A guest's sessions and orders move to their account.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race,
    world::{Answer, Setup, Shopper, World, id_of, total_of},
};

async fn claim(user: &Shopper, guest: &Shopper) -> Answer {
    user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await
}

/// An index follows its table: a session may take a moment to be found.
async fn claim_until_found(user: &Shopper, guest: &Shopper, sessions: usize) -> Value {
    let mut all = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let claimed = claim(user, guest).await.expect(200);
        all.0.extend(claimed["checkoutIds"].as_array().unwrap().clone());
        all.1.extend(claimed["orderIds"].as_array().unwrap().clone());
        if all.0.len() >= sessions {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    json!({"checkoutIds": all.0, "orderIds": all.1})
}

async fn shop() -> Arc<World> {
    Setup::default().unlimited().build().await
}

#[tokio::test]
async fn everything_of_the_guest_becomes_the_users() {
    let world = shop().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    let open = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let order = guest.buy(&[("limited-print", 1)]).await;
    let order = order["orderId"].as_str().unwrap();
    guest.orders().await.expect(200);
    user.orders().await.expect(200);

    let claimed = claim_until_found(&user, &guest, 2).await;

    assert_eq!(claimed["orderIds"], json!([order]));
    assert_eq!(claimed["checkoutIds"].as_array().map(Vec::len), Some(2));
    // No cached copy remembers the guest.
    guest.order(order).await.refused(404, "ORDER_NOT_FOUND");
    assert_eq!(guest.orders().await.expect(200)["orders"], json!([]));
    guest.session(id_of(&open)).await.refused(404, "SESSION_NOT_FOUND");
    guest.apply_coupon(id_of(&open), "SAVE20").await.refused(404, "SESSION_NOT_FOUND");
    assert_eq!(user.orders().await.expect(200)["orders"][0]["orderId"], order);
    assert_eq!(user.order(order).await.expect(200)["order"]["userId"], "ada");
    let session = user.apply_coupon(id_of(&open), "SAVE20").await.expect(200);
    assert_eq!((&session["userId"], &session["guestId"]), (&json!("ada"), &Value::Null));
    user.confirm(id_of(&open), total_of(&session)).await.expect(201);
    // Staff go on with it, and the user may cancel it.
    world.staff().set_status(order, "processing").await.expect(200);
    assert_eq!(user.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.stored_orders().await.len(), 2);
}

#[tokio::test]
async fn a_claim_may_be_repeated_and_finds_what_came_later() {
    let world = shop().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    guest.buy(&[("espresso-beans", 1)]).await;
    claim_until_found(&user, &guest, 1).await;

    assert_eq!(claim(&user, &guest).await.expect(200), json!({"checkoutIds": [], "orderIds": []}));
    guest.buy(&[("espresso-beans", 1)]).await;
    claim_until_found(&user, &guest, 1).await;

    assert_eq!(user.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn both_identities_must_be_proven() {
    let world = shop().await;
    let (guest, other) = (world.guest(), world.guest());
    guest.buy(&[("espresso-beans", 1)]).await;
    // A guest has no account to move to.
    claim(&other, &guest).await.refused(401, "AUTHENTICATION_REQUIRED");
    claim(&guest, &guest).await.refused(401, "AUTHENTICATION_REQUIRED");
    claim(&world.nobody(), &guest).await.refused(401, "AUTHENTICATION_REQUIRED");
    claim(&world.nobody().with_token("not.a.token"), &guest).await.refused(401, "INVALID_TOKEN");
    // Another guest's id moves nothing of this one's.
    assert_eq!(claim(&world.user("ada"), &other).await.expect(200)["orderIds"], json!([]));
    for id in [json!(null), json!(""), json!("user#ada"), json!(7)] {
        world.user("ada").post(Route::Claim, &json!({"guestId": id})).await.refused(400, "VALIDATION_FAILED");
    }
    assert_eq!(guest.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_the_guest_used_of_a_coupon_the_user_has_used() {
    let world = shop().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    for code in ["ONEEACH", "WELCOME"] {
        let buyer = if code == "ONEEACH" { guest.clone() } else { world.guest() };
        let session = buyer.fill_cart(&[("espresso-beans", 2)]).await;
        let session = buyer.apply_coupon(id_of(&session), code).await.expect(200);
        buyer.confirm(id_of(&session), total_of(&session)).await.expect(201);
        claim_until_found(&user, &buyer, 1).await;

        let session = user.fill_cart(&[("espresso-beans", 1)]).await;
        user.apply_coupon(id_of(&session), code).await.refused(422, "COUPON_ALREADY_USED");
    }
    assert_eq!(world.coupon_uses_by("ONEEACH", "user#ada").await, 1);
    assert_eq!(world.coupon_uses_by("ONEEACH", &format!("guest#{}", guest.guest_id())).await, 0);
    // Cancelled, it goes back to who has it now.
    let orders = user.orders().await.expect(200)["orders"].clone();
    for order in orders.as_array().unwrap() {
        user.cancel(order["orderId"].as_str().unwrap()).await.expect(200);
    }
    assert_eq!(world.coupon_uses_by("ONEEACH", "user#ada").await, 0);
    let session = user.fill_cart(&[("espresso-beans", 1)]).await;
    user.apply_coupon(id_of(&session), "WELCOME").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_at_once_move_each_thing_once() {
    let world = shop().await;
    for round in 0..5 {
        let guest = world.guest();
        guest.fill_cart(&[("espresso-beans", 1)]).await;
        for _ in 0..3 {
            guest.buy(&[("espresso-beans", 1)]).await;
        }
        // The second half signs in elsewhere: whoever moves a thing has it, and it is somebody's.
        let users = [world.user(&format!("ada-{round}")), world.user(&format!("grace-{round}"))];
        let answers = race::at_once(8, |racer| {
            let (user, guest) = (users[racer % 2].clone(), guest.clone());
            async move { claim(&user, &guest).await }
        })
        .await;

        let mut moved: Vec<String> = Vec::new();
        for answer in answers {
            let claimed = answer.expect(200);
            moved.extend(claimed["orderIds"].as_array().unwrap().iter().map(ToString::to_string));
        }
        moved.sort();
        let all = moved.len();
        moved.dedup();
        assert_eq!((all, moved.len()), (3, 3), "round {round}");
        let mut owned = 0;
        for user in &users {
            owned += user.orders().await.expect(200)["orders"].as_array().map_or(0, Vec::len);
        }
        assert_eq!(owned, 3, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_and_a_confirmation_at_once_leave_no_order_behind() {
    let world = shop().await;
    for round in 0..12 {
        let (guest, user) = (world.guest(), world.user(&format!("ada-{round}")));
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        // Until the index knows it, a claim wouldn't race with anything.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answers = race::at_once(2, |racer| {
            let (user, guest, session) = (user.clone(), guest.clone(), session.clone());
            async move {
                if racer == 0 {
                    claim(&user, &guest).await
                } else {
                    guest.confirm(id_of(&session), total_of(&session)).await
                }
            }
        })
        .await;

        answers[0].clone().expect(200);
        match answers[1].status() {
            201 => {}
            404 => assert_eq!(user.session(id_of(&session)).await.expect(200)["status"], "open"),
            _ => panic!("round {round}: {answers:#?}"),
        }
        claim(&user, &guest).await.expect(200);
        let placed = usize::from(answers[1].status() == 201);
        assert_eq!(user.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(placed), "round {round}");
        assert_eq!(guest.orders().await.expect(200)["orders"], json!([]), "round {round}");
    }
}

#[tokio::test]
async fn a_claim_that_breaks_off_is_finished_by_the_next() {
    for operation in ["Query", "GetItem", "PutItem", "TransactWriteItems"] {
        for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError] {
            let world = Setup::default().unlimited().build().await;
            let (guest, user) = (world.guest(), world.user("ada"));
            let open = guest.fill_cart(&[("espresso-beans", 1)]).await;
            for _ in 0..2 {
                guest.buy(&[("espresso-beans", 1)]).await;
            }
            world.dynamodb.add(Rule::on(operation, fault.clone()));
            let broken = claim(&user, &guest).await;
            assert!(matches!(broken.status(), 200 | 503), "{operation} {fault:?}: {:#}", broken.body());
            world.dynamodb.clear_rules();

            for _ in 0..3 {
                claim(&user, &guest).await.expect(200);
            }

            let orders = user.orders().await.expect(200)["orders"].clone();
            assert_eq!(orders.as_array().map(Vec::len), Some(2), "{operation} {fault:?}");
            assert_eq!(guest.orders().await.expect(200)["orders"], json!([]), "{operation} {fault:?}");
            assert_eq!(world.stored_orders().await.len(), 2, "{operation} {fault:?}");
            user.session(id_of(&open)).await.expect(200);
        }
    }
}

/// Staff have asked the index whose order it is when it is claimed: they find it all the same.
#[tokio::test]
async fn an_order_that_is_claimed_between_two_reads_is_moved_on() {
    let world = shop().await;
    let (guest, user, staff) = (world.guest(), world.user("ada"), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap().to_owned();
    let gate = Gate::closed();
    world
        .dynamodb
        .add(Rule::on("GetItem", Fault::Hold(gate.clone())).table(&world.tables.name("ORDERS_TABLE")).times(1));
    let moving = tokio::spawn({
        let (staff, order) = (staff.clone(), order.clone());
        async move { staff.set_status(&order, "processing").await }
    });
    gate.arrived(1).await;
    let claimed = claim(&user, &guest).await.expect(200);
    assert_eq!(claimed["orderIds"], json!([order]));
    gate.open();

    let moved = moving.await.unwrap().expect(200);

    assert_eq!(moved["order"]["status"], "processing");
    assert_eq!(user.order(&order).await.expect(200)["order"]["status"], "processing");
    assert_eq!(world.stored_orders().await.len(), 1);
}

/// A cancellation that was under way gives back once, whoever has the order when it lands.
#[tokio::test]
async fn a_claim_in_the_middle_of_a_cancellation_gives_back_once() {
    let world = shop().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let session = guest.apply_coupon(id_of(&session), "ONEEACH").await.expect(200);
    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    let order = order["order"]["orderId"].as_str().unwrap().to_owned();
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::Hold(gate.clone())).times(1));
    let cancelling = tokio::spawn({
        let (guest, order) = (guest.clone(), order.clone());
        async move { guest.cancel(&order).await }
    });
    gate.arrived(1).await;
    claim(&user, &guest).await.expect(200);
    gate.open();

    cancelling.await.unwrap().refused(404, "ORDER_NOT_FOUND");
    assert_eq!(world.stock("espresso-beans").await, 99_998);
    user.cancel(&order).await.expect(200);
    user.cancel(&order).await.expect(200);

    assert_eq!(world.stock("espresso-beans").await, 100_000);
    assert_eq!(world.coupon_uses_by("ONEEACH", "user#ada").await, 0);
    assert_eq!(world.coupon_uses_by("ONEEACH", &format!("guest#{}", guest.guest_id())).await, 0);
}
