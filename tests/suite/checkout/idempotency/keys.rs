//! Whose a key is, and what is one.

use serde_json::json;
use shared::http::route::Route;
use tests::world::{World, confirmation, id_of, total_of};

use super::{KEY, REPLAYED, assert_replayed, beans, cancel, id_of_order};

#[tokio::test]
async fn the_same_key_of_two_callers_are_two_keys() {
    let world = World::new().await;
    let callers = [world.guest(), world.guest(), world.user("ada"), world.user("grace"), world.nobody()];

    let mut sessions = Vec::new();
    for (quantity, caller) in (1..).zip(&callers) {
        let answer = caller.post_once(Route::Initiate, KEY, &beans(quantity)).await;
        assert_eq!(answer.header(REPLAYED), None);
        sessions.push(id_of(&answer.expect(201)).to_owned());
    }

    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), callers.len());
}

#[tokio::test]
async fn a_user_with_the_id_of_a_guest_is_another_caller() {
    let world = World::new().await;
    let guest = world.guest();
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);

    let user = world.user(guest.guest_id());

    assert_eq!(user.post_once(Route::Initiate, KEY, &beans(1)).await.header(REPLAYED), None);
}

#[tokio::test]
async fn the_same_key_on_two_routes_and_for_two_orders_are_so_many_keys() {
    let world = World::new().await;
    let guest = world.guest();
    let mut orders = Vec::new();
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    orders.push(id_of_order(&guest.post_once(Route::ConfirmOrder, KEY, &body).await.expect(201)).to_owned());
    orders.push(guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().unwrap().to_owned());

    for order in &orders {
        let answer = cancel(&guest, order, KEY, &json!({})).await.expect(200);
        assert_eq!((id_of_order(&answer), &answer["order"]["status"]), (order.as_str(), &json!("cancelled")));
    }
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

#[tokio::test]
async fn a_caller_without_identity_gets_the_same_session_and_guest_id_again() {
    let world = World::new().await;
    let nobody = world.nobody();

    let first = nobody.post_once(Route::Initiate, KEY, &beans(2)).await;
    let again = nobody.post_once(Route::Initiate, KEY, &beans(2)).await;

    assert_replayed(&again, &first);
    let session = first.expect(201);
    let guest = nobody.known_as_guest(session["guestId"].as_str().unwrap());
    guest.session(id_of(&session)).await.expect(200);
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

/// Anyone could send the key `1`, and get what the first caller got: a session, and the guest id that owns it.
#[tokio::test]
async fn a_caller_without_identity_must_send_a_key_that_nobody_guesses() {
    let world = World::new().await;

    let answer = world.nobody().post_once(Route::Initiate, "1", &beans(2)).await;

    let problem = answer.refused(400, "VALIDATION_FAILED");
    assert_eq!(problem["errors"][0]["pointer"], "/headers/idempotency-key");
    world.guest().post_once(Route::Initiate, "1", &beans(2)).await.expect(201);
    world.user("ada").post_once(Route::Initiate, "1", &beans(2)).await.expect(201);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_before_anything_is_done() {
    let world = World::new().await;
    let guest = world.guest();

    for key in ["", "   ", "tab\tin it", "twice,twice", &"k".repeat(256)] {
        let problem = guest.post_once(Route::Initiate, key, &beans(1)).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], "/headers/idempotency-key", "{key:?}");
    }

    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 0);
    guest.post_once(Route::Initiate, &"k".repeat(255), &beans(1)).await.expect(201);
}

/// On a route that changes nothing for good, the header means nothing: the change is made each time.
#[tokio::test]
async fn other_routes_pay_no_heed_to_a_key() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let coupon = |code: &str| json!({"checkoutId": id_of(&session), "couponCode": code});

    guest.post_once(Route::ApplyCoupon, KEY, &coupon("SAVE20")).await.expect(200);
    let changed = guest.post_once(Route::ApplyCoupon, KEY, &coupon("FREESHIP")).await;

    changed.refused(422, "COUPON_NOT_COMBINABLE");
    assert_eq!(world.all("IDEMPOTENCY_TABLE").await.len(), 0);
}
