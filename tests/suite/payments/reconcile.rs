//! The reconciler: it moves every order to its true end, and one bad order doesn't stop the rest.

use std::{sync::Arc, time::Duration};

use shared::checkout::reconcile::Reconciled;
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{World, id_of, is_unfinished, patiently},
};

use super::{DECLINED, VISA, assert_books_balance, bought, order_id, pay, ready, shop, sold, state_of};

const SOON: Duration = Duration::from_secs(90);
const PAST_THE_LIMIT: Duration = Duration::from_secs(1900);

#[tokio::test]
async fn an_order_that_nobody_finished_is_finished_by_the_providers_truth() {
    let world = shop().await;
    let (paid, never_asked, refused) = (world.guest(), world.guest(), world.guest());
    // Paid, and the answer lost.
    let session = ready(&paid).await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let first = pay(&paid, &session, VISA).await.expect(202)["order"].take();
    world.stripe().proxy.down().await;
    let session = ready(&never_asked).await;
    let second = pay(&never_asked, &session, VISA).await.expect(202)["order"].take();
    let session = ready(&refused).await;
    let third = pay(&refused, &session, DECLINED).await.expect(202)["order"].take();
    world.stripe().proxy.up().await;

    assert_eq!(world.reconcile(&world.container()).await.unwrap(), Reconciled::default(), "not due yet");
    let soon = world.container_after(SOON);
    assert_eq!(world.reconcile(&soon).await.unwrap(), Reconciled { settled: 3, open: 0, failed: 0 });
    let shown = paid.order(order_id(&first)).await.expect(200);
    assert_eq!(state_of(&shown["order"]), ("confirmed", "paid"));
    let shown = never_asked.order(order_id(&second)).await.expect(200);
    assert_eq!(state_of(&shown["order"]), ("confirmed", "paid"), "the customer has agreed to pay");
    let shown = refused.order(order_id(&third)).await.expect(200);
    assert_eq!(state_of(&shown["order"]), ("cancelled", "declined"));
    assert_eq!(refused.session(id_of(&session)).await.expect(200)["status"], "open");
    assert_eq!(world.reconcile(&soon).await.unwrap(), Reconciled::default());
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn past_its_limit_nothing_is_charged_any_more() {
    let world = shop().await;
    let (asleep, never_asked) = (world.guest(), world.guest());
    let session = ready(&asleep).await;
    let token = world.stripe().secured().await;
    let first = pay(&asleep, &session, &token).await.expect(202)["order"].take();
    world.stripe().proxy.down().await;
    let session = ready(&never_asked).await;
    let second = pay(&never_asked, &session, VISA).await.expect(202)["order"].take();
    world.stripe().proxy.up().await;

    let late = world.container_after(PAST_THE_LIMIT);
    assert_eq!(world.reconcile(&late).await.unwrap(), Reconciled { settled: 2, open: 0, failed: 0 });
    for (guest, order) in [(&asleep, &first), (&never_asked, &second)] {
        let shown = guest.order(order_id(order)).await.expect(200);
        assert_eq!(state_of(&shown["order"]), ("cancelled", "cancelled"));
    }
    assert_eq!((sold(&world).await, world.stripe().totals().await.get(order_id(&second))), (0, None));
    assert_books_balance(&world).await;
}

#[tokio::test]
async fn reconcilers_at_once_have_one_effect() {
    let world = shop().await;
    world.stripe().proxy.down().await;
    let mut guests = Vec::new();
    for _ in 0..6 {
        let guest = world.guest();
        let session = ready(&guest).await;
        pay(&guest, &session, VISA).await.expect(202);
        guests.push(guest);
    }
    world.stripe().proxy.up().await;
    let world = &world;
    let containers: Vec<_> = (0..3).map(|_| world.container_after(SOON)).collect();
    tests::race::at_once(3, |at| {
        let (world, container) = (Arc::clone(world), containers[at].clone());
        async move { world.reconcile(&container).await.map(|_| ()).unwrap() }
    })
    .await;
    until_settled(world).await;
    assert_eq!(sold(world).await, 12);
    assert_books_balance(world).await;
}

#[tokio::test]
async fn an_order_that_fails_stops_no_other_and_goes_to_the_end_of_the_queue() {
    let world = shop().await;
    world.stripe().proxy.down().await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        let guest = world.guest();
        let session = ready(&guest).await;
        orders.push(pay(&guest, &session, VISA).await.expect(202)["order"].take());
    }
    let soon = world.container_after(SOON);
    assert_eq!(world.reconcile(&soon).await.unwrap(), Reconciled { settled: 0, open: 3, failed: 0 });
    assert_eq!(world.reconcile(&soon).await.unwrap(), Reconciled::default(), "put off");
    world.stripe().proxy.up().await;
    let later = world.container_after(SOON * 4);
    let id = order_id(&orders[0]).to_owned();
    world.dynamodb.add(Rule::on("GetItem", Fault::Error(400, "AccessDeniedException")).containing(id));
    assert_eq!(world.reconcile(&later).await.unwrap(), Reconciled { settled: 2, open: 0, failed: 1 });
    world.dynamodb.clear_rules();
    until_settled(&world).await;
    assert_books_balance(&world).await;
    bought(&world.guest()).await;
}

/// Paid, the answer lost, and the provider's search behind: what is given up must be certain.
#[tokio::test]
async fn an_order_that_was_paid_is_not_given_up_because_the_search_lags() {
    let world = shop().await;
    let (paid, asleep, never_asked) = (world.guest(), world.guest(), world.guest());
    let session = ready(&paid).await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let first = pay(&paid, &session, VISA).await.expect(202)["order"].take();
    let session = ready(&asleep).await;
    let token = world.stripe().secured().await;
    world.stripe().proxy.drop_answers_to("POST /v1/payment_intents", 1);
    let second = pay(&asleep, &session, &token).await.expect(202)["order"].take();
    world.stripe().proxy.down().await;
    let session = ready(&never_asked).await;
    let third = pay(&never_asked, &session, VISA).await.expect(202)["order"].take();
    world.stripe().proxy.up().await;
    for order in [&first, &second, &third] {
        world.stripe().search_lags_for(order_id(order)).await;
    }

    let late = world.container_after(PAST_THE_LIMIT);
    assert_eq!(world.reconcile(&late).await.unwrap(), Reconciled { settled: 3, open: 0, failed: 0 });
    let shown = paid.order(order_id(&first)).await.expect(200);
    assert_eq!(state_of(&shown["order"]), ("confirmed", "paid"));
    for (guest, order) in [(&asleep, &second), (&never_asked, &third)] {
        let shown = guest.order(order_id(order)).await.expect(200);
        assert_eq!(state_of(&shown["order"]), ("cancelled", "cancelled"));
    }
    let intent = world.stripe().intent_of(order_id(&second)).await.expect("a payment");
    assert_eq!(intent["status"], "canceled", "nobody can pay it any more");
    assert_books_balance(&world).await;
}

/// Runs the reconciler every five minutes for a while, in a time when every limit is past.
pub(super) async fn until_settled(world: &Arc<World>) {
    let mut now = PAST_THE_LIMIT;
    patiently(async || {
        let container = world.container_after(now);
        now += Duration::from_secs(300);
        let _ = world.reconcile(&container).await;
        world.stored_orders().await.iter().all(|order| !is_unfinished(order))
    })
    .await;
}
