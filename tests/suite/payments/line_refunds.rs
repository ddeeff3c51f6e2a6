//! Refunds by line at the provider: cancelled units, returned units, and units that stay with the customer.

use serde_json::{Value, json};
use tests::{
    dynamo_faults::{Fault, Rule},
    race,
    world::{Setup, Shopper, World, id_of},
};
use uuid::Uuid;

use super::{VISA, order_id, pay, shop, state_of};

/// Three bags of beans and two white kits by express, with a fifth off.
async fn bought(guest: &Shopper) -> Value {
    let session = guest.fill_cart(&[("espresso-beans", 3), ("pour-over-kit/white", 2)]).await;
    guest.choose_shipping(id_of(&session), "us-express").await.expect(200);
    let session = guest.apply_coupon(id_of(&session), "SAVE20").await.expect(200);
    pay(guest, &session, VISA).await.expect(201)["order"].take()
}

async fn stock(world: &World) -> (u64, u64) {
    (world.stock("espresso-beans").await, world.stock("pour-over-kit/white").await)
}

async fn back(world: &World, order: &str) -> i64 {
    world.stripe().totals().await[order].refunded
}

/// What the first units of a line are worth: without shipping, and their share of it.
fn worth(order: &Value, line: usize, units: i64) -> (i64, i64) {
    let of = |name: &str| order["items"][line][name].as_i64().unwrap();
    let (n, shipping) = (of("quantity"), of("shippingAmount"));
    ((of("totalAmount") - shipping) * units / n, shipping * units / n)
}

#[tokio::test]
async fn units_are_refunded_with_their_share_to_the_cent_and_are_in_stock_again() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let (id, total) = (order_id(&order), order["summary"]["totalAmount"].as_i64().unwrap());
    let first = Uuid::new_v4();
    let restock = json!({"restock": true, "reason": "sold out"});

    let one = staff.refund_lines(id, first, &[[0, 1]], restock.clone()).await.expect(200)["order"].take();
    let (goods, _) = worth(&order, 0, 1);
    let refund = &one["payment"]["refunds"][0];
    assert_eq!((&refund["amount"], &refund["items"][0]["amount"]), (&json!(goods), &json!(goods)));
    assert_eq!((refund["items"][0]["shipped"].clone(), refund["restock"].clone()), (json!(0), json!(true)));
    assert_eq!(state_of(&one), ("confirmed", "partially_refunded"));
    assert_eq!((back(&world, id).await, stock(&world).await), (goods, (before.0 - 2, before.1 - 2)));
    assert_eq!(staff.refund_lines(id, first, &[[0, 1]], restock).await.expect(200)["order"], one, "the same refund");
    for (items, more) in [([[0, 2]], json!({"restock": true})), ([[0, 1]], json!({}))] {
        staff.refund_lines(id, first, &items, more).await.refused(422, "REFUND_ID_REUSED");
    }
    assert_eq!((back(&world, id).await, stock(&world).await), (goods, (before.0 - 2, before.1 - 2)));

    // It can't be shipped any more; what was shipped can be refunded, and stays with the customer.
    staff.fulfill(id, Uuid::new_v4(), &[[0, 3]]).await.refused(409, "LINE_QUANTITY_EXCEEDED");
    staff.set_status(id, "shipped").await.expect(200);
    let body = json!({"shipping": true});
    let torn = staff.refund_lines(id, Uuid::new_v4(), &[[1, 1]], body).await.expect(200)["order"].take();
    let (kit, shipping) = worth(&order, 1, 1);
    let refund = &torn["payment"]["refunds"][1];
    assert_eq!(
        (&refund["amount"], &refund["items"][0]["shipping"]["amount"]),
        (&json!(kit + shipping), &json!(shipping))
    );
    assert_eq!((torn["items"][1]["refundedQuantity"].clone(), torn["status"].clone()), (json!(1), json!("shipped")));
    assert_eq!(stock(&world).await, (before.0 - 2, before.1 - 2));
    staff.refund_lines(id, Uuid::new_v4(), &[[1, 2]], json!({})).await.refused(409, "LINE_QUANTITY_EXCEEDED");

    // All of the rest, in any parts, is exactly what was paid.
    staff.refund_lines(id, Uuid::new_v4(), &[[0, 2]], json!({})).await.expect(200);
    staff.refund_lines(id, Uuid::new_v4(), &[[1, 1]], json!({})).await.expect(200);
    let all = staff.refund_lines(id, Uuid::new_v4(), &[], json!({"shipping": true})).await.expect(200)["order"].take();
    assert_eq!((back(&world, id).await, all["paymentStatus"].clone()), (total, json!("refunded")));
    staff.refund_lines(id, Uuid::new_v4(), &[], json!({"shipping": true})).await.refused(409, "NOTHING_TO_REFUND");
    guest.refund_lines(id, Uuid::new_v4(), &[[0, 1]], json!({})).await.expect(401);
    let cash = world.guest().buy(&[("espresso-beans", 1)]).await;
    let cash = staff.refund_lines(order_id(&cash), Uuid::new_v4(), &[[0, 1]], json!({})).await;
    cash.refused(409, "NOT_PAID_BY_CARD");
}

#[tokio::test]
async fn an_order_whose_last_unit_is_refunded_is_cancelled_and_nothing_is_kept() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let (id, total) = (order_id(&order), order["summary"]["totalAmount"].as_i64().unwrap());
    staff.refund_lines(id, Uuid::new_v4(), &[[0, 3]], json!({"restock": true})).await.expect(200);

    let last = staff.refund_lines(id, Uuid::new_v4(), &[[1, 2]], json!({"restock": true})).await.expect(200);

    assert_eq!(state_of(&last["order"]), ("cancelled", "refunded"));
    assert_eq!((back(&world, id).await, stock(&world).await), (total, before), "shipping too");
}

#[tokio::test]
async fn a_customer_cancels_units_and_their_money_comes_back() {
    let world = shop().await;
    let guest = world.guest();
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let (id, own) = (order_id(&order), Uuid::new_v4());

    let less = guest.cancel_lines(id, own, &[[1, 2]]).await.expect(200)["order"].take();

    let (kits, _) = worth(&order, 1, 2);
    assert_eq!((state_of(&less), back(&world, id).await), (("confirmed", "partially_refunded"), kits));
    assert_eq!(less["cancellations"][0]["refundId"], json!(own));
    assert_eq!(stock(&world).await, (before.0 - 3, before.1));
    assert_eq!(guest.cancel_lines(id, own, &[[1, 2]]).await.expect(200)["order"], less);
    let gone = guest.cancel(id).await.expect(200)["order"].take();
    assert_eq!(state_of(&gone), ("cancelled", "refunded"));
    assert_eq!((back(&world, id).await, stock(&world).await), (total(&order), before));
}

fn total(order: &Value) -> i64 {
    order["summary"]["totalAmount"].as_i64().unwrap()
}

#[tokio::test]
async fn returned_units_are_refunded_on_receipt_once_and_never_twice() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let (id, own) = (order_id(&order), Uuid::new_v4());
    staff.set_status(id, "shipped").await.expect(200);
    guest.ask_return(id, own, &[[0, 2]]).await.expect(201);
    staff.decide_return(id, own, &json!({"status": "approved"})).await.expect(200);
    assert_eq!(back(&world, id).await, 0, "not before it is here");
    let received = json!({"status": "received", "shipping": true});

    // The provider is away: the goods are here, and the money follows.
    world.stripe().proxy.down().await;
    let late = staff.decide_return(id, own, &received).await.expect(202)["order"].take();
    assert_eq!((state_of(&late), back(&world, id).await), (("shipped", "paid"), 0));
    world.stripe().proxy.up().await;
    let here = staff.decide_return(id, own, &received).await.expect(200)["order"].take();
    let (goods, shipping) = worth(&order, 0, 2);
    assert_eq!((state_of(&here), back(&world, id).await), (("shipped", "partially_refunded"), goods + shipping));
    assert_eq!(here["returns"][0]["refundId"], json!(own));
    assert_eq!(
        (staff.decide_return(id, own, &received).await.expect(200)["order"].take(), goods + shipping),
        (here, back(&world, id).await)
    );
    assert_eq!(stock(&world).await, (before.0 - 1, before.1 - 2));

    // A unit that was refunded while the customer had it comes back: its money doesn't go back again.
    staff.refund_lines(id, Uuid::new_v4(), &[[1, 1]], json!({})).await.expect(200);
    let kits = Uuid::new_v4();
    staff.ask_return(id, kits, &[[0, 1], [1, 2]]).await.expect(201);
    let all = staff.decide_return(id, kits, &received).await.expect(200)["order"].take();
    assert_eq!(all["status"], "returned");
    assert_eq!(stock(&world).await, before);
    let shipping_left = worth(&order, 1, 2).1 - worth(&order, 1, 1).1;
    let kept = total(&order) - back(&world, id).await;
    assert!((0..=shipping_left.max(1) + 1).contains(&kept), "only one kit's share of shipping is kept: {kept}");
}

#[tokio::test]
async fn with_manual_capture_units_that_were_cancelled_before_go_back_after_it() {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let id = order_id(&order);
    let less = guest.cancel_lines(id, Uuid::new_v4(), &[[1, 1]]).await.expect(200)["order"].take();
    let (kit, _) = worth(&order, 1, 1);
    assert_eq!((&less["amountDue"], state_of(&less)), (&json!(total(&order) - kit), ("confirmed", "authorized")));

    let captured = staff.capture(id).await.expect(200)["order"].take();

    let totals = world.stripe().totals().await[id];
    assert_eq!(totals.captured - totals.refunded, total(&order) - kit);
    assert_eq!(
        captured["payment"]["capturedAmount"].as_i64().unwrap()
            - captured["payment"]["refundedAmount"].as_i64().unwrap(),
        total(&order) - kit
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refunds_of_one_unit_at_once_each_unit_is_refunded_once() {
    let world = shop().await;
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();
    let (guest, staff) = (world.guest(), world.staff());
    let session = guest.fill_cart(&[("espresso-beans", 4)]).await;
    let order = pay(&guest, &session, VISA).await.expect(201)["order"].take();
    let (id, before) = (order_id(&order), world.stock("espresso-beans").await);
    staff.set_status(id, "shipped").await.expect(200);

    let answers = race::at_once(8, |racer| {
        let (staff, id) = (staff.clone().served_by(&containers[racer % 3]), id.to_owned());
        async move { staff.refund_lines(&id, Uuid::new_v4(), &[[0, 1]], json!({"restock": true})).await.status() }
    })
    .await;

    assert_eq!(answers.iter().filter(|status| matches!(status, 200 | 202)).count(), 4, "{answers:?}");
    super::reconcile::until_settled(&world).await;
    let (goods, _) = worth(&order, 0, 4);
    assert_eq!((back(&world, id).await, world.stock("espresso-beans").await), (goods, before + 4));
}

/// Everybody's answer is lost once: whoever asks again gets what they would have got.
#[tokio::test]
async fn no_answer_is_needed_twice() {
    let world = shop().await;
    for act in ["refund", "cancel", "receive"] {
        for nth in 0.. {
            let (guest, staff) = (world.guest(), world.staff());
            let before = stock(&world).await;
            let order = bought(&guest).await;
            let (id, own) = (order_id(&order).to_owned(), Uuid::new_v4());
            if act == "receive" {
                staff.set_status(&id, "shipped").await.expect(200);
                guest.ask_return(&id, own, &[[0, 1]]).await.expect(201);
            }
            let ask = async || match act {
                "refund" => staff.refund_lines(&id, own, &[[0, 1]], json!({"restock": true})).await,
                "cancel" => guest.cancel_lines(&id, own, &[[0, 1]]).await,
                _ => staff.decide_return(&id, own, &json!({"status": "received"})).await,
            };
            let hits = world.dynamodb.add(Rule::on("*", Fault::AnswerLost).skip(nth).times(1));
            let status = ask().await.status();
            let lost = hits.count();
            world.dynamodb.clear_rules();
            assert!(matches!(status, 200 | 202), "{act}: {status} for want of answer {nth}");
            ask().await.expect(200);
            let (goods, _) = worth(&order, 0, 1);
            assert_eq!(
                (back(&world, &id).await, stock(&world).await),
                (goods, (before.0 - 2, before.1 - 2)),
                "{act}, {nth}"
            );
            if lost == 0 {
                assert!(nth >= 2, "{act} asks the database {nth} times only");
                break;
            }
        }
    }
}
