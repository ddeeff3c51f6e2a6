//! The environment of a local stack's functions.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::Credentials;
use tools::client::Access;
use tools::laptop;
use tools::stripe_server::{SECRET_KEY, WEBHOOK_SECRET};

use crate::commands::environment::given;

/// Whether the environment names a Redis.
pub fn has_redis() -> bool {
    given("REDIS_URL").or_else(|| given("REDIS_HOST")).is_some()
}

/// Whether the environment has a Stripe account.
pub fn has_stripe() -> bool {
    given("STRIPE_SECRET_KEY").or_else(|| given("STRIPE_SECRET_KEY_FROM")).is_some()
}

/// The settings of a Stripe on this machine.
pub fn for_stripe(url: &str) -> [(String, Option<String>); 3] {
    [("STRIPE_API_URL", url), ("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)]
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
}

/// Whether the environment names an issuer, so that laptop tokens are refused.
pub fn has_issuer() -> bool {
    given("JWT_JWKS").or_else(|| given("JWT_HS256_SECRET")).is_some()
}

/// The connection to the `DynamoDB` that `AWS_ENDPOINT_URL_DYNAMODB` names.
pub fn named_dynamodb() -> Option<Access> {
    let endpoint = given("AWS_ENDPOINT_URL_DYNAMODB")?;
    let key = given("AWS_ACCESS_KEY_ID").unwrap_or_else(|| laptop::ACCESS_KEY.to_owned());
    let secret = given("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|| laptop::ACCESS_KEY.to_owned());
    Some(Access {
        endpoint: Some(endpoint),
        region: given("AWS_REGION").unwrap_or_else(|| laptop::REGION.to_owned()),
        credentials: Credentials::new(key, secret, given("AWS_SESSION_TOKEN"), None, "environment"),
    })
}

/// The variables on top of this process's own environment, which the functions inherit. `None` removes a variable.
pub fn for_functions(
    access: &Access,
    redis_url: Option<String>,
    tables: BTreeMap<String, String>,
) -> BTreeMap<String, Option<String>> {
    let mut settings: BTreeMap<_, _> = tables.into_iter().map(|(name, value)| (name, Some(value))).collect();
    let mut set = |name: &str, value: Option<&str>| {
        settings.insert(name.to_owned(), value.map(str::to_owned));
    };
    set("AWS_REGION", Some(&access.region));
    set("AWS_ENDPOINT_URL_DYNAMODB", access.endpoint.as_deref());
    set("AWS_ACCESS_KEY_ID", Some(access.credentials.access_key_id()));
    set("AWS_SECRET_ACCESS_KEY", Some(access.credentials.secret_access_key()));
    set("AWS_SESSION_TOKEN", access.credentials.session_token());
    if let Some(url) = redis_url {
        set("REDIS_URL", Some(&url));
        // The server is started here, so settings of another one in the environment are removed.
        for other in [
            "REDIS_PORT",
            "REDIS_USERNAME",
            "REDIS_PASSWORD",
            "REDIS_SSL",
            "REDIS_CA",
            "REDIS_TOPOLOGY",
            "REDIS_SENTINEL_MASTER",
            "REDIS_SENTINEL_USERNAME",
            "REDIS_SENTINEL_PASSWORD",
            "REDIS_IAM_CACHE",
            "REDIS_IAM_SERVERLESS",
        ] {
            set(other, None);
        }
    }
    if given("ORDER_LINK_SECRET").is_none() {
        set("ORDER_LINK_SECRET", Some(laptop::ORDER_LINK_SECRET));
        set("ORDER_LINK_URL", Some(&given("ORDER_LINK_URL").unwrap_or_else(|| laptop::ORDER_LINK_URL.to_owned())));
    }
    if !has_issuer() {
        for (name, value) in laptop::jwt_settings() {
            set(&name, Some(&value));
        }
    }
    settings
}
