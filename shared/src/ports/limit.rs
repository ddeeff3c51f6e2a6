//! Limits that a request falls under.

use crate::domain::limit::Policy;

/// A limit that a request falls under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub key: LimitKey,
    pub policy: Policy,
    /// As how many requests it counts; 1 to the policy's count.
    pub cost: u32,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// The route's own limit: of a caller, or of an address.
    Route,
    /// All signed-in callers of one address, beside the limit of each.
    Address,
    /// Declined cards.
    Declines,
}

impl LimitKind {
    /// As headers and logs call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "default",
            Self::Address => "address",
            Self::Declines => "declines",
        }
    }
}

/// Who is limited on which route: `{user id or IP address}:{METHOD}:{path}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(pub String);
