//! Every file in `events/`, against the fixtures that it names, with the outcome that `events/expected.json` says.

use std::{collections::BTreeMap, fs, sync::Arc};

use serde_json::{Value, json};
use tests::{
    event::request_from,
    servers::root,
    world::{Answer, Setup, World},
};
use tools::{fixtures, laptop};

/// A shop that takes the tokens of the events, which are those of a laptop.
async fn shop() -> Arc<World> {
    let setup = Setup::default().setting("JWT_JWKS", "");
    laptop::jwt_settings().into_iter().fold(setup, |setup, (name, value)| setup.setting(&name, value)).build().await
}

fn json_of(file: &str) -> Value {
    let path = root().join("events").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// By file, what must come back.
fn outcomes() -> BTreeMap<String, Value> {
    serde_json::from_value(json_of("expected.json")).expect("outcomes by file")
}

async fn run(world: &World, file: &str) -> Answer {
    let function = file.split('.').next().unwrap_or_default();
    world.call(function, request_from(&json_of(file))).await
}

async fn run_on_fresh_fixtures(world: &World, file: &str) -> Answer {
    fixtures::seed(world.app()).await.unwrap_or_else(|error| panic!("{error:?}"));
    run(world, file).await
}

#[tokio::test]
async fn each_event_has_its_outcome() {
    let world = shop().await;
    for (file, expected) in outcomes() {
        let answer = run_on_fresh_fixtures(&world, &file).await;

        assert_eq!(answer.status(), expected["status"], "{file}: {:#}", answer.body());
        assert_eq!(json!(answer.code()), expected["code"], "{file}: {:#}", answer.body());
        let request_id = &json_of(&file)["requestContext"]["requestId"];
        assert_eq!(json!(answer.header("x-request-id")), *request_id, "{file}");
    }
}

#[tokio::test]
async fn the_good_events_do_what_they_are_named_after() {
    let world = shop().await;
    let done = async |function: &str| {
        let answer = run_on_fresh_fixtures(&world, &format!("{function}.json")).await;
        assert!(answer.status() < 300, "{function}: {:#}", answer.body());
        answer.body().clone()
    };
    let (checkout, order) = (json!(fixtures::CHECKOUT.to_string()), json!(fixtures::ORDER.to_string()));

    assert_eq!(done("get-session").await["checkoutId"], checkout);
    assert_eq!(done("update-items").await["summary"]["itemCount"], 4);
    assert_eq!(done("update-address").await["version"], 2);
    let offers = done("calculate-shipping").await["shippingMethods"].as_array().map(Vec::len);
    assert!(offers > Some(1));
    assert_eq!(done("calculate-tax").await["taxBreakdown"][0]["amount"], 290);
    assert_eq!(done("apply-coupon").await["coupon"]["couponCode"], "SAVE20");
    assert_eq!(done("remove-coupon").await["coupon"], Value::Null);
    let confirmed = done("confirm-order").await;
    assert_eq!(confirmed["order"]["summary"]["totalAmount"], 3998 + 290 + 599);
    assert_ne!(confirmed["order"]["orderId"], order);
    assert_eq!(done("get-order").await["order"]["orderId"], order);
    assert_eq!(done("cancel-order").await["order"]["status"], "cancelled");
    assert_ne!(done("update-order-status").await["order"]["status"], "confirmed");
    assert_eq!(done("correct-order").await["order"]["corrections"][0]["members"], json!(["/customerInfo/email"]));
    assert_eq!(done("receive-stock").await["delivery"]["quantity"], 500);
    assert_eq!(done("lookup-order").await["status"], "accepted");
    assert_eq!(done("health").await["status"], "ok");
}

#[tokio::test]
async fn seeding_puts_back_what_the_events_have_changed() {
    let world = shop().await;
    let untouched = {
        let session = run_on_fresh_fixtures(&world, "get-session.json").await.expect(200);
        (session["version"].clone(), session["summary"].clone(), run(&world, "get-order.json").await.expect(200))
    };
    for file in ["update-address.json", "confirm-order.json", "cancel-order.json"] {
        assert!(run(&world, file).await.status() < 300, "{file}");
    }

    let session = run_on_fresh_fixtures(&world, "get-session.json").await.expect(200);
    let order = run(&world, "get-order.json").await.expect(200);

    assert_eq!((session["version"].clone(), session["summary"].clone()), (untouched.0, untouched.1));
    assert_eq!(session["status"], "open");
    assert_eq!(order["order"]["summary"], untouched.2["order"]["summary"]);
    assert_eq!(order["order"]["status"], untouched.2["order"]["status"]);
    // The order that the event made stays: it has another id.
    let orders = run(&world, "list-orders.json").await.expect(200);
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(2));
}
