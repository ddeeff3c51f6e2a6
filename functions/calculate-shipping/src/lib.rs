//! `POST /calculate-shipping`: the offers for the session's address; with a method, chooses it.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        request_context::Caller,
        shipping::{self, CalculateShipping},
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// The session with `shippingMethods`, cheapest first.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CalculateShipping, request, |incoming: Incoming<Caller, CalculateShipping>| async move {
        let (context, command, _) = incoming.into_parts();
        let session = shipping::calculate(&app.sessions, &app.catalog, &context, command).await?;
        let view = SessionView::new(&session, context.now, context.session_ttl).with_offers(&session);
        Ok::<_, Problem>(Answer::json(200, &view))
    })
    .await
}
