//! The stored forms of sessions, orders and the catalog. They are separate types, so that the domain can change while
//! old documents stay readable. Every document has its schema version. Ids, amounts, addresses and other small values
//! have one form everywhere, defined by their own types.

pub mod abandonment;
pub mod cart_issue;
pub mod catalog;
pub mod order;
pub mod parts;
pub mod payment;
pub mod payment_option;
pub mod session;

/// Conversions in both directions between a stored form and its domain type, if their members have the same names and
/// types.
macro_rules! same_members {
    ($($stored:ident = $domain:ident { $($member:ident),+ })+) => {$(
        impl From<&$domain> for $stored {
            fn from(value: &$domain) -> Self {
                let $domain { $($member),+ } = Clone::clone(value);
                Self { $($member),+ }
            }
        }

        impl From<$stored> for $domain {
            fn from(stored: $stored) -> Self {
                let $stored { $($member),+ } = stored;
                Self { $($member),+ }
            }
        }
    )+};
}

use same_members;

/// A stored document that this code can't read.
#[derive(Debug, thiserror::Error)]
#[error("a stored {what} can't be read: {detail}")]
pub struct Unreadable {
    pub what: &'static str,
    pub detail: String,
}

impl Unreadable {
    pub fn new(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self { what, detail: detail.to_string() }
    }
}

/// The schema that this code writes. It reads every schema up to this one.
pub const SCHEMA: u32 = 2;

/// Refuses a document of a newer release, because it could be misread.
///
/// # Errors
/// [`Unreadable`] for a schema above [`SCHEMA`].
pub fn check_schema(what: &'static str, schema: u32) -> Result<(), Unreadable> {
    if schema <= SCHEMA {
        Ok(())
    } else {
        Err(Unreadable::new(what, format!("its schema is {schema}, and this code reads up to {SCHEMA}")))
    }
}
