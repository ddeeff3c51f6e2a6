//! A function's life: read the settings, open the connections, serve events.

use std::sync::Arc;

use lambda_http::{Error, service_fn};

use crate::{
    app::{App, Clock, Request, Response},
    config::Config,
    telemetry,
};

/// Runs a function until Lambda stops it.
///
/// # Errors
/// Settings that no request could be served with, all of them named.
pub async fn run<F, Fut>(handler: F) -> Result<(), Error>
where
    F: Fn(Arc<App>, Request) -> Fut,
    Fut: Future<Output = Response> + Send,
{
    let config = Config::from_env()?;
    telemetry::init(config.log_level);
    let app = Arc::new(App::new(config, Clock::System)?);
    app.warm_up().await;
    lambda_http::run(service_fn(|request: Request| {
        let answer = handler(Arc::clone(&app), request);
        async move { Ok::<_, Error>(answer.await) }
    }))
    .await
}
