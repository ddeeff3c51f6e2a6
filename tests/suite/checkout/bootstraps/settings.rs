//! Processes that can't start say why, all of it, and end.

use tests::{binaries::binary, runtime_api::Bootstrap, world::World};

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
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }

    let ended = Bootstrap::start(&binary("get-order"), &settings).await.end().await;

    assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
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
    ] {
        assert!(said.contains(name), "{name} isn't in:\n{said}");
    }
    assert!(!said.contains("very-secret"), "{said}");
}

#[tokio::test]
async fn a_function_without_any_setting_names_those_it_needs() {
    let ended = Bootstrap::start(&binary("health"), &std::collections::BTreeMap::new()).await.end().await;

    assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
    let tables = ["SESSIONS_TABLE", "ORDERS_TABLE", "CATALOG_TABLE", "INVENTORY_TABLE", "IDEMPOTENCY_TABLE"];
    for name in tables.into_iter().chain(["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "REDIS_URL"]) {
        assert!(ended.stderr.contains(name), "{name} isn't in:\n{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_function_with_keys_that_cant_be_used_ends() {
    let world = World::new().await;
    for keys in ["{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "no-such-file.json"] {
        let mut settings = world.settings().clone();
        settings.insert("JWT_JWKS".to_owned(), keys.to_owned());

        let ended = Bootstrap::start(&binary("get-order"), &settings).await.end().await;

        assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
        assert!(ended.stderr.contains("Keys"), "{}", ended.stderr);
    }
}
