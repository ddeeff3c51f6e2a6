//! `GET /health`: the state of Redis, `DynamoDB` and payments, without secrets.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::HealthView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::Health, request, apply).await
}

/// Always 200: the checkout also works without Redis, and this shows that it does.
async fn apply(app: &App, _: Incoming<Anyone, ()>) -> Result<Answer, Problem> {
    Ok(Answer::json(200, &HealthView::new(app.pulse().await)))
}
