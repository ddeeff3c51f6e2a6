//! Telling an order's events again: what is shown, what the bus gets, and what happens when it doesn't take all.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tests::{
    answering::{Answering, Asked},
    pipe::Pipe,
    world::{Setup, World},
};

use super::{Ended, checkout};

const CALL: &str = "POST /";

/// An order of two versions: it was placed, and cancelled.
async fn shop() -> (Arc<World>, String) {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order["orderId"].as_str().expect("an id").to_owned();
    guest.cancel(&id).await.expect(200);
    (world, id)
}

/// `checkout order replay` with `EventBridge` there.
async fn replay(world: &World, bus: &Answering, arguments: &[&str]) -> Ended {
    let mut settings: BTreeMap<_, _> = world.settings().clone();
    settings.insert("AWS_ENDPOINT_URL_EVENTBRIDGE".to_owned(), bus.url("/"));
    checkout(&settings, &[&["order", "replay"], arguments].concat()).await
}

/// What the bus answers: an id for what it takes, an error for the rest.
fn answer(taken: &[bool]) -> String {
    let entry = |taken: &bool| match taken {
        true => json!({"EventId": "7bf73129-1428-4cd3-a780-95db273d1602"}),
        false => json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}),
    };
    let failed = taken.iter().filter(|taken| !**taken).count();
    json!({"FailedEntryCount": failed, "Entries": taken.iter().map(entry).collect::<Vec<_>>()}).to_string()
}

fn entries(asked: &Asked) -> Vec<Value> {
    let mut body: Value = serde_json::from_str(&asked.body).expect("JSON");
    serde_json::from_value(body["Entries"].take()).expect("entries")
}

/// The ids of the events that a call had.
fn ids(asked: &Asked) -> Vec<String> {
    let detail =
        |entry: &Value| serde_json::from_str::<Value>(entry["Detail"].as_str().expect("a text")).expect("JSON");
    let id = |entry: &Value| detail(entry)["eventId"].as_str().expect("an id").to_owned();
    entries(asked).iter().map(id).collect()
}

#[tokio::test]
async fn events_are_shown_first_and_told_again_only_on_request() {
    let (world, order) = shop().await;
    let bus = Answering::with(answer(&[true, true])).await;
    let [placed, cancelled] = [1, 2].map(|version| format!("{order}/{version}"));

    let dry = replay(&world, &bus, &[&order]).await;
    assert_eq!(dry.code, 0, "{dry:?}");
    for part in [&*placed, &*cancelled, "confirmed", "cancelled", "2 would be told again"] {
        assert!(format!("{}{}", dry.stdout, dry.stderr).contains(part), "{part}: {dry:?}");
    }
    let dry = replay(&world, &bus, &[&order, "--json"]).await.json();
    assert_eq!((&dry["told"], dry["events"].as_array().map(Vec::len)), (&json!(false), Some(2)));
    assert!(bus.asked().is_empty());

    let told = replay(&world, &bus, &[&order, "--apply", "--bus", "shop-orders", "--json"]).await;
    assert_eq!((told.code, &told.json()["told"]), (0, &json!(true)), "{told:?}");
    let [call] = bus.asked().try_into().expect("one call");
    assert_eq!((&*call.line, call.header("x-amz-target")), (CALL, "AWSEvents.PutEvents"));
    assert!(call.header("authorization").contains("/events/aws4_request"), "{call:?}");
    assert_eq!(ids(&call), [placed.clone(), cancelled.clone()]);
    let pipe = Pipe::of_the_template("OrderEventsPipe", "order-changed.schema.json");
    for (entry, event) in entries(&call).iter().zip(dry["events"].as_array().expect("events")) {
        assert_eq!((&entry["EventBusName"], &entry["DetailType"]), (&json!("shop-orders"), &json!("Order Changed")));
        assert_eq!(
            (&entry["Source"], entry["Detail"].as_str()),
            (&json!("checkout.orders"), Some(&*event.to_string()))
        );
        assert_eq!(pipe.told(event.clone())["detail"]["replayed"], true);
    }

    bus.answer(200, answer(&[true]));
    let one = replay(&world, &bus, &[&order, "--change", "cancelled", "--apply", "--bus", "b"]).await;
    assert!(one.code == 0 && one.stderr.contains("1 told again"), "{one:?}");
    assert_eq!(ids(&bus.asked()[0]), [cancelled]);
}

#[tokio::test]
async fn what_the_bus_does_not_take_is_put_again_and_the_rest_is_not() {
    let (world, order) = shop().await;
    let bus = Answering::with(answer(&[true])).await;
    let arguments = [&*order, "--apply", "--bus", "shop-orders"];
    bus.answer_next(CALL, 500, "{}");
    bus.answer_next(CALL, 200, answer(&[false, true]));

    let told = replay(&world, &bus, &arguments).await;

    assert_eq!(told.code, 0, "{told:?}");
    let [placed, cancelled] = [1, 2].map(|version| format!("{order}/{version}"));
    let asked: Vec<_> = bus.asked().iter().map(ids).collect();
    assert_eq!(asked, [vec![placed.clone(), cancelled.clone()], vec![placed.clone(), cancelled], vec![placed]]);

    bus.answer(400, r#"{"__type":"AccessDeniedException"}"#);
    let refused = replay(&world, &bus, &arguments).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    for part in ["0 of 2 events", "AccessDeniedException", "Run it again"] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
}

#[tokio::test]
async fn nothing_is_told_without_an_order_a_bus_or_a_change() {
    let (world, order) = shop().await;
    let bus = Answering::with(answer(&[])).await;
    for (arguments, code, text) in [
        (vec!["01a2097b-b00b-7055-9c70-09370d5d2d20"], 3, "there is no such order"),
        (vec![&*order, "--apply"], 1, "ORDER_EVENT_BUS"),
        (vec![&*order, "--change", "shipped", "--apply"], 3, "nothing to tell"),
        (vec![&*order, "--change", "sold"], 2, "sold"),
        (vec!["7"], 2, "an order's id or its number"),
    ] {
        let ended = replay(&world, &bus, &arguments).await;
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(text), "{arguments:?}: {ended:?}");
    }
    assert!(bus.asked().is_empty());
}
