//! `POST /claim`: a guest's sessions and orders move to the signed-in account.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        claim::{ClaimGuest, claim},
        visit::SignedIn,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::ClaimedView},
};

/// What moved; repeated, it finds nothing left to move.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::Claim, request, |served: Served<SignedIn, ClaimGuest>| async move {
        let (visit, command, _) = served.into_parts();
        let claimed = claim(&app.sessions, &app.orders, &app.orders, &app.receipts, &visit, command).await?;
        Ok::<_, Problem>(Answer::json(200, &ClaimedView::from(&claimed)))
    })
    .await
}
