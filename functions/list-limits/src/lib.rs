//! `GET /limits`: what the caller has left on each route with a limit of its own, and when there is more.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    http::{
        answer::Answer, credentials::Credentials, limits::all_looks, problem::Problem, route::Route, view::LimitsView,
    },
    ports::AdmissionRequest,
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ListLimits, request, apply).await
}

/// Looks at all of them at once, and counts at none.
async fn apply(app: &App, incoming: Incoming<Credentials, ()>) -> Result<Answer, Problem> {
    let context = incoming.context;
    let looks = all_looks(&app.config.limits, Some(&context.who), context.source);
    let asked = AdmissionRequest::of(context.request(), looks.iter().map(|(_, limit)| limit.clone()).collect());
    let decisions = app.admission.admit(&asked).await.decisions;
    Ok(Answer::json(200, &LimitsView::new(&looks, &decisions, context.now)))
}
