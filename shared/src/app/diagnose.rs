//! A function looks at itself: its settings, its rights and its reach, from where it runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::{
    adapters::{dynamodb, redis, stripe},
    app::{App, Clock, container::random_id, needs},
    ports::diagnosis::{Part, Report},
};

/// How long Redis may take for one answer when it is looked at: longer than for a customer, so that what is slow is not
/// called dead.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a function answers when it is asked how it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// By its folder's name.
    pub function: String,
    /// Of the code.
    pub version: String,
    pub good: bool,
    pub summary: String,
    pub findings: Report,
}

/// The event that asks for it. Only whoever may invoke a function by its name can send one: what comes over HTTP is an
/// event of API Gateway, whatever its body says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    checkout: String,
}

/// The value that an event must have.
const WORD: &str = "doctor";

/// Whether an event asks how the function is: `{"checkout": "doctor"}`.
pub fn is_asked(event: &str) -> bool {
    serde_json::from_str::<Asked>(event).is_ok_and(|asked| asked.checkout == WORD)
}

impl App {
    /// Looks at everything that a function needs, all at the same time, and is done within a request's time.
    pub async fn diagnose(&self, function: &str) -> Diagnosis {
        let deadline = Instant::now() + self.config.times.request;
        let now: fn() -> time::OffsetDateTime = || Clock::System.now();
        let mut settings = Report::default();
        // It runs: nothing that it needs is missing.
        settings.good(Part::Settings, "Settings", "complete");
        self.names(&mut settings);
        match self.tokens.summary().await {
            Ok(summary) => settings.good(Part::Tokens, "Keys for tokens", summary),
            Err(reason) => settings.bad(
                Part::Tokens,
                "Keys for tokens",
                reason,
                "check JWT_JWKS, and that there is a way out to it: without its keys every token is answered 503",
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
            if !needs::pays(function) {
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
        tracing::info!(good = findings.is_good(), summary = findings.summary(), "The function has looked at itself");
        Diagnosis {
            function: function.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            good: findings.is_good(),
            summary: findings.summary(),
            findings,
        }
    }

    /// Names that look like settings and are none.
    pub fn names(&self, report: &mut Report) {
        for name in &self.config.unknown {
            report.warn(Part::Settings, "Settings", name.clone(), "what it says has no effect: correct its name");
        }
    }
}

async fn in_time<T>(work: impl Future<Output = T>, deadline: Instant) -> Option<T> {
    timeout_at(deadline, work).await.ok()
}

fn late(report: &mut Report, part: Part) {
    let seen = "looking at it took longer than REQUEST_TIMEOUT_MS";
    report.bad(part, part.name(), seen, "something in between is slow or hung: what was found so far stands here too");
}
