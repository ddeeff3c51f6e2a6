//! Logs: JSON lines on standard output, where Lambda collects them. No bodies, tokens, addresses or e-mail;
//! identifiers only.

use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging, once per process; a second call changes nothing.
pub fn init(level: tracing::Level) {
    let format = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_current_span(true);
    let registry =
        tracing_subscriber::registry().with(LevelFilter::from_level(level)).with(format.with_span_list(false));
    // In tests many bootstraps share a process, and the first one has won.
    let _: Result<(), _> = registry.try_init();
}
