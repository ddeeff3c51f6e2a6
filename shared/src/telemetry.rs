//! Logs: JSON lines on standard output, where Lambda collects them. No bodies, tokens, addresses or e-mail;
//! identifiers only.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Starts logging, once per process; a second call changes nothing.
pub fn init(level: tracing::Level) {
    // The level is ours alone: at `trace` the SDK would log whole requests, and the customer with them. And the runtime
    // warns of `cargo lambda watch` at every start, and of nothing that our own lines don't say.
    let targets = Targets::new()
        .with_default(level.min(tracing::Level::WARN))
        .with_target("shared", level)
        .with_target("lambda_runtime", LevelFilter::ERROR);
    let format = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_span_list(false);
    // In tests many bootstraps share a process, and the first one has won.
    let _: Result<(), _> = tracing_subscriber::registry().with(targets).with(format).try_init();
}
