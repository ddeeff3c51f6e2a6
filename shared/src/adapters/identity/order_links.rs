//! The tokens of order links: JWTs of this checkout's own, signed and verified with a secret of their own.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    config::order_links::OrderLinkConfig,
    domain::{cause, ids::OrderId},
    ports::{IdentityError, LinkError, OrderLinks},
};

/// The `typ` of their headers (RFC 8725, 3.11), by which they are told from the tokens of users.
const TYPE: &str = "order-link+jwt";
/// What they are for. No user's token has this audience, because an identity provider's can't be signed with our secret.
const AUDIENCE: &str = "order-link";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The order. The token says nothing of its owner: a guest's id works like a password.
    sub: String,
    aud: String,
    /// Epoch seconds.
    exp: i64,
}

/// Signs and verifies the tokens. Without a secret there are no links, and no token is one.
pub struct LinkKeys {
    keys: Option<Keys>,
}

struct Keys {
    /// The first secret.
    signs: EncodingKey,
    /// All of them.
    verify: Vec<DecodingKey>,
    /// The shop's page, where this function makes links.
    page: Option<String>,
}

impl std::fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkKeys").field("on", &self.keys.is_some()).finish()
    }
}

impl LinkKeys {
    pub fn new(config: &OrderLinkConfig) -> Self {
        let bytes = |secret: &crate::config::Secret| secret.expose().as_bytes().to_vec();
        let keys = config.secrets.first().map(|first| Keys {
            signs: EncodingKey::from_secret(&bytes(first)),
            verify: config.secrets.iter().map(|secret| DecodingKey::from_secret(&bytes(secret))).collect(),
            page: config.page.clone(),
        });
        Self { keys }
    }
}

impl OrderLinks for LinkKeys {
    fn link(&self, order: OrderId, expires_at: OffsetDateTime) -> Result<String, LinkError> {
        let keys = self.keys.as_ref().ok_or(LinkError::Off)?;
        let page = keys.page.as_ref().ok_or(LinkError::Off)?;
        let header = Header { typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        let claims = Claims { sub: order.to_string(), aud: AUDIENCE.to_owned(), exp: expires_at.unix_timestamp() };
        let token = jsonwebtoken::encode(&header, &claims, &keys.signs);
        let token = token.map_err(|error| LinkError::Unsigned(cause::chain(&error)))?;
        // A browser sends no fragment to a server, so the token is in no log and in no Referer.
        Ok(format!("{page}#{token}"))
    }

    fn order_of(&self, token: &str, now: OffsetDateTime) -> Option<Result<OrderId, IdentityError>> {
        let keys = self.keys.as_ref()?;
        if token.len() > super::MAX_TOKEN {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        (header.typ.as_deref() == Some(TYPE)).then(|| verified(keys, token, now))
    }
}

fn verified(keys: &Keys, token: &str, now: OffsetDateTime) -> Result<OrderId, IdentityError> {
    super::refuse_extensions(token)?;
    let mut validation = Validation::new(Algorithm::HS256);
    // By the time of the request, and without leeway: who signs it has the same clock.
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    let mut decoded = keys.verify.iter().map(|key| jsonwebtoken::decode::<Claims>(token, key, &validation));
    let token = decoded.find_map(Result::ok);
    let Claims { sub, exp, .. } =
        token.ok_or(IdentityError::Refused("the link's signature or claims are not valid"))?.claims;
    if exp <= now.unix_timestamp() {
        return Err(IdentityError::LinkExpired);
    }
    sub.parse().map_err(|_| IdentityError::Refused("the link names no order"))
}
