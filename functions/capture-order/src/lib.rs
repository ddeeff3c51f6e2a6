//! `POST /orders/{orderId}/capture`: captures what the bank holds for an order, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, CaptureOrder},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CaptureOrder, request, apply).await
}

/// 200 when it is captured, now or earlier; 202 while the provider hasn't confirmed it.
async fn apply(app: &App, incoming: Incoming<Staff, CaptureOrder>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let order = orders::capture(app, &context, command).await?;
    let done = app.finisher(&context).finish(order, None).await?;
    Ok(Answer::order(&OrderAnswer::for_staff(&done.order), &done.order, 200))
}
