//! Card testing: no more cards are declined than a session, a caller and an address may have in an hour, however they
//! are tried.

use std::sync::Arc;

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    race,
    world::{Answer, Setup, World, card_confirmation, id_of, total_of},
};

use super::{DECLINED, TOTAL, VISA, assert_books_balance, crashes::last_order, order_id, pay, ready};

const REFUSED: &str = "TOO_MANY_DECLINES";

async fn shop(limits: &str) -> Arc<World> {
    Setup::default().unlimited().cards().setting("DECLINE_LIMITS", limits).build().await
}

/// How many cards were declined; each other wasn't tried.
fn declined(answers: &[Answer]) -> usize {
    let (declined, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 402);
    for answer in refused {
        assert_eq!((answer.status(), &answer.body()["code"]), (429, &json!(REFUSED)), "{:#}", answer.body());
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
    }
    declined.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guests_at_one_address_have_no_more_cards_declined_than_it_may() {
    let world = shop("100/100/4").await;
    let mut racers = Vec::new();
    for _ in 0..10 {
        let guest = world.guest().from_address("198.51.100.9");
        let session = ready(&guest).await;
        racers.push((guest, session));
    }
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();

    let answers = race::at_once(10, |racer| {
        let (guest, session) = racers[racer].clone();
        let guest = guest.served_by(&containers[racer % 3]);
        async move { pay(&guest, &session, DECLINED).await }
    })
    .await;

    assert_eq!(declined(&answers), 4);
    assert_eq!(world.stored_orders().await.len(), 4, "what wasn't tried has no order");
    assert_books_balance(&world).await;
    // A new guest is no way around it, nor is a good card; another address is none of it.
    let guest = world.guest().from_address("198.51.100.9");
    let session = ready(&guest).await;
    pay(&guest, &session, VISA).await.refused(429, REFUSED);
    let elsewhere = guest.clone().from_address("198.51.100.10");
    pay(&elsewhere, &session, VISA).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_and_one_caller_have_limits_of_their_own() {
    let world = shop("2/5/100").await;
    let user = world.user("ada");
    let mut all = 0;
    for _ in 0..4 {
        let session = ready(&user).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            // From wherever: a caller is a caller.
            let user = user.clone().from_address(&format!("203.0.113.{all}"));
            answers.push(pay(&user, &session, DECLINED).await);
        }
        let here = declined(&answers);
        assert!(here <= 2, "{here} in one session");
        all += here;
    }
    assert_eq!(all, 5, "of one caller");
    let session = ready(&user).await;
    let answers = race::at_once(6, |_| {
        let (user, session) = (user.clone(), session.clone());
        async move { pay(&user, &session, DECLINED).await }
    })
    .await;
    assert_eq!(declined(&answers), 0);
    assert_books_balance(&world).await;
    // There are other ways to pay.
    user.confirm(id_of(&session), TOTAL).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_tried_with_many_cards_at_once_has_no_more_declined() {
    let world = shop("3/100/100").await;
    for _ in 0..3 {
        let guest = world.guest();
        let session = ready(&guest).await;
        let before = world.stored_orders().await.len();
        for _ in 0..3 {
            race::at_once(6, |_| {
                let (guest, session) = (guest.clone(), session.clone());
                async move { pay(&guest, &session, DECLINED).await }
            })
            .await;
        }
        pay(&guest, &session, DECLINED).await.refused(429, REFUSED);
        let tried = world.stored_orders().await.len() - before;
        assert!((1..=3).contains(&tried), "{tried} cards were tried");
        assert_books_balance(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_that_are_not_declined_give_their_places_back() {
    let world = shop("1/1/1").await;
    let user = world.user("ada").from_address("198.51.100.9");
    for _ in 0..3 {
        let session = user.fill_cart(&[("espresso-beans", 2)]).await;
        let order = pay(&user, &session, VISA).await.expect(201);
        let again = pay(&user, &session, VISA).await.expect(200);
        assert_eq!(order["order"], again["order"]);
        // Asked for the customer, refused for another reason, or unknown: none of it is a decline.
        let session = user.fill_cart(&[("espresso-beans", 2)]).await;
        user.pay(id_of(&session), total_of(&session) + 1, VISA).await.refused(409, "TOTAL_CHANGED");
        let token = world.stripe().secured().await;
        pay(&user, &session, &token).await.expect(202);
        let order = pay(&user, &session, &token).await.expect(202);
        user.cancel(order_id(&order["order"])).await;
    }
    let paid = user.fill_cart(&[("espresso-beans", 2)]).await;
    let order = pay(&user, &paid, VISA).await.expect(201);
    let session = user.fill_cart(&[("espresso-beans", 2)]).await;
    let answer = pay(&user, &session, DECLINED).await;
    assert_eq!((answer.counts().declines, answer.counts().declines_refused), (1, 0));
    answer.refused(402, "PAYMENT_DECLINED");
    let answer = pay(&user, &session, VISA).await;
    assert_eq!((answer.counts().declines, answer.counts().declines_refused), (0, 1));
    answer.refused(429, REFUSED);
    // What is paid is paid: who asks again gets it.
    assert_eq!(pay(&user, &paid, VISA).await.expect(200)["order"], order["order"]);
}

#[tokio::test]
async fn a_card_that_fails_at_its_bank_is_a_decline() {
    let world = shop("1/100/100").await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let token = world.stripe().secured().await;
    let order = pay(&guest, &session, &token).await.expect(202);
    world.stripe().authenticate(order["order"]["payment"]["clientSecret"].as_str().unwrap(), false).await;
    pay(&guest, &session, &token).await.refused(402, "PAYMENT_DECLINED");
    pay(&guest, &session, VISA).await.refused(429, REFUSED);
}

/// With Redis gone a container counts alone.
#[tokio::test]
async fn without_redis_a_container_refuses_what_it_has_seen_declined() {
    let world = shop("2/100/100").await;
    let guest = world.guest();
    let session = ready(&guest).await;
    pay(&guest, &session, DECLINED).await.refused(402, "PAYMENT_DECLINED");
    world.redis.down().await;
    pay(&guest, &session, DECLINED).await.refused(402, "PAYMENT_DECLINED");
    pay(&guest, &session, DECLINED).await.refused(429, REFUSED);
    let other = ready(&guest).await;
    pay(&guest, &other, VISA).await.expect(201);
    world.redis.up().await;
}

#[tokio::test]
async fn a_refusal_is_not_kept_under_an_idempotency_key() {
    let world = shop("100/1/100").await;
    let guest = world.guest();
    let session: Value = ready(&guest).await;
    pay(&guest, &session, DECLINED).await.refused(402, "PAYMENT_DECLINED");
    let body = card_confirmation(id_of(&session), TOTAL, VISA);
    guest.post_once(Route::ConfirmOrder, "key", &body).await.refused(429, REFUSED);
    let later = world.container_after(std::time::Duration::from_secs(1));
    let again = guest.clone().served_by(&later).post_once(Route::ConfirmOrder, "key", &body).await;
    assert_eq!(again.header("idempotent-replayed"), None);
    again.refused(429, REFUSED);
}

/// What a guest's declined cards left behind moves to the account with everything else: it answers there, and in no list.
#[tokio::test]
async fn declined_attempts_move_to_an_account_and_stay_out_of_its_list() {
    let world = shop("100/100/100").await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let mut attempts = Vec::new();
    for _ in 0..3 {
        pay(&guest, &session, DECLINED).await.expect(402);
        attempts.push(last_order(&world, &guest).await.expect("an attempt"));
    }
    let order = pay(&guest, &session, VISA).await.expect(201);

    let user = world.user("ada");
    let claimed = user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);

    let mut moved = attempts.clone();
    moved.push(order_id(&order["order"]).to_owned());
    moved.reverse();
    assert_eq!(claimed["orderIds"], json!(moved));
    for attempt in &attempts {
        guest.order(attempt).await.refused(404, "ORDER_NOT_FOUND");
        assert_eq!(user.order(attempt).await.expect(200)["order"]["paymentStatus"], "declined");
    }
    for status in ["", "cancelled", "confirmed"] {
        let event = user.event(Route::ListOrders);
        let event = if status.is_empty() { event } else { event.query("status", status) };
        let listed = user.send(Route::ListOrders, &event).await.expect(200);
        let ids: Vec<_> = listed["orders"].as_array().unwrap().iter().map(order_id).collect();
        let expected: &[&str] = if status == "cancelled" { &[] } else { &[order_id(&order["order"])] };
        assert_eq!(ids, expected, "{status}");
    }
    assert_books_balance(&world).await;
}

/// A copy of the session from the time of an order that was declined since: it hides neither that the session was
/// reopened, nor the order that it has become.
#[tokio::test]
async fn an_old_copy_that_names_a_declined_order_hides_no_later_one() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    let key = format!("{}checkout:session:{}", world.keys.prefix(), id_of(&session));
    pay(&guest, &session, DECLINED).await.expect(402);
    let declined = last_order(&world, &guest).await.expect("an order that was declined");
    let placed = pay(&guest, &session, VISA).await.expect(201);
    let order = order_id(&placed["order"]).to_owned();
    let mut redis = world.keys.connection().await;
    let copy: String = redis.get(&key).await.unwrap();
    assert!(copy.contains(&order) && !copy.contains(&declined), "{copy}");
    let old = copy.replace(&order, &declined);

    let () = redis.set_ex(&key, old, 600).await.unwrap();
    let again = pay(&guest, &session, VISA).await.expect(200);

    assert_eq!(order_id(&again["order"]), order);
    assert_books_balance(&world).await;
}
