//! Every key that this code writes, in one place. All of them begin with the prefix setting, `cannbe:` by default.

use crate::{
    domain::ids::{CheckoutId, OrderId, Owner},
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

    /// A string: what is written to find out whether writes are taken.
    pub fn health(&self) -> String {
        format!("{}health", self.prefix)
    }

    /// A sorted set: when the caller's last requests on a route were accepted.
    pub fn limit(&self, key: &LimitKey) -> String {
        format!("{}checkout:{}", self.prefix, key.0)
    }

    /// A hash: until when callers are blocked, a field each.
    pub fn blocked(&self) -> String {
        format!("{}blocked", self.prefix)
    }

    /// A string: when the payment provider last failed us, in milliseconds since 1970.
    pub fn payments_failed(&self) -> String {
        format!("{}payments-failed", self.prefix)
    }

    /// A hash: the order's document and who may fill it in.
    pub fn order(&self, id: OrderId) -> String {
        format!("{}order:{id}", self.prefix)
    }

    /// A hash: one field a list of the owner's orders, so that one UNLINK drops them all.
    pub fn orders(&self, owner: &Owner) -> String {
        format!("{}orders:{}", self.prefix, owner.id())
    }
}
