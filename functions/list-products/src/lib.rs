//! `GET /products`: the published products, with their prices in one currency.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::storefront::{self, ListProducts},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::ProductPageView},
};

/// Stock is sold meanwhile: a session says what is left for its cart.
const KEPT_SECONDS: u32 = 30;

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ListProducts, request, apply).await
}

/// Query parameters: `currency`, `limit` and `cursor`.
async fn apply(app: &App, incoming: Incoming<Anyone, ListProducts>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let offered = storefront::products(app, &command, context.now).await?;
    Ok(Answer::json(200, &ProductPageView::new(&offered, context.now)).public_for(KEPT_SECONDS))
}
