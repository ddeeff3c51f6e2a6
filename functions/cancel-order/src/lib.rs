//! `POST /orders/{orderId}/cancel`: calls an order off for its owner.

use std::sync::Arc;

use shared::{
    app::{App, Request, Response, Served, serve},
    checkout::{
        orders::{self, Cancel},
        visit::Caller,
    },
    domain::order::Order,
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

/// Stock and coupon use go back, once; cancelling again gives the same order.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CancelOrder, request, |served: Served<Caller, Cancel>| async move {
        let (visit, command, receipt) = served.into_parts();
        let receipt = |order: &Order| receipt(&Answer::json(200, &OrderAnswer::from(order)));
        let done = orders::cancel(&app.orders, &app.orders, &visit, command, receipt).await?;
        Ok::<_, Problem>(Answer::json(200, &OrderAnswer::from(&done.order)).kept(done.moved))
    })
    .await
}
