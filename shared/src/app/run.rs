//! A function's life: read the settings, open the connections, serve events.

use std::sync::Arc;

use lambda_http::{
    Adapter, Error, IntoResponse as _, LambdaEvent, RequestExt as _, Service as _, TransformResponse, lambda_runtime,
    request::LambdaRequest, service_fn,
};

use crate::{
    app::{App, Clock, Request, Response, Told},
    config::Config,
    http::{answer::Answer, event},
    telemetry::{
        self,
        emf::{Invocation, Metrics},
    },
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
    telemetry::init(&config.telemetry);
    let metrics = Arc::new(Metrics::new(&config.telemetry));
    let app = Arc::new(App::new(config, Clock::System)?);
    app.warm_up().await;
    let serve = service_fn(move |request: Request| {
        let (at, metrics) = (app.now(), Arc::clone(&metrics));
        let request_id = request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default();
        let answer = handler(Arc::clone(&app), request);
        async move {
            let response = answer.await;
            if let Some(Told { route, counts }) = response.extensions().get() {
                metrics.emit(Invocation { at, route: route.function(), request_id: &request_id }, counts);
            }
            Ok::<_, Error>(response)
        }
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
