//! The limits of a request.

use crate::domain::limit::Policy;

/// A limit that a request counts against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub key: LimitKey,
    pub policy: Policy,
    /// How many requests this one counts as: 1 to the policy's count, or 0 for a look at the limit, which is always
    /// allowed.
    pub cost: u32,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// The route's own limit: of a caller, or of an address.
    Route,
    /// All signed-in callers of one address, in addition to the limit of each caller.
    Address,
    /// Declined cards.
    Declines,
    /// Looks at a limit, of an address.
    Looks,
}

impl LimitKind {
    /// Its name in headers and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "default",
            Self::Address => "address",
            Self::Declines => "declines",
            Self::Looks => "looks",
        }
    }
}

/// The caller and the route: `{user id or IP address}:{METHOD}:{path}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(pub String);
