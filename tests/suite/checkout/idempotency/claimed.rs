//! An answer that was stored for a guest is the guest's no longer once an account has claimed what the guest had.

use serde_json::json;
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Answer, Setup, Shopper, confirmation, id_of, total_of},
};

use super::{KEY, REPLAYED, assert_replayed, beans, cancel, id_of_order};

const OTHER: &str = "0b3d5c1e-7f0a-4d8e-9a41-6c2f9e8d7b5a";

async fn claim(user: &Shopper, guest: &str) {
    user.post(Route::Claim, &json!({"guestId": guest})).await.expect(200);
}

/// Nothing of what was answered before.
fn assert_forgotten(answer: &Answer, before: &Answer) {
    assert_eq!(answer.header(REPLAYED), None, "{:#}", answer.body());
    let text = answer.body().to_string();
    for name in ["orderId", "checkoutId", "orderNumber"] {
        for id in [&before.body()[name], &before.body()["order"][name]].into_iter().filter_map(|id| id.as_str()) {
            assert!(!text.contains(id), "{name} {id} is in {text}");
        }
    }
    assert!(!text.contains("Lovelace"), "{text}");
}

#[tokio::test]
async fn a_guest_gets_no_stored_answer_about_what_was_claimed() {
    let world = Setup::default().unlimited().build().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    let opened = guest.post_once(Route::Initiate, KEY, &beans(1)).await;
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    let confirmed = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
    let kept = guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().unwrap().to_owned();
    let cancelled = cancel(&guest, &kept, KEY, &json!({})).await;
    // Until then it is the guest's.
    assert_replayed(&guest.post_once(Route::Initiate, KEY, &beans(1)).await, &opened);
    assert_replayed(&guest.post_once(Route::ConfirmOrder, KEY, &body).await, &confirmed);
    assert_replayed(&cancel(&guest, &kept, KEY, &json!({})).await, &cancelled);

    claim(&user, guest.guest_id()).await;

    for _ in 0..2 {
        let again = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
        assert_forgotten(&again, &confirmed);
        again.refused(404, "SESSION_NOT_FOUND");
        let again = cancel(&guest, &kept, KEY, &json!({})).await;
        assert_forgotten(&again, &cancelled);
        again.refused(404, "ORDER_NOT_FOUND");
    }
    // Whoever goes on as a guest begins anew, once.
    let anew = guest.post_once(Route::Initiate, KEY, &beans(1)).await;
    assert_forgotten(&anew, &opened);
    assert_replayed(&guest.post_once(Route::Initiate, KEY, &beans(1)).await, &anew);
    anew.expect(201);
    // The account has it all.
    user.order(id_of_order(confirmed.body())).await.expect(200);
    assert_eq!(world.stored_orders().await.len(), 2);
}

/// A caller who became a guest by the request itself.
#[tokio::test]
async fn who_came_without_an_identity_gets_it_no_more_either() {
    let world = Setup::default().unlimited().build().await;
    let (nobody, user) = (world.nobody(), world.user("ada"));
    let mut before = nobody.post_once(Route::Initiate, KEY, &beans(1)).await;
    assert_replayed(&nobody.post_once(Route::Initiate, KEY, &beans(1)).await, &before);
    for _ in 0..3 {
        let guest = before.body()["guestId"].as_str().unwrap().to_owned();
        claim(&user, &guest).await;
        let anew = nobody.post_once(Route::Initiate, KEY, &beans(1)).await;
        assert_forgotten(&anew, &before);
        assert_ne!(anew.body()["guestId"], *guest);
        assert_replayed(&nobody.post_once(Route::Initiate, KEY, &beans(1)).await, &anew);
        before = anew;
    }
}

/// Header and body name the same guest: one caller, one key.
#[tokio::test]
async fn a_guest_who_is_named_in_the_body_is_the_same_caller() {
    let world = Setup::default().unlimited().build().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    let mut named = beans(1);
    named["guestId"] = json!(guest.guest_id());
    let opened = world.nobody().post_once(Route::Initiate, OTHER, &named).await;
    assert_eq!(opened.body()["guestId"], *guest.guest_id());
    assert_replayed(&guest.post_once(Route::Initiate, OTHER, &named).await, &opened);
    claim(&user, guest.guest_id()).await;
    assert_forgotten(&world.nobody().post_once(Route::Initiate, OTHER, &named).await, &opened);
}

/// Another guest, and the account, lose nothing.
#[tokio::test]
async fn a_claim_ends_the_answers_of_that_guest_only() {
    let world = Setup::default().unlimited().build().await;
    let (guest, other, user) = (world.guest(), world.guest(), world.user("ada"));
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);
    let others = other.post_once(Route::Initiate, KEY, &beans(1)).await;
    let users = user.post_once(Route::Initiate, KEY, &beans(1)).await;
    claim(&user, guest.guest_id()).await;
    assert_replayed(&other.post_once(Route::Initiate, KEY, &beans(1)).await, &others);
    assert_replayed(&user.post_once(Route::Initiate, KEY, &beans(1)).await, &users);
}

/// It is noted before anything moves, so that a claim that dies leaves no answer behind that is somebody else's.
#[tokio::test]
async fn a_claim_that_breaks_off_leaves_no_answer_behind() {
    for operation in ["PutItem", "TransactWriteItems", "GetItem"] {
        for skipped in 0..3 {
            let world = Setup::default().unlimited().build().await;
            let (guest, user) = (world.guest(), world.user("ada"));
            let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
            let body = confirmation(id_of(&session), total_of(&session));
            let confirmed = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
            world.dynamodb.add(Rule::on(operation, Fault::DoneButInternalServerError).skip(skipped));
            user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await;
            world.dynamodb.clear_rules();
            let again = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
            let still_the_guests = guest.order(id_of_order(confirmed.body())).await.status() == 200;
            if !still_the_guests {
                assert_forgotten(&again, &confirmed);
            }
        }
    }
}
