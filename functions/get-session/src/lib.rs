//! `GET /session/{checkoutId}`: shows a session, and keeps it alive.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{request_context::Caller, session},
    http::{answer::Answer, problem::Problem, route::Route, session_commands::ShowSession, view::SessionView},
};

/// The `ETag` is the session's version; with it in `If-None-Match`, an unchanged session is a 304.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::GetSession, request, |incoming: Incoming<Caller, ShowSession>| async move {
        let if_none_match = incoming.if_none_match.clone();
        let (context, command, _) = incoming.into_parts();
        let session = session::show(&app.sessions, &context, command.checkout).await?;
        let view = SessionView::new(&session, context.now, context.session_ttl);
        Ok::<_, Problem>(Answer::json(200, &view).with_etag(session.version, if_none_match.as_deref()))
    })
    .await
}
