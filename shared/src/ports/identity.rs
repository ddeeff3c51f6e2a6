//! Who is calling.

use std::future::Future;

use crate::domain::ids::UserId;

/// Who a verified token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: UserId,
    pub is_staff: bool,
}

/// Why a token proves nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// For people; never says more than the bearer may know.
    #[error("{0}")]
    Refused(&'static str),
    #[error("the keys to verify tokens with can't be had right now")]
    KeysUnavailable,
}

/// Verifying bearer tokens. With the keys out of reach a token is neither accepted nor refused.
pub trait Identities: Sync {
    fn verify(&self, token: &str) -> impl Future<Output = Result<Identity, IdentityError>> + Send;
}
