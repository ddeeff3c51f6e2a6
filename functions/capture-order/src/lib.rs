//! `POST /orders/{orderId}/capture`: takes the amount that the bank holds for an order, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{orders, request_context::Staff},
    http::{answer::Answer, payment_commands::CaptureOrder, problem::Problem, route::Route, view::OrderAnswer},
};

/// 200 when it is taken, and whenever it was; 202 while the provider hasn't said so.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CaptureOrder, request, |incoming: Incoming<Staff, CaptureOrder>| async move {
        let (context, command, _) = incoming.into_parts();
        let order = orders::capture(&app.orders, &app.orders, &context, command.order).await?;
        let done = app.finisher(&context).finish(order, None).await?;
        Ok::<_, Problem>(Answer::order(&OrderAnswer::from(&done.order).for_staff(), &done.order, 200))
    })
    .await
}
