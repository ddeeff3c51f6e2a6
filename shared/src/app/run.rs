//! The lifecycle of a function: read the settings, open the connections, serve events.

use std::{process::ExitCode, sync::Arc};

use futures_util::future::{BoxFuture, LocalBoxFuture};
use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use serde::Serialize;
use serde_json::{json, value::RawValue};
use tracing::Instrument as _;

use crate::{
    app::{
        App, Request, Response, ResponseMeta,
        diagnose::{self, Diagnosis},
        start::start,
    },
    checkout::request_context::RequestContext,
    http::{
        answer::Answer,
        event::{self, Event},
        problem::Problem,
        reply::{Form, Reply},
    },
    telemetry::{cause, counts::counting, emf::Invocation},
};

/// The output of an invocation: the answer to its event, or the result of the self-check.
#[derive(Serialize)]
#[serde(untagged)]
enum Output<T> {
    Answer(T),
    Diagnosis(Box<Diagnosis>),
}

/// An invocation by a schedule: no caller and no request.
pub type Scheduled = RequestContext<()>;

/// Runs a function that a schedule invokes, until Lambda stops it. The handler's result is logged. Any other event is
/// refused without a call of the handler. With settings that can't be used it logs the reasons and returns a failure.
pub async fn run_scheduled<F, Fut, T, E>(name: &'static str, handler: F) -> ExitCode
where
    F: Fn(Arc<App>, Scheduled) -> Fut + Clone,
    Fut: Future<Output = Result<T, E>> + Send,
    T: std::fmt::Debug,
    E: std::error::Error + Send + Sync + 'static,
{
    let (app, metrics) = match start(name).await {
        Ok(started) => started,
        Err(code) => return code,
    };
    let running = lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let (app, metrics, handler) = (Arc::clone(&app), Arc::clone(&metrics), handler.clone());
        let span = tracing::info_span!("run", route = name, function_request_id = event.context.request_id);
        async move {
            if diagnose::is_asked(event.payload.get()) {
                return Ok(Output::Diagnosis(Box::new(Box::pin(app.diagnose(name)).await)));
            }
            if !event::is_scheduled(&event.payload) {
                tracing::warn!("Event refused: it is not a scheduled event");
                let problem = Problem::new(
                    400,
                    "UNSUPPORTED_EVENT",
                    "Not a scheduled event",
                    "this function only takes the events of its schedule",
                );
                return Ok(Output::Answer(Some(refusal(problem, Form::Http, event.context.request_id))));
            }
            let (at, scheduled) = (app.now(), app.scheduled());
            let (done, mut counts) = counting(handler(Arc::clone(&app), scheduled)).await;
            if counts.payments_degraded > 0 {
                Box::pin(app.note_payments()).await;
            }
            counts.cold_starts = u64::from(app.is_cold());
            metrics.emit(Invocation { at, route: name, request_id: &event.context.request_id }, &counts);
            let done = done.map_err(|error| {
                let causes = cause::chain(&error);
                tracing::error!(error = causes, "The run failed");
                // Lambda gets the same error, and counts a failed invocation.
                Error::from(causes)
            })?;
            tracing::info!(?done, "The run finished");
            Ok::<_, Error>(Output::Answer(None))
        }
        .instrument(span)
    }));
    ended(running.await)
}

/// A function's handler, as [`run`] calls it.
type Handler = Arc<dyn Fn(Arc<App>, Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// Runs a function until Lambda stops it. With settings that can't be used it logs the reasons and returns a failure.
pub fn run<F, Fut>(name: &'static str, handler: F) -> LocalBoxFuture<'static, ExitCode>
where
    F: Fn(Arc<App>, Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    boxed(name, Arc::new(move |app, request| Box::pin(handler(app, request))))
}

/// Not generic, and boxed here: so the compiler translates the runtime once, with this crate, and not again with each
/// function.
fn boxed(name: &'static str, handler: Handler) -> LocalBoxFuture<'static, ExitCode> {
    Box::pin(running(name, handler))
}

async fn running(name: &'static str, handler: Handler) -> ExitCode {
    let (app, metrics) = match start(name).await {
        Ok(started) => started,
        Err(code) => return code,
    };
    let running = lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let (app, metrics, handler) = (Arc::clone(&app), Arc::clone(&metrics), handler.clone());
        async move {
            if diagnose::is_asked(event.payload.get()) {
                return Ok(Output::Diagnosis(Box::new(Box::pin(app.diagnose(name)).await)));
            }
            let (at, request_id) = (app.now(), event.context.request_id.clone());
            let (reply, told) = answer(app, event, |app, request| handler(app, request)).await?;
            if let Some(ResponseMeta { route, counts }) = told {
                metrics.emit(Invocation { at, route: route.function(), request_id: &request_id }, &counts);
            }
            Ok::<_, Error>(Output::Answer(reply))
        }
    }));
    ended(running.await)
}

/// Lambda stops a function by a signal. If the loop ends by itself, the Runtime API can't be reached.
pub(super) fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = cause::chain(error.as_ref()), "The function can't get its events from Lambda");
            ExitCode::FAILURE
        }
    }
}

/// Answers one invocation. No event makes it panic.
///
/// # Errors
/// For an event of a source that takes every answer as success, such as a queue: it needs a failure.
pub async fn answer<F, Fut>(
    app: Arc<App>,
    LambdaEvent { payload, context, .. }: LambdaEvent<Box<RawValue>>,
    handler: F,
) -> Result<(Reply, Option<ResponseMeta>), Error>
where
    F: FnOnce(Arc<App>, Request) -> Fut,
    Fut: Future<Output = Response> + Send,
{
    let request_id = context.request_id.clone();
    match event::read(&payload, context) {
        Event::Request(request) => {
            let mut response = handler(app, *request).await;
            let told = response.extensions_mut().remove::<ResponseMeta>();
            Ok((Reply::new(response, Form::Http), told))
        }
        Event::Ping => {
            // The next request then finds a warm container.
            app.is_cold();
            let answer = Answer::json(200, &json!({"status": "done"})).header("x-request-id", request_id);
            Ok((Reply::new(answer.into_response(), Form::Http), None))
        }
        Event::Refused(problem, form) => {
            tracing::warn!(function_request_id = request_id, problem.code, problem.detail, "Event refused");
            Ok((refusal(problem, form, request_id), None))
        }
        Event::Unanswerable(why) => {
            tracing::error!(function_request_id = request_id, why, "Event refused");
            Err(why.into())
        }
    }
}

fn refusal(problem: Problem, form: Form, request_id: String) -> Reply {
    Reply::new(Answer::from(problem).header("x-request-id", request_id).into_response(), form)
}
