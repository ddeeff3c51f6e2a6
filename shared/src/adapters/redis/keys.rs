//! Every Redis key of this code. All begin with the prefix setting, `cannbe:` by default.

use crate::{
    domain::{
        counter::Counter,
        ids::{CheckoutId, OrderId, Owner},
    },
    ports::LimitKey,
};

#[derive(Clone, Debug)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// A string: the session's document.
    pub fn session(&self, id: CheckoutId) -> String {
        format!("{}checkout:session:{id}", self.prefix)
    }

    /// A string: written to check whether Redis accepts writes.
    pub fn health(&self) -> String {
        format!("{}health", self.prefix)
    }

    /// A sorted set: the times of a caller's accepted requests on a route.
    pub fn limit(&self, key: &LimitKey) -> String {
        format!("{}checkout:{}", self.prefix, key.0)
    }

    /// A hash: one field for each blocked caller.
    pub fn blocked(&self) -> String {
        format!("{}blocked", self.prefix)
    }

    /// A string: when a call to the payment provider last failed, in ms since 1970.
    pub fn payments_failed(&self) -> String {
        format!("{}payments-failed", self.prefix)
    }

    /// A hash: documents of the order, and leases to fill them.
    pub fn order(&self, id: OrderId) -> String {
        format!("{}order:{id}", self.prefix)
    }

    /// A number: whose turn it is at the parts of a counter.
    pub fn turn(&self, counter: &Counter) -> String {
        format!("{}turn:{counter}", self.prefix)
    }

    /// A hash: one field for each list of the owner's orders, so that one UNLINK deletes them all.
    pub fn orders(&self, owner: &Owner) -> String {
        format!("{}orders:{}", self.prefix, owner.id())
    }
}
