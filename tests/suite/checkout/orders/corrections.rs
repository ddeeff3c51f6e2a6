//! Corrections by staff: what may be another, until when, and what keeps the price right.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    race,
    world::{Setup, Shopper, World, california, cart, id_of, sample_catalog, total_of},
};
use uuid::Uuid;

use super::order_id;

/// A shop with a zone, a restriction and a tax of their own by postal code, and a tea that isn't sold everywhere.
async fn shop() -> Arc<World> {
    let mut catalog = sample_catalog();
    let zones = catalog["shipping"]["zones"].as_array_mut().unwrap();
    let mut island = zones.iter().find(|zone| zone["zoneId"] == "us").unwrap().clone();
    island["zoneId"] = json!("us-island");
    island["places"] = json!([{"region": "US-CA", "postalCodes": ["90704"]}]);
    zones.push(island);
    catalog["tax"]["jurisdictions"].as_array_mut().unwrap().push(json!({
        "jurisdictionId": "US-CA-CITY", "name": "City tax", "included": false, "shippingTaxable": false,
        "places": [{"region": "US-CA", "postalCodes": ["94000-94199"]}],
        "rates": {"standard": "1", "reduced": "1", "exempt": "0"}
    }));
    let products = catalog["products"].as_array_mut().unwrap();
    let kit = products.iter_mut().find(|product| product["productId"] == "pour-over-kit").unwrap();
    kit["notShippableTo"] = json!([
        {"regions": [{"region": "US-CA", "postalCodes": ["95001"]}], "message": "The kit isn't sold there."}
    ]);
    Setup::default().unlimited().cards().catalog(catalog).build().await
}

async fn bought(guest: &Shopper) -> String {
    order_id(&guest.buy(&[("espresso-beans", 1), ("pour-over-kit/white", 1)]).await).to_owned()
}

fn mail(email: &str) -> Value {
    json!({"customerInfo": {"email": email}, "reason": "called us: a typo"})
}

#[tokio::test]
async fn what_is_corrected_is_merged_and_the_history_says_who_when_why_and_what() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let before = guest.order(&order).await.expect(200)["order"].take();
    let correction = json!({
        "shippingAddress": {"addressLine1": " 2 Market Street ", "company": "Sample & Co", "phone": "+1 415 555 0132"},
        "billingAddress": {"firstName": "Augusta", "lastName": null},
        "customerInfo": {"email": "\u{200e}augusta@example.com", "phone": "+1 415 555 0133"},
        "reason": "the customer called",
        "expectedVersion": 1
    });

    let answer = staff.correct(&order, &correction).await.expect(200);

    let shown = guest.order(&order).await.expect(200)["order"].take();
    let address = json!({"addressLine1": "2 Market Street", "company": "Sample & Co", "phone": "+1 415 555 0132"});
    let mut expected = before.clone();
    for (name, value) in address.as_object().unwrap() {
        expected["shippingAddress"][name] = value.clone();
    }
    expected["billingAddress"]["firstName"] = json!("Augusta");
    expected["billingAddress"].as_object_mut().unwrap().remove("lastName");
    expected["customerInfo"]["email"] = json!("augusta@example.com");
    expected["customerInfo"]["phone"] = json!("+1 415 555 0133");
    expected["version"] = json!(2);
    expected["updatedAt"] = shown["updatedAt"].clone();
    assert_eq!(shown, expected, "and the customer sees no reason");
    assert_ne!(shown["updatedAt"], before["updatedAt"]);
    let made = &answer["order"]["corrections"][0];
    assert_eq!((&made["reason"], &made["actor"]), (&json!("the customer called"), &json!("staff")));
    assert_eq!(made["at"], shown["updatedAt"]);
    let members = json!([
        "/shippingAddress/company",
        "/shippingAddress/addressLine1",
        "/shippingAddress/phone",
        "/billingAddress/firstName",
        "/billingAddress/lastName",
        "/customerInfo/email",
        "/customerInfo/phone"
    ]);
    assert_eq!(made["members"], members);
    assert_eq!(staff.order(&order).await.expect(200)["order"]["corrections"][0]["staffId"], "grace");
    let stored = format!("{:?}", world.stored_orders().await);
    for gone in ["1 Market Street", "ada@example.com"] {
        let elsewhere = stored.matches(gone).count();
        assert!(gone == "1 Market Street" || elsewhere == 0, "{gone} is kept");
    }

    // The same again is no other correction, whatever version it was meant for.
    let again = staff.correct(&order, &correction).await.expect(200);
    assert_eq!(again["order"], answer["order"]);
    // Null takes a phone number off.
    let off = json!({"customerInfo": {"phone": null}, "reason": "no calls"});
    let off = staff.correct(&order, &off).await.expect(200);
    assert_eq!((&off["order"]["customerInfo"]["phone"], &off["order"]["version"]), (&Value::Null, &json!(3)));
}

#[tokio::test]
async fn every_fault_is_told_at_once_and_nothing_is_corrected() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let before = world.stored_orders().await;
    let bad = json!({
        "shippingAddress": {"firstName": null, "postalCode": "9410", "phone": "call me"},
        "billingAddress": {"city": " ", "email": "nobody"},
        "customerInfo": {"email": null, "phone": "12"},
        "reason": " "
    });
    let problem = staff.correct(&order, &bad).await.refused(400, "VALIDATION_FAILED");
    let mut pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    pointers.sort_by_key(ToString::to_string);
    assert_eq!(
        json!(pointers),
        json!([
            "/billingAddress/city",
            "/billingAddress/email",
            "/customerInfo/email",
            "/customerInfo/phone",
            "/reason",
            "/shippingAddress/firstName",
            "/shippingAddress/phone",
            "/shippingAddress/postalCode"
        ])
    );
    for nothing in [
        json!({"reason": "x"}),
        json!({"reason": "x", "shippingAddress": null, "customerInfo": {"phone": "+1 415 555 0133"}}),
        json!({"customerInfo": {"email": "a@example.com"}}),
        json!({"reason": "x", "customerInfo": {"firstName": "Eve"}}),
        json!({"reason": "x", "status": "delivered", "customerInfo": {"email": "a@example.com"}}),
    ] {
        staff.correct(&order, &nothing).await.refused(400, "VALIDATION_FAILED");
    }
    let unknown = "01936b2e-0000-7000-8000-000000000000";
    staff.correct(unknown, &mail("a@example.com")).await.refused(404, "ORDER_NOT_FOUND");
    guest.correct(&order, &mail("a@example.com")).await.refused(401, "AUTHENTICATION_REQUIRED");
    world.user("ada").correct(&order, &mail("a@example.com")).await.refused(403, "FORBIDDEN");
    assert_eq!(world.stored_orders().await, before);
}

#[tokio::test]
async fn a_place_where_the_price_would_be_another_is_refused_with_the_reason() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let before = world.stored_orders().await;
    let new_york = json!({"state": "NY", "postalCode": "10001", "city": "New York"});
    let munich = json!({"country": "DE", "postalCode": "80331", "city": "München"});
    for (address, reason) in [
        (munich, "country"),
        (json!({"country": "CA"}), "country"),
        (new_york, "region"),
        (json!({"postalCode": "90704"}), "zone"),
        (json!({"postalCode": "95001"}), "restriction"),
        (json!({"postalCode": "90001"}), "tax"),
    ] {
        let problem = staff.correct(&order, &json!({"shippingAddress": address, "reason": "moved"})).await;
        let problem = problem.refused(409, "DESTINATION_CHANGED");
        assert_eq!((&problem["dependsOn"], &problem["pointer"]), (&json!(reason), &json!("/shippingAddress")));
        assert!(problem["detail"].as_str().unwrap().contains("cancel the order"), "{problem:#}");
    }
    assert_eq!(world.stored_orders().await, before);
    // Another code of the same rules, and a bill that goes anywhere: goods are taxed where they go.
    let near = json!({
        "shippingAddress": {"postalCode": "94110-1234"},
        "billingAddress": {"country": "DE", "state": null, "postalCode": "80331", "city": "München"},
        "reason": "moved within the city"
    });
    let near = staff.correct(&order, &near).await.expect(200);
    assert_eq!(near["order"]["shippingAddress"]["postalCode"], "94110-1234");
    assert_eq!(near["order"]["billingAddress"]["country"], "DE");
    assert_eq!(near["order"]["summary"], guest.order(&order).await.expect(200)["order"]["summary"]);
}

#[tokio::test]
async fn without_a_parcel_the_bill_decides_the_tax() {
    let mut catalog = sample_catalog();
    let products = catalog["products"].as_array_mut().unwrap();
    let beans = products.iter_mut().find(|product| product["productId"] == "espresso-beans").unwrap();
    beans["digital"] = json!(true);
    beans.as_object_mut().unwrap().remove("weightGrams");
    let world = Setup::default().unlimited().cards().catalog(catalog).build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "billingAddress": california()});
    let session = guest.post(Route::Initiate, &body).await.expect(201);
    let order = guest.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
    let order = order_id(&order["order"]);

    let moved = json!({"billingAddress": {"state": "NY", "postalCode": "10001"}, "reason": "moved"});
    let problem = staff.correct(order, &moved).await.refused(409, "DESTINATION_CHANGED");
    assert_eq!((&problem["dependsOn"], &problem["pointer"]), (&json!("region"), &json!("/billingAddress")));
    let shipped = json!({"shippingAddress": {"city": "Oakland"}, "reason": "moved"});
    staff.correct(order, &shipped).await.refused(409, "NOTHING_SHIPPED");
    let name = json!({"billingAddress": {"company": "Sample & Co"}, "reason": "a bill for the company"});
    assert_eq!(staff.correct(order, &name).await.expect(200)["order"]["version"], 3, "placed, paid, corrected");
}

#[tokio::test]
async fn addresses_stand_once_a_parcel_has_left_and_everything_once_it_is_over() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    let address = json!({"shippingAddress": {"addressLine1": "3 Market Street"}, "reason": "a typo"});
    let bill = json!({"billingAddress": {"addressLine1": "3 Market Street"}, "reason": "a typo"});
    staff.set_status(&order, "processing").await.expect(200);
    staff.correct(&order, &address).await.expect(200);
    staff.fulfill(&order, Uuid::new_v4(), &[[0, 1]]).await.expect(201);

    let again = staff.correct(&order, &address).await.expect(200);
    assert_eq!(again["order"]["status"], "partially_shipped", "what is there already is no correction");
    let other = json!({"shippingAddress": {"addressLine1": "4 Market Street"}, "reason": "a typo"});
    staff.correct(&order, &other).await.refused(409, "ORDER_ALREADY_SHIPPED");
    staff.correct(&order, &bill).await.refused(409, "ORDER_ALREADY_SHIPPED");
    staff.correct(&order, &mail("first@example.com")).await.expect(200);
    staff.fulfill(&order, Uuid::new_v4(), &[[1, 1]]).await.expect(201);
    staff.correct(&order, &mail("second@example.com")).await.expect(200);
    for status in ["delivered", "returned"] {
        staff.set_status(&order, status).await.expect(200);
        staff.correct(&order, &mail("third@example.com")).await.refused(409, "ORDER_NOT_CORRECTABLE");
    }

    let cancelled = bought(&guest).await;
    guest.cancel(&cancelled).await.expect(200);
    staff.correct(&cancelled, &mail("third@example.com")).await.refused(409, "ORDER_NOT_CORRECTABLE");
}

#[tokio::test]
async fn a_correction_for_another_version_is_refused_and_there_are_fifty_of_an_order() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    staff.set_status(&order, "processing").await.expect(200);
    let mut stale = mail("first@example.com");
    stale["expectedVersion"] = json!(1);
    assert_eq!(staff.correct(&order, &stale).await.refused(409, "ORDER_CHANGED")["version"], 2);
    for nth in 0..50 {
        staff.correct(&order, &mail(&format!("a{nth}@example.com"))).await.expect(200);
    }
    staff.correct(&order, &mail("last@example.com")).await.refused(409, "TOO_MANY_CORRECTIONS");
}

/// Whichever comes first: a parcel never leaves for an address that is corrected afterwards, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_correction_meets_a_parcel_a_cancellation_and_other_corrections() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    for _ in 0..8 {
        let order = bought(&guest).await;
        let answers = race::at_once(4, |racer| {
            let (staff, guest, order) = (staff.clone(), guest.clone(), order.clone());
            async move {
                match racer {
                    0 => {
                        let address =
                            json!({"shippingAddress": {"addressLine1": "9 Market Street"}, "reason": "a typo"});
                        staff.correct(&order, &address).await
                    }
                    1 => staff.fulfill(&order, Uuid::new_v4(), &[[0, 1]]).await,
                    2 => guest.cancel(&order).await,
                    _ => staff.correct(&order, &mail("race@example.com")).await,
                }
            }
        })
        .await;
        let status = |racer: usize| (answers[racer].status(), answers[racer].code().map(ToOwned::to_owned));
        let shown = staff.order(&order).await.expect(200)["order"].take();
        let corrections = shown["corrections"].as_array().map_or(0, Vec::len);
        let made = [status(0), status(3)].iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(corrections, made, "{shown:#}");
        // Each change is one version.
        let done = answers.iter().filter(|answer| answer.status() < 300).count();
        assert_eq!(shown["version"], json!(1 + done), "{answers:?}");
        let is_there = shown["shippingAddress"]["addressLine1"] == "9 Market Street";
        assert_eq!(is_there, status(0).0 == 200);
        for (_, code) in [status(0), status(3)].iter().filter(|(status, _)| *status != 200) {
            let code = code.as_deref().unwrap();
            assert!(["ORDER_ALREADY_SHIPPED", "ORDER_NOT_CORRECTABLE"].contains(&code), "{code}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_no_second_correction() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = bought(&guest).await;
    for (nth, fault) in
        [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::InternalServerError].into_iter().enumerate()
    {
        // More than the client's own attempts.
        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(3));
        let hits_of_puts = world.dynamodb.add(Rule::on("PutItem", fault.clone()).times(3));
        let email = format!("lost{nth}@example.com");
        let first = staff.correct(&order, &mail(&email)).await;
        assert!(hits.count() + hits_of_puts.count() > 0, "{fault:?}");
        world.dynamodb.clear_rules();
        assert!([200, 503].contains(&first.status()), "{fault:?}: {:#}", first.body());
        let again = staff.correct(&order, &mail(&email)).await.expect(200);
        assert_eq!(again["order"]["corrections"].as_array().map(Vec::len), Some(nth + 1), "{fault:?}");
        assert_eq!(guest.order(&order).await.expect(200)["order"]["customerInfo"]["email"], email);
    }
}

#[tokio::test]
async fn an_order_is_found_and_looked_up_by_its_new_address_only() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    world.index_orders().await;
    staff.correct(order_id(&order), &mail("New@example.com")).await.expect(200);
    let found = async |email: &str| {
        let event = staff.event(Route::SearchOrders).query("email", email);
        staff.send(Route::SearchOrders, &event).await.expect(200)["orders"].as_array().unwrap().len()
    };
    // Even before the index knows: an order is shown only as it is now.
    assert_eq!(found("ada@example.com").await, 0);
    world.index_orders().await;
    assert_eq!((found("ada@example.com").await, found("new@example.com").await), (0, 1));
    let number = order["orderNumber"].as_str().unwrap();
    world.nobody().look_up(number, "ada@example.com").await.expect(202);
    world.nobody().look_up(number, "new@example.com").await.expect(202);
    let requests = world.link_requests().await;
    let matches: Vec<_> = requests.iter().map(|of| of["dynamodb"]["NewImage"]["matches"]["S"].clone()).collect();
    assert_eq!(matches.iter().filter(|matches| **matches == json!("y")).count(), 1, "{matches:?}");
}

/// An event of Stripe's that comes meanwhile changes the payment, and the correction the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_correction_meets_an_event_of_the_payment() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    for round in 0..4 {
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let token = world.stripe().secured().await;
        let asked = guest.pay(id_of(&session), total_of(&session), &token).await.expect(202);
        let order = order_id(&asked["order"]).to_owned();
        world.stripe().authenticate(asked["order"]["payment"]["clientSecret"].as_str().unwrap(), true).await;
        let intent = world.stripe().intent_of(&order).await.unwrap();
        let answers = race::at_once(2, |racer| {
            let (world, staff, order, intent) = (Arc::clone(&world), staff.clone(), order.clone(), intent.clone());
            async move {
                match racer {
                    0 => staff.correct(&order, &mail("paid@example.com")).await,
                    _ => world.tell(&format!("evt_{round}"), "payment_intent.succeeded", &intent).await,
                }
            }
        })
        .await;
        assert!(answers.iter().all(|answer| answer.status() == 200), "{answers:?}");
        let shown = guest.order(&order).await.expect(200)["order"].take();
        assert_eq!((&shown["paymentStatus"], &shown["status"]), (&json!("paid"), &json!("confirmed")));
        assert_eq!(shown["customerInfo"]["email"], "paid@example.com");
    }
}
