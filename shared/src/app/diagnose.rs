//! A function's self-check: its settings, its permissions and its network, from where it runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::{
    adapters::{dynamodb, redis, stripe},
    app::{
        App, Clock,
        container::random_id,
        needs::{self, AsksStripe},
    },
    ports::diagnosis::{Part, Report},
};

/// How long the self-check waits for one answer of Redis: longer than a request does, so that a slow Redis is not
/// reported as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// The result of a function's self-check.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The function's folder name.
    pub function: String,
    /// The version of the code.
    pub version: String,
    pub good: bool,
    pub summary: String,
    pub findings: Report,
}

/// The event that asks for the self-check. Only a caller with the right to invoke the function by name can send it: an
/// HTTP request always arrives as an event of API Gateway, whatever its body is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    checkout: String,
}

/// The value that an event must have.
const WORD: &str = "doctor";

/// Whether an event asks for the self-check: `{"checkout": "doctor"}`.
pub fn is_asked(event: &str) -> bool {
    serde_json::from_str::<Asked>(event).is_ok_and(|asked| asked.checkout == WORD)
}

impl App {
    /// Checks everything that a function needs, in parallel, within the time limit of a request.
    pub async fn diagnose(&self, function: &str) -> Diagnosis {
        let deadline = Instant::now() + self.config.times.request;
        let now: fn() -> time::OffsetDateTime = || Clock::System.now();
        let mut settings = Report::default();
        // The function has started, so no required setting is missing.
        settings.good(Part::Settings, "Settings", "complete");
        self.names(&mut settings);
        match self.tokens.summary().await {
            Ok(summary) => settings.good(Part::Tokens, "Keys for tokens", summary),
            Err(reason) => settings.bad(
                Part::Tokens,
                "Keys for tokens",
                reason,
                "check JWT_JWKS and the network path to it: without the keys every request with a token gets a 503",
            ),
        }
        let redis = async {
            let mut report = Report::default();
            let work = redis::diagnosis::diagnose(&mut report, &self.config.redis, random_id(), PATIENCE, now);
            in_time(work, deadline).await.unwrap_or_else(|| late(&mut report, Part::Redis));
            report
        };
        let dynamodb = async {
            let mut report = Report::default();
            let deeds = needs::deeds(function, &self.config.dynamodb.tables);
            let work = dynamodb::diagnosis::diagnose(&mut report, &self.config.dynamodb, &self.catalog, &deeds, now);
            in_time(work, deadline).await.unwrap_or_else(|| late(&mut report, Part::DynamoDb));
            report
        };
        let stripe = async {
            let mut report = Report::default();
            if needs::asks_stripe(function) == AsksStripe::Never {
                return report;
            }
            let work = async {
                stripe::diagnosis::diagnose(&mut report, &self.payments).await;
                if function == "payment-webhook" && self.config.stripe.is_some() {
                    stripe::diagnosis::diagnose_webhook(&mut report, &self.payments).await;
                }
            };
            in_time(work, deadline).await.unwrap_or_else(|| late(&mut report, Part::Stripe));
            report
        };
        let (redis, dynamodb, stripe) = tokio::join!(redis, dynamodb, stripe);
        let findings = [settings, redis, dynamodb, stripe].into_iter().flat_map(|report| report.0).collect();
        let findings = Report(findings);
        tracing::info!(good = findings.is_good(), summary = findings.summary(), "The function's self-check finished");
        Diagnosis {
            function: function.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            good: findings.is_good(),
            summary: findings.summary(),
            findings,
        }
    }

    /// Variables whose names look like settings but are not.
    pub fn names(&self, report: &mut Report) {
        for name in &self.config.unknown {
            report.warn(Part::Settings, "Settings", name.clone(), "it has no effect: correct its name");
        }
    }
}

async fn in_time<T>(work: impl Future<Output = T>, deadline: Instant) -> Option<T> {
    timeout_at(deadline, work).await.ok()
}

fn late(report: &mut Report, part: Part) {
    let seen = "the check took longer than REQUEST_TIMEOUT_MS";
    report.bad(part, part.name(), seen, "something on the way is slow or hangs; the findings so far are listed too");
}
