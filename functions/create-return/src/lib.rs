//! `POST /orders/{orderId}/returns`: asks for a return of units that were shipped.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        lines::{self, AskReturn},
        request_context::CallerOrStaff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CreateReturn, request, apply).await
}

/// 201 with the order, and 200 when it is repeated.
async fn apply(app: &App, incoming: Incoming<CallerOrStaff, AskReturn>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let done = lines::ask_return(app, &context, command).await?;
    let status = if done.moved { 201 } else { 200 };
    Ok(Answer::json(status, &OrderAnswer::shown_to(&context.who, &done.order)))
}
