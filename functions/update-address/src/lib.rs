//! `PUT /address`: sets the addresses and prices the cart for the new destination.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        address::{self, UpdateAddress},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::UpdateAddress, request, apply).await
}

/// An address that the cart can't be shipped to is refused. The session stays unchanged.
async fn apply(app: &App, incoming: Incoming<Caller, UpdateAddress>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let session = address::update(app, &context, command).await?;
    Ok(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
}
