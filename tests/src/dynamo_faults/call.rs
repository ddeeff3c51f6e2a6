//! One call of a function to the database.

use serde_json::Value;

use super::Capacity;

/// One call as the proxy saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Whose access key it was signed with.
    pub caller: String,
    /// As the API names it: `GetItem`.
    pub operation: String,
    /// The request's body.
    pub request: Value,
    /// Of the answer that was given; `None` when none was, or none yet.
    pub status: Option<u16>,
    pub capacity: Capacity,
}

impl Call {
    /// Whether it is one that changes items.
    pub fn writes(&self) -> bool {
        !["BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"].contains(&self.operation.as_str())
    }
}
