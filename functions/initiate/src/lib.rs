//! `POST /initiate`: prices a cart and opens a checkout session for it.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::initiate::initiate,
    http::{
        answer::Answer, credentials::Newcomer, problem::Problem, route::Route, session_commands::InitiateRequest,
        view::SessionView,
    },
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::Initiate, request, apply).await
}

/// A caller without an identity becomes a guest. The answer has the guest id for the next requests.
async fn apply(app: &App, incoming: Incoming<Newcomer, InitiateRequest>) -> Result<Answer, Problem> {
    let Incoming { context, command, key, .. } = incoming;
    let context = context.try_map(|newcomer| newcomer.or_named(command.guest))?;
    let answer = |session: &_| Answer::json(201, &SessionView::new(session, context.now, context.session_ttl));
    let stored_response = |session: &_| key.as_ref().map(|key| key.stored_response(&answer(session)));
    let session = initiate(app, &context, command.initiate, &stored_response).await?;
    Ok(answer(&session).kept(true))
}
