//! `GET /orders/{orderId}`: one of the caller's orders, or that of an order link; for staff, any order.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{orders, request_context::CallerOrLink},
    http::{answer::Answer, order_commands::ShowOrder, problem::Problem, route::Route, view::OrderAnswer},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::GetOrder, request, apply).await
}

/// The order with its items and status history. While its customer must act at their bank, with what a page needs to
/// go on.
async fn apply(app: &App, incoming: Incoming<CallerOrLink, ShowOrder>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let order = orders::get(app, &context, command.order).await?;
    match &context.who {
        CallerOrLink::Link(_) => {
            Ok(Answer::json(200, &OrderAnswer::by_link(&order)).header("cache-control", "no-store"))
        }
        CallerOrLink::Caller(who) => {
            let action = orders::customer_action(app, &context, who, &order).await;
            Ok(Answer::json(200, &OrderAnswer::read_by(who, &order).with_action(action)))
        }
    }
}
