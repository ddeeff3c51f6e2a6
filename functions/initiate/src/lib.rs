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

/// Without an identity the caller becomes a guest; the answer names the guest id to come back with.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::Initiate, request, |incoming: Incoming<Newcomer, InitiateRequest>| async move {
        let (context, command, stored_response) = incoming.into_parts();
        let context = context.try_map(|newcomer| newcomer.or_named(command.guest))?;
        let answer = |session: &_| Answer::json(201, &SessionView::new(session, context.now, context.session_ttl));
        let stored_response = |session: &_| stored_response(&answer(session));
        let session = initiate(&app.sessions, &app.catalog, &context, command.initiate, stored_response).await?;
        Ok::<_, Problem>(answer(&session).kept(true))
    })
    .await
}
