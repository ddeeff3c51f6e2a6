//! A function's life: read the settings, open the connections, serve events.

use std::sync::Arc;

use lambda_http::{
    Adapter, Error, IntoResponse as _, LambdaEvent, Service as _, TransformResponse, lambda_runtime,
    request::LambdaRequest, service_fn,
};

use crate::{
    app::{App, Clock, Request, Response},
    config::Config,
    http::{answer::Answer, event},
    telemetry,
};

/// Runs a function until Lambda stops it.
///
/// # Errors
/// Settings that no request could be served with, all of them named.
pub async fn run<F, Fut>(handler: F) -> Result<(), Error>
where
    F: Fn(Arc<App>, Request) -> Fut + Clone,
    Fut: Future<Output = Response> + Send,
{
    let config = Config::from_env()?;
    telemetry::init(config.log_level);
    let app = Arc::new(App::new(config, Clock::System)?);
    app.warm_up().await;
    let serve = service_fn(move |request: Request| {
        let answer = handler(Arc::clone(&app), request);
        async move { Ok::<_, Error>(answer.await) }
    });
    // `lambda_http::run` would do, if it didn't panic on an event whose body can't be decoded.
    lambda_runtime::run(service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let mut adapter = Adapter::from(serve.clone());
        async move {
            let Err(problem) = event::check(&event.payload) else { return adapter.call(event).await };
            let answer = Answer::from(problem).header("x-request-id", event.context.request_id);
            let response = answer.into_response().into_response();
            TransformResponse::<Response, Error>::Response(event.payload.request_origin(), response).await
        }
    }))
    .await
}
