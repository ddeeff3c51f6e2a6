//! Tokens as an identity provider would sign them, and the keys to check them with.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    crypto::rust_crypto::DEFAULT_PROVIDER,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Map, Value, json};

/// What [`Token`] puts into `iss` and `aud` by itself; give the same to the function under test.
pub const ISSUER: &str = "https://identity.test";
pub const AUDIENCE: &str = "checkout-tests";
/// The secret of [`Signer::hs256`].
pub const HS256_SECRET: &str = "a-secret-for-tests-only-0123456789abcdef";

/// What signs order links.
pub const LINK_SECRET: &str = "a-secret-of-links-for-tests-only-0123456789";

/// Signs tokens with one key.
#[derive(Debug)]
pub struct Signer {
    algorithm: Algorithm,
    key_id: Option<String>,
    key: EncodingKey,
}

impl Signer {
    pub fn hs256() -> Self {
        Self::with_secret(HS256_SECRET)
    }

    /// As [`Signer::hs256`] with another secret: somebody else's tokens.
    pub fn with_secret(secret: impl AsRef<[u8]>) -> Self {
        Self { algorithm: Algorithm::HS256, key_id: None, key: EncodingKey::from_secret(secret.as_ref()) }
    }

    pub fn rs256() -> Self {
        let key = EncodingKey::from_rsa_der(&der(include_str!("../keys/test-only-rsa.pem")));
        Self { algorithm: Algorithm::RS256, key_id: Some("rsa-1".to_owned()), key }
    }

    pub fn es256() -> Self {
        let key = EncodingKey::from_ec_der(&der(include_str!("../keys/test-only-ec.pem")));
        Self { algorithm: Algorithm::ES256, key_id: Some("ec-1".to_owned()), key }
    }

    /// As [`Signer::es256`], key id and all, with another key: somebody else's tokens.
    pub fn es256_of_another() -> Self {
        let key = EncodingKey::from_ec_der(&der(include_str!("../keys/test-only-other-ec.pem")));
        Self { key, ..Self::es256() }
    }

    /// Another algorithm with the same key.
    #[must_use]
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Another `kid`, or none, in the header of the tokens and in the key set.
    #[must_use]
    pub fn key_id(mut self, key_id: Option<&str>) -> Self {
        self.key_id = key_id.map(str::to_owned);
        self
    }

    /// The public half, as a key set lists it. A shared secret has none.
    pub fn jwk(&self) -> Jwk {
        assert_ne!(self.algorithm, Algorithm::HS256, "a shared secret has no public half");
        // By its own hand: the process may have another provider, which only verifies.
        let (utils, private) = (&DEFAULT_PROVIDER.key_utils, self.key.as_bytes());
        let text = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = if self.algorithm == Algorithm::ES256 {
            let (_, x, y) = (utils.ec_pub_components_from_private_key)(private, self.algorithm).expect("its point");
            json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": text(x), "y": text(y)})
        } else {
            let (n, e) = (utils.rsa_pub_components_from_private_key)(private).expect("its numbers");
            json!({"kty": "RSA", "alg": self.algorithm, "n": text(n), "e": text(e)})
        };
        if let Some(id) = &self.key_id {
            jwk["kid"] = json!(id);
        }
        serde_json::from_value(jwk).expect("a key of a set")
    }

    pub fn sign(&self, token: &Token) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid.clone_from(&self.key_id);
        self.sign_under(&json!(header), token)
    }

    /// Signs whatever header, one that lies about the algorithm too.
    pub fn sign_under(&self, header: &Value, token: &Token) -> String {
        let message = token.under(header);
        let signer = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).expect("a key of this algorithm");
        let signature = signer.try_sign(message.as_bytes()).expect("a text that can be signed");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A key set in one line of JSON, for `JWT_JWKS`.
pub fn jwks(signers: &[&Signer]) -> String {
    let keys = signers.iter().map(|signer| signer.jwk()).collect();
    serde_json::to_string(&JwkSet { keys }).expect("a key set is JSON")
}

/// The claims of a token; good for an hour unless told otherwise.
#[derive(Clone, Debug)]
pub struct Token {
    claims: Map<String, Value>,
}

impl Token {
    pub fn of(user: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs();
        let claims = json!({"sub": user, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3600});
        let Value::Object(claims) = claims else { unreachable!("an object was written") };
        Self { claims }
    }

    pub fn staff(user: &str) -> Self {
        Self::of(user).claim("roles", json!(["staff"]))
    }

    /// Sets any claim, also over those that are there.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Expired an hour ago, past any leeway.
    #[must_use]
    pub fn expired(self) -> Self {
        let expiry = self.claims["exp"].as_u64().expect("an expiry") - 2 * 3600;
        self.claim("exp", json!(expiry))
    }

    /// With `alg: none` and no signature.
    pub fn unsigned(&self) -> String {
        format!("{}.", self.under(&json!({"alg": "none", "typ": "JWT"})))
    }

    /// Header and claims, without a signature.
    pub fn under(&self, header: &Value) -> String {
        let [header, claims] = [header.to_string(), Value::Object(self.claims.clone()).to_string()]
            .map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{claims}")
    }
}

/// What stands between the BEGIN and END lines of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    STANDARD.decode(base64).expect("base64 between the BEGIN and END lines")
}
