//! `POST /orders/{orderId}/refund`: refunds what was paid by card, or a part of it, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, Refund},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::RefundOrder, request, apply).await
}

/// 200 when the provider has accepted it; 202 while it hasn't: then the reconciler continues.
async fn apply(app: &App, incoming: Incoming<Staff, Refund>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let order = orders::refund(app, &context, command).await?;
    let done = app.finisher(&context).finish(order, None).await?;
    Ok(Answer::order(&OrderAnswer::for_staff(&done.order), &done.order, 200))
}
