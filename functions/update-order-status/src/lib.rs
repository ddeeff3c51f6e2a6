//! `PUT /orders/{orderId}/status`: moves any order on, for the shop's staff.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, SetStatus},
        request_context::Staff,
    },
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

/// Only legal moves; a move to where the order already is changes nothing.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::UpdateOrderStatus, request, |incoming: Incoming<Staff, SetStatus>| async move {
        let (context, command, _) = incoming.into_parts();
        let order = orders::set_status(&app.orders, &app.orders, &context, command).await?;
        let done = app.finisher(&context).finish(order, None).await?;
        Ok::<_, Problem>(Answer::order(&OrderAnswer::from(&done.order).for_staff(), &done.order, 200))
    })
    .await
}
