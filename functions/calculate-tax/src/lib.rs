//! `POST /calculate-tax`: the tax of the session, by line and jurisdiction.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        tax::{self, CalculateTax},
        visit::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// The session with `taxBreakdown`.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CalculateTax, request, |served: Served<Caller, CalculateTax>| async move {
        let (visit, command, _) = served.into_parts();
        let session = tax::calculate(&app.sessions, &app.catalog, &visit, command).await?;
        let view = SessionView::new(&session, visit.now, visit.session_ttl).with_taxes(&session);
        Ok::<_, Problem>(Answer::json(200, &view))
    })
    .await
}
