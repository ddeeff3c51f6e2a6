//! The identity behind a bearer token.

use std::future::Future;

use crate::domain::ids::UserId;

/// The identity that a verified token proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: UserId,
    pub is_staff: bool,
}

/// Why a token proves no identity.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// For people. It says nothing that the bearer may not know.
    #[error("{0}")]
    Refused(&'static str),
    #[error("the link has expired: ask for a new one by POST /orders/lookup")]
    LinkExpired,
    #[error("the keys that verify tokens are not available right now")]
    KeysUnavailable,
}

/// Verifies bearer tokens. If the keys can't be reached, a token is neither accepted nor refused.
pub trait Identities: Sync {
    fn verify(&self, token: &str) -> impl Future<Output = Result<Identity, IdentityError>> + Send;
}
