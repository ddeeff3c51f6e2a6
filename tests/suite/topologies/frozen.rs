//! A container that Lambda froze between two requests, longer than a connection lasts.

use std::time::Duration;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use shared::http::route::Route;
use tests::{
    binaries::binary,
    runtime_api::{Bootstrap, Outcome},
    world::{Answer, Setup, World, id_of},
};

async fn invoke(bootstrap: &mut Bootstrap, event: &Value) -> Answer {
    match bootstrap.invoke(event).await {
        Outcome::Answered(payload) => Answer::from_gateway(&payload),
        Outcome::Failed(error) => panic!("{error:#}"),
    }
}

fn signal(bootstrap: &Bootstrap, signal: Signal) {
    kill(Pid::from_raw(bootstrap.id().try_into().expect("an id")), signal).expect("a process of ours");
}

/// The counts of a process, by name, over all of its invocations.
fn sum(stdout: &str, metric: &str) -> u64 {
    let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line[metric].as_u64()).sum()
}

/// Freezes a function between two reads of a session. Returns how many connections it opened after that, and what it
/// has written.
async fn frozen(idle_seconds: u64, while_frozen: impl AsyncFnOnce(&World)) -> (u64, String) {
    let setup = Setup::default().unlimited().setting("REDIS_IDLE_SECONDS", idle_seconds.to_string());
    let world = setup.setting("REDIS_TIMEOUT_MS", "1000").build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let read = guest.event(Route::GetSession).path("checkoutId", id_of(&session)).value();
    let mut bootstrap = Bootstrap::start(&binary("get-session"), world.settings()).await;
    invoke(&mut bootstrap, &read).await.expect(200);
    let connections = world.redis.traffic().connections;

    signal(&bootstrap, Signal::SIGSTOP);
    while_frozen(&world).await;
    signal(&bootstrap, Signal::SIGCONT);
    invoke(&mut bootstrap, &read).await.expect(200);

    let connections = world.redis.traffic().connections - connections;
    (connections, bootstrap.stop().await.stdout)
}

#[tokio::test]
async fn a_connection_that_was_reset_while_the_container_was_frozen_is_replaced_within_the_request() {
    let (connections, stdout) = frozen(3600, async |world| world.redis.cut()).await;
    assert_eq!(connections, 1);
    assert_eq!((sum(&stdout, "SessionHits"), sum(&stdout, "RedisDegraded")), (2, 0), "{stdout}");
}

#[tokio::test]
async fn a_connection_that_died_in_silence_is_not_even_tried_after_the_idle_limit() {
    let (connections, stdout) = frozen(1, async |world| {
        // What the old connection is sent from now on, nobody will ever answer.
        world.redis.strand();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    })
    .await;
    assert_eq!(connections, 1);
    assert_eq!((sum(&stdout, "SessionHits"), sum(&stdout, "RedisTimeouts")), (2, 0), "{stdout}");
}

#[tokio::test]
async fn before_the_idle_limit_silence_costs_one_deadline_and_the_next_request_a_new_connection() {
    let (_, stdout) = frozen(3600, async |world| world.redis.strand()).await;
    assert_eq!((sum(&stdout, "SessionHits"), sum(&stdout, "RedisTimeouts")), (1, 1), "{stdout}");
    assert_eq!(sum(&stdout, "BreakerOpenings"), 1, "{stdout}");
}
