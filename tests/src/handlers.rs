//! The functions' handlers, in process, by the names of their folders.

use std::{pin::Pin, sync::Arc};

use shared::{
    app::{App, Request, Response},
    checkout::reconcile::Reconciled,
    ports::StoreError,
};

use crate::identity;

/// Runs the reconciler as its schedule would, under its own role.
///
/// # Errors
/// What the handler says.
pub async fn reconcile(app: Arc<App>) -> Result<Reconciled, StoreError> {
    let context = app.scheduled();
    identity::acting_as("reconcile", reconcile::handle(app, context)).await
}

/// Calls a function as its runtime would: one container, one request, and its own role.
pub async fn call(function: &str, app: Arc<App>, request: Request) -> Response {
    // On the heap: handlers' futures are large, and every await of a test has a place of its own for one on the stack.
    let answer: Pin<Box<dyn Future<Output = Response> + Send>> = match function {
        "apply-coupon" => Box::pin(apply_coupon::handle(app, request)),
        "calculate-shipping" => Box::pin(calculate_shipping::handle(app, request)),
        "calculate-shipping-preview" => Box::pin(calculate_shipping_preview::handle(app, request)),
        "calculate-tax" => Box::pin(calculate_tax::handle(app, request)),
        "cancel-order" => Box::pin(cancel_order::handle(app, request)),
        "capture-order" => Box::pin(capture_order::handle(app, request)),
        "claim" => Box::pin(claim::handle(app, request)),
        "confirm-order" => Box::pin(confirm_order::handle(app, request)),
        "get-order" => Box::pin(get_order::handle(app, request)),
        "get-session" => Box::pin(get_session::handle(app, request)),
        "health" => Box::pin(health::handle(app, request)),
        "initiate" => Box::pin(initiate::handle(app, request)),
        "list-orders" => Box::pin(list_orders::handle(app, request)),
        "payment-webhook" => Box::pin(payment_webhook::handle(app, request)),
        "refund-order" => Box::pin(refund_order::handle(app, request)),
        "remove-coupon" => Box::pin(remove_coupon::handle(app, request)),
        "update-address" => Box::pin(update_address::handle(app, request)),
        "update-order-status" => Box::pin(update_order_status::handle(app, request)),
        other => panic!("there is no function {other}"),
    };
    identity::acting_as(function, answer).await
}
