//! `GET /session/{checkoutId}`: shows a session, and extends its time to live.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{request_context::Caller, session},
    http::{answer::Answer, problem::Problem, route::Route, session_commands::ShowSession, view::SessionView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::GetSession, request, apply).await
}

/// The `ETag` is the session's version; with it in `If-None-Match`, an unchanged session is a 304.
async fn apply(app: &App, incoming: Incoming<Caller, ShowSession>) -> Result<Answer, Problem> {
    let Incoming { context, command, if_none_match, .. } = incoming;
    let session = session::show(app, &context, command.checkout).await?;
    // All that a page needs after a reload, without a call of a limited route.
    let view = SessionView::new(&session, context.now, context.session_ttl).with_offers(&session).with_taxes(&session);
    Ok(Answer::json(200, &view).with_etag(session.version, if_none_match.as_deref()))
}
