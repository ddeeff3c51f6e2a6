//! Logs and metrics: JSON lines on standard output, where Lambda collects them. No bodies, tokens, addresses or e-mail;
//! identifiers only.

pub mod counts;
pub mod emf;

use json_subscriber::JsonLayer;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::TelemetryConfig;

/// Starts logging, once per process; a second call changes nothing. The fields have the names that AWS Lambda Powertools
/// gives them.
pub fn init(config: &TelemetryConfig) {
    // The level is ours alone: at `trace` the SDK would log whole requests, and the customer with them. And the runtime
    // warns of `cargo lambda watch` at every start, and of nothing that our own lines don't say.
    let targets = Targets::new()
        .with_default(config.log_level.min(tracing::Level::WARN))
        .with_target("shared", config.log_level)
        .with_target("lambda_runtime", LevelFilter::ERROR);
    let mut format = JsonLayer::stdout();
    format.with_level("level");
    format.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    format.with_flattened_event();
    format.with_top_level_flattened_current_span();
    format.add_static_field("service", config.service.clone().into());
    // In tests many bootstraps share a process, and the first one has won.
    let _: Result<(), _> = tracing_subscriber::registry().with(targets).with(format).try_init();
}
