//! `POST /orders/{orderId}/cancel`: cancels an order, or units of it, for its owner, by its link or for staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, Cancel},
        request_context::CallerOrLink,
    },
    domain::order::Order,
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CancelOrder, request, apply).await
}

/// Stock, coupon uses and what was paid are given back, once. A repeated cancellation returns the same order.
async fn apply(app: &App, incoming: Incoming<CallerOrLink, Cancel>) -> Result<Answer, Problem> {
    let Incoming { context, command, key, .. } = incoming;
    // The result of the refund isn't known yet when the cancellation is stored.
    let by_card = |order: &Order| order.payment.card.is_some();
    let stored_response = |order: &Order| {
        let key = key.as_ref().filter(|_| !by_card(order))?;
        Some(key.stored_response(&Answer::json(200, &OrderAnswer::shown_to_bearer(&context.who, order))))
    };
    let done = orders::cancel(app, &context, command, &stored_response).await?;
    let kept = done.moved && !by_card(&done.order);
    let done = app.finisher(&context).finish(done.order, None).await?;
    let answer = Answer::order(&OrderAnswer::shown_to_bearer(&context.who, &done.order), &done.order, 200).kept(kept);
    Ok(match context.who {
        CallerOrLink::Link(_) => answer.header("cache-control", "no-store"),
        CallerOrLink::Caller(_) => answer,
    })
}
