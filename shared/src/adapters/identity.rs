//! Verifying JWTs: RS256 and ES256 by JWKS, HS256 for a laptop. The algorithm is pinned to the key, never taken from
//! the token.

use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::HttpConnector as _, orchestrator::HttpRequest};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde_json::{Map, Value};

use crate::{
    config::auth::{AuthConfig, KeySource, VerifierConfig},
    ports::{Identities, Identity, IdentityError},
};

/// Seconds by which clocks may differ.
const LEEWAY_S: u64 = 5;
/// A set is fetched again for an unknown key at most this often, and after a failure no sooner than this.
const REFETCH: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(5);
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest set that is read, in bytes.
const MAX_JWKS: usize = 256 * 1024;

/// Verifies tokens with the keys of the settings; without any, refuses all.
#[derive(Debug)]
pub struct Tokens {
    config: Option<VerifierConfig>,
    keys: RwLock<KeyRing>,
    /// When the set may be asked for again, so that made-up key ids don't make us fetch without end.
    ask_at: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct KeyRing {
    keys: Vec<Key>,
    /// Whether the set is known to be whole: a key that isn't in it is then unknown, and not merely not fetched yet.
    whole: bool,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A key set that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("JWT_JWKS: {0}")]
pub struct BadKeys(String);

impl Tokens {
    /// Reads keys that are at hand; a URL is fetched by [`Tokens::warm_up`] or by the first token.
    ///
    /// # Errors
    /// [`BadKeys`] for a set that doesn't parse or holds no usable key.
    pub fn new(config: &AuthConfig) -> Result<Self, BadKeys> {
        let keys = match config.verifier.as_ref().map(|v| &v.keys) {
            None | Some(KeySource::Url(_)) => KeyRing::default(),
            Some(KeySource::Inline(text)) => KeyRing { keys: parse(text)?, whole: true },
            Some(KeySource::File(path)) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    // Not its name: a key that was put here by mistake is read as one.
                    BadKeys(format!("it names a file that can't be read: {error}"))
                })?;
                KeyRing { keys: parse(&text)?, whole: true }
            }
            Some(KeySource::Hs256(secret)) => {
                let key = DecodingKey::from_secret(secret.expose().as_bytes());
                KeyRing { keys: vec![Key { id: None, algorithm: Algorithm::HS256, key }], whole: true }
            }
        };
        Ok(Self { config: config.verifier.clone(), keys: RwLock::new(keys), ask_at: tokio::sync::Mutex::default() })
    }

    /// Fetches the set at cold start. A failure is logged, and tried again by the first token.
    pub async fn warm_up(&self) {
        if let Some(KeySource::Url(url)) = self.config.as_ref().map(|c| &c.keys) {
            self.refetch(url).await;
        }
    }

    fn key(&self, id: Option<&str>) -> (Option<Key>, bool) {
        let ring = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let found = match id {
            Some(id) => {
                let named = ring.keys.iter().find(|key| key.id.as_deref() == Some(id));
                named.or_else(|| ring.keys.iter().find(|key| key.id.is_none()))
            }
            // Without a key id, there must be only one key it can mean.
            None if ring.keys.len() == 1 => ring.keys.first(),
            None => None,
        };
        (found.cloned(), ring.whole)
    }

    async fn refetch(&self, url: &str) {
        let mut ask_at = self.ask_at.lock().await;
        if ask_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, fetch(url)).await {
            Ok(result) => result.and_then(|text| parse(&text)),
            Err(_) => Err(BadKeys("no answer in time".to_owned())),
        };
        match fetched {
            Ok(keys) => {
                *ask_at = Some(Instant::now() + REFETCH);
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = KeyRing { keys, whole: true };
            }
            Err(error) => {
                *ask_at = Some(Instant::now() + REST);
                // The keys at hand go on verifying; a new one may have come that we can't know.
                self.keys.write().unwrap_or_else(PoisonError::into_inner).whole = false;
                tracing::error!(%error, "keys not fetched");
            }
        }
    }
}

impl Identities for Tokens {
    async fn verify(&self, token: &str) -> Result<Identity, IdentityError> {
        const MALFORMED: IdentityError = IdentityError::Refused("the token is not a JWT");
        let Some(config) = &self.config else {
            return Err(IdentityError::Refused("this shop takes no tokens: no key to verify them with is configured"));
        };
        let header = jsonwebtoken::decode_header(token).map_err(|_| MALFORMED)?;
        let (mut key, mut whole) = self.key(header.kid.as_deref());
        if let (None, KeySource::Url(url)) = (&key, &config.keys) {
            self.refetch(url).await;
            (key, whole) = self.key(header.kid.as_deref());
        }
        let Some(key) = key else {
            return Err(if whole {
                IdentityError::Refused("the token's key is unknown")
            } else {
                IdentityError::KeysUnavailable
            });
        };
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let token = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation)
            .map_err(|error| IdentityError::Refused(reason(error.kind())))?;
        let user = token.claims.get("sub").and_then(Value::as_str).and_then(|sub| sub.parse().ok());
        let user = user.ok_or(IdentityError::Refused("the token's sub is not a user id that we take"))?;
        Ok(Identity { user, is_staff: has_role(token.claims.get(&config.roles_claim), &config.staff_role) })
    }
}

/// A list of roles, or one text with spaces between them.
fn has_role(claim: Option<&Value>, role: &str) -> bool {
    match claim {
        Some(Value::Array(roles)) => roles.iter().any(|r| r.as_str() == Some(role)),
        Some(Value::String(roles)) => roles.split_whitespace().any(|r| r == role),
        _ => false,
    }
}

fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token isn't valid yet",
        ErrorKind::InvalidIssuer => "the token's issuer is another",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not its key's",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of exp, iss, aud and sub",
        _ => "the token's signature or claims are not valid",
    }
}

fn parse(text: &str) -> Result<Vec<Key>, BadKeys> {
    // One key of a kind that we don't know must not cost us the others.
    let set: Value = serde_json::from_str(text).map_err(|error| BadKeys(format!("not JSON: {error}")))?;
    let entries = set.get("keys").and_then(Value::as_array).ok_or_else(|| BadKeys("no keys in it".to_owned()))?;
    let jwks = entries.iter().filter_map(|entry| serde_json::from_value(entry.clone()).ok()).collect();
    let keys: Vec<Key> = JwkSet { keys: jwks }.keys.iter().filter_map(usable).collect();
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

/// With the HTTP stack that the SDK has brought along anyway.
async fn fetch(url: &str) -> Result<String, BadKeys> {
    let fault = |error: &dyn std::fmt::Display| BadKeys(format!("{url}: {error}"));
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let mut request = HttpRequest::empty();
    request.set_uri(url).map_err(|e| fault(&e))?;
    let response = connector.call(request).await.map_err(|e| fault(&e))?;
    if !response.status().is_success() {
        return Err(fault(&response.status()));
    }
    let body = aws_smithy_types::byte_stream::ByteStream::new(response.into_body());
    let bytes = body.collect().await.map_err(|e| fault(&e))?.into_bytes();
    if bytes.len() > MAX_JWKS {
        return Err(fault(&"too large"));
    }
    String::from_utf8(bytes.to_vec()).map_err(|e| fault(&e))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::{Ipv4Addr, TcpListener},
        sync::{Arc, Mutex},
    };

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    /// An identity provider; counts how often it is asked for its keys.
    #[derive(Debug, Default)]
    struct Provider {
        fails: bool,
        key_ids: Vec<&'static str>,
        asked: usize,
    }

    impl Provider {
        fn answer(&mut self) -> String {
            self.asked += 1;
            if self.fails {
                return "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned();
            }
            let point = URL_SAFE_NO_PAD.encode([1; 32]);
            let key = |id| format!(r#"{{"kty":"EC","crv":"P-256","kid":"{id}","x":"{point}","y":"{point}"}}"#);
            let keys: Vec<_> = self.key_ids.iter().map(key).collect();
            let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        }
    }

    fn started(provider: Provider) -> (Tokens, Arc<Mutex<Provider>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let provider = Arc::new(Mutex::new(provider));
        let served = Arc::clone(&provider);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let _ = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count();
                stream.write_all(served.lock().unwrap().answer().as_bytes()).unwrap();
            }
        });
        let text = ToString::to_string;
        let verifier = VerifierConfig {
            keys: KeySource::Url(url),
            issuer: text("i"),
            audience: text("a"),
            roles_claim: text("roles"),
            staff_role: text("staff"),
        };
        (Tokens::new(&AuthConfig { verifier: Some(verifier) }).unwrap(), provider)
    }

    /// Why a token of this key is refused, and how often the provider has been asked by then.
    async fn refused(tokens: &Tokens, provider: &Mutex<Provider>, key_id: &str) -> (IdentityError, usize) {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{key_id}"}}"#));
        let error = tokens.verify(&format!("{header}.e30.AAAA")).await.unwrap_err();
        (error, provider.lock().unwrap().asked)
    }

    /// Lets the time pass after which the keys may be asked for again.
    async fn wait(tokens: &Tokens) {
        *tokens.ask_at.lock().await = Some(Instant::now());
    }

    const UNKNOWN: IdentityError = IdentityError::Refused("the token's key is unknown");
    const KNOWN: IdentityError = IdentityError::Refused("the token's signature or claims are not valid");

    #[tokio::test]
    async fn keys_are_asked_for_again_for_an_unknown_one_but_not_at_once() {
        let (tokens, provider) = started(Provider { key_ids: vec!["old"], ..Provider::default() });
        tokens.warm_up().await;
        provider.lock().unwrap().key_ids.push("new");

        assert_eq!(refused(&tokens, &provider, "new").await, (UNKNOWN, 1));
        wait(&tokens).await;
        assert_eq!(refused(&tokens, &provider, "new").await, (KNOWN, 2));
        assert_eq!(refused(&tokens, &provider, "made-up").await, (UNKNOWN, 2));
        assert_eq!(refused(&tokens, &provider, "old").await, (KNOWN, 2));
    }

    #[tokio::test]
    async fn a_provider_that_fails_is_left_alone_for_a_while_and_then_asked_again() {
        let (tokens, provider) = started(Provider { fails: true, key_ids: vec!["key"], asked: 0 });
        tokens.warm_up().await;

        assert_eq!(refused(&tokens, &provider, "key").await, (IdentityError::KeysUnavailable, 1));
        wait(&tokens).await;
        assert_eq!(refused(&tokens, &provider, "key").await, (IdentityError::KeysUnavailable, 2));
        provider.lock().unwrap().fails = false;
        wait(&tokens).await;
        assert_eq!(refused(&tokens, &provider, "key").await, (KNOWN, 3));
    }

    #[tokio::test]
    async fn keys_that_are_held_outlive_their_provider() {
        let (tokens, provider) = started(Provider { key_ids: vec!["key"], ..Provider::default() });
        tokens.warm_up().await;
        provider.lock().unwrap().fails = true;
        wait(&tokens).await;

        // Whether it is made up or new can't be known now.
        assert_eq!(refused(&tokens, &provider, "made-up").await, (IdentityError::KeysUnavailable, 2));
        assert_eq!(refused(&tokens, &provider, "key").await, (KNOWN, 2));
    }
}
