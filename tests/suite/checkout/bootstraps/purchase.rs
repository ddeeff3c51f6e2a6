//! A whole purchase through the processes.

use serde_json::json;
use shared::http::route::Route;
use tests::{
    proxy::Mode,
    world::{World, california, cart, confirmation, id_of, in_lists, now, total_of, webhook},
};

use super::Fleet;

#[tokio::test]
async fn a_purchase_runs_through_separate_processes() {
    let world = World::new().await;
    let (guest, staff) = (world.guest(), world.staff());
    let mut fleet = Fleet::of(&world);
    let items = json!({"cartItems": cart(&[("espresso-beans", 2)])});

    let session = fleet.send(Route::Initiate, &guest.event(Route::Initiate).json(&items)).await.expect(201);
    let checkout = id_of(&session).to_owned();
    let more = json!({"checkoutId": checkout, "cartItems": items["cartItems"]});
    fleet.send(Route::UpdateItems, &guest.event(Route::UpdateItems).json(&more)).await.expect(200);
    let address = json!({"checkoutId": checkout, "shippingAddress": california()});
    fleet.send(Route::UpdateAddress, &guest.event(Route::UpdateAddress).json(&address)).await.expect(200);
    let method = json!({"checkoutId": checkout, "shippingMethodId": "us-standard"});
    fleet.send(Route::CalculateShipping, &guest.event(Route::CalculateShipping).json(&method)).await.expect(200);
    let id = json!({"checkoutId": checkout});
    fleet.send(Route::CalculateTax, &guest.event(Route::CalculateTax).json(&id)).await.expect(200);
    let coupon = json!({"checkoutId": checkout, "couponCode": "SAVE20"});
    fleet.send(Route::ApplyCoupon, &guest.event(Route::ApplyCoupon).json(&coupon)).await.expect(200);
    fleet.send(Route::RemoveCoupon, &guest.event(Route::RemoveCoupon).json(&id)).await.expect(200);
    let session = guest.event(Route::GetSession).path("checkoutId", &*checkout);
    let session = fleet.send(Route::GetSession, &session).await.expect(200);
    assert_eq!(total_of(&session), 4887);

    let confirm = guest.event(Route::ConfirmOrder).json(&confirmation(&checkout, 4887));
    let placed = fleet.send(Route::ConfirmOrder, &confirm).await.expect(201);
    assert_eq!(fleet.send(Route::ConfirmOrder, &confirm).await.expect(200), placed);
    let order = placed["order"]["orderId"].as_str().expect("an order");
    let list = fleet.send(Route::ListOrders, &guest.event(Route::ListOrders)).await.expect(200);
    assert_eq!(list["orders"], json!([in_lists(&placed["order"])]));
    let moved = staff.event_about(Route::UpdateOrderStatus, order).json(&json!({"status": "confirmed"}));
    fleet.send(Route::UpdateOrderStatus, &moved).await.expect(200);
    let read = fleet.send(Route::GetOrder, &guest.event_about(Route::GetOrder, order)).await.expect(200);
    assert_eq!(read["order"]["status"], "confirmed");
    fleet.send(Route::CancelOrder, &guest.event_about(Route::CancelOrder, order)).await.expect(200);
    let place = json!({"country": "US", "state": "CA", "postalCode": "94105"});
    let preview = json!({"cartItems": cart(&[("espresso-beans", 2)]), "shippingAddress": place});
    let preview = guest.event(Route::CalculateShippingPreview).json(&preview);
    let preview = fleet.send(Route::CalculateShippingPreview, &preview).await.expect(200);
    assert_eq!(preview["shippingMethods"][0]["amount"], 599);
    let claim = world.user("ada").event(Route::Claim).json(&json!({"guestId": guest.guest_id()}));
    let claimed = fleet.send(Route::Claim, &claim).await.expect(200);
    assert_eq!(claimed, json!({"checkoutIds": [checkout], "orderIds": [order]}));
    let refund = json!({"refundId": order});
    let refund = staff.event_about(Route::RefundOrder, order).json(&refund);
    fleet.send(Route::RefundOrder, &refund).await.refused(409, "NOT_PAID_BY_CARD");
    let capture = staff.event_about(Route::CaptureOrder, order);
    fleet.send(Route::CaptureOrder, &capture).await.refused(409, "NOT_PAID_BY_CARD");
    let event = webhook("{}", "whsec_of_somebody", now());
    fleet.send(Route::PaymentWebhook, &event).await.refused(400, "SIGNATURE_INVALID");
    let health = fleet.send(Route::Health, &guest.event(Route::Health)).await.expect(200);
    assert_eq!(health["status"], "ok");

    // What a purchase has no use for starts and answers too.
    for route in Route::ALL {
        if !fleet.running.contains_key(route.function()) {
            let answer = fleet.send(route, &guest.event_about(route, order).json(&json!({}))).await;
            assert!(answer.status() < 500, "{route:?}: {:#}", answer.body());
        }
    }
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

#[tokio::test]
async fn a_function_starts_and_serves_without_redis() {
    let world = World::new().await;
    world.redis.set(Mode::Refuse).await;
    let guest = world.guest();
    let mut fleet = Fleet::of(&world).setting("REDIS_TIMEOUT_MS", "500");

    let items = json!({"cartItems": cart(&[("espresso-beans", 1)])});
    let session = fleet.send(Route::Initiate, &guest.event(Route::Initiate).json(&items)).await.expect(201);
    let read = guest.event_about(Route::GetSession, id_of(&session));

    assert_eq!(fleet.send(Route::GetSession, &read).await.expect(200)["checkoutId"], session["checkoutId"]);
}

#[tokio::test]
async fn a_body_that_is_no_base64_is_a_problem_like_any_other() {
    let world = World::new().await;
    let guest = world.guest();
    let mut fleet = Fleet::of(&world);
    let plain = json!({"cartItems": cart(&[("espresso-beans", 1)])}).to_string();

    for body in ["%%%", "abc", "e30", "e30=e30=", "e3-_", "\u{202E}", " ", &plain] {
        let event = guest.event(Route::Initiate).header("content-type", "application/json").body(body).base64();
        let answer = fleet.send(Route::Initiate, &event).await;

        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{body}");
        let problem = answer.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], "", "{body}");
    }
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 0);
}
