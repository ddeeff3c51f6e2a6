//! `GET /products/{productId}`: one published product, with its prices in one currency.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::storefront::{self, ShowProduct},
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::ProductView},
};

/// As long as a page of products.
const KEPT_SECONDS: u32 = 30;

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::GetProduct, request, apply).await
}

/// Query parameter: `currency`.
async fn apply(app: &App, incoming: Incoming<Anyone, ShowProduct>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let (currency, product) = storefront::product(app, &command, context.now).await?;
    Ok(Answer::json(200, &ProductView::new(currency, &product, context.now)).public_for(KEPT_SECONDS))
}
