//! `DynamoDB`, with every fault that it can have.

use std::{sync::Arc, time::Duration};

use shared::{
    app::{App, Clock},
    http::route::Route,
};
use tests::{
    dynamo_faults::{Fault, Hits, Rule},
    proxy::FaultProxy,
    world::{Answer, Setup, World},
};

use super::{
    Outcome, Table,
    scene::{Scene, warm},
};

const FAULTS: [&str; 7] = ["down", "refused", "hung", "slow", "read-only", "failing over", "out of capacity"];
const WRITES: [&str; 4] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];

/// A container that reaches the database through another proxy, one that can refuse connections.
async fn container(world: &World, fault: &str) -> (FaultProxy, Arc<App>) {
    let proxy = FaultProxy::before(world.dynamodb.address()).await;
    let mut config = world.app().config.clone();
    config.dynamodb.endpoint = Some(format!("http://{}", proxy.address()));
    if fault == "hung" {
        config.dynamodb.timeout = Duration::from_millis(300);
    }
    (proxy, Arc::new(App::new(config, Clock::System).expect("a container")))
}

/// Begins the fault. Returns what counts the calls that are never answered.
async fn begin(world: &World, proxy: &FaultProxy, fault: &str) -> Option<Hits> {
    match fault {
        "down" | "refused" => proxy.down().await,
        "hung" => return Some(world.dynamodb.add(Rule::on("*", Fault::Hang))),
        "slow" => {
            world.dynamodb.add(Rule::on("*", Fault::Delay(Duration::from_millis(20))));
        }
        "read-only" => {
            for operation in WRITES {
                world.dynamodb.add(Rule::on(operation, Fault::Error(400, "AccessDeniedException")));
            }
        }
        "failing over" => {
            world.dynamodb.add(Rule::on("*", Fault::InternalServerError).times(2));
        }
        "out of capacity" => {
            world.dynamodb.add(Rule::on("*", Fault::ProvisionedThroughputExceeded));
        }
        other => panic!("there is no {other}"),
    }
    None
}

fn outcome(answer: &Answer, unanswered: Option<&Hits>) -> Outcome {
    Outcome {
        status: answer.status().to_string(),
        degraded: answer.counts().dynamodb_degraded,
        timeouts: unanswered.map_or(0, |hits| hits.count() as u64),
    }
}

async fn column(fault: &str) -> Vec<(&'static str, String)> {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let mut outcomes = Vec::new();
    for route in Route::ALL {
        let scene = Scene::set(&world, route, || ()).await;
        let (proxy, container) = container(&world, fault).await;
        if fault != "refused" {
            warm(&world, &container).await;
        }
        let unanswered = begin(&world, &proxy, fault).await;
        let answer = scene.send(&container).await;
        outcomes.push((route.function(), outcome(&answer, unanswered.as_ref()).to_string()));
        world.dynamodb.clear_rules();
        proxy.up().await;
        // What was removed isn't there any more.
        let is_gone = route == Route::RemovePaymentMethod && answer.status() < 300;
        if answer.status() >= 300 && route != Route::Health {
            assert!(answer.header("retry-after").is_some(), "{fault}, {route:?}: {answer:#?}");
            answer.refused(503, "STORE_UNAVAILABLE");
        }
        // Nothing is lost: the same request, sent again.
        let again = scene.send(&container).await;
        let is_done = again.status() < 300 || is_gone && again.status() == 404;
        assert!(is_done, "{fault}, {route:?}: {:#}", again.body());
    }
    outcomes
}

#[tokio::test]
async fn every_route_answers_every_fault_of_dynamodb_as_documented() {
    let mut columns = Vec::new();
    for fault in FAULTS {
        columns.push((fault, column(fault).await));
    }
    Table::measured(columns).stands_under("DynamoDB");
}
