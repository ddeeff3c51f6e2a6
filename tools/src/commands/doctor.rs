//! `checkout doctor`.

use std::io::IsTerminal as _;

use clap::Args;
use serde_json::json;
use shared::ports::diagnosis::{Finding, Part, Report, State};
use tools::operator::doctor::{dynamodb, redis, stripe};

use super::{
    doctor_stack,
    output::{Outcome, show},
    target::{CommandError, Target},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Looks at the settings in the environment as a function would, at Redis, at the tables and at Stripe,
measures how fast each answers, and says what to do about each fault. Writes nothing but one key of its own, which it
drops. The last line names everything that is not well. Exit code 3 if something is a fault, or slow.

With --stack it asks every function of a deployed stack instead, which needs cloudformation:ListStackResources and
lambda:InvokeFunction, and no way into the stack's network: each answers from where it runs, by its own settings and role.

Examples:
  checkout doctor --stack checkout
  checkout doctor --local
  env $(cat production.env) checkout doctor --json"
)]
pub struct DoctorArgs {
    /// Let each function of this deployed stack check itself: its settings, permissions and network, from where it runs
    #[arg(long, value_name = "NAME", conflicts_with = "functions")]
    stack: Option<String>,
    /// The same of the functions that `checkout dev` runs on this machine
    #[arg(long, requires = "local")]
    functions: bool,
    /// Port of this machine's API
    #[arg(long, env = "CHECKOUT_PORT", default_value_t = 3001, hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

pub async fn doctor(target: &Target, args: &DoctorArgs) -> Result<Outcome, CommandError> {
    if let Some(stack) = &args.stack {
        return doctor_stack::of_stack(target, stack).await;
    }
    if args.functions {
        return doctor_stack::of_this_machine(target, args.port).await;
    }
    let mut report = Report::default();
    match target.config() {
        Ok(config) => {
            report.good(Part::Settings, "Settings", "complete");
            for name in config.unknown {
                report.warn(Part::Settings, "Settings", name, "it has no effect: correct its name");
            }
        }
        Err(CommandError::Config(faults)) => {
            for fault in faults.0 {
                report.bad(Part::Settings, "Settings", fault, "see docs/SETTINGS.md");
            }
        }
        Err(error) => return Err(error),
    }
    // Everything that can be checked is checked, whatever else has faults.
    if let Ok(config) = target.redis() {
        redis(&mut report, &config).await;
    }
    if let Ok(config) = target.dynamodb() {
        dynamodb(&mut report, &config).await;
    }
    if let Ok(config) = target.stripe() {
        stripe(&mut report, config).await;
    }
    let summary = report.summary();
    show(target.json, &json!({"good": report.is_good(), "summary": summary, "findings": &report.0}), || {
        format!("{}\n{summary}", shown(&report.0))
    });
    Ok(if report.is_good() { Outcome::Done } else { Outcome::NotFound })
}

/// One line for each finding, and one more with the correction.
pub fn shown(findings: &[Finding]) -> String {
    let line = |f: &Finding| {
        let mend = f.mend.as_ref().map(|mend| format!("\n      mend: {mend}")).unwrap_or_default();
        format!("{} {}: {}{mend}", mark(f.state), f.what, f.seen)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// In colour on a terminal.
pub fn mark(state: State) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (word, code) = match state {
        State::Ok => ("ok   ", 32),
        State::Warning => ("WARN ", 33),
        State::Slow => ("SLOW ", 33),
        State::Fault => ("FAULT", 31),
    };
    if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
}
