//! `PUT /orders/{orderId}/returns/{returnId}`: approves, refuses or receives a return, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        lines::{self, DecideReturn},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::UpdateReturn, request, apply).await
}

/// Received units go back to stock, and what was paid for them to the customer, once. 202 while the provider hasn't
/// accepted the refund: then the reconciler continues.
async fn apply(app: &App, incoming: Incoming<Staff, DecideReturn>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let done = lines::decide_return(app, &context, command).await?;
    let done = app.finisher(&context).finish(done.order, None).await?;
    Ok(Answer::order(&OrderAnswer::for_staff(&done.order), &done.order, 200))
}
