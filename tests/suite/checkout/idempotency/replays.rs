//! The same request again: the stored answer, and no second effect.

use std::time::Duration;

use serde_json::json;
use shared::http::route::Route;
use tests::world::{Setup, World, confirmation, id_of, total_of};

use super::{KEY, REPLAYED, assert_replayed, beans, cancel, id_of_order};

#[tokio::test]
async fn initiate_opens_one_session_for_a_key() {
    let world = World::new().await;
    let guest = world.guest();

    let first = guest.post_once(Route::Initiate, KEY, &beans(2)).await;
    let again = guest.served_by(&world.container()).post_once(Route::Initiate, KEY, &beans(2)).await;

    assert_replayed(&again, &first);
    first.expect(201);
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

#[tokio::test]
async fn confirm_places_one_order_for_a_key_and_gives_the_answer_of_then() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));

    let first = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
    let order = first.clone().expect(201);
    world.staff().set_status(id_of_order(&order), "processing").await.expect(200);
    let again = guest.served_by(&world.container()).post_once(Route::ConfirmOrder, KEY, &body).await;

    assert_replayed(&again, &first);
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 2);
}

#[tokio::test]
async fn cancel_cancels_once_for_a_key() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let order = order["orderId"].as_str().unwrap();
    let body = json!({"reason": "ordered twice"});

    let first = cancel(&guest, order, KEY, &body).await;
    let again = cancel(&guest.served_by(&world.container()), order, KEY, &body).await;

    assert_replayed(&again, &first);
    assert_eq!(first.expect(200)["order"]["status"], "cancelled");
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused_and_does_nothing() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);
    let order = guest.post_once(Route::ConfirmOrder, KEY, &body).await.expect(201);
    cancel(&guest, id_of_order(&order), KEY, &json!({"reason": "ordered twice"})).await.expect(200);

    let mut other = body;
    other["notes"] = json!("ring twice");
    let answers = [
        guest.post_once(Route::Initiate, KEY, &beans(2)).await,
        guest.post_once(Route::ConfirmOrder, KEY, &other).await,
        cancel(&guest, id_of_order(&order), KEY, &json!({"reason": "too late"})).await,
    ];

    for answer in answers {
        assert_eq!(answer.header(REPLAYED), None);
        answer.refused(422, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 2);
    assert_eq!(world.stored_orders().await.len(), 1);
}

/// A 200 that found its work done already is an answer like any other.
#[tokio::test]
async fn a_confirm_and_a_cancel_that_had_nothing_left_to_do_are_kept_too() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    let order = guest.post(Route::ConfirmOrder, &body).await.expect(201);
    let order = id_of_order(&order);

    let confirmed = guest.post_once(Route::ConfirmOrder, KEY, &body).await;
    assert_replayed(&guest.post_once(Route::ConfirmOrder, KEY, &body).await, &confirmed);
    assert_eq!(confirmed.status(), 200);
    let other = confirmation(id_of(&session), total_of(&session) + 1);
    guest.post_once(Route::ConfirmOrder, KEY, &other).await.refused(422, "IDEMPOTENCY_KEY_REUSED");

    guest.cancel(order).await.expect(200);
    let cancelled = cancel(&guest, order, KEY, &json!({})).await;
    assert_replayed(&cancel(&guest, order, KEY, &json!({})).await, &cancelled);
    assert_eq!(cancelled.status(), 200);
    cancel(&guest, order, KEY, &json!({"reason": "?"})).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn an_answer_is_kept_for_24_hours() {
    let world = World::new().await;
    let guest = world.guest();
    let first = guest.post_once(Route::Initiate, KEY, &beans(2)).await;

    let after = |hours: u64| guest.clone().served_by(&world.container_after(Duration::from_secs(hours * 3600)));
    let same_day = after(23).post_once(Route::Initiate, KEY, &beans(2)).await;
    let next_day = after(25).post_once(Route::Initiate, KEY, &beans(3)).await;
    let again = after(48).post_once(Route::Initiate, KEY, &beans(3)).await;

    assert_replayed(&same_day, &first);
    assert_replayed(&again, &next_day);
    assert_ne!(id_of(&next_day.expect(201)), id_of(&first.expect(201)), "the key is new again, and kept anew");
}

#[tokio::test]
async fn after_24_hours_a_key_of_confirm_still_makes_no_second_order() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = confirmation(id_of(&session), total_of(&session));
    let first = guest.post_once(Route::ConfirmOrder, KEY, &body).await.expect(201);

    let late = guest.served_by(&world.container_after(Duration::from_secs(25 * 3600)));
    let again = late.post_once(Route::ConfirmOrder, KEY, &body).await;

    assert_eq!(again.header(REPLAYED), None);
    assert_eq!(again.expect(200), first);
    assert_eq!(world.stored_orders().await.len(), 1);
}

#[tokio::test]
async fn a_replay_counts_against_the_limit_and_says_so() {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "2/300").build().await;
    let guest = world.guest();

    guest.post_once(Route::Initiate, KEY, &beans(1)).await.expect(201);
    let again = guest.post_once(Route::Initiate, KEY, &beans(1)).await;
    assert_eq!((again.header(REPLAYED), again.header("x-ratelimit-remaining")), (Some("true"), Some("0")));
    guest.post_once(Route::Initiate, KEY, &beans(1)).await.refused(429, "RATE_LIMITED");
}
