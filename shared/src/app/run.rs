//! A function's life: read the settings, open the connections, serve events.

use std::{process::ExitCode, sync::Arc};

use lambda_http::{
    Adapter, Error, IntoResponse as _, LambdaEvent, RequestExt as _, Service as _, TransformResponse, lambda_runtime,
    request::LambdaRequest, service_fn,
};

use tracing::Instrument as _;

use crate::{
    adapters::dynamodb::client::describe,
    app::{App, Request, Response, Told, start::start},
    checkout::visit::Visit,
    http::{answer::Answer, event},
    telemetry::{counts::counting, emf::Invocation},
};

/// An invocation that nobody asked for.
pub type Scheduled = Visit<()>;

/// Runs a function that is invoked by the clock, until Lambda stops it. What it returns is logged. Fails, and has said
/// why, with settings that nothing could be done with.
pub async fn run_scheduled<F, Fut, T, E>(name: &'static str, handler: F) -> ExitCode
where
    F: Fn(Arc<App>, Scheduled) -> Fut + Clone,
    Fut: Future<Output = Result<T, E>> + Send,
    T: std::fmt::Debug,
    E: std::error::Error + Send + Sync + 'static,
{
    let (app, metrics) = match start().await {
        Ok(started) => started,
        Err(code) => return code,
    };
    let running = lambda_runtime::run(service_fn(move |event: LambdaEvent<serde::de::IgnoredAny>| {
        let (app, metrics, handler) = (Arc::clone(&app), Arc::clone(&metrics), handler.clone());
        let span = tracing::info_span!("run", route = name, function_request_id = event.context.request_id);
        async move {
            let (at, scheduled) = (app.now(), app.scheduled());
            let (done, mut counts) = counting(handler(Arc::clone(&app), scheduled)).await;
            counts.cold_starts = u64::from(app.is_cold());
            metrics.emit(Invocation { at, route: name, request_id: &event.context.request_id }, &counts);
            let done = done.inspect_err(|error| tracing::error!(%error, "not run"))?;
            tracing::info!(?done, "run");
            Ok::<_, Error>(())
        }
        .instrument(span)
    }));
    ended(running.await)
}

/// Runs a function until Lambda stops it. Fails, and has said why, with settings that no request could be served with.
pub async fn run<F, Fut>(handler: F) -> ExitCode
where
    F: Fn(Arc<App>, Request) -> Fut + Clone,
    Fut: Future<Output = Response> + Send,
{
    let (app, metrics) = match start().await {
        Ok(started) => started,
        Err(code) => return code,
    };
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
    let running = lambda_runtime::run(service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let mut adapter = Adapter::from(serve.clone());
        async move {
            let Err(problem) = event::check(&event.payload) else { return adapter.call(event).await };
            let answer = Answer::from(problem).header("x-request-id", event.context.request_id);
            let response = answer.into_response().into_response();
            TransformResponse::<Response, Error>::Response(event.payload.request_origin(), response).await
        }
    }));
    ended(running.await)
}

/// Lambda ends its functions by a signal: when the loop ends by itself, the Runtime API is out of reach.
fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = describe(error.as_ref()), "The function can't get its events");
            ExitCode::FAILURE
        }
    }
}
