//! `POST /claim`: a guest's sessions and orders move to the signed-in account.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        merge_guest::{MergeGuest, merge_guest},
        request_context::SignedIn,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::ClaimedView},
};

/// What moved; repeated, it finds nothing left to move.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::Claim, request, |incoming: Incoming<SignedIn, MergeGuest>| async move {
        let (context, command, _) = incoming.into_parts();
        let claimed =
            merge_guest(&app.sessions, &app.orders, &app.orders, &app.stored_responses, &context, command).await?;
        Ok::<_, Problem>(Answer::json(200, &ClaimedView::from(&claimed)))
    })
    .await
}
