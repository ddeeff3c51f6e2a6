//! Events out of the orders' stream: the pipe of `template.yaml`, done by hand on the stream's own records, against the
//! schema and the rules that consumers are given.

mod rules;

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use shared::domain::{
    order::OrderStatus,
    order_change::OrderChange,
    payment::{PaymentMethod, PaymentStatus},
};
use shared::http::route::Route;
use strum::VariantArray as _;
use tests::{
    pipe::Pipe,
    stream,
    world::{Setup, Shopper, World, id_of, total_of},
};
use tools::{
    operator::replay::{self, Replay},
    order_event,
};
use uuid::Uuid;

/// The pipe of the orders' stream.
fn pipe() -> Pipe {
    Pipe::of_the_template("OrderEventsPipe", "order-changed.schema.json")
}

/// The records of an order's versions, oldest first. Moved to an account, an order is removed and inserted in one
/// transaction: its records are of two keys, and have no sequence.
async fn records(world: &World, order: &str) -> Vec<Value> {
    let mut records = stream::records(&world.tables, "ORDERS_TABLE").await;
    records.retain(|record| record["dynamodb"]["Keys"]["orderId"]["S"] == order);
    let version = |record: &Value| {
        let version = record["dynamodb"]["NewImage"]["version"]["N"].as_str()?;
        version.parse::<u64>().ok()
    };
    records.sort_by_key(version);
    records
}

/// What the bus gets of an order's whole life.
async fn events(pipe: &Pipe, world: &World, order: &str) -> Vec<Value> {
    let records = records(world, order).await;
    let told = pipe.events(&records);
    // The page of `make dev` shows what the pipe tells.
    let shown: Vec<_> =
        records.iter().filter(|record| order_event::is_change(record)).map(order_event::detail).collect();
    assert_eq!(shown, told.iter().map(|event| event["detail"].clone()).collect::<Vec<_>>());
    told_again(pipe, world, order, &told).await;
    told
}

/// An operator who has them told again tells the same of every version, with a mark.
async fn told_again(pipe: &Pipe, world: &World, order: &str, told: &[Value]) {
    let (store, id) = (&world.app().orders.dynamo, order.parse().expect("an id"));
    let owner = store.order_owner(id).await.expect("a read").expect("an order");
    let stored = store.order(&owner, id).await.expect("a read").expect("an order");
    let Replay { events: again, unknown } = replay::events(&stored, &BTreeSet::new());
    assert_eq!(unknown, [0; 0]);
    // To put an order off is a write of the same version, which a consumer ignores.
    let mut seen = BTreeSet::new();
    let first: Vec<_> = told.iter().filter(|event| seen.insert(event["detail"]["version"].to_string())).collect();
    assert_eq!(first.len(), again.len(), "{told:#?} {again:#?}");
    for (first, again) in first.into_iter().zip(again) {
        let mut again = pipe.told(again);
        assert_eq!(again["detail"].as_object_mut().expect("members").remove("replayed"), Some(json!(true)));
        assert_eq!(sorted(&again), sorted(first));
    }
}

/// With its changes in one order: a set has none.
fn sorted(event: &Value) -> Value {
    let mut event = event.clone();
    event["detail"]["changes"].as_array_mut().expect("changes").sort_by_key(ToString::to_string);
    event
}

/// What it gets of the order's last change.
async fn event(pipe: &Pipe, world: &World, order: &str) -> Value {
    events(pipe, world, order).await.pop().expect("it passes the filter")
}

async fn shop() -> Arc<World> {
    Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await
}

async fn pay(world: &World, guest: &Shopper, token: &str) -> String {
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    guest.pay(id_of(&session), total_of(&session), token).await;
    // The guest's only order, which may be declined.
    let orders = world.stored_orders().await;
    let owner = format!("guest#{}", guest.guest_id());
    let order = orders.iter().find(|order| order["owner"].as_s() == Ok(&owner)).expect("an order");
    order["orderId"].as_s().expect("an id").clone()
}

#[tokio::test]
async fn every_change_of_an_order_is_an_event_by_the_schema_and_says_what_the_order_says() {
    let (pipe, world) = (pipe(), shop().await);
    let (guest, staff) = (world.guest(), world.staff());
    let id = pay(&world, &guest, "pm_card_visa").await;
    let mut seen = Vec::new();
    for step in 0..5 {
        match step {
            1 => drop(staff.capture(&id).await.expect(200)),
            2 => drop(staff.set_status(&id, "processing").await.expect(200)),
            3 => drop(staff.refund(&id, Uuid::new_v4(), Some(100)).await.expect(200)),
            4 => drop(staff.refund(&id, Uuid::new_v4(), None).await.expect(200)),
            _ => {}
        }
        let event = event(&pipe, &world, &id).await;
        let shown = guest.order(&id).await.expect(200)["order"].take();
        let detail = &event["detail"];
        for name in [
            "orderId",
            "orderNumber",
            "checkoutId",
            "status",
            "paymentMethod",
            "paymentStatus",
            "currency",
            "createdAt",
            "updatedAt",
        ] {
            assert_eq!(detail[name], shown[name], "{name}");
        }
        assert_eq!(detail["totalAmount"], shown["summary"]["totalAmount"].to_string());
        let version: u64 = detail["version"].as_str().expect("a text").parse().expect("a number");
        seen.push((version, detail["status"].clone(), detail["paymentStatus"].clone()));
        for personal in ["Ada", "Lovelace", "@", "Main St", guest.guest_id(), "pm_card_visa", "pi_"] {
            assert!(!event.to_string().contains(personal), "{personal} is in {event:#}");
        }
    }
    assert!(seen.is_sorted_by(|(earlier, ..), (later, ..)| earlier < later), "{seen:?}");
    let statuses: Vec<_> = seen.iter().map(|(_, status, payment)| (status.clone(), payment.clone())).collect();
    let expected = [
        ("confirmed", "authorized"),
        ("confirmed", "paid"),
        ("processing", "paid"),
        ("processing", "partially_refunded"),
        ("cancelled", "refunded"),
    ];
    assert_eq!(statuses, expected.map(|(status, payment)| (json!(status), json!(payment))));
}

#[tokio::test]
async fn orders_of_every_kind_are_events_by_the_schema() {
    let (pipe, world) = (pipe(), shop().await);
    let guest = world.guest();
    let cash = guest.buy(&[("espresso-beans", 2)]).await["orderId"].as_str().expect("an id").to_owned();
    let placed = event(&pipe, &world, &cash).await;
    assert_eq!(placed["detail"]["version"], "1", "an order that was placed");
    let cancelled = pay(&world, &world.guest(), "pm_card_chargeCustomerFail").await;
    let asleep = pay(&world, &world.guest(), &world.stripe().secured().await).await;
    for (order, status) in [(&cancelled, "cancelled"), (&asleep, "pending")] {
        assert_eq!(event(&pipe, &world, order).await["detail"]["status"], status);
    }

    // Moved to an account it is removed and inserted, with its next version.
    let ada = world.user("ada");
    ada.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    let moved = records(&world, &cash).await;
    let names: BTreeSet<_> = moved.iter().map(|record| record["eventName"].as_str().expect("a name")).collect();
    assert_eq!(names, BTreeSet::from(["INSERT", "REMOVE"]));
    let told = events(&pipe, &world, &cash).await;
    let told: Vec<_> = told.iter().map(|event| (&event["detail"]["version"], &event["detail"]["changes"])).collect();
    let expected = [(json!("1"), json!(["confirmed", "placed"])), (json!("2"), json!(["other"]))];
    assert_eq!(told, expected.each_ref().map(|(version, changes)| (version, changes)));
}

/// The schema would notice.
#[tokio::test]
async fn the_schema_refuses_what_is_no_such_event() {
    let (pipe, world) = (pipe(), shop().await);
    let order = world.guest().buy(&[("espresso-beans", 2)]).await;
    let good = event(&pipe, &world, order["orderId"].as_str().expect("an id")).await;
    for name in good["detail"].as_object().expect("members").keys() {
        let mut without = good.clone();
        without["detail"].as_object_mut().expect("members").remove(name);
        assert!(!pipe.is_valid(&without), "{name} is missing");
        let mut odd = good.clone();
        odd["detail"][name] = json!("?");
        assert!(!pipe.is_valid(&odd), "{name} is anything");
    }
    let mut more = good.clone();
    more["detail"]["owner"] = json!("guest#1");
    assert!(!pipe.is_valid(&more));

    let detail = &pipe.schema()["$defs"]["detail"]["properties"];
    assert_eq!(detail["status"]["enum"], json!(OrderStatus::VARIANTS));
    assert_eq!(detail["paymentStatus"]["enum"], json!(PaymentStatus::VARIANTS));
    assert_eq!(detail["paymentMethod"]["enum"], json!(PaymentMethod::VARIANTS));
    assert_eq!(detail["changes"]["items"]["enum"], json!(OrderChange::VARIANTS));
}
