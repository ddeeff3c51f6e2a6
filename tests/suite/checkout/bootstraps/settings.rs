//! Processes that can't start say why, all of it, in one line as every other line is, and end.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    binaries::binary,
    runtime_api::{Bootstrap, Ended, Outcome},
    world::World,
};

async fn end_of(function: &str, settings: &BTreeMap<String, String>) -> Ended {
    Bootstrap::start(&binary(function), settings).await.end().await
}

/// The reasons of a process that did not start, out of its one line.
#[track_caller]
fn reasons(function: &str, ended: &Ended) -> Vec<String> {
    assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
    assert_eq!(ended.stderr, "", "everything is in the log");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let [line] = lines.as_slice() else { panic!("not one line: {lines:#?}") };
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!((&line["level"], &line["function_name"]), (&json!("ERROR"), &json!(function)), "{line}");
    assert!(line["message"].as_str().is_some_and(|text| text.starts_with("The function can't start")), "{line}");
    assert!(line["timestamp"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{line}");
    assert!(line["service"].is_string(), "{line}");
    let reasons: Vec<String> = serde_json::from_value(line["errors"].clone()).unwrap_or_else(|_| panic!("{line}"));
    let told = ended.not_started.as_ref().expect("Lambda is told too");
    assert_eq!(told["errorMessage"], reasons.join("; "), "whoever invokes it reads the same");
    reasons
}

#[tokio::test]
async fn a_function_with_bad_settings_names_every_one_and_ends() {
    let world = World::new().await;
    let mut settings = world.settings().clone();
    for (name, value) in [
        ("ORDERS_TABLE", ""),
        ("AWS_REGION", " "),
        ("RATE_LIMIT_INITIATE", "ten a minute"),
        ("REDIS_HOST", "redis.example.com"),
        ("REDIS_PREFIX", "two words"),
        ("DYNAMODB_TIMEOUT_MS", "soon"),
        ("SESSION_TTL_SECONDS", "-1"),
        ("TRUSTED_PROXY_HOPS", "99"),
        ("JWT_HS256_SECRET", "a-very-secret-text-that-is-not-shown"),
        ("LOG_LEVEL", "loud"),
        ("REDIS_TIMOUT_MS", "a-very-secret-number"),
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }

    let ended = end_of("get-order", &settings).await;

    let reasons = reasons("get-order", &ended);
    for name in [
        "ORDERS_TABLE",
        "AWS_REGION",
        "RATE_LIMIT_INITIATE",
        "REDIS_URL",
        "REDIS_HOST",
        "REDIS_PREFIX",
        "DYNAMODB_TIMEOUT_MS",
        "SESSION_TTL_SECONDS",
        "TRUSTED_PROXY_HOPS",
        "JWT_HS256_SECRET",
        "LOG_LEVEL",
        "did you mean REDIS_TIMEOUT_MS?",
    ] {
        assert!(reasons.iter().any(|reason| reason.contains(name)), "{name} isn't in:\n{reasons:#?}");
    }
    assert!(!ended.stdout.contains("very-secret"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_function_without_any_setting_names_those_it_needs() {
    for function in ["health", "reconcile"] {
        let ended = end_of(function, &BTreeMap::new()).await;

        let reasons = reasons(function, &ended);
        let tables = ["SESSIONS_TABLE", "ORDERS_TABLE", "CATALOG_TABLE", "INVENTORY_TABLE", "IDEMPOTENCY_TABLE"];
        for name in tables.into_iter().chain(["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "REDIS_URL"])
        {
            assert!(reasons.iter().any(|reason| reason.contains(name)), "{name} isn't in:\n{reasons:#?}");
        }
    }
}

#[tokio::test]
async fn a_function_with_keys_or_certificates_that_cant_be_used_ends() {
    let world = World::new().await;
    let broken = "-----BEGIN CERTIFICATE-----\nnot-base64!\n-----END CERTIFICATE-----";
    for (name, value) in
        [("JWT_JWKS", "a-secret-that-is-no-file"), ("REDIS_CA", "a-secret-that-is-no-file"), ("REDIS_CA", broken)]
    {
        let mut settings = world.settings().clone();
        settings.insert(name.to_owned(), value.to_owned());
        if name == "REDIS_CA" {
            settings.insert("REDIS_URL".to_owned(), "rediss://127.0.0.1:1".to_owned());
        }

        let ended = end_of("get-order", &settings).await;

        let reasons = reasons("get-order", &ended);
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        let named = reasons[0].contains(name) || reasons[0].contains("Redis settings");
        assert!(named && !ended.stdout.contains("a-secret"), "{reasons:?}");
    }
}

/// A template can't look into a key set, and a shop that sells to guests must not end with its keys.
#[tokio::test]
async fn a_function_without_a_usable_key_in_its_setting_refuses_tokens_and_serves_guests() {
    let world = World::new().await;
    for keys in ["{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"] {
        let mut settings = world.settings().clone();
        settings.insert("JWT_JWKS".to_owned(), keys.to_owned());
        let mut function = Bootstrap::start(&binary("list-orders"), &settings).await;

        let guest = function.invoke(&world.guest().event(Route::ListOrders).value()).await;
        let user = function.invoke(&world.user("ada").event(Route::ListOrders).value()).await;

        let status = |outcome: &Outcome| match outcome {
            Outcome::Answered(answer) => answer["statusCode"].as_u64(),
            Outcome::Failed(_) => None,
        };
        assert_eq!((status(&guest), status(&user)), (Some(200), Some(401)), "{keys}");
        let log = function.stop().await.stdout;
        assert!(log.contains("every bearer token is refused"), "{log}");
    }
}

#[tokio::test]
async fn a_misspelt_setting_is_warned_of_and_stops_nothing() {
    let world = World::new().await;
    let mut settings = world.settings().clone();
    for (name, value) in [("RATE_LIMIT_INITATE", "a-secret"), ("REDIS_TIMOUT_MS", "a-secret"), ("PATH", "/bin")] {
        settings.insert(name.to_owned(), value.to_owned());
    }
    let mut health = Bootstrap::start(&binary("health"), &settings).await;
    let event = tests::event::Event::get("/api/v1/checkout/health").value();
    health.invoke(&event).await;

    let ended = health.stop().await;

    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let warnings: Vec<Value> = lines.filter(|line| line["level"] == "WARN").collect();
    let told: Vec<&str> = warnings.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(
        told,
        [
            "RATE_LIMIT_INITATE is not a setting: did you mean RATE_LIMIT_INITIATE?",
            "REDIS_TIMOUT_MS is not a setting: did you mean REDIS_TIMEOUT_MS?"
        ]
    );
    assert!(warnings.iter().all(|line| line["function_name"] == "health" && line["service"] == "checkout"));
    assert!(!ended.stdout.contains("a-secret"));
}

/// Not the text that the standard library prints, which no query of the log finds, and not what the customer sent.
#[tokio::test]
async fn a_panic_is_one_line_of_the_log_with_its_request() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let body = tests::world::confirmation(tests::world::id_of(&session), tests::world::total_of(&session));
    let mut settings = world.settings().clone();
    settings.insert("CHECKOUT_PANIC_AT".to_owned(), "confirm: nothing done".to_owned());
    let mut confirm = Bootstrap::start(&binary("confirm-order"), &settings).await;
    let event = guest.event(Route::ConfirmOrder).json(&body).value();

    confirm.invoke(&event).await;
    let ended = confirm.stop().await;

    assert_eq!(ended.stderr, "");
    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let panics: Vec<Value> = lines.filter(|line| line["message"] == "The function panicked").collect();
    let [line] = panics.as_slice() else { panic!("{panics:#?}") };
    assert_eq!((&line["level"], &line["function_name"]), (&json!("ERROR"), &json!("confirm-order")), "{line}");
    assert!(line["location"].as_str().is_some_and(|at| at.contains("crash.rs:")), "{line}");
    assert_eq!(line["correlation_id"], event["requestContext"]["requestId"], "{line}");
    assert!(line["function_request_id"].is_string() && line["error"].is_string(), "{line}");
    assert!(!ended.stdout.contains("Lovelace") && !ended.stdout.contains("St James"), "{}", ended.stdout);
}
