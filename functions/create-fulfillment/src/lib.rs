//! `POST /orders/{orderId}/fulfillments`: ships units of lines in a parcel, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        lines::{self, Fulfill},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CreateFulfillment, request, apply).await
}

/// 201 with the order, and 200 when it is repeated.
async fn apply(app: &App, incoming: Incoming<Staff, Fulfill>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let done = lines::fulfill(app, &context, command, app.shipping_terms()).await?;
    let status = if done.moved { 201 } else { 200 };
    Ok(Answer::json(status, &OrderAnswer::for_staff(&done.order)))
}
