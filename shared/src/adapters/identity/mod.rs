//! Verifies JWTs: RS256 and ES256 by JWKS, HS256 on a laptop. The algorithm is the key's, never the token's.

mod keys;
mod order_links;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Validation, errors::ErrorKind};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{
    adapters::identity::keys::{Keys, NoKey},
    config::auth::{AuthConfig, VerifierConfig},
    ports::{Identities, Identity, IdentityError},
};

pub use keys::BadKeys;
pub use order_links::LinkKeys;

/// The most seconds by which clocks may differ.
const LEEWAY_S: u64 = 5;
/// The longest token that is read, in bytes. API Gateway accepts 10,240 bytes of headers in total.
const MAX_TOKEN: usize = 8 * 1024;

/// Verifies tokens with the keys of the settings. Without keys it refuses all tokens.
#[derive(Debug)]
pub struct Tokens {
    verifier: Option<(VerifierConfig, Keys)>,
}

impl Tokens {
    /// Reads keys from the settings or a file. A URL is fetched by [`Tokens::warm_up`] or by the first token.
    ///
    /// # Errors
    /// [`BadKeys`] for a set that can't be parsed or has no usable key.
    pub fn new(config: &AuthConfig, clock: fn() -> OffsetDateTime) -> Result<Self, BadKeys> {
        let Some(verifier) = &config.verifier else { return Ok(Self { verifier: None }) };
        let keys = Keys::new(&verifier.keys, verifier.roots, clock)?;
        Ok(Self { verifier: Some((verifier.clone(), keys)) })
    }

    /// The number of keys, as text. Fetches them if there are none yet.
    ///
    /// # Errors
    /// The reason why no token can be verified.
    pub async fn summary(&self) -> Result<String, String> {
        let Some((_, keys)) = &self.verifier else { return Ok("none: guests only, every token is refused".to_owned()) };
        match keys.count_fetched().await {
            0 => Err("they can't be fetched from the address in JWT_JWKS".to_owned()),
            1 => Ok("1 key".to_owned()),
            more => Ok(format!("{more} keys")),
        }
    }

    /// Fetches the set at cold start. A failure is logged; the first token tries again.
    pub async fn warm_up(&self) {
        if let Some((_, keys)) = &self.verifier {
            keys.warm_up().await;
        }
    }
}

impl Identities for Tokens {
    async fn verify(&self, token: &str) -> Result<Identity, IdentityError> {
        let Some((config, keys)) = &self.verifier else {
            return Err(IdentityError::Refused("this shop takes no tokens: no key that verifies them is configured"));
        };
        if token.len() > MAX_TOKEN {
            return Err(IdentityError::Refused("the token is too long"));
        }
        refuse_extensions(token)?;
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| IdentityError::Refused("the token is not a JWT"))?;
        let key = keys.of(header.kid.as_deref(), header.alg).await.map_err(|why| match why {
            NoKey::Unknown => IdentityError::Refused("the token's key is unknown"),
            NoKey::Unnamed => IdentityError::Refused("the token names no key, and there are several"),
            NoKey::OutOfReach => IdentityError::KeysUnavailable,
        })?;
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&config.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let token = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation)
            .map_err(|error| IdentityError::Refused(reason(error.kind())))?;
        let user = token.claims.get("sub").and_then(Value::as_str).and_then(|sub| sub.parse().ok());
        let user = user.ok_or(IdentityError::Refused("the token's sub is not a valid user id"))?;
        Ok(Identity { user, is_staff: has_role(claim(&token.claims, &config.roles_claim), &config.staff_role) })
    }
}

/// Refuses headers that change how a token must be read and that aren't supported here, as RFC 7515, 4.1.11 requires.
fn refuse_extensions(token: &str) -> Result<(), IdentityError> {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header: Option<Map<String, Value>> = header.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let header = header.ok_or(IdentityError::Refused("the token is not a JWT"))?;
    if header.contains_key("crit") {
        return Err(IdentityError::Refused("the token's header has crit: no extension is supported"));
    }
    if header.contains_key("b64") || header.contains_key("zip") || header.contains_key("enc") {
        return Err(IdentityError::Refused("the token's payload has an encoding that isn't supported"));
    }
    let content = header.get("cty").and_then(Value::as_str);
    if content.is_some_and(|content| content.eq_ignore_ascii_case("jwt")) {
        return Err(IdentityError::Refused("the token contains another token, which isn't supported"));
    }
    Ok(())
}

/// A claim by its name. If there is none, the name is a path with dots: `realm_access.roles`.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        name.match_indices('.').find_map(|(dot, _)| match claims.get(&name[..dot]) {
            Some(Value::Object(inner)) => claim(inner, &name[dot + 1..]),
            _ => None,
        })
    })
}

/// Roles as a list, or as one text separated by spaces.
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
        ErrorKind::InvalidIssuer => "the token has another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not its key's",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of exp, iss, aud and sub",
        _ => "the token's signature or claims are not valid",
    }
}
