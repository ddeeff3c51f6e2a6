//! Confirmations that meet each other, and changes of what they confirm.

use serde_json::{Value, json};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race,
    world::{Answer, Setup, World, california, confirmation, id_of, total_of, with_carts},
};

use super::{Fleet, address, all_before_any};

#[tokio::test(flavor = "multi_thread")]
async fn of_50_confirms_of_one_session_one_makes_the_order_and_49_name_it() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 5);
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));

    let answers = race::at_once(50, |racer| {
        let guest = guest.clone().from_address(&address(racer)).served_by(fleet.container(racer));
        let checkout = checkout.clone();
        async move { guest.confirm(&checkout, total).await }
    })
    .await;

    assert_one_order(&world, &checkout, answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_50_confirms_that_all_saw_the_session_open_one_makes_the_order() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 5);
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));

    let answers = all_before_any(&world, "TransactWriteItems", 50, |racer| {
        let guest = guest.clone().from_address(&address(racer)).served_by(fleet.container(racer));
        let checkout = checkout.clone();
        async move { guest.confirm(&checkout, total).await }
    })
    .await;

    assert_one_order(&world, &checkout, answers).await;
}

async fn assert_one_order(world: &World, checkout: &str, answers: Vec<Answer>) {
    let count = |status| answers.iter().filter(|answer| answer.status() == status).count();
    assert_eq!((count(201), count(200)), (1, 49));
    let order = &answers[0].body()["order"];
    assert!(answers.iter().all(|answer| answer.body()["order"] == *order), "{answers:#?}");

    let orders = world.stored_orders().await;
    assert_eq!(orders.len(), 1);
    assert_eq!(Some(orders[0]["orderId"].as_s().unwrap().as_str()), order["orderId"].as_str());
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 2);
    let session = world.stored_session(checkout).await.unwrap();
    assert_eq!(session["status"].as_s().unwrap(), "completed");
    assert_eq!(session["orderId"], orders[0]["orderId"]);
}

/// The stock and the coupon's use that it misses are those that its own session has taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_that_finds_all_gone_because_its_double_was_faster_names_the_order() {
    for parts in [1, 4] {
        let world = Setup::default().in_parts(parts).build().await;
        let guest = world.guest();
        let session = guest.fill_cart(&[("limited-print", 5)]).await;
        let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
        let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
        let gate = Gate::closed();
        let inventory = world.tables.name("INVENTORY_TABLE");
        world.dynamodb.add(Rule::on("BatchGetItem", Fault::Hold(gate.clone())).table(&inventory).times(1));

        let overtaken = tokio::spawn({
            let (guest, checkout) = (guest.clone().served_by(&world.container()), checkout.clone());
            async move { guest.confirm(&checkout, total).await }
        });
        gate.arrived(1).await;
        let order = guest.confirm(&checkout, total).await.expect(201);
        gate.open();

        assert_eq!(overtaken.await.unwrap().expect(200), order);
        assert_eq!((world.stock("limited-print").await, world.coupon_uses("ONCE").await), (0, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_40_confirms_for_the_last_5_prints_exactly_5_become_orders() {
    for parts in [1, 4] {
        let world = Setup::default().in_parts(parts).build().await;
        let fleet = Fleet::of(&world, 4);
        let sessions = with_carts(&world, 40, &[("limited-print", 1)]).await;

        let answers = race::at_once(40, |racer| {
            let (session, guest) = sessions[racer].clone();
            let guest = guest.served_by(fleet.container(racer));
            async move { guest.confirm(id_of(&session), total_of(&session)).await }
        })
        .await;

        assert_five_sold(&world, sessions.iter().map(|(session, _)| session), answers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_40_confirms_that_all_saw_5_prints_left_exactly_5_become_orders() {
    for parts in [1, 4] {
        let world = Setup::default().in_parts(parts).build().await;
        let fleet = Fleet::of(&world, 4);
        let sessions = with_carts(&world, 40, &[("limited-print", 1)]).await;

        let answers = all_before_any(&world, "TransactWriteItems", 40, |racer| {
            let (session, guest) = sessions[racer].clone();
            let guest = guest.served_by(fleet.container(racer));
            async move { guest.confirm(id_of(&session), total_of(&session)).await }
        })
        .await;

        assert_five_sold(&world, sessions.iter().map(|(session, _)| session), answers).await;
    }
}

async fn assert_five_sold(world: &World, sessions: impl Iterator<Item = &Value>, answers: Vec<Answer>) {
    let mut sold = 0;
    for (session, answer) in sessions.zip(answers) {
        let stored = world.stored_session(id_of(session)).await.unwrap();
        if answer.status() == 201 {
            sold += 1;
            assert_eq!(stored["status"].as_s().unwrap(), "completed");
        } else {
            let problem = answer.refused(409, "INSUFFICIENT_STOCK");
            assert_eq!(problem["problems"][0]["productId"], "limited-print");
            assert_eq!(stored["status"].as_s().unwrap(), "open");
        }
    }
    assert_eq!(sold, 5);
    assert_eq!(world.stored_orders().await.len(), 5);
    assert_eq!(world.stock("limited-print").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_that_meets_a_coupon_makes_an_order_of_the_total_agreed_to_or_none() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 2);
    for _ in 0..20 {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));

        let mut answers = race::at_once(2, |racer| {
            let guest = guest.clone().served_by(fleet.container(racer));
            let checkout = checkout.clone();
            async move {
                if racer == 0 {
                    guest.confirm(&checkout, total).await
                } else {
                    guest.apply_coupon(&checkout, "SAVE20").await
                }
            }
        })
        .await;

        let (coupon, confirm) = (answers.pop().unwrap(), answers.pop().unwrap());
        if coupon.status() == 200 {
            confirm.refused(409, "TOTAL_CHANGED");
            assert_eq!(guest.session(&checkout).await.expect(200)["status"], "open");
        } else {
            coupon.refused(409, "SESSION_COMPLETED");
            let order = &confirm.expect(201)["order"];
            assert_eq!((&order["summary"]["totalAmount"], &order["coupon"]), (&json!(total), &Value::Null));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_that_comes_between_pricing_and_placing_stops_the_order() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::Hold(gate.clone())));

    let confirming = tokio::spawn({
        let (guest, checkout) = (guest.clone().served_by(&world.container()), checkout.clone());
        async move { guest.confirm(&checkout, total).await }
    });
    gate.arrived(1).await;
    let cheaper = guest.apply_coupon(&checkout, "SAVE20").await.expect(200);
    gate.open();
    let problem = confirming.await.unwrap().refused(409, "TOTAL_CHANGED");

    assert_eq!(problem["session"]["summary"], cheaper["summary"], "the refusal brings what it costs now");
    assert_eq!(world.stored_orders().await.len(), 0);
    assert_eq!(world.stock("espresso-beans").await, 100_000);
    let order = guest.confirm(&checkout, total_of(&cheaper)).await.expect(201);
    assert_eq!(order["order"]["summary"]["discountAmount"], 800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_comes_after_the_order_is_refused_with_its_id() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("PutItem", Fault::Hold(gate.clone())).containing(checkout.clone()));

    let changing = tokio::spawn({
        let (guest, checkout) = (guest.clone().served_by(&world.container()), checkout.clone());
        async move { guest.ship_to(&checkout, &moved_to("Oakland")).await }
    });
    gate.arrived(1).await;
    let order = guest.confirm(&checkout, total).await.expect(201);
    gate.open();
    let problem = changing.await.unwrap().refused(409, "SESSION_COMPLETED");

    assert_eq!(problem["orderId"], order["order"]["orderId"]);
    assert_eq!(order["order"]["shippingAddress"]["city"], "San Francisco");
    assert_eq!(guest.session(&checkout).await.expect(200)["shippingAddress"]["city"], "San Francisco");
}

/// The other address costs the same, so that the total alone doesn't tell the two apart.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_accepted_while_confirming_is_where_the_order_goes() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 2);
    for _ in 0..20 {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));

        let mut answers = race::at_once(2, |racer| {
            let guest = guest.clone().served_by(fleet.container(racer));
            let checkout = checkout.clone();
            async move {
                if racer == 0 {
                    guest.confirm(&checkout, total).await
                } else {
                    guest.ship_to(&checkout, &moved_to("Oakland")).await
                }
            }
        })
        .await;

        let (change, confirm) = (answers.pop().unwrap(), answers.pop().unwrap());
        let city = if change.status() == 200 { "Oakland" } else { "San Francisco" };
        let order = &confirm.expect(201)["order"];
        assert_eq!(order["shippingAddress"]["city"], city, "{:#}", change.body());
        assert_eq!(order["summary"]["totalAmount"], total);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_confirms_that_agreed_to_different_totals_make_one_order_of_the_right_one() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 2);
    for _ in 0..20 {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let total = total_of(&session);
        let right = confirmation(id_of(&session), total);
        let wrong = confirmation(id_of(&session), total - 1);

        let answers = race::at_once(2, |racer| {
            let guest = guest.clone().served_by(fleet.container(racer));
            let body = if racer == 0 { right.clone() } else { wrong.clone() };
            async move { guest.post(shared::http::route::Route::ConfirmOrder, &body).await }
        })
        .await;

        let order = answers[0].clone().expect(201)["order"].take();
        assert_eq!(order["summary"]["totalAmount"], total);
        // It came before the order was there, or after it.
        if answers[1].code() == Some("TOTAL_CHANGED") {
            answers[1].clone().expect(409);
        } else {
            let refused = answers[1].clone().refused(409, "ORDER_ALREADY_PLACED");
            assert_eq!(refused["orderId"], order["orderId"]);
        }
        let orders = guest.orders().await.expect(200);
        assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1), "{orders:#}");
    }
}

fn moved_to(city: &str) -> Value {
    let mut address = california();
    address["city"] = json!(city);
    address
}
