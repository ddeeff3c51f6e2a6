//! The processes behind the routes: they end, hang, fail to start and are built anew, and the next request is served.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc, time::Duration};

use hyper::StatusCode;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tests::{
    binaries::binary,
    dynamo_faults::{Fault, Rule},
    event::Event,
    proxy::Mode,
    world::{World, cart, patiently},
};
use tokio::io::AsyncWriteExt as _;

use super::{BASE, Setup};

/// Every process that has this in its environment.
pub(super) fn processes_with(variable: &str) -> Vec<i32> {
    let folders = fs::read_dir("/proc").expect("Linux").flatten();
    let ids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    })
    .collect()
}

/// Whether a process is no more, but for who waits for it. One that is just ending may still be given an event.
fn has_ended(id: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('Z'))
}

/// A program of its own, in a folder that goes with it.
fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("program");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    (folder, path)
}

#[tokio::test]
async fn a_container_that_was_killed_between_two_requests_is_replaced() {
    let world = World::new().await;
    let mark = world.settings()["REDIS_PREFIX"].clone();
    let server = Setup::of(&world).variable("MARK", &mark).start().await;
    let (caller, health) = (server.caller(), format!("{BASE}/health"));
    assert_eq!(caller.get(&health).await.status, StatusCode::OK);

    for round in 0..5 {
        let running = processes_with(&format!("MARK={mark}"));
        assert_eq!(running.len(), 1, "in round {round}");
        kill(Pid::from_raw(running[0]), Signal::SIGKILL).expect("it runs");
        patiently(async || has_ended(running[0])).await;
        assert_eq!(caller.get(&health).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_container_that_dies_at_work_is_an_internal_error_and_the_next_request_is_served() {
    let world = World::new().await;
    let mark = world.settings()["REDIS_PREFIX"].clone();
    let server = Setup::of(&world).variable("MARK", &mark).concurrency(1).start().await;
    let (caller, health) = (server.caller(), format!("{BASE}/health"));
    assert_eq!(caller.get(&health).await.status, StatusCode::OK);
    let running = processes_with(&format!("MARK={mark}"));

    world.redis.set(Mode::Hang).await;
    let before = world.redis.traffic().requests;
    let (seen, ()) = tokio::join!(caller.get(&health), async {
        patiently(async || world.redis.traffic().requests > before).await;
        kill(Pid::from_raw(running[0]), Signal::SIGKILL).expect("it runs");
    });
    world.redis.set(Mode::Pass).await;

    assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(seen.json(), json!({"message": "Internal Server Error"}));
    assert_eq!(caller.get(&health).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_container_that_does_not_end_in_time_is_ended_and_the_next_request_is_served() {
    let world = World::new().await;
    let mark = world.settings()["REDIS_PREFIX"].clone();
    // Shorter than the function's own patience with DynamoDB.
    let server = Setup::of(&world).variable("MARK", &mark).timeout(Duration::from_secs(1)).start().await;
    let caller = server.caller();
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)])});

    world.dynamodb.add(Rule::on("PutItem", Fault::Hang));
    let seen = caller.send("POST", &format!("{BASE}/initiate"), &[], &body.to_string()).await;
    let event = Event::post("/api/v1/checkout/initiate").json(&body).value();
    let direct = caller.invoke("initiate", &event.to_string()).await;
    world.dynamodb.clear_rules();

    assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR, "{seen:?}");
    assert_eq!(direct.json()["errorType"], "Sandbox.Timedout");
    patiently(async || processes_with(&format!("MARK={mark}")).is_empty()).await;
    // Nothing holds the turns of those that were ended.
    for _ in 0..4 {
        let seen = caller.send("POST", &format!("{BASE}/initiate"), &[], "{}").await;
        assert_ne!(seen.status, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_program_that_ends_at_its_start_is_an_internal_error_each_time_and_no_other_route_suffers() {
    let world = World::new().await;
    let (_folder, dies) = script("#!/bin/sh\nexit 3\n");
    let missing = PathBuf::from("/nowhere/confirm-order");
    let server = Setup::of(&world).program("list-orders", &dies).program("confirm-order", &missing).start().await;
    let caller = server.caller();

    for _ in 0..5 {
        let seen = caller.get(&format!("{BASE}/orders")).await;
        assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR);
        let direct = caller.invoke("list-orders", "{}").await;
        assert_eq!(direct.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(direct.json()["errorType"], "Runtime.InitError");
    }
    assert_eq!(caller.invoke("confirm-order", "{}").await.json()["errorType"], "Runtime.InitError");
    assert_eq!(caller.get(&format!("{BASE}/health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_function_goes_on_as_it_was_until_it_is_renewed() {
    let world = World::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("health");
    fs::hard_link(binary("health"), &program)
        .or_else(|_| fs::copy(binary("health"), &program).map(drop))
        .expect("a copy");
    let server = Setup::of(&world).program("health", &program).start().await;
    let (caller, health) = (server.caller(), format!("{BASE}/health"));
    assert_eq!(caller.get(&health).await.status, StatusCode::OK);

    // As cargo does it: the old one goes, and another one takes its place.
    fs::remove_file(&program).expect("removed");
    assert_eq!(caller.get(&health).await.status, StatusCode::OK);
    fs::copy(binary("list-orders"), &program).expect("a copy");
    assert_eq!(caller.get(&health).await.status, StatusCode::OK);

    server.functions.renew("health");

    // What lists orders wants to know whose.
    assert_eq!(caller.get(&health).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_function_ends_its_work_when_its_client_has_hung_up() {
    let world = World::new().await;
    let server = Setup::of(&world).concurrency(1).start().await;
    let caller = server.caller();
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)])}).to_string();
    let before = world.redis.traffic().requests;
    world.redis.set(Mode::Delay(Duration::from_millis(500))).await;

    let mut stream = caller.connect().await;
    let request = format!(
        "POST {BASE}/initiate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    patiently(async || world.redis.traffic().requests > before).await;
    drop(stream);
    world.redis.set(Mode::Pass).await;

    patiently(async || world.all("SESSIONS_TABLE").await.len() == 1).await;
    // The one turn is free again.
    assert_eq!(caller.send("POST", &format!("{BASE}/initiate"), &[], &body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn never_more_containers_than_allowed_and_none_left_behind() {
    let world = World::new().await;
    let mark = world.settings()["REDIS_PREFIX"].clone();
    let server = Setup::of(&world).variable("MARK", &mark).concurrency(2).start().await;
    let health = format!("{BASE}/health");

    tests::race::at_once(20, |_| {
        let (caller, health) = (server.caller(), health.clone());
        async move { caller.get(&health).await }
    })
    .await;

    let running = processes_with(&format!("MARK={mark}")).len();
    assert!((1..=2).contains(&running), "{running} run");
    let functions = Arc::downgrade(&server.functions);
    drop(server);
    patiently(async || functions.strong_count() == 0 && processes_with(&format!("MARK={mark}")).is_empty()).await;
}
