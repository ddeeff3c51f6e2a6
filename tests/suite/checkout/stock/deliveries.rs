//! Deliveries, as staff report them: exact while the shop sells, and once for each reference.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{crash, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    race::at_once,
    world::{Setup, Shopper, World, id_of, sample_catalog, total_of},
};

/// A shop in which so many bags of beans are left.
async fn shop(beans: u64) -> Arc<World> {
    let mut catalog = sample_catalog();
    let products = catalog["products"].as_array_mut().unwrap();
    products.iter_mut().find(|product| product["productId"] == "espresso-beans").unwrap()["stock"] = json!(beans);
    Setup::default().unlimited().catalog(catalog).build().await
}

async fn post(staff: &Shopper, product: &str, body: &Value) -> tests::world::Answer {
    staff.send(Route::ReceiveStock, &staff.event(Route::ReceiveStock).path("productId", product).json(body)).await
}

#[tokio::test]
async fn a_delivery_is_added_once_and_its_answer_says_what_is_left() {
    let world = shop(7).await;
    let (guest, staff) = (world.guest(), world.staff());
    let body = json!({"quantity": 500, "reference": " DN-1042\u{200e}", "reason": "weekly delivery"});

    let answer = post(&staff, "espresso-beans", &body).await.expect(201);

    let at = answer["delivery"]["receivedAt"].as_str().unwrap();
    assert!(at.ends_with('Z'), "{at}");
    let expected = json!({
        "productId": "espresso-beans",
        "available": 507,
        "delivery": {
            "quantity": 500, "reference": "DN-1042", "reason": "weekly delivery", "receivedAt": at, "receivedBy": "grace"
        }
    });
    assert_eq!(answer, expected);
    assert_eq!(world.stock("espresso-beans").await, 507);

    // Repeated, it is known; what was sold meanwhile is gone. Who repeats it, and why, is no other delivery.
    guest.buy(&[("espresso-beans", 2)]).await;
    let again = json!({"quantity": 500, "reference": "DN-1042", "reason": "sent twice"});
    let again = post(&staff, "espresso-beans", &again).await.expect(200);
    assert_eq!((&again["available"], &again["delivery"]), (&json!(505), &answer["delivery"]));
    let other = staff.receive("espresso-beans", 501, "DN-1042").await.refused(409, "REFERENCE_USED");
    assert_eq!(other["quantity"], 500);
    assert_eq!(world.stock("espresso-beans").await, 505);

    // A reference is one product's: a delivery note names several.
    let variant = staff.receive("pour-over-kit/white", 3, "DN-1042").await.expect(201);
    assert_eq!((&variant["variantId"], &variant["delivery"]["quantity"]), (&json!("white"), &json!(3)));
}

#[tokio::test]
async fn what_cant_be_added_changes_nothing_and_says_why() {
    let world = shop(7).await;
    let staff = world.staff();
    let before = world.all("INVENTORY_TABLE").await.len();
    for unknown in ["no-such-thing", "espresso-beans/large", "pour-over-kit", "pour-over-kit/red"] {
        staff.receive(unknown, 1, "DN-1").await.refused(404, "STOCK_NOT_FOUND");
    }
    let most = staff.receive("espresso-beans", 1_000_000_000, "DN-1").await.refused(409, "TOO_MUCH_STOCK");
    assert_eq!((&most["available"], &most["most"]), (&json!(7), &json!(1_000_000_000)));
    staff.receive("espresso-beans", 999_999_993, "DN-1").await.expect(201);
    staff.receive("espresso-beans", 1, "DN-2").await.refused(409, "TOO_MUCH_STOCK");
    staff.receive("espresso-beans", 999_999_993, "DN-1").await.expect(200);

    let body = json!({"quantity": 1, "reference": "DN-3", "reason": "a delivery"});
    for product in ["", "a b", "beans#large", "../x"] {
        let problem = post(&staff, product, &body).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], "/path/productId");
    }
    let mut wrong = json!({"quantity": 0, "reference": " ", "reason": "a\u{7}b", "variantId": "a b"});
    let problem = post(&staff, "espresso-beans", &wrong).await.refused(400, "VALIDATION_FAILED");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(4), "every fault at once: {problem:#}");
    wrong = body.clone();
    wrong["available"] = json!(9);
    post(&staff, "espresso-beans", &wrong).await.refused(400, "VALIDATION_FAILED");

    post(&world.guest(), "espresso-beans", &body).await.refused(401, "AUTHENTICATION_REQUIRED");
    post(&world.nobody(), "espresso-beans", &body).await.refused(401, "AUTHENTICATION_REQUIRED");
    post(&world.user("ada"), "espresso-beans", &body).await.refused(403, "FORBIDDEN");
    assert_eq!(world.all("INVENTORY_TABLE").await.len(), before + 1, "the one list of changes");
    assert_eq!(world.stock("espresso-beans").await, 1_000_000_000);
}

/// Five buy the last ones while two people report the same delivery, and a third another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deliveries_and_sales_at_once_are_exact_and_a_reference_counts_once() {
    let world = shop(1).await;
    let staff = world.staff();
    let mut left = 1;
    for round in 0..12 {
        let mut carts = Vec::new();
        for _ in 0..5 {
            let guest = world.guest();
            // What is in the cart was there when it was filled; now there may be less.
            let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
            let checkout = id_of(&session).to_owned();
            guest.ship_to(&checkout, &tests::world::california()).await.expect(200);
            let session = guest.choose_shipping(&checkout, "us-standard").await.expect(200);
            carts.push((guest, checkout, total_of(&session)));
        }
        let answers = at_once(8, |nth| {
            let (staff, cart) = (staff.clone(), carts.get(nth).cloned());
            async move {
                if let Some((guest, checkout, total)) = cart {
                    return guest.confirm(&checkout, total).await.status();
                }
                let (units, of) = if nth == 7 { (1, "other") } else { (2, "same") };
                staff.receive("espresso-beans", units, &format!("{of}-{round}")).await.status()
            }
        })
        .await;
        let sold = answers[..5].iter().filter(|status| **status == 201).count();
        assert!(answers[..5].iter().all(|status| [201, 409].contains(status)), "{answers:?}");
        let mut same = answers[5..7].to_vec();
        same.sort_unstable();
        assert_eq!((same, answers[7]), (vec![200, 201], 201), "round {round}: {answers:?}");
        left = left + 3 - sold;
        assert_eq!(world.stock("espresso-beans").await, left as u64, "round {round}: {answers:?}");
        assert!(sold >= 1 && left < 20, "{answers:?}");
        // Until one is left again, and somebody can fill a cart.
        if left == 0 {
            staff.receive("espresso-beans", 1, &format!("refill-{round}")).await.expect(201);
            left = 1;
        }
    }
}

/// One reference with several quantities: whoever comes first decides, and nothing else is added.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_quantities_under_one_reference_one_is_added() {
    let world = shop(0).await;
    let staff = world.staff();
    let mut left = 0;
    for round in 0..10 {
        let answers = at_once(6, |nth| {
            let staff = staff.clone();
            async move {
                let units = 1 + nth as u64 % 3;
                (units, staff.receive("espresso-beans", units, &format!("DN-{round}")).await)
            }
        })
        .await;
        let made: Vec<_> = answers.iter().filter(|(_, answer)| answer.status() == 201).collect();
        let [(units, _)] = made[..] else { panic!("{answers:?}") };
        for (asked, answer) in &answers {
            let expected: &[u16] = if asked == units { &[200, 201] } else { &[409] };
            assert!(expected.contains(&answer.status()), "{asked} of {units}: {:#}", answer.body());
        }
        left += units;
        assert_eq!(world.stock("espresso-beans").await, left);
    }
}

#[tokio::test]
async fn a_lost_answer_adds_nothing_twice() {
    let world = Setup::default().unlimited().hasty_under_faults(800).build().await;
    let staff = world.staff();
    let mut expected = world.stock("espresso-beans").await;
    let faults = [
        Fault::AnswerLost,
        Fault::DoneButInternalServerError,
        Fault::DoneButHangs,
        Fault::InternalServerError,
        Fault::Hang,
        Fault::TransactionConflict,
        Fault::TransactionCanceled("ThrottlingError"),
    ];
    for (nth, fault) in faults.iter().enumerate() {
        for (kind, times) in [("once", 1), ("often", 3)] {
            let reference = format!("DN-{nth}-{kind}");
            let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).times(times));
            let first = staff.receive("espresso-beans", 5, &reference).await;
            assert_eq!(hits.count(), times, "{fault:?}");
            world.dynamodb.clear_rules();
            assert!([201, 503].contains(&first.status()), "{fault:?}, {kind}: {:#}", first.body());
            expected += 5;
            let again = staff.receive("espresso-beans", 5, &reference).await;
            assert!([200, 201].contains(&again.status()), "{fault:?}, {kind}: {:#}", again.body());
            assert_eq!(
                (again.body()["available"].as_u64(), world.stock("espresso-beans").await),
                (Some(expected), expected)
            );
        }
    }
    // What is left can't be read afterwards: the delivery is there, and known.
    let hits = world.dynamodb.add(Rule::on("BatchGetItem", Fault::InternalServerError).skip(1).times(3));
    staff.receive("espresso-beans", 5, "unread").await.refused(503, "STORE_UNAVAILABLE");
    assert_eq!(hits.count(), 3);
    world.dynamodb.clear_rules();
    staff.receive("espresso-beans", 5, "unread").await.expect(200);
    assert_eq!(world.stock("espresso-beans").await, expected + 5);
}

#[tokio::test]
async fn a_process_that_dies_adds_it_once_at_most_and_the_next_one_adds_it() {
    let world = shop(0).await;
    let staff = world.staff();
    for deaths in 0..2 {
        let reference = format!("DN-{deaths}");
        let first = crash::dying_at(deaths, staff.receive("espresso-beans", 5, &reference)).await;
        assert!(first.is_none(), "there is a point {deaths}");
        let before = 5 * deaths as u64;
        let written = world.stock("espresso-beans").await - before;
        assert_eq!(written, if deaths == 0 { 0 } else { 5 });
        let again = staff.receive("espresso-beans", 5, &reference).await;
        assert_eq!(again.status(), if written == 0 { 201 } else { 200 });
        assert_eq!(world.stock("espresso-beans").await, before + 5);
    }
    let whole = crash::dying_at(2, staff.receive("espresso-beans", 5, "DN-2")).await;
    assert_eq!(whole.map(|answer| answer.status()), Some(201), "there are two points, and no third");
}
