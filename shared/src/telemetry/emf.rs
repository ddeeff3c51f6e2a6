//! Counts in `CloudWatch` Embedded Metric Format: one line for each invocation, which `CloudWatch` turns into metrics.

use std::{
    io::Write as _,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use metrique_writer_core::{
    Entry, EntryWriter, MetricFlags, Observation, Unit, Value, ValueWriter, format::Format as _, unit::NegativeScale,
};
use metrique_writer_format_emf::Emf;
use time::OffsetDateTime;

use crate::{
    config::TelemetryConfig,
    telemetry::counts::{Counts, Store},
};

/// The dimension that all functions of one deployment share.
const SERVICE: &str = "service";
/// The dimension of one function, by its folder name.
const ROUTE: &str = "route";

/// Writes the metrics of one container.
pub struct Metrics {
    service: String,
    /// It reuses its buffers from line to line.
    format: Mutex<Emf>,
}

/// The identity of one invocation.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    pub at: OffsetDateTime,
    pub route: &'static str,
    /// Lambda's id of the invocation.
    pub request_id: &'a str,
}

struct Line<'a> {
    service: &'a str,
    invocation: Invocation<'a>,
    counts: &'a Counts,
}

/// The metrics by name.
pub fn metrics(counts: &Counts) -> [(&'static str, u64); 28] {
    [
        ("SessionHits", counts.session_hits),
        ("SessionMisses", counts.session_misses),
        ("OrderCacheHits", counts.order_cache_hits),
        ("OrderCacheMisses", counts.order_cache_misses),
        ("OrderCacheFills", counts.order_cache_fills),
        ("RateLimitViolations", counts.rate_limit_violations),
        ("BlockedRequests", counts.blocked_requests),
        ("RedisDegraded", counts.redis_degraded),
        ("DynamoDbDegraded", counts.dynamodb_degraded),
        ("PaymentsDegraded", counts.payments_degraded),
        ("UnknownPayments", counts.unknown_payments),
        ("FailedRefunds", counts.failed_refunds),
        ("Disputes", counts.disputes),
        ("AuthorizationsEnding", counts.authorizations_ending),
        ("ReconcileRuns", counts.reconcile_runs),
        ("ReconcileFailures", counts.reconcile_failures),
        ("OrdersNotReconciled", counts.orders_not_reconciled),
        ("CheckoutsAbandoned", counts.checkouts_abandoned),
        ("AbandonedNotTold", counts.abandoned_not_told),
        ("OrdersNotIndexed", counts.orders_not_indexed),
        ("OldestDueSeconds", counts.oldest_due_s),
        ("Declines", counts.declines),
        ("DeclinesRefused", counts.declines_refused),
        ("RedisTimeouts", counts.redis_timeouts),
        ("BreakerOpenings", counts.breaker_openings),
        ("VersionConflicts", counts.version_conflicts),
        ("Contention", counts.contention),
        ("ColdStarts", counts.cold_starts),
    ]
}

/// The metrics that hold a duration for each call, in milliseconds.
pub const TIMES: [(&str, Store); 3] =
    [("RedisMs", Store::Redis), ("DynamoDbMs", Store::DynamoDb), ("PaymentsMs", Store::Payments)];

/// The most values of one metric in a line: `CloudWatch` refuses a line with more.
const MAX_VALUES: usize = 100;

/// The calls of one invocation, as one metric with a value for each call.
struct Calls<'a>(&'a [Duration]);

impl Value for Calls<'_> {
    fn write(&self, writer: impl ValueWriter) {
        let values = self.0.iter().take(MAX_VALUES);
        // Rounded to microseconds: more digits have no meaning.
        let values = values.map(|took| Observation::Floating((took.as_secs_f64() * 1e6).round() / 1e3));
        writer.metric(values, Unit::Second(NegativeScale::Milli), [], MetricFlags::empty());
    }
}

impl Entry for Line<'_> {
    fn write<'a>(&'a self, writer: &mut impl EntryWriter<'a>) {
        writer.timestamp(SystemTime::from(self.invocation.at));
        writer.value(SERVICE, self.service);
        writer.value(ROUTE, self.invocation.route);
        writer.value("function_request_id", self.invocation.request_id);
        for (name, value) in metrics(self.counts) {
            // Zeros are left out: CloudWatch sums the values, and bills for each metric.
            if value > 0 {
                writer.value(name, &value);
            }
        }
        for (name, store) in TIMES {
            let calls = self.counts.calls(store);
            if !calls.is_empty() {
                writer.value(name, &Calls(calls));
            }
        }
    }
}

impl Metrics {
    pub fn new(config: &TelemetryConfig) -> Self {
        let dimensions = [vec![SERVICE.to_owned()], vec![SERVICE.to_owned(), ROUTE.to_owned()]];
        let format = Emf::builder(config.namespace.clone(), dimensions.into()).build();
        Self { service: config.service.clone(), format: Mutex::new(format) }
    }

    /// The line of one invocation; none if nothing was counted.
    pub fn line(&self, invocation: Invocation<'_>, counts: &Counts) -> Option<Vec<u8>> {
        if *counts == Counts::default() {
            return None;
        }
        let mut line = Vec::new();
        let mut format = self.format.lock().unwrap_or_else(PoisonError::into_inner);
        format.format(&Line { service: &self.service, invocation, counts }, &mut line).ok()?;
        Some(line)
    }

    /// Writes the line of one invocation to standard output, where Lambda collects it.
    pub fn emit(&self, invocation: Invocation<'_>, counts: &Counts) {
        if let Some(line) = self.line(invocation, counts) {
            // Without standard output there is nowhere to report the failure.
            let _: std::io::Result<()> = std::io::stdout().lock().write_all(&line);
        }
    }
}
