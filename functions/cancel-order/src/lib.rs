//! `POST /orders/{orderId}/cancel`: calls an order off for its owner.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        orders::{self, Cancel},
        request_context::Caller,
    },
    domain::order::Order,
    http::{answer::Answer, problem::Problem, route::Route, view::OrderAnswer},
};

/// Stock and coupon use go back, once, and what was paid; cancelling again gives the same order.
pub async fn handle(app: Arc<App>, request: Request) -> Response {
    let app = app.as_ref();
    serve(app, Route::CancelOrder, request, |incoming: Incoming<Caller, Cancel>| async move {
        let (context, command, stored_response) = incoming.into_parts();
        // What goes back to a card isn't known yet when the order is called off.
        let by_card = |order: &Order| order.payment.card.is_some();
        let stored_response =
            |order: &Order| stored_response(&Answer::json(200, &OrderAnswer::from(order))).filter(|_| !by_card(order));
        let done = orders::cancel(&app.orders, &app.orders, &context, command, stored_response).await?;
        let kept = done.moved && !by_card(&done.order);
        let done = app.finisher(&context).finish(done.order, None).await?;
        Ok::<_, Problem>(Answer::order(&OrderAnswer::from(&done.order), &done.order, 200).kept(kept))
    })
    .await
}
