//! `POST /webhooks/stripe`: an event of the payment provider.

use std::sync::Arc;

use serde_json::json;
use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::webhook::{Received, receive},
    http::{
        answer::Answer, credentials::Anyone, payment_commands::Notification, problem::Problem, problems, route::Route,
    },
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::PaymentWebhook, request, apply).await
}

/// 200 for every event that the provider need not send again.
async fn apply(app: &App, incoming: Incoming<Anyone, Notification>) -> Result<Answer, Problem> {
    let Incoming { context, command: told, .. } = incoming;
    let event = app.payments.open(&told.body, told.signature.as_deref(), context.now).await?;
    match receive(&app.finisher(&context), &event).await? {
        Received::Unanswered => Err(problems::payments_unavailable()),
        Received::TooEarly => Err(problems::order_not_there_yet()),
        received => Ok(Answer::json(200, &json!({"received": received.name()}))),
    }
}
