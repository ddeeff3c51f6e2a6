//! `PUT /orders/{orderId}/status`: sets the status of any order, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, SetStatus},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::UpdateOrderStatus, request, apply).await
}

/// Only legal changes. Setting the current status again keeps a new note, and changes nothing else.
async fn apply(app: &App, incoming: Incoming<Staff, SetStatus>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let order = orders::set_status(app, &context, command, app.shipping_terms()).await?;
    let done = app.finisher(&context).finish(order, None).await?;
    Ok(Answer::order(&OrderAnswer::for_staff(&done.order), &done.order, 200))
}
