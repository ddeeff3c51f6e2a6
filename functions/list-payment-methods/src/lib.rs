//! `GET /payment-methods`: the saved cards of a signed-in customer.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{request_context::SignedIn, saved_cards},
    http::{answer::Answer, problem::Problem, route::Route, view::SavedCardsView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ListPaymentMethods, request, apply).await
}

/// Newest first. Empty for an account that has never saved a card.
async fn apply(app: &App, incoming: Incoming<SignedIn, ()>) -> Result<Answer, Problem> {
    let cards = saved_cards::list(app, &incoming.context).await?;
    Ok(Answer::json(200, &SavedCardsView::from(cards)))
}
