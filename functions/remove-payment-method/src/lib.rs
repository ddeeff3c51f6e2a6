//! `DELETE /payment-methods/{paymentMethodId}`: removes a saved card.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        request_context::SignedIn,
        saved_cards::{self, RemoveCard},
    },
    http::{answer::Answer, problem::Problem, route::Route},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::RemovePaymentMethod, request, apply).await
}

/// 204 when it is removed; 404 for another's card, and for one that is removed already.
async fn apply(app: &App, incoming: Incoming<SignedIn, RemoveCard>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    saved_cards::remove(app, &context, command).await?;
    Ok(Answer::done())
}
