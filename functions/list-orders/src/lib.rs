//! `GET /orders`: the caller's orders, newest first.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{orders, request_context::Caller},
    http::{answer::Answer, problem::Problem, route::Route, view::OrderPageView},
    ports::OrderFilter,
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ListOrders, request, apply).await
}

/// Query parameters: `status`, `limit` and `cursor`.
async fn apply(app: &App, incoming: Incoming<Caller, OrderFilter>) -> Result<Answer, Problem> {
    let Incoming { context, command: filter, .. } = incoming;
    let page = orders::list(app, &context, &filter).await?;
    Ok(Answer::json(200, &OrderPageView::from(&page)))
}
