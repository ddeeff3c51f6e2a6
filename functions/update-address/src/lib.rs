//! `PUT /address`: sets the addresses and prices the cart for the new place.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        address::{self, UpdateAddress},
        visit::Caller,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::SessionView},
};

/// An address that the cart can't go to is refused, and the session stays as it was.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::UpdateAddress, request, |served: Served<Caller, UpdateAddress>| async move {
        let (visit, command, _) = served.into_parts();
        let session = address::update(&app.sessions, &app.catalog, &visit, command).await?;
        Ok::<_, Problem>(Answer::json(200, &SessionView::new(&session, visit.now, visit.session_ttl)))
    })
    .await
}
