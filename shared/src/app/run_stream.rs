//! A function that gets the records of the orders' stream.

use std::{process::ExitCode, sync::Arc};

use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::Instrument as _;

use crate::{
    app::{
        App, Scheduled,
        diagnose::{self, Diagnosis},
        run::ended,
        start::start,
    },
    checkout::search::IndexRun,
    ports::ChangedOrder,
    telemetry::{counts::counting, emf::Invocation},
};

/// What Lambda gets: the first record of this list, and all after it, come again.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    batch_item_failures: Vec<Failure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Output {
    Report(Report),
    Diagnosis(Box<Diagnosis>),
}

/// None without records: a person may invoke the function by hand, to see whether it starts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    keys: Keys,
    sequence_number: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    owner: Text,
    order_id: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Text {
    s: String,
}

/// Runs a function that gets changed orders, until Lambda stops it. An event that isn't of the orders' stream fails the
/// invocation. With settings that can't be used it logs the reasons and returns a failure.
pub async fn run_stream<F, Fut>(name: &'static str, handler: F) -> ExitCode
where
    F: Fn(Arc<App>, Scheduled, Vec<ChangedOrder>) -> Fut + Clone,
    Fut: Future<Output = IndexRun> + Send,
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
            let batch: Batch = serde_json::from_str(event.payload.get()).map_err(|error| {
                // The error would quote the event.
                tracing::error!(
                    line = error.line(),
                    column = error.column(),
                    "Event refused: it is not of the orders' stream"
                );
                Error::from("this function only takes records of the orders' stream")
            })?;
            let (changed, positions): (Vec<_>, Vec<_>) = batch.records.into_iter().map(parts).unzip();
            let (at, context) = (app.now(), app.scheduled());
            let (run, mut counts) = counting(handler(Arc::clone(&app), context, changed)).await;
            counts.cold_starts = u64::from(app.is_cold());
            metrics.emit(Invocation { at, route: name, request_id: &event.context.request_id }, &counts);
            tracing::info!(?run, "The run finished");
            let failed = run.failed.iter().filter_map(|at| positions.get(*at).cloned());
            let batch_item_failures = failed.map(|item_identifier| Failure { item_identifier }).collect();
            Ok::<_, Error>(Output::Report(Report { batch_item_failures }))
        }
        .instrument(span)
    }));
    ended(running.await)
}

/// The order of a record, and its position in the stream.
fn parts(record: Record) -> (ChangedOrder, String) {
    let Change { keys, sequence_number } = record.dynamodb;
    (ChangedOrder { owner: keys.owner.s, id: keys.order_id.s }, sequence_number)
}
