//! Capture, refunds, cancellation.

use serde_json::json;
use tests::world::{Setup, id_of};
use uuid::Uuid;

use super::{TOTAL, VISA, assert_books_balance, bought, order_id, pay, ready, shop, sold, state_of};

#[tokio::test]
async fn staff_refund_at_most_what_is_left_and_each_refund_once() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let id = order_id(&order);
    let first = Uuid::new_v4();
    let refunded = staff.refund(id, first, Some(1000)).await.expect(200)["order"].take();
    assert_eq!(state_of(&refunded), ("confirmed", "partially_refunded"));
    assert_eq!(refunded["payment"]["refundedAmount"], 1000);
    // Again: the same refund.
    assert_eq!(staff.refund(id, first, Some(1000)).await.expect(200)["order"], refunded);
    staff.refund(id, first, Some(1001)).await.refused(422, "REFUND_ID_REUSED");
    let problem = staff.refund(id, Uuid::new_v4(), Some(TOTAL)).await.refused(409, "REFUND_EXCEEDS_PAYMENT");
    assert_eq!(problem["left"], TOTAL - 1000);
    assert_eq!(world.stripe().totals().await[id].refunded, 1000);

    // At once, and together more than is left.
    let answers = tests::race::at_once(6, |_| {
        let (staff, id) = (staff.clone(), id.to_owned());
        async move { staff.refund(&id, Uuid::new_v4(), Some(1500)).await.status() }
    })
    .await;
    assert!(answers.iter().filter(|status| matches!(status, 200 | 202)).count() == 2, "{answers:?}");
    let rest = staff.refund(id, Uuid::new_v4(), None).await.expect(200)["order"].take();
    assert_eq!(state_of(&rest), ("cancelled", "refunded"));
    assert_eq!(world.stripe().totals().await[id].refunded, TOTAL);
    staff.refund(id, Uuid::new_v4(), None).await.refused(409, "REFUND_EXCEEDS_PAYMENT");

    guest.refund(id, Uuid::new_v4(), None).await.expect(401);
    let cash = world.guest().buy(&[("espresso-beans", 1)]).await;
    staff.refund(order_id(&cash), Uuid::new_v4(), None).await.refused(409, "NOT_PAID_BY_CARD");
    staff.refund("01936b2e-0000-7000-8000-000000000000", Uuid::new_v4(), None).await.expect(404);
}

#[tokio::test]
async fn a_cancelled_order_that_was_paid_is_refunded_and_restocked_once() {
    let world = shop().await;
    let guest = world.guest();
    let order = bought(&guest).await;
    let id = order_id(&order);
    world.staff().refund(id, Uuid::new_v4(), Some(29)).await.expect(200);
    let cancelled = guest.cancel(id).await.expect(200)["order"].take();
    assert_eq!(state_of(&cancelled), ("cancelled", "refunded"));
    assert_eq!(guest.cancel(id).await.expect(200)["order"], cancelled);
    assert_eq!((world.stripe().totals().await[id].refunded, sold(&world).await), (TOTAL, 0));
    assert_books_balance(&world).await;

    // The provider is away: the order is cancelled, and the money follows.
    let order = bought(&guest).await;
    let id = order_id(&order);
    world.stripe().proxy.down().await;
    let cancelled = guest.cancel(id).await.expect(202)["order"].take();
    assert_eq!(state_of(&cancelled), ("cancelled", "paid"));
    world.stripe().proxy.up().await;
    let done = guest.cancel(id).await.expect(200)["order"].take();
    assert_eq!(state_of(&done), ("cancelled", "refunded"));
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn an_order_that_waits_for_its_customer_can_be_called_off() {
    let world = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let token = world.stripe().secured().await;
    let order = pay(&guest, &session, &token).await.expect(202)["order"].take();
    let secret = order["payment"]["clientSecret"].as_str().unwrap().to_owned();
    world.staff().set_status(order_id(&order), "confirmed").await.refused(409, "DECIDED_BY_PAYMENT");
    let cancelled = guest.cancel(order_id(&order)).await.expect(200)["order"].take();
    assert_eq!(state_of(&cancelled), ("cancelled", "cancelled"));
    // Too late: the intent is dead.
    let late = world.stripe().authenticate(&secret, true).await;
    assert!(late["error"].is_object(), "{late:#}");
    assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn with_manual_capture_the_money_is_taken_when_staff_say_so() {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let held = bought(&guest).await;
    assert_eq!(state_of(&held), ("confirmed", "authorized"));
    let id = order_id(&held);
    staff.refund(id, Uuid::new_v4(), None).await.refused(409, "REFUND_EXCEEDS_PAYMENT");
    for _ in 0..2 {
        let captured = staff.capture(id).await.expect(200)["order"].take();
        assert_eq!(state_of(&captured), ("confirmed", "paid"));
    }
    guest.capture(id).await.expect(401);
    assert_eq!(staff.set_status(id, "processing").await.expect(200)["order"]["status"], "processing");
    staff.set_status(id, "refunded").await.refused(409, "DECIDED_BY_PAYMENT");

    // What is held is let go, and the coupon may be used again.
    let guest = world.guest();
    let other = bought(&guest).await;
    let cancelled = guest.cancel(order_id(&other)).await.expect(200)["order"].take();
    assert_eq!(state_of(&cancelled), ("cancelled", "cancelled"));
    staff.capture(order_id(&other)).await.refused(409, "NOT_AUTHORIZED");
    let session = ready(&guest).await;
    assert_eq!(state_of(&pay(&guest, &session, VISA).await.expect(201)["order"]), ("confirmed", "authorized"));
    let totals = world.stripe().totals().await;
    assert_eq!(totals.get(order_id(&other)), None);
    assert_eq!(totals[id].captured, TOTAL);

    // Returned and refunded in full, the order says so.
    for status in ["shipped", "returned"] {
        staff.set_status(id, status).await.expect(200);
    }
    let refunded = staff.refund(id, Uuid::new_v4(), None).await.expect(200)["order"].take();
    assert_eq!(state_of(&refunded), ("refunded", "refunded"));
    assert_eq!(refunded["statusHistory"].as_array().unwrap().last().unwrap()["actor"], json!("payment"));
}
