//! `checkout doctor`.

use std::io::IsTerminal as _;

use clap::Args;
use serde_json::json;
use tools::operator::doctor::{Finding, Report, dynamodb, redis, stripe};

use super::{
    output::{Outcome, show},
    target::{CommandError, Target},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Looks at the settings in the environment as a function would, at Redis, at the tables and at Stripe,
and says what to do about each fault. Writes nothing but one key of its own, which it drops. Exit code 3 if there is one.

Examples:
  checkout doctor --local
  env $(cat production.env) checkout doctor --json"
)]
pub struct DoctorArgs {}

pub async fn doctor(target: &Target, _: &DoctorArgs) -> Result<Outcome, CommandError> {
    let mut report = Report::default();
    match target.config() {
        Ok(_) => report.good("Settings", "complete"),
        Err(CommandError::Config(faults)) => {
            for fault in faults.0 {
                report.bad("Settings", fault, "see the table of settings in README.md");
            }
        }
        Err(error) => return Err(error),
    }
    // What can be looked at is looked at, whatever else is wrong.
    if let Ok(config) = target.redis() {
        redis(&mut report, &config).await;
    }
    if let Ok(app) = target.app() {
        dynamodb(&mut report, &app.catalog).await;
        stripe(&mut report, &app).await;
    }
    show(target.json, &json!({"good": report.is_good(), "findings": &report.0}), || shown(&report.0));
    Ok(if report.is_good() { Outcome::Done } else { Outcome::NotFound })
}

fn shown(findings: &[Finding]) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mark = |good: bool| match (good, colour) {
        (true, true) => "\u{1b}[32mok   \u{1b}[0m",
        (false, true) => "\u{1b}[31mFAULT\u{1b}[0m",
        (true, false) => "ok   ",
        (false, false) => "FAULT",
    };
    let line = |f: &Finding| {
        let mend = f.mend.as_ref().map(|mend| format!("\n      mend: {mend}")).unwrap_or_default();
        format!("{} {}: {}{mend}", mark(f.good), f.what, f.seen)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
