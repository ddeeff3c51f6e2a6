//! `PATCH /orders/{orderId}`: corrects addresses, e-mail address and phone number, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        correct::{self, CorrectOrder},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::CorrectOrder, request, apply).await
}

/// The order as it is now. A payment that is under way goes on by itself.
async fn apply(app: &App, incoming: Incoming<Staff, CorrectOrder>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let done = correct::correct(app, &context, command).await?;
    Ok(Answer::json(200, &OrderAnswer::for_staff(&done.order)))
}
