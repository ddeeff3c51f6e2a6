//! The functions' handlers, in process, by the names of their folders.

use std::{pin::Pin, sync::Arc};

use shared::{
    app::{App, Request, Response},
    checkout::{reconcile::Reconciled, search::IndexRun},
    ports::{AbandonedRun, ChangedOrder, StoreError},
};

use crate::identity;

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Makes a handler's future on the heap. It is large: in a function of its own it takes up the stack only while it is
/// made, and not once for each function that [`call`] knows.
#[inline(never)]
fn on_heap<F: Future<Output = Response> + Send + 'static>(make: impl FnOnce() -> F) -> Answering {
    Box::pin(make())
}

/// Runs the reconciler as its schedule would, under its own role.
///
/// # Errors
/// What the handler says.
pub async fn reconcile(app: Arc<App>) -> Result<(Reconciled, AbandonedRun), StoreError> {
    let context = app.scheduled();
    // Its type is as deep as the functions' own work: a task of a test is checked faster without it.
    let run: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(reconcile::handle(app, context));
    identity::acting_as("reconcile", run).await
}

/// Gives changed orders to their index, as the stream would, under its own role.
pub async fn index_orders(app: Arc<App>, changed: Vec<ChangedOrder>) -> IndexRun {
    let context = app.scheduled();
    identity::acting_as("index-orders", index_orders::handle(app, context, changed)).await
}

/// Calls a function as its runtime would: one container, one request, and its own role.
pub async fn call(function: &str, app: Arc<App>, request: Request) -> Response {
    let answer: Answering = match function {
        "apply-coupon" => on_heap(|| apply_coupon::handle(app, request)),
        "calculate-shipping" => on_heap(|| calculate_shipping::handle(app, request)),
        "calculate-shipping-preview" => on_heap(|| calculate_shipping_preview::handle(app, request)),
        "calculate-tax" => on_heap(|| calculate_tax::handle(app, request)),
        "cancel-order" => on_heap(|| cancel_order::handle(app, request)),
        "capture-order" => on_heap(|| capture_order::handle(app, request)),
        "claim" => on_heap(|| claim::handle(app, request)),
        "confirm-order" => on_heap(|| confirm_order::handle(app, request)),
        "correct-order" => on_heap(|| correct_order::handle(app, request)),
        "create-fulfillment" => on_heap(|| create_fulfillment::handle(app, request)),
        "create-return" => on_heap(|| create_return::handle(app, request)),
        "get-order" => on_heap(|| get_order::handle(app, request)),
        "get-product" => on_heap(|| get_product::handle(app, request)),
        "get-session" => on_heap(|| get_session::handle(app, request)),
        "health" => on_heap(|| health::handle(app, request)),
        "initiate" => on_heap(|| initiate::handle(app, request)),
        "list-limits" => on_heap(|| list_limits::handle(app, request)),
        "list-orders" => on_heap(|| list_orders::handle(app, request)),
        "list-payment-methods" => on_heap(|| list_payment_methods::handle(app, request)),
        "list-products" => on_heap(|| list_products::handle(app, request)),
        "list-regions" => on_heap(|| list_regions::handle(app, request)),
        "lookup-order" => on_heap(|| lookup_order::handle(app, request)),
        "payment-webhook" => on_heap(|| payment_webhook::handle(app, request)),
        "receive-stock" => on_heap(|| receive_stock::handle(app, request)),
        "refund-order" => on_heap(|| refund_order::handle(app, request)),
        "remove-coupon" => on_heap(|| remove_coupon::handle(app, request)),
        "remove-payment-method" => on_heap(|| remove_payment_method::handle(app, request)),
        "search-orders" => on_heap(|| search_orders::handle(app, request)),
        "update-address" => on_heap(|| update_address::handle(app, request)),
        "update-items" => on_heap(|| update_items::handle(app, request)),
        "update-order-status" => on_heap(|| update_order_status::handle(app, request)),
        "update-return" => on_heap(|| update_return::handle(app, request)),
        other => panic!("there is no function {other}, or tests/src/handlers.rs doesn't know it"),
    };
    identity::acting_as(function, answer).await
}
