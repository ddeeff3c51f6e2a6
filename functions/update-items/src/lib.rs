//! `PUT /items`: replaces the cart of an open session, and prices it again.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        items::{self, UpdateItems},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::UpdateItems, request, apply).await
}

/// All else that the session has stays. What no longer applies to the new cart is among its problems.
async fn apply(app: &App, incoming: Incoming<Caller, UpdateItems>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let session = items::update(app, &context, command).await?;
    Ok(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
}
