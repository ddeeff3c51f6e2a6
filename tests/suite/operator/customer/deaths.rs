//! The run dies anywhere, loses answers, or loses a store: the next run finishes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use shared::{app::App, crash, domain::ids::Owner};
use tests::{
    dynamo_faults::{Fault, Rule},
    proxy::Mode,
    world::World,
};
use tools::operator::{
    Operator,
    person::{
        PersonError,
        erase::{Report, erase},
        find::Whom,
    },
};
use uuid::Uuid;

use super::{Life, MARKS, assert_no_marks, books, customer, deliver, shop};

pub async fn run(app: &Arc<App>, owner: Owner) -> Result<Report, PersonError> {
    let mut operator = Operator::connect(&app.config.redis).await.expect("Redis");
    erase(app, &mut operator, &Whom::Owner(owner), Uuid::new_v4, &|_| ()).await
}

pub fn user() -> Owner {
    Owner::User("user-marked".parse().expect("an id"))
}

/// A life of which all orders are over.
async fn over(world: &Arc<World>) -> Life {
    let life = Life::lived_in(world).await;
    deliver(&life.staff, &life.open).await;
    life
}

async fn assert_erased(world: &World, life: &Life, before: &BTreeMap<String, Value>) {
    assert_no_marks(world, &[&MARKS[..], &[life.guest.guest_id()]].concat()).await;
    assert_eq!(books(world).await, *before);
    for counter in world.all("INVENTORY_TABLE").await {
        assert!(!counter["id"].as_s().is_ok_and(|id| id.contains("#mailbox#")), "{counter:?}");
    }
    world.assert_open_orders_add_up().await;
}

#[tokio::test]
async fn a_run_that_dies_at_any_point_is_finished_by_the_next() {
    // Each with a life of its own, dead once; then one that dies again and again, a step later each time.
    for nth in [2, 13, 19, 26, 32, 40] {
        let world = shop().await;
        let life = over(&world).await;
        let before = books(&world).await;
        let first = crash::dying_at(nth, run(world.app(), user())).await;
        assert!(first.is_none(), "it has fewer than {nth} steps");
        let report = run(world.app(), user()).await.expect("it goes well");
        assert!(report.stays.is_empty(), "{report:?}");
        assert_erased(&world, &life, &before).await;
    }
    let world = shop().await;
    let life = over(&world).await;
    let before = books(&world).await;
    let mut deaths = 0;
    while crash::dying_at(deaths, run(world.app(), user())).await.is_none() {
        deaths += 1;
    }
    assert!(deaths > 5, "{deaths}");
    assert_erased(&world, &life, &before).await;
}

#[tokio::test]
async fn a_lost_answer_of_any_call_leaves_nothing_behind() {
    let world = shop().await;
    let life = over(&world).await;
    let before = books(&world).await;
    for nth in 0.. {
        world.dynamodb.clear_rules();
        // As often as one call is attempted.
        let lost = world.dynamodb.add(Rule::on("*", Fault::AnswerLost).skip(nth).times(3));
        let result = run(world.app(), user()).await;
        if lost.count() == 0 {
            assert!(result.expect("no answer was lost").stays.is_empty());
            break;
        }
    }
    assert_erased(&world, &life, &before).await;
}

#[tokio::test]
async fn without_a_store_nothing_is_said_to_be_erased() {
    let world = shop().await;
    let life = over(&world).await;
    let before = books(&world).await;
    world.redis.down().await;
    let failed = customer(&world, &["erase", "--user", "user-marked", "--apply"]).await;
    assert!(failed.code == 1 && failed.stderr.contains("Redis can't be reached"), "{failed:?}");
    world.redis.up().await;
    assert_eq!(
        world
            .stored_orders()
            .await
            .iter()
            .filter(|order| order["owner"].as_s().is_ok_and(|o| o == "user#user-marked"))
            .count(),
        7
    );

    // The table of orders refuses in the middle of it.
    let orders = world.tables.name("ORDERS_TABLE");
    let refusing = Rule::on("TransactWriteItems", Fault::InternalServerError).table(&orders).skip(2);
    let hits = world.dynamodb.add(refusing);
    let failed = customer(&world, &["erase", "--user", "user-marked", "--apply"]).await;
    assert!(failed.code == 1 && failed.stderr.contains("erase person"), "{failed:?}");
    assert!(hits.count() > 0);
    world.dynamodb.clear_rules();
    let finished = customer(&world, &["erase", "--user", "user-marked", "--apply"]).await;
    assert_eq!(finished.code, 0, "{finished:?}");
    assert_erased(&world, &life, &before).await;
}

#[tokio::test]
async fn a_hanging_redis_ends_the_run_with_an_error() {
    let world = shop().await;
    let life = Life::lived_in(&world).await;
    let mut operator = Operator::connect(&world.app().config.redis).await.expect("Redis");
    world.redis.set(Mode::Hang).await;
    let whom = Whom::Owner(user());
    let ended =
        tokio::time::timeout(Duration::from_secs(60), erase(world.app(), &mut operator, &whom, Uuid::new_v4, &|_| ()));
    assert!(ended.await.expect("it ends").is_err());
    world.redis.up().await;
    life.user.orders().await.expect(200);
}
