//! The state of the stores, as the public health route shows it.

use serde::Serialize;

use crate::ports::{PaymentsPulse, Pulse, Pulses};

/// The state of the stores and, as far as it is known, of the payment provider.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HealthView {
    /// `ok`, or `degraded` while one of them has a fault.
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["ok", "degraded"])))]
    status: &'static str,
    redis: PulseView,
    dynamodb: PulseView,
    payments: PaymentsView,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PulseView {
    /// `up`, `refuses-writes` or `down`.
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["up", "refuses-writes", "down"])))]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u128>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PaymentsView {
    /// `ok`: no call has failed in the last five minutes. `failing`: one has. `unknown`: Redis has the note of it, and
    /// is down.
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["ok", "failing", "unknown"])))]
    status: &'static str,
    /// Seconds since the last failed call.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure_seconds: Option<u64>,
}

impl HealthView {
    pub fn new(pulses: Pulses) -> Self {
        let Pulses { redis, dynamodb, payments } = pulses;
        let stores = [redis, dynamodb].into_iter().all(|pulse| matches!(pulse, Pulse::Up(_)));
        let all_well = stores && payments == PaymentsPulse::NoFailures;
        Self {
            status: if all_well { "ok" } else { "degraded" },
            redis: redis.into(),
            dynamodb: dynamodb.into(),
            payments: payments.into(),
        }
    }
}

impl From<Pulse> for PulseView {
    fn from(pulse: Pulse) -> Self {
        match pulse {
            Pulse::Up(took) => Self { status: "up", duration_ms: Some(took.as_millis()) },
            Pulse::RefusesWrites(took) => Self { status: "refuses-writes", duration_ms: Some(took.as_millis()) },
            Pulse::Down => Self { status: "down", duration_ms: None },
        }
    }
}

impl From<PaymentsPulse> for PaymentsView {
    fn from(pulse: PaymentsPulse) -> Self {
        match pulse {
            PaymentsPulse::NoFailures => Self { status: "ok", last_failure_seconds: None },
            PaymentsPulse::Failing(ago) => Self { status: "failing", last_failure_seconds: Some(ago.as_secs()) },
            PaymentsPulse::Unknown => Self { status: "unknown", last_failure_seconds: None },
        }
    }
}
