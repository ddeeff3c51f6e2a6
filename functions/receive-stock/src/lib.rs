//! `POST /stock/{productId}/deliveries`: for staff, adds a delivery to the stock of a product or a variant.

use std::sync::Arc;

use shared::{
    app::{App, Incoming, Request, Response, serve},
    checkout::{
        request_context::Staff,
        stock::{self, ReceiveStock},
    },
    http::{answer::Answer, problem::Problem, route::Route, view::ReceivedStockView},
};

pub async fn handle(app: Arc<App>, request: Request) -> Response {
    serve(&app, Route::ReceiveStock, request, apply).await
}

/// 201 with what is left now, and 200 when the delivery is known by its reference.
async fn apply(app: &App, incoming: Incoming<Staff, ReceiveStock>) -> Result<Answer, Problem> {
    let Incoming { context, command, .. } = incoming;
    let received = stock::receive(app, &context, command).await?;
    let status = if received.made { 201 } else { 200 };
    Ok(Answer::json(status, &ReceivedStockView::from(received)))
}
