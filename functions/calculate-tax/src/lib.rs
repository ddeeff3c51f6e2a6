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

/// The session with `taxBreakdown`.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CalculateTax, request, |incoming: Incoming<Caller, CalculateTax>| async move {
        let (context, command, _) = incoming.into_parts();
        let session = tax::calculate(&app.sessions, &app.catalog, &context, command).await?;
        let view = SessionView::new(&session, context.now, context.session_ttl).with_taxes(&session);
        Ok::<_, Problem>(Answer::json(200, &view))
    })
    .await
}
