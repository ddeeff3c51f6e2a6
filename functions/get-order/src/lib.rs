//! `GET /orders/{orderId}`: one of the caller's orders.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{orders, request_context::Caller},
    http::{answer::Answer, order_commands::ShowOrder, problem::Problem, route::Route, view::OrderAnswer},
};

/// With its items and the history of its status.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::GetOrder, request, |incoming: Incoming<Caller, ShowOrder>| async move {
        let (context, command, _) = incoming.into_parts();
        let order = orders::get(&app.orders, &context, command.order).await?;
        Ok::<_, Problem>(Answer::json(200, &OrderAnswer::from(&order)))
    })
    .await
}
