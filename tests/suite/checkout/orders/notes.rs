//! Staff's notes: kept whether the status changes or not, and shown to whom they are for.

use serde_json::{Value, json};
use shared::{domain::note::MAX_NOTES, http::route::Route};
use tests::{
    token::{Signer, Token},
    world::{Answer, Setup, Shopper, World},
};

use super::order_id;

const OF_STAFF: &str = "the customer called twice, be careful";
const FOR_CUSTOMER: &str = "your parcel leaves tomorrow";

async fn set(staff: &Shopper, order: &str, body: &Value) -> Answer {
    staff.send(Route::UpdateOrderStatus, &staff.event_about(Route::UpdateOrderStatus, order).json(body)).await
}

/// Status, actor, note and visibility of each step of an order's history.
fn steps(answer: &Value) -> Vec<Value> {
    let history = answer["order"]["statusHistory"].as_array().expect("a history").iter();
    history.map(|step| json!([step["status"], step["actor"], step["note"], step["noteVisibility"]])).collect()
}

#[tokio::test]
async fn a_note_of_staff_is_hidden_from_the_customer_unless_it_is_for_them() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order_id(&order);

    set(&staff, id, &json!({"status": "processing", "note": OF_STAFF})).await.expect(200);
    // The status stays, the notes are kept.
    let note =
        |text: &str, visibility: &str| json!({"status": "processing", "note": text, "noteVisibility": visibility});
    set(&staff, id, &note(FOR_CUSTOMER, "customer")).await.expect(200);
    let shown = set(&staff, id, &note("on the second shelf", "staff")).await.expect(200);

    assert_eq!(
        steps(&shown),
        [
            json!(["confirmed", "customer", null, null]),
            json!(["processing", "staff", OF_STAFF, "staff"]),
            json!(["processing", "staff", FOR_CUSTOMER, "customer"]),
            json!(["processing", "staff", "on the second shelf", "staff"]),
        ]
    );
    let read = guest.order(id).await.expect(200);
    let list = guest.orders().await.expect(200);
    let expected = [
        json!(["confirmed", "customer", null, null]),
        json!(["processing", "staff", null, null]),
        json!(["processing", "staff", FOR_CUSTOMER, null]),
    ];
    assert_eq!(steps(&read), expected);
    assert_eq!(list["orders"][0]["statusHistory"], read["order"]["statusHistory"]);
    for answer in [read, list] {
        let text = answer.to_string();
        assert!(!text.contains(OF_STAFF) && !text.contains("shelf") && !text.contains("noteVisibility"), "{text}");
    }
}

#[tokio::test]
async fn a_repeated_note_is_one_note() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order_id(&order);
    let first = json!({"status": "processing", "note": "first"});
    let second = json!({"status": "processing", "note": "second"});

    set(&staff, id, &first).await.expect(200);
    let two = set(&staff, id, &second).await.expect(200);
    // Both requests come again: their answers were lost.
    for body in [&first, &second] {
        assert_eq!(set(&staff, id, body).await.expect(200), two);
    }
    // With another reader, or from another member of the staff, it is another note.
    let to_all = json!({"status": "processing", "note": "second", "noteVisibility": "customer"});
    assert_eq!(steps(&set(&staff, id, &to_all).await.expect(200)).len(), 4);
    let colleague = staff.clone().with_token(&Signer::es256().sign(&Token::staff("hedy")));
    assert_eq!(steps(&set(&colleague, id, &second).await.expect(200)).len(), 5);
    // What was noted in one status may be noted in the next.
    set(&staff, id, &json!({"status": "shipped"})).await.expect(200);
    let again = set(&staff, id, &json!({"status": "shipped", "note": "first"})).await.expect(200);
    assert_eq!(steps(&again).len(), 7);
}

#[tokio::test]
async fn a_note_is_kept_on_an_order_in_any_status() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let id = order_id(&order);
    let event = guest.event_about(Route::CancelOrder, id).json(&json!({"reason": "ordered twice"}));
    guest.send(Route::CancelOrder, &event).await.expect(200);
    let stock = world.stock("espresso-beans").await;

    let noted = set(&staff, id, &json!({"status": "cancelled", "note": OF_STAFF})).await.expect(200);

    assert_eq!(steps(&noted).last(), Some(&json!(["cancelled", "staff", OF_STAFF, "staff"])));
    assert_eq!(world.stock("espresso-beans").await, stock, "nothing is given back twice");
    // The customer's own reason stays theirs.
    let read = guest.order(id).await.expect(200);
    assert_eq!(steps(&read).last(), Some(&json!(["cancelled", "customer", "ordered twice", null])));
    // A note doesn't make an illegal move legal.
    set(&staff, id, &json!({"status": "shipped", "note": "x"})).await.refused(409, "ILLEGAL_STATUS_CHANGE");
}

#[tokio::test]
async fn a_visibility_has_a_note_and_one_of_two_values() {
    let world = World::new().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    for body in [
        json!({"status": "processing", "noteVisibility": "customer"}),
        json!({"status": "processing", "note": " ", "noteVisibility": "staff"}),
        json!({"status": "processing", "note": "x", "noteVisibility": "everybody"}),
        json!({"status": "processing", "note": "x", "noteVisibility": ""}),
    ] {
        let refused = set(&world.staff(), order_id(&order), &body).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["pointer"], "/noteVisibility", "{body}");
    }
}

/// An order with too many notes could not be stored any more, and so not be shipped or refunded.
#[tokio::test]
async fn an_order_has_room_for_so_many_notes_and_its_status_still_changes() {
    let world = Setup::default().unlimited().build().await;
    let staff = world.staff();
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let id = order_id(&order);
    let longest = "李".repeat(490);
    for number in 0..MAX_NOTES {
        set(&staff, id, &json!({"status": "confirmed", "note": format!("{number} {longest}")})).await.expect(200);
    }

    set(&staff, id, &json!({"status": "confirmed", "note": "one more"})).await.refused(409, "TOO_MANY_NOTES");

    let moved = set(&staff, id, &json!({"status": "processing", "note": "with its own note"})).await.expect(200);
    assert_eq!(steps(&moved).len(), 1 + MAX_NOTES + 1);
}
