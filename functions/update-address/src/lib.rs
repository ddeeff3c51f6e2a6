//! `PUT /address`: sets the addresses and prices the cart for the new place.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        address::{self, UpdateAddress},
        request_context::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// An address that the cart can't go to is refused, and the session stays as it was.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::UpdateAddress, request, |incoming: Incoming<Caller, UpdateAddress>| async move {
        let (context, command, _) = incoming.into_parts();
        let session = address::update(&app.sessions, &app.catalog, &context, command).await?;
        Ok::<_, Problem>(Answer::json(200, &SessionView::new(&session, context.now, context.session_ttl)))
    })
    .await
}
