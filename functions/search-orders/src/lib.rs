//! `GET /orders/search`: finds orders of any customer for staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders,
        request_context::Staff,
        search::{self, FindOrders},
    },
    http::{answer::Answer, problem::Problem, route::Route, view::FoundOrdersView},
    ports::Stores as _,
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::SearchOrders, request, apply).await
}

/// Newest first. Who has seen which orders is logged.
async fn apply(app: &App, incoming: Incoming<Staff, FindOrders>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let found = search::find(app.search(), &command).await?;
    found.orders.iter().for_each(|order| orders::note_seen(&context.who.user, order));
    Ok(Answer::json(200, &FoundOrdersView::of(&found, &command.search)))
}
