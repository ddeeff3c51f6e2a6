//! The cart of an open session changes, and all else stays where it still applies.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    race,
    world::{Setup, Shopper, World, california, cart, id_of, total_of},
};

use super::{change_catalog, problems, product};

/// Prices, and nothing of when and of whom.
fn priced(session: &Value) -> Value {
    let mut session = session.clone();
    // The last two are only in a session that is read.
    for name in
        ["checkoutId", "version", "guestId", "createdAt", "updatedAt", "expiresAt", "shippingMethods", "taxBreakdown"]
    {
        session.as_object_mut().expect("a session").remove(name);
    }
    session
}

#[tokio::test]
async fn items_are_added_changed_and_removed_and_the_rest_stays() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let checkout = id_of(&session);
    guest
        .post(Route::UpdateAddress, &json!({"checkoutId": checkout, "billingAddress": california()}))
        .await
        .expect(200);
    guest.apply_coupon(checkout, "SAVE20").await.expect(200);
    let facts =
        json!({"checkoutId": checkout, "vatNumber": "DE136695976", "taxExemptionCertificate": "CA-RESALE-0001"});
    let before = guest.post(Route::CalculateTax, &facts).await.expect(200);

    let after = guest.set_items(checkout, &[("pour-over-kit/white", 1), ("espresso-beans", 1)]).await.expect(200);

    assert_eq!((&after["version"], problems(&after).len()), (&json!(5), 0));
    assert_eq!(after["items"][0]["variantId"], "white");
    assert_eq!((&after["items"][1]["quantity"], &after["summary"]["itemCount"]), (&json!(1), &json!(2)));
    assert_eq!(after["coupons"], json!([{"couponCode": "SAVE20", "discountAmount": 1400}]));
    for kept in ["shippingAddress", "billingAddress", "vatNumber", "taxExemptionCertificate", "guestId", "createdAt"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    assert_eq!(after["shippingMethod"]["shippingMethodId"], "us-standard");
    // It is the session that would have been opened with this cart.
    let opened = json!({
        "cartItems": cart(&[("pour-over-kit/white", 1), ("espresso-beans", 1)]),
        "shippingAddress": california(), "billingAddress": california(), "shippingMethodId": "us-standard",
        "couponCodes": ["SAVE20"], "vatNumber": "DE136695976", "taxExemptionCertificate": "CA-RESALE-0001"
    });
    let other = guest.post(Route::Initiate, &opened).await.expect(201);
    assert_eq!(priced(&after), priced(&other));
    assert_eq!(priced(&guest.session(checkout).await.expect(200)), priced(&after));

    let order = guest.confirm(checkout, total_of(&after)).await.expect(201);
    assert_eq!(order["order"]["summary"], after["summary"]);
    assert_eq!((world.stock("espresso-beans").await, world.stock("pour-over-kit/white").await), (99_999, 999));
}

#[tokio::test]
async fn what_no_longer_applies_is_a_problem_until_it_applies_again() {
    let mut catalog = tests::world::sample_catalog();
    catalog["shipping"]["zones"][0]["methods"][1]["notFor"] = json!({"products": ["cbd-tea"]});
    let world = Setup::default().catalog(catalog).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let checkout = id_of(&session);
    guest.choose_shipping(checkout, "us-express").await.expect(200);
    let good = guest.apply_coupon(checkout, "FLAT500").await.expect(200);

    let bad = guest.set_items(checkout, &[("cbd-tea", 1)]).await.expect(200);

    assert_eq!(problems(&bad), ["COUPON_NO_LONGER_VALID", "SHIPPING_METHOD_UNAVAILABLE"]);
    assert_eq!(bad["problems"][0]["reason"], "COUPON_MINIMUM_NOT_MET");
    assert_eq!(bad["problems"][1]["shippingMethodId"], "us-express");
    assert_eq!(bad["coupons"], json!([{"couponCode": "FLAT500", "discountAmount": 0}]));
    guest.confirm(checkout, total_of(&bad)).await.refused(409, "COUPON_MINIMUM_NOT_MET");

    let again = guest.set_items(checkout, &[("espresso-beans", 2)]).await.expect(200);

    assert_eq!(priced(&again), priced(&good));
    guest.confirm(checkout, total_of(&again)).await.expect(201);
}

#[tokio::test]
async fn what_the_request_adds_is_refused_as_a_new_session_would_be() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2), ("limited-print", 2)]).await;
    let checkout = id_of(&session);
    let with = |more: (&'static str, u32)| [("espresso-beans", 2), ("limited-print", 2), more];

    let unknown = guest.set_items(checkout, &with(("no-such-thing", 1))).await.refused(404, "PRODUCT_NOT_FOUND");
    assert_eq!(unknown["errors"][0]["pointer"], "/cartItems/2");
    guest.set_items(checkout, &with(("sold-out-mug", 1))).await.refused(409, "INSUFFICIENT_STOCK");
    let more = guest.set_items(checkout, &with(("limited-print", 4))).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!((&more["problems"][0]["requested"], &more["problems"][0]["available"]), (&json!(6), &json!(5)));
    let many = guest.set_items(checkout, &with(("pour-over-kit/white", 21))).await;
    assert_eq!(many.refused(422, "MAX_PER_ORDER_EXCEEDED")["errors"][0]["pointer"], "/cartItems/2");
    let mut idaho = california();
    (idaho["state"], idaho["postalCode"]) = (json!("ID"), json!("83701"));
    guest.ship_to(checkout, &idaho).await.expect(200);
    guest.set_items(checkout, &with(("cbd-tea", 1))).await.refused(422, "NOT_SHIPPABLE");

    let kept = guest.session(checkout).await.expect(200);
    assert_eq!((&kept["version"], kept["items"].as_array().map(Vec::len)), (&json!(2), Some(2)));
}

/// The customer goes on with the rest of the cart, whatever became of what was in it.
#[tokio::test]
async fn what_the_session_had_already_stays_a_problem() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1), ("limited-print", 4)]).await;
    let checkout = id_of(&session);
    world.guest().buy(&[("limited-print", 3)]).await;
    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["published"] = json!(false)).await;

    let fewer = [("espresso-beans", 1), ("limited-print", 3), ("cbd-tea", 1)];
    let session = guest.set_items(checkout, &fewer).await.expect(200);
    assert_eq!(problems(&session), ["OUT_OF_STOCK", "PRODUCT_UNAVAILABLE"]);
    // It keeps its last price, so that the cart still shows what it showed.
    assert_eq!(session["items"][0]["unitPrice"], 1999);
    guest.set_items(checkout, &[("limited-print", 4)]).await.refused(409, "INSUFFICIENT_STOCK");

    let session = guest.set_items(checkout, &[("limited-print", 2), ("cbd-tea", 1)]).await.expect(200);
    assert_eq!(problems(&session), [""; 0]);
    guest.set_items(checkout, &[("espresso-beans", 1)]).await.refused(404, "PRODUCT_NOT_FOUND");
    guest.confirm(checkout, total_of(&session)).await.expect(201);
}

#[tokio::test]
async fn a_quoted_price_stays_with_its_product_and_a_new_product_gets_its_own() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let checkout = id_of(&session);
    change_catalog(&world, |catalog| {
        product(catalog, "espresso-beans")["prices"]["USD"] = json!(2499);
        product(catalog, "cbd-tea")["prices"]["USD"] = json!(1500);
    })
    .await;

    let session = guest.set_items(checkout, &[("cbd-tea", 1), ("espresso-beans", 3)]).await.expect(200);

    assert_eq!(problems(&session), ["PRICE_CHANGED"]);
    let told = &session["problems"][0];
    assert_eq!((&told["productId"], &told["oldPrice"]), (&json!("espresso-beans"), &json!(1999)));
    assert_eq!((&session["items"][0]["unitPrice"], &session["items"][1]["unitPrice"]), (&json!(1500), &json!(2499)));
}

#[tokio::test]
async fn the_cart_of_an_order_or_of_an_ended_session_stays() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);

    let refused = guest.set_items(id_of(&session), &[("cbd-tea", 1)]).await.refused(409, "SESSION_COMPLETED");

    assert_eq!(refused["orderId"], order["order"]["orderId"]);
    let open = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let later = guest.served_by(&world.container_after(std::time::Duration::from_secs(3600)));
    later.set_items(id_of(&open), &[("cbd-tea", 1)]).await.refused(404, "SESSION_EXPIRED");
}

/// Of a confirmation and a new cart at once, the order has one of the two carts, and the customer agreed to its total.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_the_cart_whose_total_was_confirmed() {
    let world = Setup::default().unlimited().build().await;
    let containers: Vec<_> = (0..2).map(|_| world.container()).collect();
    let mut placed = 0;
    for round in 0..25 {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;

        let answers = race::at_once(2, |racer| {
            let (guest, session): (Shopper, Value) = (guest.clone().served_by(&containers[racer]), session.clone());
            async move {
                match racer {
                    0 => guest.confirm(id_of(&session), total_of(&session)).await,
                    _ => guest.set_items(id_of(&session), &[("espresso-beans", 1)]).await,
                }
            }
        })
        .await;

        let said = (answers[0].status(), answers[0].code(), answers[1].status(), answers[1].code());
        match said {
            (201, None, 409, Some("SESSION_COMPLETED")) => {
                placed += 1;
                assert_eq!(answers[0].body()["order"]["items"][0]["quantity"], 2, "round {round}");
            }
            (409, Some("TOTAL_CHANGED"), 200, None) => {
                let now = guest.session(id_of(&session)).await.expect(200);
                assert_eq!(now["items"][0]["quantity"], 1, "round {round}");
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert_eq!(world.stored_orders().await.len(), placed);
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 2 * u64::try_from(placed).unwrap());
}

#[tokio::test]
async fn a_lost_answer_and_a_failing_store_leave_one_cart() {
    let world: Arc<World> = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let checkout = id_of(&session);
    world.dynamodb.add(Rule::on("PutItem", Fault::AnswerLost).times(1));

    let changed = guest.set_items(checkout, &[("espresso-beans", 3)]).await.expect(200);

    assert_eq!((&changed["version"], &changed["items"][0]["quantity"]), (&json!(2), &json!(3)));
    world.dynamodb.clear_rules();
    world.dynamodb.add(Rule::on("PutItem", Fault::Throttling));
    guest.set_items(checkout, &[("espresso-beans", 4)]).await.refused(503, "STORE_UNAVAILABLE");
    world.dynamodb.clear_rules();
    let kept = guest.session(checkout).await.expect(200);
    assert_eq!((&kept["version"], priced(&kept)), (&json!(2), priced(&changed)));
    guest.set_items(checkout, &[("espresso-beans", 4)]).await.expect(200);
}
