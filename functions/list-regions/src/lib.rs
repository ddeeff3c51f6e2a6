//! `GET /regions`: where the shop ships, in which currencies, and what an address there needs.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::storefront,
    http::{answer::Answer, credentials::Anyone, problem::Problem, route::Route, view::RegionsView},
};

/// The rules change when a catalog is loaded.
const KEPT_SECONDS: u32 = 300;

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ListRegions, request, apply).await
}

/// In the order of the countries' codes.
async fn apply(app: &App, _: Incoming<Anyone, ()>) -> Result<Answer, Problem> {
    let regions = storefront::regions(app).await?;
    Ok(Answer::json(200, &RegionsView::from(regions)).public_for(KEPT_SECONDS))
}
