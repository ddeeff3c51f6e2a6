//! `POST /webhooks/stripe`: the payment provider tells that something has changed.

use std::sync::Arc;

use serde_json::json;
use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::webhook::{Received, receive},
    http::{
        answer::Answer, credentials::Anyone, payment_commands::Notification, problem::Problem, problems, route::Route,
    },
    ports::ProviderEvents as _,
};

/// 200 for everything that the provider need not send again.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::PaymentWebhook, request, |incoming: Incoming<Anyone, Notification>| async move {
        let (context, told, _) = incoming.into_parts();
        let event = app.payments.open(&told.body, told.signature.as_deref(), context.now).await?;
        match receive(&app.stored_responses, &app.finisher(&context), &event).await? {
            Received::Unanswered => Err(problems::payments_unavailable()),
            Received::TooEarly => Err(problems::order_not_there_yet()),
            received => Ok::<_, Problem>(Answer::json(200, &json!({"received": received.name()}))),
        }
    })
    .await
}
