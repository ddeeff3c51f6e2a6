//! A mailbox, for counting what one person used: however its address is written.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::text::canonical_email;

/// Domains of the one provider that ignores dots in the local part.
const WITHOUT_DOTS: [&str; 2] = ["gmail.com", "googlemail.com"];

/// A digest, because it is part of keys, and keys are seen in more places than the address in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mailbox(String);

impl Mailbox {
    /// The mailbox that this address is delivered to: a tag (RFC 5233: `ada+shop@`) leads to the same one, and at Gmail
    /// dots do.
    pub fn of(email: &str) -> Self {
        let email = canonical_email(email);
        let (local, domain) = email.rsplit_once('@').unwrap_or((&email, ""));
        let local = match local.split_once('+') {
            // An address may begin with a plus.
            Some((name, _)) if !name.is_empty() => name,
            _ => local,
        };
        let (local, domain) = if WITHOUT_DOTS.contains(&domain) {
            (local.replace('.', ""), WITHOUT_DOTS[0])
        } else {
            (local.to_owned(), domain)
        };
        Self(hex::encode(Sha256::digest(format!("{local}@{domain}"))))
    }
}

impl fmt::Display for Mailbox {
    /// Its name in the table of counters, where those of owners begin with `user#` and `guest#`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mailbox#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_is_one_however_its_address_is_written() {
        let same = [
            &["ada@example.com", "ADA@Example.com", "ada+shop@example.com", "ada+@example.com"][..],
            &["a.d.a@gmail.com", "ada@googlemail.com", "Ada+x.y@gmail.com"],
            &["ada@exämple.com", "ada+1@xn--exmple-cua.com"],
            &["a.da@example.com"],
            &["+1@example.com"],
            &["+2@example.com"],
            &["bob@example.com"],
        ];
        for (nth, group) in same.iter().enumerate() {
            for address in *group {
                assert_eq!(Mailbox::of(address), Mailbox::of(group[0]), "{address}");
            }
            for other in &same[nth + 1..] {
                assert_ne!(Mailbox::of(group[0]), Mailbox::of(other[0]), "{} {}", group[0], other[0]);
            }
        }
    }
}
