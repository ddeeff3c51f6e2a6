//! `POST /webhooks/stripe`: the payment provider tells that something has changed.

use std::sync::Arc;

use serde_json::json;
use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::webhook::{Received, receive},
    http::{admit::Anyone, answer::Answer, payment_commands::Notification, problem::Problem, problems, route::Route},
    ports::ProviderEvents as _,
};

/// 200 for everything that the provider need not send again.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::PaymentWebhook, request, |served: Served<Anyone, Notification>| async move {
        let (visit, told, _) = served.into_parts();
        let event = app.payments.open(&told.body, told.signature.as_deref(), visit.now).await?;
        match receive(&app.receipts, &app.finisher(&visit), &event).await? {
            Received::Unanswered => Err(problems::payments_unavailable()),
            Received::TooEarly => Err(problems::order_not_there_yet()),
            received => Ok::<_, Problem>(Answer::json(200, &json!({"received": received.name()}))),
        }
    })
    .await
}
