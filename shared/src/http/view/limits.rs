//! Limits as their caller sees them.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    domain::limit::Decision,
    http::{limits::whole_seconds, route::Route},
    ports::Limit,
};

/// `{"exempt": false, "limits": […]}`, in the order of the routes. A trusted address is exempt, and has none.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    exempt: bool,
    limits: Vec<LimitView>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct LimitView {
    method: &'static str,
    path: &'static str,
    /// Its name in `RateLimit-Policy`.
    policy: &'static str,
    limit: u32,
    window_seconds: u64,
    remaining: u32,
    /// Seconds until there are more; 0 while none is used.
    more_in_seconds: u64,
    /// The same as a time.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::domain::schema::Timestamp>"))]
    more_at: Option<OffsetDateTime>,
}

impl LimitsView {
    /// Of looks at limits, and the decision about each.
    pub fn new(looks: &[(Route, Limit)], decisions: &[Decision], now: OffsetDateTime) -> Self {
        let view = |((route, limit), decision): (&(Route, Limit), &Decision)| {
            let seconds = whole_seconds(decision.reset_after);
            let later =
                i64::try_from(seconds).ok().and_then(|seconds| now.checked_add(time::Duration::seconds(seconds)));
            LimitView {
                method: route.method(),
                path: route.path(),
                policy: limit.kind.name(),
                limit: limit.policy.count,
                window_seconds: limit.policy.window.as_secs(),
                remaining: decision.remaining,
                more_in_seconds: seconds,
                more_at: later.filter(|_| seconds > 0).map(OffsetDateTime::truncate_to_second),
            }
        };
        Self { exempt: looks.is_empty(), limits: looks.iter().zip(decisions).map(view).collect() }
    }
}
