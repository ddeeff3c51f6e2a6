//! `POST /calculate-shipping-preview`: the shipping offers for items and a destination, without a session.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::preview::{PreviewShipping, preview},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::PreviewView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CalculateShippingPreview, request, apply).await
}

/// All offers, cheapest first.
async fn apply(app: &App, incoming: Incoming<Anyone, PreviewShipping>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let (currency, offers) = preview(app, &context, &command).await?;
    Ok(Answer::json(200, &PreviewView::new(currency, &offers)))
}
