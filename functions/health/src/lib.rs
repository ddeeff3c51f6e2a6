//! `GET /health`: the state of Redis, `DynamoDB` and payments, never a secret.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::HealthView},
    ports::Health as _,
};

/// 200 whatever the state: the checkout works without Redis, and says here that it has to.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::Health, request, |_: Incoming<Anyone, ()>| async move {
        Ok::<_, Problem>(Answer::json(200, &HealthView::new(app.pulse().await)))
    })
    .await
}
