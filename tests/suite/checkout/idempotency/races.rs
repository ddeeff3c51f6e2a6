//! One key sent many times at once: one effect, and the same answer to all.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race,
    world::{Answer, Setup, Shopper, World, confirmation, id_of, total_of},
};

use super::{KEY, REPLAYED, assert_replayed, beans, cancel, id_of_order};
use crate::checkout::races::{Fleet, all_before_any};

/// The same answer to all, and to all but one of them as a replay.
#[track_caller]
fn assert_one_answer(answers: &[Answer], status: u16) {
    let (first, replays): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.header(REPLAYED).is_none());
    assert_eq!(first.len(), 1, "{answers:#?}");
    assert_eq!(first[0].status(), status, "{answers:#?}");
    for replay in replays {
        assert_replayed(replay, first[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_initiates_with_one_key_one_opens_a_session() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 4);
    let guest = world.guest();

    let answers = race::at_once(20, |racer| {
        let guest = guest.clone().served_by(fleet.container(racer));
        async move { guest.post_once(Route::Initiate, KEY, &beans(1)).await }
    })
    .await;

    assert_one_answer(&answers, 201);
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_2_initiates_that_both_found_the_key_unused_one_opens_a_session() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 2);
    let nobody = world.nobody();

    let answers = all_before_any(&world, "TransactWriteItems", 2, |racer| {
        let nobody = nobody.clone().served_by(fleet.container(racer));
        async move { nobody.post_once(Route::Initiate, KEY, &beans(1)).await }
    })
    .await;

    assert_one_answer(&answers, 201);
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_2_initiates_with_one_key_and_two_bodies_one_is_refused() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 2);
    let guest = world.guest();

    let answers = all_before_any(&world, "TransactWriteItems", 2, |racer| {
        let guest = guest.clone().served_by(fleet.container(racer));
        let quantity = if racer == 0 { 1 } else { 2 };
        async move { guest.post_once(Route::Initiate, KEY, &beans(quantity)).await }
    })
    .await;

    let (opened, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 201);
    assert_eq!((opened.len(), refused.len()), (1, 1));
    refused[0].clone().refused(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_confirms_with_one_key_one_places_the_order_and_all_are_told_that_it_did() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 4);
    let (guest, body) = ready(&world).await;

    let answers = race::at_once(20, |racer| {
        let (guest, body) = (guest.clone().served_by(fleet.container(racer)), body.clone());
        async move { guest.post_once(Route::ConfirmOrder, KEY, &body).await }
    })
    .await;

    assert_one_answer(&answers, 201);
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_2_confirms_that_both_found_the_key_unused_one_places_the_order() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 2);
    let (guest, body) = ready(&world).await;

    let answers = all_before_any(&world, "TransactWriteItems", 2, |racer| {
        let (guest, body) = (guest.clone().served_by(fleet.container(racer)), body.clone());
        async move { guest.post_once(Route::ConfirmOrder, KEY, &body).await }
    })
    .await;

    assert_one_answer(&answers, 201);
    assert_eq!(world.stored_orders().await.len(), 1);
}

/// It found the key unused, and then the session completed: by the very request whose answer it must give.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_that_its_own_double_overtook_gives_the_answer_of_the_double() {
    let world = World::new().await;
    let (guest, body) = ready(&world).await;
    // Without the session's copy both read the database, and one of them is held there.
    world.keys.clear();
    let gate = Gate::closed();
    let sessions = world.tables.name("SESSIONS_TABLE");
    world.dynamodb.add(Rule::on("GetItem", Fault::Hold(gate.clone())).table(&sessions).times(1));

    let overtaken = tokio::spawn({
        let (guest, body) = (guest.clone().served_by(&world.container()), body.clone());
        async move { guest.post_once(Route::ConfirmOrder, KEY, &body).await }
    });
    gate.arrived(1).await;
    let first = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
    gate.open();

    assert_replayed(&overtaken.await.unwrap(), &first);
    first.expect(201);
}

/// The double took the last ones: that they are gone is no answer to the one who has them.
#[tokio::test(flavor = "multi_thread")]
async fn an_initiate_that_found_nothing_left_gives_the_answer_of_its_double() {
    let world = World::new().await;
    let guest = world.guest();
    let body = json!({"cartItems": tests::world::cart(&[("limited-print", 5)])});
    let gate = Gate::closed();
    let inventory = world.tables.name("INVENTORY_TABLE");
    world.dynamodb.add(Rule::on("BatchGetItem", Fault::Hold(gate.clone())).table(&inventory).times(1));

    let overtaken = tokio::spawn({
        let (guest, body) = (guest.clone().served_by(&world.container()), body.clone());
        async move { guest.post_once(Route::Initiate, KEY, &body).await }
    });
    gate.arrived(1).await;
    let first = guest.post_once(Route::Initiate, KEY, &body).await;
    world.guest().buy(&[("limited-print", 5)]).await;
    gate.open();

    assert_replayed(&overtaken.await.unwrap(), &first);
    first.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_cancels_with_one_key_one_cancels() {
    let world = World::new().await;
    let fleet = Fleet::of(&world, 4);
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let order = order["orderId"].as_str().unwrap();

    let answers = race::at_once(20, |racer| {
        let (guest, order) = (guest.clone().served_by(fleet.container(racer)), order.to_owned());
        async move { cancel(&guest, &order, KEY, &json!({"reason": "ordered twice"})).await }
    })
    .await;

    assert_one_answer(&answers, 200);
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_its_own_double_overtook_gives_the_answer_of_the_double() {
    let world = World::new().await;
    let (guest, body) = ready(&world).await;
    let order = guest.post(Route::ConfirmOrder, &body).await.expect(201);
    let order = id_of_order(&order).to_owned();
    let gate = Gate::closed();
    let orders = world.tables.name("ORDERS_TABLE");
    world.dynamodb.add(Rule::on("GetItem", Fault::Hold(gate.clone())).table(&orders).times(1));

    let overtaken = tokio::spawn({
        let (guest, order) = (guest.clone().served_by(&world.container()), order.clone());
        async move { cancel(&guest, &order, KEY, &json!({})).await }
    });
    gate.arrived(1).await;
    let first = cancel(&guest, &order, KEY, &json!({})).await;
    gate.open();

    assert_replayed(&overtaken.await.unwrap(), &first);
    first.expect(200);
}

/// A guest with a session that is ready, and the confirmation of it.
async fn ready(world: &std::sync::Arc<World>) -> (Shopper, Value) {
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    (guest, body)
}
