//! The shop beside the interface, and what lives behind it: for its own page, and for no other.

use hyper::StatusCode;
use serde_json::json;
use tests::{
    binaries::binary,
    world::{World, patiently},
};
use tools::{behind::sums::Sum, redis_server::RedisServer};

use super::{BASE, Setup};

#[tokio::test]
async fn the_shop_is_served_with_all_that_it_loads_and_nothing_beside_it() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let caller = server.caller();

    let page = caller.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let text = String::from_utf8(page.body.to_vec()).expect("text");
    let named: Vec<_> = text
        .split('"')
        .filter(|part| [".css", ".js", ".svg"].iter().any(|ending| part.ends_with(ending)))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(named.len(), 3, "{text}");

    // The page's files, and what its scripts import.
    let mut left = named;
    let mut seen = std::collections::BTreeSet::new();
    while let Some(name) = left.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let file = caller.get(&format!("/{name}")).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{name}");
        let text = String::from_utf8(file.body.to_vec()).expect("text");
        left.extend(
            text.split("from \"./").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()),
        );
    }
    assert!(seen.len() > 10, "{seen:?}");

    for path in ["/nothing.js", "/..%2fTRY.md", "/.html", "/main.js/more", "/README.md", "/main.JS"] {
        assert_eq!(caller.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(caller.send("POST", "/", &[], "{}").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn what_lives_behind_is_told_to_the_own_page_only() {
    let world = World::new().await;
    let redis = RedisServer::start().expect("redis-server");
    let server = Setup::of(&world).redis(redis).start().await;
    let caller = server.caller();
    let own = format!("http://{}", server.address);
    let off = r#"{"running":false}"#;

    let other_port = "http://127.0.0.1:1";
    for headers in [
        [("origin", "https://shop.example.org"), ("sec-fetch-site", "cross-site")],
        [("origin", other_port), ("sec-fetch-site", "same-site")],
        [("origin", "null"), ("sec-fetch-site", "same-origin")],
        [("origin", &own), ("sec-fetch-site", "cross-site")],
        // A name of somebody else's that leads here.
        [("host", "shop.example.org"), ("origin", "http://shop.example.org")],
    ] {
        let switched = caller.send("PUT", "/behind/redis", &headers, off).await;
        assert_eq!(switched.status, StatusCode::FORBIDDEN, "{headers:?}");
        let read = caller.send("GET", "/behind", &headers, "").await;
        assert_eq!(read.status, StatusCode::FORBIDDEN, "{headers:?}");
        let asked = caller.send("OPTIONS", "/behind/redis", &headers, "").await;
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (StatusCode::FORBIDDEN, None));
    }
    let page = [("origin", &*own), ("sec-fetch-site", "same-origin")];
    for body in ["", "{}", r#"{"running":1}"#, r#"{"running":true,"more":1}"#] {
        let seen = caller.send("PUT", "/behind/redis", &page, body).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(caller.send("DELETE", "/behind", &page, "").await.status, StatusCode::METHOD_NOT_ALLOWED);
    let seen = caller.send("GET", "/behind", &page, "").await;
    assert_eq!((seen.status, &seen.json()["redis"]["running"]), (StatusCode::OK, &json!(true)));

    // A server that has not started the Redis does not stop it.
    let server = Setup::of(&world).start().await;
    let seen = server.caller().send("PUT", "/behind/redis", &[], off).await;
    assert_eq!(seen.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn redis_stops_and_starts_and_the_functions_go_back_to_it() {
    let world = World::new().await;
    let redis = RedisServer::start().expect("redis-server");
    let server = Setup::of(&world).redis(redis).start().await;
    let caller = server.caller();
    let health = async || caller.get(&format!("{BASE}/health")).await.json()["status"].clone();
    let switch = async |running: bool| {
        let body = json!({ "running": running }).to_string();
        let seen = caller.send("PUT", "/behind/redis", &[], &body).await;
        assert_eq!((seen.status, seen.json()), (StatusCode::OK, json!({ "running": running })));
        let view = caller.get("/behind").await.json();
        assert_eq!(view["redis"]["running"], running);
    };
    assert_eq!(health().await, "ok");
    switch(false).await;
    assert_eq!(health().await, "degraded");
    // Twice is once.
    switch(false).await;
    switch(true).await;
    switch(true).await;
    patiently(async || health().await == "ok").await;
}

#[tokio::test]
async fn each_call_is_shown_with_what_it_asked_of_the_stores() {
    let world = World::new().await;
    let server = Setup::of(&world).start().await;
    let caller = server.caller();
    let seen = caller.get(&format!("{BASE}/health")).await;
    let id = seen.header("x-request-id").expect("an id");
    // The lines of a call come a moment after its answer.
    let call = async || {
        let view = caller.get("/behind").await.json();
        view["calls"].as_array().into_iter().flatten().find(|call| call["requestId"] == id).cloned()
    };
    patiently(async || call().await.is_some_and(|call| call["dynamodb"]["calls"] != 0)).await;
    let call = call().await.expect("the call");
    assert_eq!((&call["route"], &call["status"]), (&json!("health"), &json!(200)));
    assert_eq!(call["redis"]["failed"], 0);
    // The same in sums, for `checkout top`.
    let sums: Vec<Sum> = serde_json::from_value(caller.get("/behind/sums").await.json()).expect("sums");
    let answers: u64 = sums.iter().filter_map(|sum| sum.requests.get("health")?.get(&200)).sum();
    assert_eq!(answers, 1, "{sums:?}");
    assert!(sums.iter().any(|sum| sum.metrics.get("DynamoDbMs").is_some_and(|tally| tally.values > 0)), "{sums:?}");
    let port = server.address.port().to_string();
    let run =
        tokio::process::Command::new(binary("checkout")).args(["top", "--local", "--once", "--port", &port]).output();
    let output = run.await.expect("checkout starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 requests in 5 minutes") && text.contains("200: 1"), "{text}");
}
