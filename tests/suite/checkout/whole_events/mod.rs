//! Whole events, through the code that a function's process runs for each: whatever comes in, there is one clear answer
//! and never a panic.

mod hostile;
mod others;

use std::sync::Arc;

use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, value::RawValue};
use shared::app::{App, answer};
use tests::handlers;

/// What the runtime gives back for the text of an event, or how the invocation failed.
async fn invoke(function: &str, app: &Arc<App>, event: String) -> Result<Value, String> {
    let payload = RawValue::from_string(event).expect("JSON");
    let mut context = Context::default();
    "8476a536-e9f4-11e8-9739-2dfe598c3fcd".clone_into(&mut context.request_id);
    let event = LambdaEvent::new(payload, context);
    let answered = answer(Arc::clone(app), event, |app, request| handlers::call(function, app, request)).await;
    let (reply, _) = answered.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(reply).expect("a reply is JSON"))
}
