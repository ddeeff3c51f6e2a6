//! Orders that take stock and that nobody has paid: a caller and a source address may have so many at once, whatever
//! meets, dies or is lost.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    race,
    world::{Answer, Setup, Shopper, World, id_of, total_of},
};

const OPEN: &str = "TOO_MANY_OPEN_ORDERS";

async fn shop(caller: &str, address: &str) -> Arc<World> {
    let setup = Setup::default().unlimited().setting("OPEN_ORDERS_CALLER", caller);
    setup.setting("OPEN_ORDERS_ADDRESS", address).build().await
}

async fn confirm(shopper: &Shopper, session: &Value) -> Answer {
    shopper.confirm(id_of(session), total_of(session)).await
}

/// One more order of this many bags.
async fn one_more(shopper: &Shopper, bags: u32) -> Answer {
    confirm(shopper, &shopper.fill_cart(&[("espresso-beans", bags)]).await).await
}

fn order_id(answer: &Value) -> String {
    answer["order"]["orderId"].as_str().unwrap_or_else(|| panic!("no order: {answer:#}")).to_owned()
}

/// How many were placed; each other was refused for too many open orders.
fn placed(answers: &[Answer]) -> usize {
    let (placed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 201);
    for answer in refused {
        assert_eq!((answer.status(), &answer.body()["code"]), (409, &json!(OPEN)), "{:#}", answer.body());
    }
    placed.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_orders_of_one_caller_at_once_just_the_most_are_placed() {
    let world = shop("3/100", "9999/999999").await;
    for round in 0..5 {
        let guest = world.guest();
        let mut sessions = Vec::new();
        for _ in 0..10 {
            sessions.push(guest.fill_cart(&[("espresso-beans", 2)]).await);
        }
        let containers: Vec<_> = (0..4).map(|_| world.container()).collect();

        let answers = race::at_once(10, |racer| {
            // A guest's limits are by address: that the caller moves about doesn't help.
            let address = format!("203.0.113.{racer}");
            let guest = guest.clone().served_by(&containers[racer % 4]).from_address(&address);
            let session = sessions[racer].clone();
            async move { confirm(&guest, &session).await }
        })
        .await;

        assert_eq!(placed(&answers), 3, "round {round}");
        assert_eq!(world.stock("espresso-beans").await, 100_000 - 6 * (round + 1), "what was refused took nothing");
        world.assert_open_orders_add_up().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_guests_at_one_address_at_once_just_the_most_have_an_order() {
    let world = shop("9999/999999", "4/100").await;
    for round in 0..5 {
        let address = format!("198.51.100.{round}");
        let mut racers = Vec::new();
        for _ in 0..10 {
            let guest = world.guest().from_address(&address);
            let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
            racers.push((guest, session));
        }

        let answers = race::at_once(10, |racer| {
            let (guest, session) = racers[racer].clone();
            async move { confirm(&guest, &session).await }
        })
        .await;

        assert_eq!(placed(&answers), 4, "round {round}");
        world.assert_open_orders_add_up().await;
    }
    // One IPv6 customer has a whole /64.
    for last in 1..=4 {
        let guest = world.guest().from_address(&format!("2001:db8:1:2::{last}"));
        one_more(&guest, 1).await.expect(201);
    }
    one_more(&world.guest().from_address("2001:db8:1:2:ffff::1"), 1).await.refused(409, OPEN);
    one_more(&world.guest().from_address("2001:db8:1:3::1"), 1).await.expect(201);
}

#[tokio::test]
async fn units_are_counted_over_all_open_orders() {
    let world = shop("100/10", "100/12").await;
    let guest = world.guest().from_address("198.51.100.7");
    one_more(&guest, 11).await.refused(409, OPEN);
    for _ in 0..3 {
        one_more(&guest, 3).await.expect(201);
    }
    let problem = one_more(&guest, 2).await.refused(409, OPEN);
    assert!(problem["detail"].as_str().unwrap().contains("10 units"), "{problem:#}");
    one_more(&guest, 1).await.expect(201);
    one_more(&guest, 1).await.refused(409, OPEN);
    // Of the address's twelve, two are left.
    let other = world.guest().from_address("198.51.100.7");
    one_more(&other, 3).await.refused(409, OPEN);
    one_more(&other, 2).await.expect(201);
    world.assert_open_orders_add_up().await;
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 12);
}

#[tokio::test]
async fn one_request_can_not_take_a_shop_by_default() {
    let world = World::new().await;
    let guest = world.guest();
    one_more(&guest, 999).await.refused(422, "CASH_ON_DELIVERY_TOTAL_TOO_LARGE");
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

/// However an order ends, its place is free again, and once.
#[tokio::test]
async fn a_place_is_given_back_when_an_order_is_cancelled_delivered_or_comes_back() {
    let world = shop("1/100", "1/100").await;
    let staff = world.staff();
    for way in [
        &["cancelled"][..],
        &["processing", "cancelled"],
        &["processing", "shipped", "delivered"],
        &["processing", "shipped", "returned"],
        &["processing", "shipped", "delivered", "returned"],
        &["processing", "shipped", "delivered", "refunded"],
    ] {
        let guest = world.guest();
        let order = order_id(&one_more(&guest, 2).await.expect(201));
        one_more(&guest, 1).await.refused(409, OPEN);
        for status in way {
            staff.set_status(&order, status).await.expect(200);
            world.assert_open_orders_add_up().await;
        }
        assert_eq!(world.open_orders().await.len(), 0, "{way:?}");
        let next = order_id(&one_more(&guest, 1).await.expect(201));
        guest.cancel(&next).await.expect(200);
        guest.cancel(&next).await.expect(200);
        assert_eq!(world.open_orders().await.len(), 0, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_end_an_order_at_once_one_gives_its_place_back() {
    let world = shop("2/100", "2/100").await;
    for _ in 0..5 {
        let guest = world.guest();
        let order = order_id(&one_more(&guest, 2).await.expect(201));
        let kept = order_id(&one_more(&guest, 3).await.expect(201));
        let containers: Vec<_> = (0..4).map(|_| world.container()).collect();
        race::at_once(12, |racer| {
            let shopper = if racer % 3 == 0 { world.staff() } else { guest.clone() };
            let shopper = shopper.served_by(&containers[racer % 4]);
            let order = order.clone();
            async move {
                let answer = if racer % 3 == 0 {
                    shopper.set_status(&order, "cancelled").await
                } else {
                    shopper.cancel(&order).await
                };
                answer.expect(200)
            }
        })
        .await;
        let (owner, open) = (format!("guest#{}", guest.guest_id()), world.open_orders().await);
        assert_eq!(open[&owner], (1, 3));
        world.assert_open_orders_add_up().await;
        guest.cancel(&kept).await.expect(200);
        assert_eq!(world.open_orders().await.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_that_is_confirmed_many_times_at_once_is_one_open_order() {
    let world = shop("1/100", "1/100").await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let answers = race::at_once(12, |_| {
        let (guest, session) = (guest.clone(), session.clone());
        async move { confirm(&guest, &session).await }
    })
    .await;
    let orders: Vec<_> = answers.iter().map(|answer| order_id(answer.body())).collect();
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    world.assert_open_orders_add_up().await;
}

/// A write whose answer is lost has one effect on the counters.
#[tokio::test]
async fn lost_answers_count_once() {
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs] {
        let setup = Setup::default().unlimited().hasty_under_faults(1000);
        let world = setup.setting("OPEN_ORDERS_CALLER", "2/100").build().await;
        let guest = world.guest();
        let lost = || world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(1));
        let hits = lost();
        let order = order_id(&one_more(&guest, 2).await.expect(201));
        assert_eq!(hits.count(), 1, "{fault:?}");
        world.assert_open_orders_add_up().await;
        let hits = lost();
        guest.cancel(&order).await.expect(200);
        assert_eq!((hits.count(), world.open_orders().await.len()), (1, 0), "{fault:?}");
        let order = order_id(&one_more(&guest, 2).await.expect(201));
        let staff = world.staff();
        staff.set_status(&order, "processing").await.expect(200);
        staff.set_status(&order, "shipped").await.expect(200);
        let hits = lost();
        staff.set_status(&order, "delivered").await.expect(200);
        assert_eq!((hits.count(), world.open_orders().await.len()), (1, 0), "{fault:?}");
        world.assert_open_orders_add_up().await;
    }
}

#[tokio::test]
async fn a_claim_moves_open_orders_along_and_asks_no_limit() {
    let world = shop("3/100", "100/100").await;
    let (guest, ada) = (world.guest(), world.user("ada"));
    for shopper in [&guest, &ada] {
        one_more(shopper, 2).await.expect(201);
        one_more(shopper, 3).await.expect(201);
    }
    let claim = json!({"guestId": guest.guest_id()});
    for _ in 0..2 {
        ada.post(Route::Claim, &claim).await.expect(200);
        assert_eq!(world.open_orders().await["user#ada"], (4, 10));
        world.assert_open_orders_add_up().await;
    }
    one_more(&ada, 1).await.refused(409, OPEN);
    let orders = ada.orders().await.expect(200);
    for order in orders["orders"].as_array().unwrap() {
        ada.cancel(order["orderId"].as_str().unwrap()).await.expect(200);
        world.assert_open_orders_add_up().await;
    }
    assert_eq!(world.open_orders().await.len(), 0);
    one_more(&ada, 1).await.expect(201);
}

#[tokio::test]
async fn a_trusted_address_is_not_counted_and_its_callers_are() {
    let setup = Setup::default().unlimited().setting("RATE_LIMIT_TRUSTED_CIDRS", "192.0.2.0/24");
    let setup = setup.setting("OPEN_ORDERS_CALLER", "2/100").setting("OPEN_ORDERS_ADDRESS", "1/1");
    let world = setup.build().await;
    for _ in 0..3 {
        let guest = world.guest().from_address("192.0.2.1");
        one_more(&guest, 2).await.expect(201);
        one_more(&guest, 2).await.expect(201);
        one_more(&guest, 2).await.refused(409, OPEN);
    }
    world.assert_open_orders_add_up().await;
    assert!(world.open_orders().await.keys().all(|name| !name.starts_with("address#")));
}

/// Nobody can read where a customer lives on the net out of an order or a counter.
#[tokio::test]
async fn an_address_is_kept_too_short_to_lead_back_to_it() {
    let world = World::new().await;
    let guest = world.guest().from_address("198.51.100.77");
    let order = one_more(&guest, 1).await.expect(201);
    assert!(!order.to_string().contains("addressKey"), "{order:#}");
    let everything = format!("{:?}{:?}", world.stored_orders().await, world.all("INVENTORY_TABLE").await);
    assert!(!everything.contains("198.51"), "{everything}");
    let stored = world.stored_orders().await.remove(0);
    let key = stored["open"].as_m().unwrap()["addressKey"].as_s().unwrap();
    assert_eq!(key.len(), 6, "24 bits: {key}");
    // Another stack keeps the same address under another key.
    let other = World::new().await;
    one_more(&other.guest().from_address("198.51.100.77"), 1).await.expect(201);
    assert_ne!(other.stored_orders().await[0]["open"].as_m().unwrap()["addressKey"].as_s().unwrap(), key);
}

/// An order from before there were limits isn't counted, and gives nothing back.
#[tokio::test]
async fn an_order_of_an_older_release_goes_its_way() {
    let world = shop("1/100", "1/100").await;
    for end in ["cancelled", "delivered"] {
        let guest = world.guest();
        let order = order_id(&one_more(&guest, 2).await.expect(201));
        let before = world.open_orders().await;
        let owner = AttributeValue::S(format!("guest#{}", guest.guest_id()));
        let update = world.tables.client().update_item().table_name(world.tables.name("ORDERS_TABLE"));
        let update = update.key("owner", owner).key("orderId", AttributeValue::S(order.clone()));
        update.update_expression("REMOVE #open").expression_attribute_names("#open", "open").send().await.unwrap();
        let way: &[&str] = if end == "delivered" { &["processing", "shipped", "delivered"] } else { &["cancelled"] };
        for status in way {
            world.staff().set_status(&order, status).await.expect(200);
        }
        assert_eq!(world.open_orders().await, before);
    }
}

/// Nobody has given anything for what costs nothing: it is open until it is delivered, by whatever means it was confirmed.
#[tokio::test]
async fn an_order_that_costs_nothing_is_counted_too() {
    let mut catalog = tests::world::sample_catalog();
    let gift = json!({"code": "GIFT", "discount": {"type": "percentage", "percent": "100"}, "combinable": true});
    let sent = json!({"code": "SENT", "discount": {"type": "freeShipping"}, "combinable": true});
    catalog["coupons"].as_array_mut().unwrap().extend([gift, sent]);
    let setup = Setup::default().unlimited().cards().catalog(catalog).setting("OPEN_ORDERS_CALLER", "2/100");
    let world = setup.build().await;
    let guest = world.guest();
    let mut orders = Vec::new();
    for means in ["cash_on_delivery", "card", "card"] {
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        guest.apply_coupon(id_of(&session), "GIFT").await.expect(200);
        let session = guest.apply_coupon(id_of(&session), "SENT").await.expect(200);
        assert_eq!(total_of(&session), 0, "{session:#}");
        let answer = match means {
            "card" => guest.pay(id_of(&session), 0, "pm_card_visa").await,
            _ => confirm(&guest, &session).await,
        };
        match orders.len() {
            2 => drop(answer.refused(409, OPEN)),
            _ => orders.push(order_id(&answer.expect(201))),
        }
    }
    for order in orders {
        for status in ["processing", "shipped", "delivered"] {
            world.staff().set_status(&order, status).await.expect(200);
        }
    }
    assert_eq!(world.open_orders().await.len(), 0);
}
