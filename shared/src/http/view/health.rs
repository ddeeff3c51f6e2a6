//! The state of the stores as anyone may see it.

use serde::Serialize;

use crate::ports::Pulse;

/// The state of the stores.
#[derive(Debug, Serialize)]
pub struct HealthView {
    /// `ok`, or `degraded` while a store is down.
    status: &'static str,
    redis: PulseView,
    dynamodb: PulseView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PulseView {
    /// `up` or `down`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u128>,
}

impl HealthView {
    pub fn new(redis: Pulse, dynamodb: Pulse) -> Self {
        let all_up = redis != Pulse::Down && dynamodb != Pulse::Down;
        Self { status: if all_up { "ok" } else { "degraded" }, redis: redis.into(), dynamodb: dynamodb.into() }
    }
}

impl From<Pulse> for PulseView {
    fn from(pulse: Pulse) -> Self {
        match pulse {
            Pulse::Up(took) => Self { status: "up", duration_ms: Some(took.as_millis()) },
            Pulse::Down => Self { status: "down", duration_ms: None },
        }
    }
}
