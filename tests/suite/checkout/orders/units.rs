//! Units of lines: shipped in parcels, cancelled alone, and returned; with cash on delivery.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    race,
    world::{Setup, Shopper, World, for_staff, id_of},
};
use uuid::Uuid;

use super::{order_id, statuses};

async fn shop() -> Arc<World> {
    Setup::default().unlimited().build().await
}

/// Three bags of beans and two white kits.
async fn bought(guest: &Shopper) -> Value {
    guest.buy(&[("espresso-beans", 3), ("pour-over-kit/white", 2)]).await
}

async fn stock(world: &World) -> (u64, u64) {
    (world.stock("espresso-beans").await, world.stock("pour-over-kit/white").await)
}

fn quantities(order: &Value, name: &str) -> Vec<u64> {
    order["items"].as_array().unwrap().iter().map(|item| item[name].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_order_leaves_in_parcels_and_its_status_follows() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let id = order_id(&order);
    let first = Uuid::new_v4();

    let partial = staff.fulfill(id, first, &[[0, 2]]).await.expect(201)["order"].take();
    assert_eq!(
        (&partial["status"], quantities(&partial, "shippedQuantity")),
        (&json!("partially_shipped"), vec![2, 0])
    );
    assert_eq!(staff.fulfill(id, first, &[[0, 2]]).await.expect(200)["order"], partial, "the same parcel");
    staff.fulfill(id, first, &[[0, 1]]).await.refused(422, "ID_REUSED");
    let problem = staff.fulfill(id, Uuid::new_v4(), &[[0, 2]]).await.refused(409, "LINE_QUANTITY_EXCEEDED");
    assert_eq!((&problem["line"], &problem["left"]), (&json!(0), &json!(1)));
    staff.fulfill(id, Uuid::new_v4(), &[[2, 1]]).await.refused(422, "LINE_NOT_FOUND");
    guest.fulfill(id, Uuid::new_v4(), &[[0, 1]]).await.expect(401);
    staff.set_status(id, "partially_shipped").await.expect(200);
    staff.set_status(id, "delivered").await.refused(409, "ILLEGAL_STATUS_CHANGE");

    let more = staff.fulfill(id, Uuid::new_v4(), &[[1, 1]]).await.expect(201)["order"].take();
    assert_eq!(more["status"], "partially_shipped");
    let rest = staff.set_status(id, "shipped").await.expect(200)["order"].take();
    assert_eq!((&rest["status"], quantities(&rest, "shippedQuantity")), (&json!("shipped"), vec![3, 2]));
    let parcels = rest["fulfillments"].as_array().unwrap();
    assert_eq!(parcels.len(), 3);
    assert_eq!(parcels[2]["items"], json!([{"line": 0, "quantity": 1}, {"line": 1, "quantity": 1}]));
    assert_eq!(statuses(&rest), ["confirmed", "partially_shipped", "shipped"]);
    staff.fulfill(id, Uuid::new_v4(), &[[0, 1]]).await.refused(409, "LINE_QUANTITY_EXCEEDED");
    assert_eq!(for_staff(&guest.order(id).await.expect(200)["order"]), rest);
    assert!(!rest.to_string().contains("grace"), "which of the staff it was is not the customer's business");
}

#[tokio::test]
async fn units_that_have_not_left_are_cancelled_alone_and_cost_nothing_at_the_door() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let (id, total) = (order_id(&order), order["summary"]["totalAmount"].as_u64().unwrap());
    assert_eq!(order["amountDue"], total);
    let own = Uuid::new_v4();

    let less = guest.cancel_lines(id, own, &[[0, 1]]).await.expect(200)["order"].take();
    assert_eq!((&less["status"], quantities(&less, "cancelledQuantity")), (&json!("confirmed"), vec![1, 0]));
    // A third of three bags with their tax; the parcel costs what it cost.
    let credit = &less["cancellations"][0]["credits"][0];
    let bags = &order["items"][0];
    let worth = |name: &str| bags[name].as_u64().unwrap();
    let third = (worth("totalAmount") - worth("shippingAmount")) / 3;
    assert_eq!((&credit["amount"], &less["amountDue"]), (&json!(third), &json!(total - third)));
    assert_eq!(less["summary"], order["summary"], "what was bought stays as it was");
    assert_eq!(stock(&world).await, (before.0 - 2, before.1 - 2));
    assert_eq!(guest.cancel_lines(id, own, &[[0, 1]]).await.expect(200)["order"], less, "the same cancellation");
    guest.cancel_lines(id, own, &[[0, 2]]).await.refused(422, "ID_REUSED");
    world.guest().cancel_lines(id, Uuid::new_v4(), &[[0, 1]]).await.refused(404, "ORDER_NOT_FOUND");
    assert_eq!(stock(&world).await, (before.0 - 2, before.1 - 2));

    // One leaves: then only staff may cancel others, and nobody that one.
    staff.fulfill(id, Uuid::new_v4(), &[[1, 1]]).await.expect(201);
    guest.cancel_lines(id, Uuid::new_v4(), &[[0, 1]]).await.refused(409, "ORDER_NOT_CANCELLABLE");
    assert_eq!(guest.cancel_lines(id, own, &[[0, 1]]).await.expect(200)["order"]["status"], "partially_shipped");
    guest.cancel(id).await.refused(409, "ORDER_NOT_CANCELLABLE");
    staff.cancel(id).await.refused(409, "ILLEGAL_STATUS_CHANGE");
    staff.cancel_lines(id, Uuid::new_v4(), &[[1, 2]]).await.refused(409, "LINE_QUANTITY_EXCEEDED");
    let rest = staff.cancel_lines(id, Uuid::new_v4(), &[[0, 2], [1, 1]]).await.expect(200)["order"].take();
    assert_eq!(rest["status"], "shipped", "all that stands has left");
    assert_eq!(stock(&world).await, (before.0, before.1 - 1));
    let kit = &order["items"][1];
    let of_kit = |name: &str| kit[name].as_u64().unwrap();
    let kits = of_kit("totalAmount") - of_kit("shippingAmount");
    let shipping = order["summary"]["shippingAmount"].as_u64().unwrap();
    assert_eq!(rest["amountDue"], kits - kits / 2 + shipping, "one kit, and the parcel");
    let delivered = staff.set_status(id, "delivered").await.expect(200)["order"].take();
    assert_eq!((&delivered["paymentStatus"], &delivered["amountDue"]), (&json!("paid"), &json!(0)));
    world.assert_open_orders_add_up().await;
}

#[tokio::test]
async fn an_order_whose_last_unit_is_cancelled_is_cancelled_with_its_coupon() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let before = stock(&world).await;
    let session = guest.fill_cart(&[("espresso-beans", 3)]).await;
    let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
    let total = session["summary"]["totalAmount"].as_i64().unwrap();
    let order = guest.confirm(id_of(&session), total).await.expect(201)["order"].take();
    let id = order_id(&order);

    guest.cancel_lines(id, Uuid::new_v4(), &[[0, 1]]).await.expect(200);
    assert_eq!(world.coupon_uses("ONCE").await, 1, "a part keeps the coupon");
    staff.set_status(id, "processing").await.expect(200);
    let gone = staff.cancel_lines(id, Uuid::new_v4(), &[[0, 2]]).await.expect(200)["order"].take();

    assert_eq!((&gone["status"], &gone["paymentStatus"]), (&json!("cancelled"), &json!("cancelled")));
    assert_eq!((stock(&world).await, world.coupon_uses("ONCE").await), (before, 0));
    assert_eq!(guest.cancel(id).await.expect(200)["order"]["status"], "cancelled");
    assert_eq!(stock(&world).await, before, "each unit once");
    world.assert_open_orders_add_up().await;
}

#[tokio::test]
async fn a_cancellation_after_cancelled_units_gives_back_only_the_rest() {
    let world = shop().await;
    let guest = world.guest();
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let id = order_id(&order);
    guest.cancel_lines(id, Uuid::new_v4(), &[[0, 2], [1, 1]]).await.expect(200);
    assert_eq!(stock(&world).await, (before.0 - 1, before.1 - 1));

    let cancelled = guest.cancel(id).await.expect(200)["order"].take();

    assert_eq!(stock(&world).await, before);
    assert_eq!(quantities(&cancelled, "cancelledQuantity"), [3, 2]);
    assert_eq!(cancelled["amountDue"], 0);
}

#[tokio::test]
async fn a_return_is_asked_for_decided_and_received_once() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let before = stock(&world).await;
    let order = bought(&guest).await;
    let id = order_id(&order);
    let own = Uuid::new_v4();
    guest.ask_return(id, own, &[[0, 1]]).await.refused(409, "LINE_QUANTITY_EXCEEDED");
    staff.set_status(id, "shipped").await.expect(200);
    staff.set_status(id, "delivered").await.expect(200);

    let asked = guest.ask_return(id, own, &[[0, 2]]).await.expect(201)["order"].take();
    let shown = &asked["returns"][0];
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("requested"), &json!("too small")));
    assert_eq!(guest.ask_return(id, own, &[[0, 2]]).await.expect(200)["order"], asked);
    guest.ask_return(id, own, &[[1, 2]]).await.refused(422, "ID_REUSED");
    // Those are on their way: only one is left to be asked for.
    let problem = guest.ask_return(id, Uuid::new_v4(), &[[0, 2]]).await.refused(409, "LINE_QUANTITY_EXCEEDED");
    assert_eq!(problem["left"], 1);
    world.guest().ask_return(id, Uuid::new_v4(), &[[0, 1]]).await.refused(404, "ORDER_NOT_FOUND");
    guest.decide_return(id, own, &json!({"status": "approved"})).await.expect(401);
    staff.decide_return(id, Uuid::new_v4(), &json!({"status": "approved"})).await.refused(404, "RETURN_NOT_FOUND");

    let note = json!({"status": "approved", "note": "Please use the label."});
    let approved = staff.decide_return(id, own, &note).await.expect(200)["order"].take();
    assert_eq!(approved["returns"][0]["history"][1]["note"], "Please use the label.");
    assert_eq!(staff.decide_return(id, own, &note).await.expect(200)["order"], approved);
    let received = staff.decide_return(id, own, &json!({"status": "received"})).await.expect(200)["order"].take();
    assert_eq!((&received["status"], quantities(&received, "returnedQuantity")), (&json!("delivered"), vec![2, 0]));
    assert_eq!(stock(&world).await, (before.0 - 1, before.1 - 2));
    let again = staff.decide_return(id, own, &json!({"status": "received"})).await.expect(200)["order"].take();
    assert_eq!(again, received);
    let problem = staff.decide_return(id, own, &json!({"status": "refused"})).await;
    assert_eq!(problem.refused(409, "ILLEGAL_RETURN_CHANGE")["allowed"], json!([]));
    assert_eq!(stock(&world).await, (before.0 - 1, before.1 - 2));

    // A refused one leaves its units to be asked for again; one of staff is approved at once.
    let other = Uuid::new_v4();
    guest.ask_return(id, other, &[[0, 1]]).await.expect(201);
    staff.decide_return(id, other, &json!({"status": "refused"})).await.expect(200);
    let by_staff = Uuid::new_v4();
    let asked = staff.ask_return(id, by_staff, &[[0, 1], [1, 2]]).await.expect(201)["order"].take();
    assert_eq!(asked["returns"][2]["status"], "approved");
    let torn = json!({"status": "received", "restock": false});
    let all = staff.decide_return(id, by_staff, &torn).await.expect(200)["order"].take();
    assert_eq!((&all["status"], stock(&world).await), (&json!("returned"), (before.0 - 1, before.1 - 2)));
    assert_eq!(quantities(&all, "returnedQuantity"), [3, 2]);
}

#[tokio::test]
async fn what_is_refused_at_the_door_is_not_paid() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let (id, total) = (order_id(&order), order["summary"]["totalAmount"].as_u64().unwrap());
    staff.set_status(id, "shipped").await.expect(200);
    let own = Uuid::new_v4();
    staff.ask_return(id, own, &[[1, 2]]).await.expect(201);

    let received = staff.decide_return(id, own, &json!({"status": "received", "shipping": true})).await.expect(200);

    let kits = order["items"][1]["totalAmount"].as_u64().unwrap();
    assert_eq!(received["order"]["amountDue"], total - kits, "with their share of shipping");
    assert_eq!(received["order"]["paymentStatus"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_just_as_many_units_leave_or_are_cancelled_as_there_are() {
    let world = shop().await;
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();
    for round in 0..10 {
        let guest = world.guest();
        let (staff, before) = (world.staff(), world.stock("espresso-beans").await);
        let order = guest.buy(&[("espresso-beans", 4)]).await;
        let id = order_id(&order);

        let answers = race::at_once(8, |racer| {
            let (staff, id) = (staff.clone().served_by(&containers[racer % 3]), id.to_owned());
            async move {
                let own = Uuid::new_v4();
                match racer % 2 {
                    0 => staff.fulfill(&id, own, &[[0, 1]]).await,
                    _ => staff.cancel_lines(&id, own, &[[0, 1]]).await,
                }
            }
        })
        .await;

        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() < 300);
        assert_eq!(done.len(), 4, "round {round}: {answers:#?}");
        assert!(refused.iter().all(|answer| answer.status() == 409), "round {round}: {refused:#?}");
        let order = guest.order(id).await.expect(200)["order"].take();
        let [shipped, cancelled] = ["shippedQuantity", "cancelledQuantity"].map(|name| quantities(&order, name)[0]);
        assert_eq!(shipped + cancelled, 4);
        assert_eq!(world.stock("espresso-beans").await, before - shipped, "round {round}");
        let status = if shipped > 0 { "shipped" } else { "cancelled" };
        assert_eq!(order["status"], status, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_once_is_done_once() {
    let world = shop().await;
    let containers: Vec<_> = (0..3).map(|_| world.container()).collect();
    for _ in 0..5 {
        let (guest, staff) = (world.guest(), world.staff());
        let before = world.stock("espresso-beans").await;
        let order = guest.buy(&[("espresso-beans", 3)]).await;
        let (id, parcel, of, cancellation) = (order_id(&order), Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        let all = async |step: usize| {
            let answers = race::at_once(6, |racer| {
                let (staff, id) = (staff.clone().served_by(&containers[racer % 3]), id.to_owned());
                async move {
                    match step {
                        0 => staff.cancel_lines(&id, cancellation, &[[0, 1]]).await,
                        1 => staff.fulfill(&id, parcel, &[[0, 2]]).await,
                        2 => staff.ask_return(&id, of, &[[0, 2]]).await,
                        _ => staff.decide_return(&id, of, &json!({"status": "received"})).await,
                    }
                }
            })
            .await;
            assert!(answers.iter().all(|answer| answer.status() < 300), "{answers:#?}");
            answers.iter().filter(|answer| answer.status() == 201).count()
        };
        assert_eq!([all(0).await, all(1).await, all(2).await, all(3).await], [0, 1, 1, 0]);
        assert_eq!(world.stock("espresso-beans").await, before);
        let order = guest.order(id).await.expect(200)["order"].take();
        assert_eq!((&order["status"], &order["version"]), (&json!("returned"), &json!(5)));
    }
}
