//! `POST /orders/{orderId}/refund`: gives back what was paid by card, or a part of it, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, Refund},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

/// 200 when the provider has taken it; 202 while it hasn't said so, and somebody goes on asking.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::RefundOrder, request, |incoming: Incoming<Staff, Refund>| async move {
        let (context, command, _) = incoming.into_parts();
        let order = orders::refund(&app.orders, &app.orders, &context, command).await?;
        let done = app.finisher(&context).finish(order, None).await?;
        Ok::<_, Problem>(Answer::order(&OrderAnswer::from(&done.order).for_staff(), &done.order, 200))
    })
    .await
}
