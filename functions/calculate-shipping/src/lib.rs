//! `POST /calculate-shipping`: the offers for the session's address; with a method, chooses it.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        shipping::{self, CalculateShipping},
        visit::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// The session with `shippingMethods`, cheapest first.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CalculateShipping, request, |served: Served<Caller, CalculateShipping>| async move {
        let (visit, command, _) = served.into_parts();
        let session = shipping::calculate(&app.sessions, &app.catalog, &visit, command).await?;
        let view = SessionView::new(&session, visit.now, visit.session_ttl).with_offers(&session);
        Ok::<_, Problem>(Answer::json(200, &view))
    })
    .await
}
