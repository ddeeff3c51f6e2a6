//! Cash that tells the truth: received at the door or never, kept until it is paid back, and paid back by hand.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    race,
    world::{Answer, Setup, Shopper, World, for_staff},
};
use uuid::Uuid;

use super::{order_id, statuses};

/// Two bags of beans to California.
const TOTAL: i64 = 4887;

/// A guest's order in cash, moved along this way by staff.
async fn order(world: &Arc<World>, way: &[&str]) -> (Shopper, String) {
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let id = order_id(&order).to_owned();
    for status in way {
        world.staff().set_status(&id, status).await.expect(200);
    }
    (guest, id)
}

const DELIVERED: [&str; 3] = ["processing", "shipped", "delivered"];

async fn pay_back(staff: &Shopper, order: &str, id: Uuid, amount: Option<i64>) -> Answer {
    let body = json!({"refundId": id, "amount": amount, "reason": "by bank transfer", "byHand": true});
    staff.send(Route::RefundOrder, &staff.event_about(Route::RefundOrder, order).json(&body)).await
}

/// Status, status of the payment, received, paid back.
fn books(answer: &Value) -> (&str, &str, Option<i64>, Option<i64>) {
    let order = &answer["order"];
    let text = |name: &str| order[name].as_str().unwrap_or_else(|| panic!("no order: {answer:#}"));
    let cash = |name: &str| order["cash"][name].as_i64();
    (text("status"), text("paymentStatus"), cash("receivedAmount"), cash("refundedAmount"))
}

#[tokio::test]
async fn the_payment_says_what_became_of_the_cash() {
    let world = Setup::default().unlimited().build().await;
    let never = |status: &'static str| (status, "cancelled", None, None);
    let lives: [(&[&str], _); 8] = [
        (&[], ("confirmed", "pending", None, None)),
        (&["processing", "shipped"], ("shipped", "pending", None, None)),
        (&["cancelled"], never("cancelled")),
        (&["processing", "cancelled"], never("cancelled")),
        // Refused at the door: nobody has paid, and nobody will.
        (&["processing", "shipped", "returned"], never("returned")),
        (&DELIVERED, ("delivered", "paid", Some(TOTAL), Some(0))),
        // The goods are back, and the money is still owed.
        (&["processing", "shipped", "delivered", "returned"], ("returned", "paid", Some(TOTAL), Some(0))),
        (&["processing", "shipped", "delivered", "refunded"], ("refunded", "refunded", Some(TOTAL), Some(TOTAL))),
    ];
    for (way, expected) in lives {
        let (guest, id) = order(&world, way).await;
        assert_eq!(books(&guest.order(&id).await.expect(200)), expected, "{way:?}");
    }
}

#[tokio::test]
async fn staff_note_what_they_pay_back_in_parts_and_in_full() {
    let world = Setup::default().unlimited().build().await;
    let staff = world.staff();
    let (guest, id) = order(&world, &["processing", "shipped", "delivered", "returned"]).await;
    let first = Uuid::new_v4();

    let part = pay_back(&staff, &id, first, Some(1000)).await.expect(200);

    assert_eq!(books(&part), ("returned", "partially_refunded", Some(TOTAL), Some(1000)));
    let refund = &part["order"]["cash"]["refunds"][0];
    assert_eq!((&refund["refundId"], &refund["amount"]), (&json!(first), &json!(1000)));
    assert_eq!((&refund["status"], &refund["reason"]), (&json!("succeeded"), &json!("by bank transfer")));
    assert_eq!(refund["source"], "by_hand");
    assert_eq!(for_staff(&guest.order(&id).await.expect(200)["order"]), part["order"]);
    // Again: the same refund, with or without its amount.
    for amount in [Some(1000), None] {
        assert_eq!(pay_back(&staff, &id, first, amount).await.expect(200), part);
    }
    pay_back(&staff, &id, first, Some(1001)).await.refused(422, "REFUND_ID_REUSED");
    let refused = pay_back(&staff, &id, Uuid::new_v4(), Some(TOTAL - 999)).await;
    assert_eq!(refused.refused(409, "REFUND_EXCEEDS_PAYMENT")["left"], TOTAL - 1000);

    let rest = pay_back(&staff, &id, Uuid::new_v4(), None).await.expect(200);

    assert_eq!(books(&rest), ("refunded", "refunded", Some(TOTAL), Some(TOTAL)));
    assert_eq!(statuses(&rest["order"]).last(), Some(&"refunded"));
    pay_back(&staff, &id, Uuid::new_v4(), None).await.refused(409, "REFUND_EXCEEDS_PAYMENT");
    assert_eq!(staff.set_status(&id, "refunded").await.expect(200), rest, "it is already");
}

#[tokio::test]
async fn nothing_is_paid_back_that_was_not_received() {
    let world = Setup::default().unlimited().cards().build().await;
    let staff = world.staff();
    for way in [&["processing", "shipped", "returned"][..], &["cancelled"], &["processing", "shipped"]] {
        let (guest, id) = order(&world, way).await;
        let before = guest.order(&id).await.expect(200);
        let refused = pay_back(&staff, &id, Uuid::new_v4(), Some(1)).await.refused(409, "REFUND_EXCEEDS_PAYMENT");
        assert_eq!(refused["left"], 0, "{way:?}");
        assert_eq!(guest.order(&id).await.expect(200), before, "{way:?}");
    }
    // Refused at the door, an order can't be called refunded.
    let (guest, id) = order(&world, &["processing", "shipped", "returned"]).await;
    staff.set_status(&id, "refunded").await.refused(409, "REFUND_EXCEEDS_PAYMENT");
    assert_eq!(books(&guest.order(&id).await.expect(200)), ("returned", "cancelled", None, None));
    // Cash isn't refunded by anybody but staff, by hand.
    let (guest, id) = order(&world, &DELIVERED).await;
    staff.refund(&id, Uuid::new_v4(), None).await.refused(409, "NOT_PAID_BY_CARD");
    pay_back(&guest, &id, Uuid::new_v4(), None).await.expect(401);
}

#[tokio::test]
async fn a_status_of_refunded_pays_back_the_rest_and_its_note_stays_with_staff() {
    let world = Setup::default().unlimited().build().await;
    let staff = world.staff();
    let (guest, id) = order(&world, &DELIVERED).await;
    pay_back(&staff, &id, Uuid::new_v4(), Some(887)).await.expect(200);
    let body = json!({"status": "refunded", "note": "paid at the counter"});

    let done =
        staff.send(Route::UpdateOrderStatus, &staff.event_about(Route::UpdateOrderStatus, &id).json(&body)).await;

    let done = done.expect(200);
    assert_eq!(books(&done), ("refunded", "refunded", Some(TOTAL), Some(TOTAL)));
    let amounts = |answer: &Value| -> Vec<i64> {
        let refunds = answer["order"]["cash"]["refunds"].as_array().expect("refunds").iter();
        refunds.map(|refund| refund["amount"].as_i64().expect("an amount")).collect()
    };
    assert_eq!(amounts(&done), [887, TOTAL - 887]);
    assert_eq!(done["order"]["statusHistory"].as_array().unwrap().last().unwrap()["note"], "paid at the counter");
    assert!(!guest.order(&id).await.expect(200).to_string().contains("counter"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_once_pay_back_no_more_than_was_received() {
    let world = Setup::default().unlimited().build().await;
    let (guest, id) = order(&world, &DELIVERED).await;
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();

    let answers = race::at_once(8, |racer| {
        let (staff, id) = (world.staff().served_by(&containers[racer % 3]), id.clone());
        async move { pay_back(&staff, &id, Uuid::new_v4(), Some(1500)).await.status() }
    })
    .await;

    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 3, "{answers:?}");
    let shown = guest.order(&id).await.expect(200);
    assert_eq!(books(&shown), ("delivered", "partially_refunded", Some(TOTAL), Some(4500)));
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_made_once() {
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs] {
        let world = Setup::default().unlimited().hasty_under_faults(800).build().await;
        let (guest, id) = order(&world, &DELIVERED).await;
        let refund = Uuid::new_v4();
        world.dynamodb.add(Rule::on("PutItem", fault.clone()));
        pay_back(&world.staff(), &id, refund, Some(500)).await.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();

        let again = pay_back(&world.staff(), &id, refund, Some(500)).await.expect(200);

        assert_eq!(books(&again), ("delivered", "partially_refunded", Some(TOTAL), Some(500)), "{fault:?}");
        assert_eq!(for_staff(&guest.order(&id).await.expect(200)["order"]), again["order"]);
    }
}
