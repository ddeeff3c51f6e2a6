//! Stock that may go below zero: what of a cart comes later, and never more than the shop allows.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Answer, Setup, Shopper, World, id_of, sample_catalog, total_of},
};
use uuid::Uuid;

use super::{change_catalog, problems, product};

/// A shop with so many prints, of which more may be sold; and a kit whose two colours share their stock.
async fn shop(prints: u64, limit: u32) -> Arc<World> {
    let mut catalog = sample_catalog();
    on_backorder(&mut catalog, prints, limit);
    Setup::default().unlimited().cards().catalog(catalog).build().await
}

fn on_backorder(catalog: &mut Value, prints: u64, limit: u32) {
    let print = product(catalog, "limited-print");
    print["stock"] = json!(prints);
    print["backorder"] = json!({"limit": limit, "availableInDays": 10});
    print.as_object_mut().unwrap().remove("maxPerOrder");
    let kit = product(catalog, "pour-over-kit");
    kit["stock"] = json!(3);
    kit["backorder"] = json!({"limit": 4, "availableInDays": 5});
    for variant in kit["variants"].as_array_mut().unwrap() {
        variant.as_object_mut().unwrap().remove("stock");
    }
}

/// How much of each line comes later.
fn later(document: &Value) -> Vec<Option<u64>> {
    let items = document["items"].as_array().unwrap_or_else(|| panic!("no items: {document:#}"));
    items.iter().map(|item| item["backorder"]["quantity"].as_u64()).collect()
}

async fn confirmed(guest: &Shopper, session: &Value) -> Answer {
    guest.confirm(id_of(session), total_of(session)).await
}

#[tokio::test]
async fn a_line_says_what_of_it_comes_later_and_when() {
    let world = shop(3, 4).await;
    let guest = world.guest();
    let bare = guest.initiate(&[("limited-print", 5)]).await.expect(201);
    assert_eq!(bare["items"][0]["backorder"], json!({"quantity": 2, "availableInDays": 10}), "no method, no date");
    assert_eq!(problems(&bare), Vec::<&str>::new());

    let session = guest.fill_cart(&[("limited-print", 5), ("espresso-beans", 1)]).await;
    assert_eq!(later(&session), [Some(2), None]);
    let (soon, late) = (&session["shippingMethod"], &session["items"][0]["backorder"]);
    for end in ["earliest", "latest"] {
        let date = |of: &Value| of["estimatedDelivery"][end].as_str().unwrap().to_owned();
        assert!(date(late) > date(soon), "{late:#} {soon:#}");
    }
    let order = confirmed(&guest, &session).await.expect(201)["order"].take();
    assert_eq!(order["items"][0]["backorder"], *late);
    assert_eq!((later(&order), world.left("limited-print").await), (vec![Some(2), None], -2));
    let shown = guest.order(order["orderId"].as_str().unwrap()).await.expect(200);
    assert_eq!(shown["order"]["items"], order["items"]);

    // Two more may be sold, and none of them is there.
    let session = guest.fill_cart(&[("limited-print", 2)]).await;
    assert_eq!(later(&session), [Some(2)]);
    let short = guest.initiate(&[("limited-print", 3)]).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!((&short["problems"][0]["requested"], &short["problems"][0]["available"]), (&json!(3), &json!(2)));
    guest.set_items(id_of(&session), &[("limited-print", 3)]).await.refused(409, "INSUFFICIENT_STOCK");
    confirmed(&guest, &session).await.expect(201);
    assert_eq!(world.left("limited-print").await, -4);
    guest.initiate(&[("limited-print", 1)]).await.refused(409, "INSUFFICIENT_STOCK");
}

#[tokio::test]
async fn what_comes_back_or_is_delivered_raises_it_again() {
    let world = shop(1, 5).await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("limited-print", 4)]).await;
    assert_eq!((later(&order), world.left("limited-print").await), (vec![Some(3)], -3));
    let order = order["orderId"].as_str().unwrap();

    guest.cancel_lines(order, Uuid::new_v4(), &[[0, 1]]).await.expect(200);
    assert_eq!(world.left("limited-print").await, -2);
    assert_eq!(staff.receive("limited-print", 1, "DN-1").await.expect(201)["available"], -1);
    // Whoever buys now still waits: what has come is sold.
    let waiting = guest.fill_cart(&[("limited-print", 2)]).await;
    assert_eq!(later(&waiting), [Some(2)]);
    assert_eq!(staff.receive("limited-print", 3, "DN-2").await.expect(201)["available"], 2);
    // More is there than was shown: that needs nobody's consent.
    let bought = confirmed(&guest, &waiting).await.expect(201)["order"].take();
    assert_eq!((later(&bought), world.left("limited-print").await), (vec![None], 0));
    guest.cancel(order).await.expect(200);
    assert_eq!(world.left("limited-print").await, 3);
    // A count says what is there, whatever was sold before.
    guest.buy(&[("limited-print", 5)]).await;
    assert_eq!(world.left("limited-print").await, -2);
}

#[tokio::test]
async fn variants_of_one_stock_share_what_may_be_sold_beyond_it() {
    let world = shop(0, 1).await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("pour-over-kit/white", 2), ("pour-over-kit/black", 3)]).await;
    assert_eq!(later(&session), [None, Some(2)], "what is there goes to the first line");
    let more = [("pour-over-kit/white", 4), ("pour-over-kit/black", 4)];
    let short = guest.initiate(&more).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!(short["problems"][0]["available"], 7);
    let session = guest.set_items(id_of(&session), &[("pour-over-kit/white", 4), ("pour-over-kit/black", 3)]).await;
    let session = session.expect(200);
    assert_eq!(later(&session), [Some(1), Some(3)]);
    confirmed(&guest, &session).await.expect(201);
    assert_eq!(world.left("pour-over-kit").await, -4);
}

#[tokio::test]
async fn more_that_comes_later_needs_the_customers_consent() {
    let world = shop(3, 4).await;
    let (ada, eve) = (world.guest(), world.guest());
    let session = ada.fill_cart(&[("limited-print", 3)]).await;
    assert_eq!(later(&session), [None]);
    eve.buy(&[("limited-print", 2)]).await;

    let problem = confirmed(&ada, &session).await.refused(409, "BACKORDER_CHANGED");
    assert_eq!(later(&problem["session"]), [Some(2)]);
    assert_eq!(later(&ada.session(id_of(&session)).await.expect(200)), [Some(2)]);
    assert_eq!(world.left("limited-print").await, 1);
    // Now it was shown.
    let order = confirmed(&ada, &session).await.expect(201)["order"].take();
    assert_eq!((later(&order), world.left("limited-print").await), (vec![Some(2)], -2));

    // The same when somebody takes it between the price and the purchase.
    let staff = world.staff();
    staff.receive("limited-print", 3, "DN-1").await.expect(201);
    let session = ada.fill_cart(&[("limited-print", 1)]).await;
    let gate = Gate::closed();
    let held = world.dynamodb.add(Rule::on("TransactWriteItems", Fault::Hold(gate.clone())).times(1));
    let confirming = tokio::spawn({
        let (ada, session) = (ada.clone(), session.clone());
        async move { confirmed(&ada, &session).await }
    });
    gate.arrived(1).await;
    assert_eq!(held.count(), 1);
    eve.buy(&[("limited-print", 1)]).await;
    gate.open();
    confirming.await.unwrap().refused(409, "BACKORDER_CHANGED");
    assert_eq!(world.left("limited-print").await, 0);
    let order = confirmed(&ada, &session).await.expect(201)["order"].take();
    assert_eq!((later(&order), world.left("limited-print").await), (vec![Some(1)], -1));
}

#[tokio::test]
async fn a_limit_that_is_lowered_or_taken_away_holds_at_once() {
    let world = shop(0, 4).await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("limited-print", 2)]).await;
    guest.buy(&[("limited-print", 2)]).await;
    change_catalog(&world, |catalog| on_backorder(catalog, 0, 3)).await;
    assert_eq!(world.left("limited-print").await, -2, "a load leaves what is counted alone");

    let short = confirmed(&guest, &session).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!(short["problems"][0]["available"], 1);
    change_catalog(&world, |_| ()).await;
    let told = guest.tax(id_of(&session)).await.expect(200);
    assert_eq!((problems(&told), &told["problems"][0]["available"]), (vec!["OUT_OF_STOCK"], &json!(0)));
    assert_eq!(later(&told), [None]);
    confirmed(&guest, &session).await.refused(409, "INSUFFICIENT_STOCK");
    // The last that the customer saw was that there is none.
    change_catalog(&world, |catalog| on_backorder(catalog, 0, 4)).await;
    let again = confirmed(&guest, &session).await.refused(409, "BACKORDER_CHANGED");
    assert_eq!(later(&again["session"]), [Some(2)]);
    confirmed(&guest, &session).await.expect(201);
    assert_eq!(world.left("limited-print").await, -4);
}

/// Sixteen want the last two and the three that may be sold beyond them, while others cancel and a delivery comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_at_once_never_gets_more_than_there_is_and_may_be() {
    let world = shop(2, 3).await;
    let staff = world.staff();
    for round in 0..6 {
        let start = world.left("limited-print").await;
        assert_eq!(start, 2, "round {round}");
        let guests: Vec<_> = (0..16).map(|_| world.guest()).collect();
        let mut carts = Vec::new();
        for guest in &guests {
            carts.push((guest.clone(), guest.fill_cart(&[("limited-print", 1)]).await));
        }
        let answers = at_once(16, |nth| {
            let (guest, session) = carts[nth].clone();
            async move {
                let mut answers = vec![confirmed(&guest, &session).await];
                // Whoever is told that it comes later says yes.
                if answers[0].code() == Some("BACKORDER_CHANGED") {
                    answers.push(confirmed(&guest, &session).await);
                }
                answers
            }
        })
        .await;
        let last: Vec<_> = answers.iter().map(|all| all.last().unwrap()).collect();
        let made: Vec<_> = last.iter().filter(|answer| answer.status() == 201).collect();
        assert_eq!(made.len(), 5, "round {round}: {last:#?}");
        for answer in last.iter().filter(|answer| answer.status() != 201) {
            assert_eq!((answer.status(), answer.code()), (409, Some("INSUFFICIENT_STOCK")), "{:#}", answer.body());
        }
        // An order says that it is there only of what was there.
        let waiting = made.iter().filter(|answer| later(&answer.body()["order"]) == [Some(1)]).count();
        assert_eq!((waiting, world.left("limited-print").await), (3, -3), "round {round}");

        // All of it goes back at once, with a delivery of one that a sale takes.
        let orders: Vec<_> = carts.iter().zip(&last).filter(|(_, answer)| answer.status() == 201).collect();
        let backs = at_once(6, |nth| {
            let back = orders.get(nth).map(|((guest, _), answer)| {
                (guest.clone(), answer.body()["order"]["orderId"].as_str().unwrap().to_owned())
            });
            let staff = staff.clone();
            async move {
                match back {
                    Some((guest, order)) => guest.cancel(&order).await.status(),
                    None => staff.receive("limited-print", 1, &format!("DN-{round}")).await.status(),
                }
            }
        })
        .await;
        assert_eq!(backs, [200, 200, 200, 200, 200, 201], "round {round}");
        world.guest().buy(&[("limited-print", 1)]).await;
    }
}

#[tokio::test]
async fn a_lost_answer_takes_nothing_twice_below_zero() {
    let mut catalog = sample_catalog();
    on_backorder(&mut catalog, 0, 9);
    let world = Setup::default().unlimited().cards().catalog(catalog).hasty_under_faults(800).build().await;
    let guest = world.guest();
    let mut left = 0;
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs] {
        let session = guest.fill_cart(&[("limited-print", 2)]).await;
        world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(3));
        let first = confirmed(&guest, &session).await;
        assert!([201, 503].contains(&first.status()), "{fault:?}: {:#}", first.body());
        world.dynamodb.clear_rules();
        let again = confirmed(&guest, &session).await;
        assert!([200, 201].contains(&again.status()), "{fault:?}: {:#}", again.body());
        left -= 2;
        assert_eq!(world.left("limited-print").await, left, "{fault:?}");
    }
}
