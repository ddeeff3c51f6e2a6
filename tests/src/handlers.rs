//! The functions' handlers, in process, by the names of their folders.

use std::sync::Arc;

use shared::app::{App, Request, Response};

/// Calls a function as its runtime would: one container, one request.
pub async fn call(function: &str, app: Arc<App>, request: Request) -> Response {
    match function {
        "apply-coupon" => apply_coupon::handle(app, request).await,
        "calculate-shipping" => calculate_shipping::handle(app, request).await,
        "calculate-tax" => calculate_tax::handle(app, request).await,
        "cancel-order" => cancel_order::handle(app, request).await,
        "confirm-order" => confirm_order::handle(app, request).await,
        "get-order" => get_order::handle(app, request).await,
        "get-session" => get_session::handle(app, request).await,
        "health" => health::handle(app, request).await,
        "initiate" => initiate::handle(app, request).await,
        "list-orders" => list_orders::handle(app, request).await,
        "remove-coupon" => remove_coupon::handle(app, request).await,
        "update-address" => update_address::handle(app, request).await,
        "update-order-status" => update_order_status::handle(app, request).await,
        other => panic!("there is no function {other}"),
    }
}
