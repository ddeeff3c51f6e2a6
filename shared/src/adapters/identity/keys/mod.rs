//! The keys that tokens are verified with, and where they come from.
//!
//! A set at a URL is fetched again when it is five minutes old, so that a key that its provider has withdrawn ends then in
//! every container. While the provider can't be reached, the keys at hand go on for an hour at most.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use aws_smithy_runtime_api::client::{http::HttpConnector as _, orchestrator::HttpRequest};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde_json::Value;
use time::{Duration as Span, OffsetDateTime};

use crate::{adapters::https, config::auth::KeySource, telemetry::cause};

/// A set is fetched again when it is this old, or sooner, where the provider's `max-age` asks for it.
const FRESH: Span = Span::minutes(5);
/// A set is fetched again for an unknown key at most this often, whatever `max-age` says.
const REFETCH: Span = Span::minutes(1);
/// How long keys go on while their provider can't be reached.
const KEPT: Span = Span::hours(1);
/// After a failure the provider is asked again after this time, and after twice the time for each failure that follows,
/// up to [`REFETCH`].
const REST: Span = Span::seconds(5);
/// What a provider that hangs costs a request.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest set that is read, in bytes.
const MAX_JWKS: usize = 256 * 1024;

/// A key set that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("JWT_JWKS: {0}")]
pub struct BadKeys(String);

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    Unknown,
    /// It names none, and which of several is meant can't be known.
    Unnamed,
    /// The provider can't be reached, and may have it.
    OutOfReach,
}

#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) struct Keys {
    url: Option<String>,
    clock: fn() -> OffsetDateTime,
    ring: RwLock<Ring>,
    /// Whoever holds it fetches; the others wait for what comes of it.
    fetching: tokio::sync::Mutex<Fetching>,
}

#[derive(Debug, Default)]
struct Ring {
    keys: Vec<Key>,
    /// Until when the set is good without a look at its source; None for one that never changes.
    fresh_until: Option<OffsetDateTime>,
    /// Until when it is good while its source can't be reached.
    kept_until: Option<OffsetDateTime>,
    /// Whether the set is known to be whole: a key that isn't in it is then unknown, and not merely not fetched yet.
    whole: bool,
}

#[derive(Debug, Default)]
struct Fetching {
    /// When the set may be asked for again, so that made-up key ids don't make us fetch without end.
    ask_at: Option<OffsetDateTime>,
    /// One after another.
    failures: u32,
}

impl Keys {
    pub(super) fn new(source: &KeySource, clock: fn() -> OffsetDateTime) -> Result<Self, BadKeys> {
        let (keys, url) = match source {
            KeySource::Url(url) => (Vec::new(), Some(url.clone())),
            KeySource::Inline(text) => (parse(text)?, None),
            KeySource::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    // Not its name: a key that was put here by mistake is read as one.
                    BadKeys(format!("it names a file that can't be read: {}", cause::chain(&error)))
                })?;
                (parse(&text)?, None)
            }
            KeySource::Hs256(secret) => {
                let key = DecodingKey::from_secret(secret.expose().as_bytes());
                (vec![Key { id: None, algorithm: Algorithm::HS256, key }], None)
            }
        };
        let ring = Ring { keys, whole: url.is_none(), fresh_until: None, kept_until: None };
        Ok(Self { url, clock, ring: RwLock::new(ring), fetching: tokio::sync::Mutex::default() })
    }

    /// How many there are; fetches them if that has not been done.
    pub(super) async fn count_fetched(&self) -> usize {
        let count = || self.ring.read().unwrap_or_else(PoisonError::into_inner).keys.len();
        if count() == 0 {
            self.warm_up().await;
        }
        count()
    }

    pub(super) async fn warm_up(&self) {
        if let Some(url) = &self.url {
            self.refetch(url).await;
        }
    }

    /// The key of a token with this key id and algorithm. A set that is no longer fresh is fetched first.
    pub(super) async fn of(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Key, NoKey> {
        let Some(url) = &self.url else { return self.find(id, algorithm) };
        if self.is_stale() {
            self.refetch(url).await;
        }
        match self.find(id, algorithm) {
            Err(NoKey::Unknown | NoKey::OutOfReach) => {
                self.refetch(url).await;
                self.find(id, algorithm)
            }
            found => found,
        }
    }

    fn is_stale(&self) -> bool {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.fresh_until.is_none_or(|until| (self.clock)() >= until)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Key, NoKey> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        if ring.kept_until.is_some_and(|until| (self.clock)() >= until) {
            return Err(NoKey::OutOfReach);
        }
        let found = match id {
            // Two keys of different kinds may share an id.
            Some(id) => [Some(id), None].into_iter().find_map(|id| {
                let named = || ring.keys.iter().filter(|key| key.id.as_deref() == id);
                named().find(|key| key.algorithm == algorithm).or_else(|| named().next())
            }),
            // Without a key id, there must be only one key it can mean.
            None if ring.keys.len() > 1 => return Err(NoKey::Unnamed),
            None => ring.keys.first(),
        };
        found.cloned().ok_or(if ring.whole { NoKey::Unknown } else { NoKey::OutOfReach })
    }

    /// Fetches the set, unless that was done or has failed just now.
    async fn refetch(&self, url: &str) {
        let mut fetching = self.fetching.lock().await;
        if fetching.ask_at.is_some_and(|at| (self.clock)() < at) {
            return;
        }
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, fetch(url)).await {
            Ok(result) => result.and_then(|(text, max_age)| Ok((parse(&text)?, max_age))),
            Err(_) => Err(BadKeys(format!("{url}: no answer in time"))),
        };
        let now = (self.clock)();
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok((keys, max_age)) => {
                *fetching = Fetching { ask_at: Some(now + REFETCH), failures: 0 };
                let fresh = max_age.map_or(FRESH, |age| age.clamp(REFETCH, FRESH));
                *ring = Ring { keys, fresh_until: Some(now + fresh), kept_until: Some(now + KEPT), whole: true };
            }
            Err(error) => {
                let rest = REST.saturating_mul(1 << fetching.failures.min(4)).min(REFETCH);
                *fetching = Fetching { ask_at: Some(now + rest), failures: fetching.failures.saturating_add(1) };
                // The keys at hand go on verifying; a new one may have come that we can't know.
                ring.whole = false;
                tracing::error!(
                    error = cause::chain(&error),
                    keys_at_hand = ring.keys.len(),
                    "The keys of the identity provider could not be fetched"
                );
            }
        }
    }
}

fn parse(text: &str) -> Result<Vec<Key>, BadKeys> {
    // One key of a kind that we don't know must not cost us the others.
    let set: Value =
        serde_json::from_str(text).map_err(|error| BadKeys(format!("not JSON: {}", cause::chain(&error))))?;
    let entries = set.get("keys").and_then(Value::as_array).ok_or_else(|| BadKeys("no keys in it".to_owned()))?;
    let jwks = entries.iter().filter_map(|entry| serde_json::from_value::<Jwk>(entry.clone()).ok());
    let keys: Vec<Key> = jwks.filter_map(|jwk| usable(&jwk)).collect();
    if keys.is_empty() { Err(BadKeys("no RS256 or ES256 signing key in it".to_owned())) } else { Ok(keys) }
}

fn usable(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match (&jwk.algorithm, jwk.common.key_algorithm) {
        (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
        (AlgorithmParameters::EllipticCurve(ec), None | Some(KeyAlgorithm::ES256))
            if ec.curve == EllipticCurve::P256 =>
        {
            Algorithm::ES256
        }
        _ => return None,
    };
    Some(Key { id: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}

/// With the HTTP stack that the SDK has brought along anyway. Returns the set, and for how long its provider says that it
/// is good.
async fn fetch(url: &str) -> Result<(String, Option<Span>), BadKeys> {
    let told = |why: &dyn std::fmt::Display| BadKeys(format!("{url}: {why}"));
    let fault = |error: &dyn std::error::Error| told(&cause::chain(error));
    let mut request = HttpRequest::empty();
    request.set_uri(url).map_err(|e| fault(&e))?;
    let response = https::connector().call(request).await.map_err(|e| fault(&e))?;
    if !response.status().is_success() {
        return Err(told(&response.status()));
    }
    let max_age = response.headers().get("cache-control").and_then(max_age);
    let mut body = aws_smithy_types::byte_stream::ByteStream::new(response.into_body());
    let mut text = Vec::new();
    while let Some(bytes) = body.next().await {
        text.extend_from_slice(&bytes.map_err(|e| fault(&e))?);
        if text.len() > MAX_JWKS {
            return Err(told(&"too large"));
        }
    }
    Ok((String::from_utf8(text).map_err(|e| fault(&e))?, max_age))
}

/// What `Cache-Control` says; nothing for what isn't to be kept at all.
fn max_age(header: &str) -> Option<Span> {
    let mut directives = header.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(Span::ZERO),
        other => other.strip_prefix("max-age=")?.trim_matches('"').parse().ok().map(Span::seconds),
    })
}

#[cfg(test)]
mod tests;
