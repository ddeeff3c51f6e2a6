//! What happens to a payment at the provider after it: refunds that are on their way, come back, or are made in the
//! Dashboard; disputes; and authorizations that end.

use std::time::Duration;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Answer, Setup, World};
use uuid::Uuid;

use super::{TOTAL, assert_books_balance, bought, order_id, reconcile::until_settled, shop, sold, state_of};

/// The three events that Stripe sends about one refund, and the one about its charge.
const REFUND_EVENTS: [&str; 4] = ["refund.failed", "refund.updated", "charge.refund.updated", "charge.refunded"];

async fn tell(world: &World, kind: &str, thing: &Value) -> Answer {
    world.tell(&format!("evt_{}", Uuid::new_v4()), kind, thing).await
}

/// The sums that an order shows are those of its history.
fn assert_adds_up(order: &Value) {
    let payment = &order["payment"];
    let of = |value: &Value| value.as_i64().unwrap_or_default();
    let history = payment["history"].as_array().expect("a history");
    let sum = |name: &str| history.iter().map(|entry| of(&entry[name])).sum::<i64>();
    assert_eq!(sum("received") - sum("paidBack"), of(&payment["netAmount"]), "{payment:#}");
    let parts = of(&payment["capturedAmount"]) - of(&payment["refundedAmount"]) - of(&payment["disputedAmount"]);
    assert_eq!(parts, of(&payment["netAmount"]), "{payment:#}");
}

/// The bank sends a refund back, and any one of the events says so: the order owes again, and it can be paid by hand.
#[tokio::test]
async fn a_refund_that_comes_back_is_owed_again_whichever_event_says_so() {
    let world = shop().await;
    for kind in REFUND_EVENTS {
        let (guest, staff) = (world.guest(), world.staff());
        let order = bought(&guest).await;
        let id = order_id(&order);
        let refunded = staff.refund(id, Uuid::new_v4(), Some(1000)).await.expect(200)["order"].take();
        assert_eq!(state_of(&refunded), ("confirmed", "partially_refunded"));
        assert_adds_up(&refunded);
        let [refund] = world.stripe().refunds_of(id).await.try_into().expect("one refund");
        let failed = world.stripe().settle_refund(&refund, "failed").await;
        let told = tell(&world, kind, &failed).await;
        assert_eq!(told.counts().failed_refunds, 1, "{kind}");
        told.expect(200);
        let order = guest.order(id).await.expect(200)["order"].take();
        assert_eq!(state_of(&order), ("confirmed", "paid"));
        let payment = &order["payment"];
        assert_eq!((&payment["refundedAmount"], &payment["refundableAmount"]), (&json!(0), &json!(TOTAL)));
        assert_eq!(payment["refunds"][0]["status"], "failed");
        assert_adds_up(&order);
        // Any other event says nothing new.
        let again = tell(&world, "refund.updated", &failed).await;
        assert_eq!(again.counts().failed_refunds, 0);
        again.expect(200);

        // Paid back in another way, and recorded.
        let body = json!({"refundId": Uuid::new_v4(), "amount": 1000, "byHand": true, "reason": "bank transfer"});
        let event = staff.event_about(Route::RefundOrder, id).json(&body);
        for _ in 0..2 {
            let order = staff.send(Route::RefundOrder, &event).await.expect(200)["order"].take();
            assert_eq!(state_of(&order), ("confirmed", "partially_refunded"));
            assert_eq!(order["payment"]["refunds"][1]["source"], "by_hand");
            assert_adds_up(&order);
        }
        assert_eq!(world.stripe().totals().await[id].refunded, 0);
    }
}

/// A refund that the provider holds for days is pending, and arrives with an event or without one.
#[tokio::test]
async fn a_refund_on_its_way_is_pending_until_it_arrives() {
    let world = shop().await;
    for told in [true, false] {
        let (guest, staff) = (world.guest(), world.staff());
        let order = bought(&guest).await;
        let id = order_id(&order);
        // As if the provider had said so in its answer.
        let made = world.stripe().refund_in_dashboard(id, Some(700)).await;
        let pending = world.stripe().settle_refund(&made, "pending").await;
        tell(&world, "refund.created", &pending).await.expect(200);
        let order = guest.order(id).await.expect(200)["order"].take();
        assert_eq!(order["paymentStatus"], "paid");
        let refund = &order["payment"]["refunds"][0];
        assert_eq!((&refund["status"], &refund["source"]), (&json!("pending"), &json!("provider")));
        assert_eq!(order["payment"]["refundableAmount"], TOTAL - 700);
        staff.refund(id, Uuid::new_v4(), Some(TOTAL)).await.refused(409, "REFUND_EXCEEDS_PAYMENT");
        let arrived = world.stripe().settle_refund(&made, "succeeded").await;
        if told {
            tell(&world, "refund.updated", &arrived).await.expect(200);
        } else {
            let later = world.container_after(Duration::from_secs(25 * 3600));
            world.reconcile(&later).await.expect("the table is there");
        }
        let order = guest.order(id).await.expect(200)["order"].take();
        assert_eq!(state_of(&order), ("confirmed", "partially_refunded"));
        assert_eq!(order["payment"]["refundedAmount"], 700);
        assert_adds_up(&order);
    }
}

/// Refunds in the Dashboard are the order's too; what is left is the provider's truth, heard of or not.
#[tokio::test]
async fn a_refund_in_the_dashboard_is_mirrored_and_all_that_is_left_is_the_providers() {
    let world = shop().await;
    for heard in [true, false] {
        let (guest, staff) = (world.guest(), world.staff());
        let order = bought(&guest).await;
        let id = order_id(&order);
        let made = world.stripe().refund_in_dashboard(id, Some(1000)).await;
        if heard {
            tell(&world, "charge.refunded", &json!({"id": "ch_1", "payment_intent": made["payment_intent"]}))
                .await
                .expect(200);
            let order = guest.order(id).await.expect(200)["order"].take();
            assert_eq!(state_of(&order), ("confirmed", "partially_refunded"));
            assert_adds_up(&order);
        } else {
            // More than is left, for all that the shop knows it isn't: refused there, and heard of by that.
            let refused = staff.refund(id, Uuid::new_v4(), Some(TOTAL - 1)).await.expect(200)["order"].take();
            assert_eq!(state_of(&refused), ("confirmed", "partially_refunded"));
            assert_eq!(refused["payment"]["refundableAmount"], TOTAL - 1000);
        }
        let cancelled = guest.cancel(id).await.expect(200)["order"].take();
        assert_eq!(state_of(&cancelled), ("cancelled", "refunded"));
        assert_adds_up(&cancelled);
        let totals = world.stripe().totals().await[id];
        assert_eq!((totals.captured, totals.refunded), (TOTAL, TOTAL), "nothing stays with the shop");
    }
    // Not heard of at all before all that is left is wanted, in whatever way.
    for way in 0..3 {
        let (guest, staff) = (world.guest(), world.staff());
        let order = bought(&guest).await;
        let id = order_id(&order);
        world.stripe().refund_in_dashboard(id, Some(1000)).await;
        let refund = Uuid::new_v4();
        let done = match way {
            0 => guest.cancel(id).await,
            1 => staff.refund(id, refund, None).await,
            _ => staff.refund(id, refund, Some(TOTAL)).await,
        };
        let done = done.expect(200)["order"].take();
        assert_eq!(state_of(&done), ("cancelled", "refunded"));
        assert_eq!(done["payment"]["refunds"].as_array().unwrap().len(), 2);
        assert_adds_up(&done);
        if way == 2 {
            staff.refund(id, refund, Some(TOTAL)).await.expect(200);
        }
    }
    assert_books_balance(&world).await;
}

/// Everything refunded before the goods left cancels the order and gives the stock back; afterwards the order is
/// refunded.
#[tokio::test]
async fn what_is_refunded_as_a_whole_never_ships() {
    let world = shop().await;
    for in_dashboard in [false, true] {
        let (guest, staff) = (world.guest(), world.staff());
        let order = bought(&guest).await;
        let id = order_id(&order);
        staff.set_status(id, "processing").await.expect(200);
        let refund = async |guest: &tests::world::Shopper, order: &str| {
            if in_dashboard {
                let made = world.stripe().refund_in_dashboard(order, None).await;
                tell(&world, "refund.created", &made).await.expect(200);
            } else {
                staff.refund(order, Uuid::new_v4(), None).await.expect(200);
            }
            guest.order(order).await.expect(200)["order"].take()
        };
        assert_eq!(state_of(&refund(&guest, id).await), ("cancelled", "refunded"));
        staff.set_status(id, "shipped").await.refused(409, "PAYMENT_REFUNDED");

        for sent in [&["processing", "shipped"][..], &["processing", "shipped", "delivered"]] {
            let guest = world.guest();
            let order = bought(&guest).await;
            let id = order_id(&order);
            for status in sent {
                staff.set_status(id, status).await.expect(200);
            }
            assert_eq!(state_of(&refund(&guest, id).await), ("refunded", "refunded"));
        }
    }
    // Two bags for each order that was sent.
    assert_eq!(sold(&world).await, 8);
}

/// A dispute is on the order, alarmed, and stops it from leaving; won and lost move the books.
#[tokio::test]
async fn a_dispute_is_shown_and_stops_the_goods() {
    let world = shop().await;
    for won in [true, false] {
        let (guest, staff) = (world.guest(), world.staff());
        let order = bought(&guest).await;
        let id = order_id(&order);
        staff.set_status(id, "processing").await.expect(200);
        let hear = async |kind: &str, status: &str, moves: u8| {
            let dispute = world.stripe().dispute(id, 0, TOTAL, status, moves).await;
            let told = tell(&world, kind, &dispute).await;
            assert_eq!(told.counts().disputes, 1, "{kind}");
            told.expect(200);
            let again = tell(&world, kind, &dispute).await;
            assert_eq!(again.counts().disputes, 0, "{kind}");
            let order = guest.order(id).await.expect(200)["order"].take();
            assert_adds_up(&order);
            order
        };
        let asked = hear("charge.dispute.created", "warning_needs_response", 0).await;
        assert_eq!((state_of(&asked), &asked["payment"]["disputedAmount"]), (("processing", "paid"), &json!(0)));
        staff.set_status(id, "shipped").await.refused(409, "PAYMENT_DISPUTED");
        let open = hear("charge.dispute.funds_withdrawn", "needs_response", 1).await;
        assert_eq!(state_of(&open), ("processing", "disputed"));
        assert_eq!(open["payment"]["netAmount"], 0);
        staff.set_status(id, "shipped").await.refused(409, "PAYMENT_DISPUTED");
        staff.refund(id, Uuid::new_v4(), Some(100)).await.refused(409, "REFUND_EXCEEDS_PAYMENT");
        if won {
            let order = hear("charge.dispute.funds_reinstated", "won", 2).await;
            assert_eq!(state_of(&order), ("processing", "paid"));
            staff.set_status(id, "shipped").await.expect(200);
        } else {
            let order = hear("charge.dispute.closed", "lost", 1).await;
            assert_eq!(state_of(&order), ("processing", "charged_back"));
            staff.set_status(id, "shipped").await.refused(409, "PAYMENT_DISPUTED");
            let body = json!({"status": "shipped", "despiteDispute": true});
            let event = staff.event_about(Route::UpdateOrderStatus, id).json(&body);
            staff.send(Route::UpdateOrderStatus, &event).await.expect(200);
        }
    }
    // About a payment of another system in the same account.
    let foreign = json!({"id": "dp_1", "payment_intent": "pi_of_others"});
    let told = tell(&world, "charge.dispute.created", &foreign).await.expect(200);
    assert_eq!(told["received"], "ignored");
}

/// Goods leave when they are paid, unless the shop's setting says otherwise; and an authorization that ends is told a day
/// before, and ends the order.
#[tokio::test]
async fn an_authorization_is_captured_in_time_or_ends_the_order() {
    let manual = || Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual");
    let world = manual().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let id = order_id(&order);
    assert!(order["payment"]["capturableUntil"].is_string(), "{order:#}");
    staff.set_status(id, "processing").await.expect(200);
    staff.set_status(id, "shipped").await.refused(409, "PAYMENT_NOT_CAPTURED");

    let day = |days: u64| world.container_after(Duration::from_secs(days * 24 * 3600 + 3600));
    let run = async |days: u64| {
        let (done, counts) = shared::telemetry::counts::counting(world.reconcile(&day(days))).await;
        (done.expect("the table is there").failed, counts.authorizations_ending)
    };
    assert_eq!(run(5).await, (0, 0));
    assert_eq!(run(6).await, (0, 1), "a day ahead");
    assert_eq!(run(6).await, (0, 0), "once");
    let intent = world.stripe().intent_of(id).await.expect("a payment");
    let path = format!("/v1/payment_intents/{}/cancel", intent["id"].as_str().unwrap());
    world.stripe().ask("POST", &path, "").await;
    assert_eq!(run(7).await, (0, 0));
    let order = guest.order(id).await.expect(200)["order"].take();
    assert_eq!(state_of(&order), ("cancelled", "cancelled"));
    assert!(order["payment"]["capturableUntil"].is_null());
    assert_eq!(sold(&world).await, 0);

    let lenient = manual().setting("SHIP_UNCAPTURED", "true").build().await;
    let order = bought(&lenient.guest()).await;
    for status in ["processing", "shipped"] {
        lenient.staff().set_status(order_id(&order), status).await.expect(200);
    }
    until_settled(&lenient).await;
}
