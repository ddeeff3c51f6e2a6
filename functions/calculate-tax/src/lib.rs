//! `POST /calculate-tax`: the tax of the session, by line and jurisdiction.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        request_context::Caller,
        tax::{self, CalculateTax},
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CalculateTax, request, apply).await
}

/// The session with `taxBreakdown`.
async fn apply(app: &App, incoming: Incoming<Caller, CalculateTax>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let session = tax::calculate(app, &context, command).await?;
    let view = SessionView::new(&session, context.now, context.session_ttl).with_taxes(&session);
    Ok(Answer::json(200, &view))
}
