//! `POST /initiate`: prices a cart and opens a checkout session for it.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::initiate::initiate,
    http::{
        admit::Newcomer, answer::Answer, problem::Problem, route::Route, session_commands::InitiateRequest,
        view::SessionView,
    },
};

/// Without an identity the caller becomes a guest; the answer names the guest id to come back with.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::Initiate, request, |served: Served<Newcomer, InitiateRequest>| async move {
        let (visit, command, receipt) = served.into_parts();
        let visit = visit.try_map(|newcomer| newcomer.or_named(command.guest))?;
        let answer = |session: &_| Answer::json(201, &SessionView::new(session, visit.now, visit.session_ttl));
        let receipt = |session: &_| receipt(&answer(session));
        let session = initiate(&app.sessions, &app.catalog, &visit, command.initiate, receipt).await?;
        Ok::<_, Problem>(answer(&session).kept(true))
    })
    .await
}
