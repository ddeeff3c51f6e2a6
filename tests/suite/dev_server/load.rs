//! Whatever clients do, the next request is answered. `cargo lambda watch` fell silent for good here.

use std::collections::BTreeMap;

use hyper::StatusCode;
use tests::{
    proxy::Mode,
    race::at_once,
    world::{Setup as Shop, World, patiently},
};
use tokio::io::AsyncWriteExt as _;
use tools::lambda::functions::QUEUE;

use super::{BASE, Setup, every_route_answers};

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_requests_at_once_are_answered_or_sent_away() {
    let world = Shop::default().setting("RATE_LIMITS", "health=10000/60").build().await;
    let server = Setup::of(&world).start().await;
    let path = format!("{BASE}/health");

    let seen = at_once(500, |_| {
        let (caller, path) = (server.caller(), path.clone());
        async move { caller.get(&path).await }
    })
    .await;

    let mut counts: BTreeMap<StatusCode, usize> = BTreeMap::new();
    for answer in &seen {
        *counts.entry(answer.status).or_default() += 1;
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
        }
    }
    let sent_away = counts.remove(&StatusCode::SERVICE_UNAVAILABLE).unwrap_or_default();
    let answered = counts.remove(&StatusCode::OK).unwrap_or_default();
    assert_eq!((answered + sent_away, counts), (500, BTreeMap::new()));
    assert!(answered >= QUEUE, "only {answered} were answered");
    every_route_answers(&server.caller()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_that_hang_up_leave_every_route_answering() {
    let world = World::new().await;
    let server = Setup::of(&world).concurrency(1).start().await;
    let (body, path) = (r#"{"checkoutId":"5f0c1c5e-9a5d-4f1e-8f0a-0d7c8d6f7a11"}"#, format!("{BASE}/confirm-order"));
    // No function gets anywhere, so that every call is at work, or waits, when its client hangs up.
    world.redis.set(Mode::Hang).await;

    // Each at another moment: with the request begun, sent in part, and sent whole.
    let streams = at_once(200, |index| {
        let (caller, path) = (server.caller(), path.clone());
        async move {
            let mut stream = caller.connect().await;
            let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
            let whole = format!("{head}{body}");
            let sent = match index % 4 {
                0 => &whole[..20],
                1 => &whole[..head.len() + 10],
                _ => &whole[..],
            };
            stream.write_all(sent.as_bytes()).await.expect("sent");
            stream
        }
    })
    .await;
    // The server has read what was sent before: it reads in turn.
    server.caller().get("/nothing").await;
    drop(streams);
    world.redis.set(Mode::Pass).await;

    every_route_answers(&server.caller()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_functions_are_not_found_and_change_nothing() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;

    at_once(200, |index| {
        let caller = server.caller();
        async move {
            let seen = match index % 4 {
                0 => caller.get(&format!("/nothing/{index}")).await,
                1 => caller.send("DELETE", &format!("{BASE}/health"), &[], "").await,
                2 => caller.get("/2015-03-31/functions/health/invocations").await,
                _ => caller.invoke(&format!("nobody-{index}"), "{}").await,
            };
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{seen:?}");
            if index % 4 == 3 {
                assert_eq!(seen.json()["errorType"], "ResourceNotFoundException");
            } else {
                assert_eq!(seen.json(), serde_json::json!({"message": "Not Found"}));
            }
        }
    })
    .await;

    every_route_answers(&server.caller()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_are_sent_away_and_the_others_go_on() {
    let world = World::new().await;
    let server = Setup::of(&world).connections(20).start().await;
    let health = format!("{BASE}/health");
    let kept = server.caller();
    assert_eq!(kept.get(&health).await.status, StatusCode::OK);

    // They say nothing and stay.
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(server.caller().connect().await);
    }
    let refused = server.caller().get(&health).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(kept.get(&health).await.status, StatusCode::OK);

    drop(silent);
    patiently(async || server.caller().get(&health).await.status == StatusCode::OK).await;
}
