//! Whose a counter is: of an owner, or of a mailbox.

use shared::{adapters::dynamodb::client::Item, domain::mailbox::Mailbox};

use super::find::order;

/// Whether a counter's id ends with its owner or mailbox.
pub fn is_of(counter: &str, owner: &str) -> bool {
    counter.strip_suffix(owner).is_some_and(|rest| rest.ends_with('#'))
}

/// The mailbox for which an order's uses are counted.
pub fn mailbox(item: &Item) -> Option<Mailbox> {
    order(item).ok()?.reserved.mailbox
}

pub fn is_of_a_mailbox(counter: &str) -> bool {
    counter.contains("#mailbox#")
}

/// Whether every number of a counter is zero.
pub fn counts_nothing(counter: &Item) -> bool {
    counter.values().filter_map(|value| value.as_n().ok()).all(|number| number == "0")
}
