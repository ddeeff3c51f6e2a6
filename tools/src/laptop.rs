//! Used by a laptop's stack only: names, fake credentials and tokens of invented callers.
//!
//! Nothing here gives access to a deployed stack, which has no shared secret.

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

pub const REGION: &str = "us-east-1";
/// Letters and digits only: `DynamoDB` Local refuses anything else.
pub const ACCESS_KEY: &str = "local";
/// The prefix of the local tables' names.
pub const TABLE_PREFIX: &str = "checkout-";
pub const JWT_SECRET: &str = "local-development-only-0123456789abcdef";
pub const JWT_ISSUER: &str = "http://localhost/local-issuer";
pub const JWT_AUDIENCE: &str = "checkout-local";
/// The page of the order links.
pub const ORDER_LINK_URL: &str = "http://localhost:3000/order";
/// What signs them.
pub const ORDER_LINK_SECRET: &str = "local-links-only-0123456789abcdefghij";
const TOKEN_LIFE: Duration = Duration::days(30);

/// The settings that make a function accept [`token`]s.
pub fn jwt_settings() -> BTreeMap<String, String> {
    [("JWT_HS256_SECRET", JWT_SECRET), ("JWT_ISSUER", JWT_ISSUER), ("JWT_AUDIENCE", JWT_AUDIENCE)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iss: &'static str,
    aud: &'static str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<[&'static str; 1]>,
}

/// A bearer token for `user` that a local stack accepts from `now` on, for thirty days.
pub fn token(user: &str, staff: bool, now: OffsetDateTime) -> Result<String, jsonwebtoken::errors::Error> {
    let claims = Claims {
        sub: user,
        iss: JWT_ISSUER,
        aud: JWT_AUDIENCE,
        iat: now.unix_timestamp(),
        exp: (now + TOKEN_LIFE).unix_timestamp(),
        roles: staff.then_some(["staff"]),
    };
    let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
}
