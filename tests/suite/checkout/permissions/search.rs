//! What the index for staff asks for, and the search.

use std::sync::Arc;

use serde_json::json;
use shared::http::route::Route;

use super::Watch;

/// What staff need to find an order, also one that was claimed after it was indexed.
pub(super) async fn watched(watch: &mut Watch<'_>) {
    let world = Arc::clone(watch.world);
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order["orderId"].as_str().unwrap();
    world.dynamodb.forget_calls();
    world.index_orders().await;
    watch.note("index-orders");
    watch.of("get-order", staff.order(id)).await;
    staff.set_status(id, "cancelled").await.expect(200);
    world.dynamodb.forget_calls();
    world.index_orders().await;
    watch.note("index-orders");
    let parcel = guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().unwrap().to_owned();
    staff.set_status(&parcel, "processing").await.expect(200);
    for tracking in ["1Z1", "1Z2"] {
        let event = staff.event_about(Route::UpdateOrderStatus, &parcel);
        let shipped = json!({"status": "shipped", "trackingNumber": tracking});
        staff.send(Route::UpdateOrderStatus, &event.json(&shipped)).await.expect(200);
        world.dynamodb.forget_calls();
        world.index_orders().await;
        watch.note("index-orders");
    }
    world.user("finder").post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    world.dynamodb.forget_calls();
    for (name, value) in [
        ("orderNumber", order["orderNumber"].as_str().unwrap()),
        ("email", "ada@example.com"),
        ("status", "cancelled"),
        ("paymentStatus", "pending"),
        ("productId", "espresso-beans"),
    ] {
        let event = staff.event(Route::SearchOrders).query(name, value);
        watch.of("search-orders", staff.send(Route::SearchOrders, &event)).await;
    }
}
