//! The keys that verify tokens, and their sources.
//!
//! A key set from a URL is fetched again after five minutes, so that a withdrawn key is then invalid in every
//! container. While the provider can't be reached, the known keys stay valid for an hour at most.

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

use crate::{
    adapters::https,
    config::{auth::KeySource, roots::Roots},
    telemetry::cause,
};

/// A set is fetched again at this age, or earlier if the provider's `max-age` is shorter.
const FRESH: Span = Span::minutes(5);
/// The least time between two fetches, also for unknown keys and whatever `max-age` says.
const REFETCH: Span = Span::minutes(1);
/// How long keys stay valid while their provider can't be reached.
const KEPT: Span = Span::hours(1);
/// The pause after a failed fetch. It doubles with each further failure, up to [`REFETCH`].
const REST: Span = Span::seconds(5);
/// The timeout of a fetch: the most that a hanging provider costs a request.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest key set that is read, in bytes.
const MAX_JWKS: usize = 256 * 1024;

/// A key set that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("JWT_JWKS: {0}")]
pub struct BadKeys(String);

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    Unknown,
    /// The token names no key id, and there are several keys.
    Unnamed,
    /// The provider can't be reached; it may have the key.
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
    roots: Roots,
    clock: fn() -> OffsetDateTime,
    ring: RwLock<Ring>,
    /// The holder fetches; others wait for the result.
    fetching: tokio::sync::Mutex<Fetching>,
}

#[derive(Debug, Default)]
struct Ring {
    keys: Vec<Key>,
    /// The set is fetched again after this time. None for a set that never changes.
    fresh_until: Option<OffsetDateTime>,
    /// The keys are valid until this time while the source can't be reached.
    kept_until: Option<OffsetDateTime>,
    /// Whether the set is complete: then a key that isn't in it doesn't exist, instead of being not fetched yet.
    whole: bool,
}

#[derive(Debug, Default)]
struct Fetching {
    /// The next fetch is allowed at this time, so that invented key ids don't cause endless fetches.
    ask_at: Option<OffsetDateTime>,
    /// Failed fetches in a row.
    failures: u32,
}

impl Keys {
    pub(super) fn new(source: &KeySource, roots: Roots, clock: fn() -> OffsetDateTime) -> Result<Self, BadKeys> {
        let (keys, url) = match source {
            KeySource::Url(url) => (Vec::new(), Some(url.clone())),
            KeySource::Inline(text) => (parse(text)?, None),
            KeySource::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    // Without the name: it may be a key that was put here by mistake.
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
        Ok(Self { url, roots, clock, ring: RwLock::new(ring), fetching: tokio::sync::Mutex::default() })
    }

    /// The number of keys. Fetches them if there are none yet.
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
            // Keys of different kinds may have the same id.
            Some(id) => [Some(id), None].into_iter().find_map(|id| {
                let named = || ring.keys.iter().filter(|key| key.id.as_deref() == id);
                named().find(|key| key.algorithm == algorithm).or_else(|| named().next())
            }),
            // Without a key id there must be only one possible key.
            None if ring.keys.len() > 1 => return Err(NoKey::Unnamed),
            None => ring.keys.first(),
        };
        found.cloned().ok_or(if ring.whole { NoKey::Unknown } else { NoKey::OutOfReach })
    }

    /// Fetches the set, unless it was fetched or failed a moment ago.
    async fn refetch(&self, url: &str) {
        let mut fetching = self.fetching.lock().await;
        if fetching.ask_at.is_some_and(|at| (self.clock)() < at) {
            return;
        }
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, fetch(url, self.roots)).await {
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
                // The known keys stay in use. The provider may have a new one that is still unknown.
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
    // A key of an unknown kind must not make the others unusable.
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

/// Fetches over the HTTP stack of the AWS SDK. Returns the set, and how long it is valid by the provider's headers.
async fn fetch(url: &str, roots: Roots) -> Result<(String, Option<Span>), BadKeys> {
    let told = |why: &dyn std::fmt::Display| BadKeys(format!("{url}: {why}"));
    let fault = |error: &dyn std::error::Error| told(&cause::chain(error));
    let mut request = HttpRequest::empty();
    request.set_uri(url).map_err(|e| fault(&e))?;
    let response = https::connector(roots).call(request).await.map_err(|e| fault(&e))?;
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

/// The time by `Cache-Control`. Zero if the set may not be stored.
fn max_age(header: &str) -> Option<Span> {
    let mut directives = header.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(Span::ZERO),
        other => other.strip_prefix("max-age=")?.trim_matches('"').parse().ok().map(Span::seconds),
    })
}

#[cfg(test)]
mod tests;
