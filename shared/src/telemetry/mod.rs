//! Logs and metrics: JSON lines on standard output, where Lambda collects them. No bodies, tokens, addresses or e-mail:
//! identifiers only.

pub mod counts;
pub mod emf;

pub use crate::domain::cause;

use std::{io::Write as _, panic::PanicHookInfo};

use json_subscriber::JsonLayer;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{TelemetryConfig, lambda::LambdaConfig};

/// Starts logging, once for each process; a second call changes nothing. The fields have the names of AWS Lambda
/// Powertools.
pub fn init(config: &TelemetryConfig, lambda: &LambdaConfig) {
    // The level applies to this code only: at `trace` the SDK logs whole requests, with customer data. The runtime's
    // lines about handlers are left out, because this code logs the same.
    let targets = Targets::new()
        .with_default(config.log_level.min(tracing::Level::WARN))
        .with_target("shared", config.log_level)
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let mut format = JsonLayer::stdout();
    format.with_level("level");
    format.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    format.with_flattened_event();
    format.with_top_level_flattened_current_span();
    format.add_static_field("service", config.service.clone().into());
    if let Some(name) = &lambda.function_name {
        format.add_static_field("function_name", name.clone().into());
    }
    // In tests several bootstraps share a process; only the first one sets it.
    let _: Result<(), _> = tracing_subscriber::registry().with(targets).with(format).try_init();
}

/// Logs a panic as one line with the fields of its request, instead of a text on standard error.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, error = panic_text(panic), "The function panicked");
    }));
}

/// The fixed text of a panic. A text that was formatted at run time may quote customer data, so it isn't logged.
fn panic_text(panic: &PanicHookInfo<'_>) -> &'static str {
    let text = panic.payload().downcast_ref::<&'static str>().copied();
    text.unwrap_or("the text of this panic may hold personal data; the location says where it happened")
}

/// Logs why the process ends before it has served anything: one line with the usual fields, whatever the log level.
pub fn cannot_start(config: &TelemetryConfig, lambda: &LambdaConfig, at: OffsetDateTime, errors: &[String]) {
    let reasons = if errors.len() == 1 { "reason" } else { "reasons" };
    let mut line = json!({
        "timestamp": at.format(&Rfc3339).unwrap_or_default(),
        "level": "ERROR",
        "message": format!("The function can't start, for {} {reasons}", errors.len()),
        "service": config.service,
        "errors": errors,
    });
    if let Some(name) = &lambda.function_name {
        line["function_name"] = json!(name);
    }
    // Without standard output there is nowhere to report the failure.
    let _: std::io::Result<()> = writeln!(std::io::stdout().lock(), "{line}");
}
