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

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::Claim, request, apply).await
}

/// The ids of what moved. A repeated claim finds nothing left to move.
async fn apply(app: &App, incoming: Incoming<SignedIn, MergeGuest>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let claimed = merge_guest(app, &context, command).await?;
    Ok(Answer::json(200, &ClaimedView::from(&claimed)))
}
