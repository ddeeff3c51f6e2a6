//! Coupons over the life of a session, alone and together.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    race,
    world::{Setup, Shopper, World, california, id_of, total_of},
};

use super::{change_catalog, problems};

fn coupon(of: &Value) -> Value {
    let mut coupon = json!({"discount": {"type": "percentage", "percent": "10"}});
    coupon.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    coupon
}

async fn shop_with(coupons: Vec<Value>) -> Arc<World> {
    let mut catalog = tests::world::sample_catalog();
    catalog["coupons"].as_array_mut().unwrap().extend(coupons);
    Setup::default().unlimited().catalog(catalog).build().await
}

async fn remove_one(shopper: &Shopper, checkout: &str, code: &str) -> Value {
    let body = json!({"checkoutId": checkout, "couponCode": code});
    shopper.post(Route::RemoveCoupon, &body).await.expect(200)
}

#[tokio::test]
async fn each_refusal_has_its_own_code() {
    let world = shop_with(vec![
        coupon(&json!({"code": "LATER", "startsAt": "2099-01-01T00:00:00Z"})),
        coupon(&json!({"code": "TEA", "products": ["cbd-tea"]})),
        coupon(&json!({"code": "BOOKS", "categories": ["books"]})),
        coupon(&json!({"code": "EUROS", "discount": {"type": "fixed", "amounts": {"EUR": 100}}})),
        coupon(&json!({"code": "BIG", "minimumSubtotal": {"USD": 4000}})),
        coupon(&json!({"code": "BIGEUR", "minimumSubtotal": {"EUR": 1}})),
        coupon(&json!({"code": "CAPEUR", "maximumDiscount": {"EUR": 1}})),
    ])
    .await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let checkout = id_of(&session);
    for (code, refusal) in [
        ("NOSUCH", "COUPON_UNKNOWN"),
        ("expired", "COUPON_EXPIRED"),
        ("Later", "COUPON_NOT_STARTED"),
        ("big", "COUPON_MINIMUM_NOT_MET"),
        ("TEA", "COUPON_NOT_APPLICABLE"),
        ("BOOKS", "COUPON_NOT_APPLICABLE"),
        ("EUROS", "COUPON_NOT_APPLICABLE"),
        ("BIGEUR", "COUPON_NOT_APPLICABLE"),
        ("CAPEUR", "COUPON_NOT_APPLICABLE"),
        ("B2G1", "COUPON_NOT_APPLICABLE"),
    ] {
        guest.apply_coupon(checkout, code).await.refused(422, refusal);
    }
    let refused = guest.apply_coupon(checkout, "BIG").await;
    assert!(refused.body()["detail"].as_str().unwrap().contains("39.98 USD"), "{:#}", refused.body());
    guest.apply_coupon(checkout, " save20 ").await.expect(200);
    guest.apply_coupon(checkout, "FREESHIP").await.refused(422, "COUPON_NOT_COMBINABLE");
    guest.apply_coupon(checkout, "COFFEE5").await.refused(422, "COUPON_NOT_COMBINABLE");
    // The same one again is no second one.
    let session = guest.apply_coupon(checkout, "SAVE20").await.expect(200);
    assert_eq!(session["coupons"], json!([{"couponCode": "SAVE20", "discountAmount": 800}]));
}

#[tokio::test]
async fn buy_two_get_one_more_free() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("pour-over-kit/white", 2), ("pour-over-kit/black", 1)]).await;

    let session = guest.apply_coupon(id_of(&session), "b2g1").await.expect(200);

    assert_eq!(session["summary"]["discountAmount"], 4999);
    assert_eq!(session["items"][0]["discountAmount"], 4999);
    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    let discount: Vec<_> =
        order["order"]["explain"].as_array().unwrap().iter().filter(|entry| entry["type"] == "discount").collect();
    assert_eq!(discount.len(), 1);
    assert_eq!((&discount[0]["amount"], &discount[0]["source"]), (&json!(-4999), &json!("B2G1")));
}

#[tokio::test]
async fn coupons_that_combine_come_and_go_one_by_one() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, before) = (id_of(&session), session["summary"].clone());

    guest.apply_coupon(checkout, "COFFEE5").await.expect(200);
    let both = guest.apply_coupon(checkout, "WELCOME").await.expect(200);
    // 15 % of 39.98 first, for its priority, then 5.00.
    let expected =
        json!([{"couponCode": "WELCOME", "discountAmount": 600}, {"couponCode": "COFFEE5", "discountAmount": 500}]);
    assert_eq!(both["coupons"], expected);
    assert_eq!(both["summary"]["discountAmount"], 1100);
    guest.apply_coupon(checkout, "SAVE20").await.refused(422, "COUPON_NOT_COMBINABLE");

    let one = remove_one(&guest, checkout, "welcome").await;
    assert_eq!(one["coupons"], json!([{"couponCode": "COFFEE5", "discountAmount": 500}]));
    // One that isn't on is no error.
    remove_one(&guest, checkout, "WELCOME").await;
    let none = guest.remove_coupon(checkout).await.expect(200);
    assert_eq!(none["summary"], before);
}

#[tokio::test]
async fn a_coupon_stays_through_every_later_change_and_says_when_it_no_longer_holds() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let checkout = id_of(&session);
    guest.apply_coupon(checkout, "FLAT500").await.expect(200);
    let mut address = california();
    (address["state"], address["postalCode"]) = (json!("NY"), json!("10001"));
    for session in [
        guest.ship_to(checkout, &address).await.expect(200),
        guest.choose_shipping(checkout, "us-express").await.expect(200),
        guest.tax(checkout).await.expect(200),
    ] {
        assert_eq!(session["coupon"], json!({"couponCode": "FLAT500", "discountAmount": 500}));
    }

    change_catalog(&world, |catalog| catalog["coupons"][1]["minimumSubtotal"]["USD"] = json!(5000)).await;
    let session = guest.tax(checkout).await.expect(200);

    let problem = &session["problems"][0];
    assert_eq!(
        (&problem["code"], &problem["reason"]),
        (&json!("COUPON_NO_LONGER_VALID"), &json!("COUPON_MINIMUM_NOT_MET"))
    );
    assert_eq!(problem["couponCode"], "FLAT500");
    // It takes nothing off, and the session remembers it.
    assert_eq!(session["coupons"], json!([{"couponCode": "FLAT500", "discountAmount": 0}]));
    guest.confirm(checkout, total_of(&session)).await.refused(409, "COUPON_MINIMUM_NOT_MET");
    // Another coupon takes its place.
    let session = guest.apply_coupon(checkout, "SAVE20").await.expect(200);
    assert_eq!(session["coupons"][0]["couponCode"], "SAVE20");
    assert_eq!(session["coupons"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_first_order_is_the_first_that_was_not_cancelled() {
    let world = World::new().await;
    let user = world.user("ada");
    let session = user.fill_cart(&[("espresso-beans", 2)]).await;
    let session = user.apply_coupon(id_of(&session), "WELCOME").await.expect(200);
    let second = user.fill_cart(&[("espresso-beans", 1)]).await;
    user.apply_coupon(id_of(&second), "WELCOME").await.expect(200);
    let order = user.confirm(id_of(&session), total_of(&session)).await.expect(201);
    let order = order["order"]["orderId"].as_str().unwrap();

    assert_eq!(problems(&user.tax(id_of(&second)).await.expect(200)), ["COUPON_NO_LONGER_VALID"]);
    user.confirm(id_of(&second), 1).await.refused(409, "COUPON_ALREADY_USED");
    let third = user.fill_cart(&[("espresso-beans", 1)]).await;
    user.apply_coupon(id_of(&third), "WELCOME").await.refused(422, "COUPON_ALREADY_USED");

    user.cancel(order).await.expect(200);
    let third = user.apply_coupon(id_of(&third), "WELCOME").await.expect(200);
    user.confirm(id_of(&third), total_of(&third)).await.expect(201);
    // An order without the coupon counts just as well.
    let other = world.user("grace");
    other.buy(&[("espresso-beans", 1)]).await;
    let session = other.fill_cart(&[("espresso-beans", 1)]).await;
    other.apply_coupon(id_of(&session), "WELCOME").await.refused(422, "COUPON_ALREADY_USED");
}

/// Each session finds that there is no order yet; one of them gets the discount all the same.
#[tokio::test(flavor = "multi_thread")]
async fn of_first_orders_at_once_one_is_the_first() {
    let world = Setup::default().unlimited().build().await;
    for round in 0..5 {
        let user = world.user(&format!("ada-{round}"));
        let mut sessions = Vec::new();
        for _ in 0..6 {
            let session = user.fill_cart(&[("espresso-beans", 1)]).await;
            sessions.push(user.apply_coupon(id_of(&session), "WELCOME").await.expect(200));
        }

        let answers = race::at_once(6, |racer| {
            let (user, session) = (user.clone(), sessions[racer].clone());
            async move { user.confirm_as(&format!("ada{round}@example.com"), &session).await }
        })
        .await;

        let placed = answers.iter().filter(|answer| answer.status() == 201).count();
        let refused = answers.iter().filter(|answer| answer.code() == Some("COUPON_ALREADY_USED")).count();
        assert_eq!((placed, refused), (1, 5), "round {round}: {answers:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_coupons_of_an_order_are_counted_and_given_back_together() {
    let limited = |code: &str| coupon(&json!({"code": code, "combinable": true, "totalLimit": 2, "customerLimit": 1}));
    let world = shop_with(vec![limited("ONE"), limited("TWO")]).await;
    let user = world.user("ada");
    let session = user.fill_cart(&[("espresso-beans", 2)]).await;
    user.apply_coupon(id_of(&session), "ONE").await.expect(200);
    let session = user.apply_coupon(id_of(&session), "TWO").await.expect(200);
    assert_eq!(session["summary"]["discountAmount"], 400 + 360);

    let order = user.confirm(id_of(&session), total_of(&session)).await.expect(201);

    let counted = async |code: &str| (world.coupon_uses(code).await, world.coupon_uses_by(code, "user#ada").await);
    assert_eq!((counted("ONE").await, counted("TWO").await), ((1, 1), (1, 1)));
    user.cancel(order["order"]["orderId"].as_str().unwrap()).await.expect(200);
    assert_eq!((counted("ONE").await, counted("TWO").await), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn a_coupon_that_takes_nothing_off_is_not_used_up() {
    let limited = json!({"code": "Freier Versand 100%", "discount": {"type": "freeShipping"}, "totalLimit": 1});
    let world = shop_with(vec![coupon(&limited)]).await;
    let (rich, late) = (world.user("ada"), world.user("bob"));
    // From 75.00 on shipping is free in any case.
    for (shopper, units, uses) in [(&rich, 4, 0), (&late, 1, 1)] {
        let session = shopper.fill_cart(&[("espresso-beans", units)]).await;
        let session = shopper.apply_coupon(id_of(&session), "freier  versand 100%").await.expect(200);
        assert_eq!(session["coupon"]["couponCode"], "FREIER VERSAND 100%");
        assert_eq!(session["summary"]["shippingAmount"], 0);
        shopper.confirm(id_of(&session), total_of(&session)).await.expect(201);
        assert_eq!(world.coupon_uses("FREIER VERSAND 100%").await, uses);
    }
}

#[tokio::test]
async fn one_customer_is_one_mailbox_however_many_guests_it_is() {
    let first = coupon(&json!({"code": "FIRST", "firstOrderOnly": true}));
    let each = coupon(&json!({"code": "TWICE", "customerLimit": 2}));
    let world = shop_with(vec![first, each]).await;
    let with = async |code: &str| {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        (guest.clone(), guest.apply_coupon(id_of(&session), code).await.expect(200))
    };

    let (guest, session) = with("FIRST").await;
    let order = guest.confirm_as("Ada.L@gmail.com", &session).await.expect(201);
    for (email, code) in [("ada.l+2@gmail.com", "FIRST"), ("adal@googlemail.com", "FIRST")] {
        let (guest, session) = with(code).await;
        let before = world.stored_orders().await.len();
        guest.confirm_as(email, &session).await.refused(409, "COUPON_ALREADY_USED");
        assert_eq!(world.stored_orders().await.len(), before);
        // The way on.
        let session = guest.remove_coupon(id_of(&session)).await.expect(200);
        guest.confirm_as(email, &session).await.expect(201);
    }
    let (other, session) = with("FIRST").await;
    other.confirm_as("bob@gmail.com", &session).await.expect(201);

    // Each kind of customer has its own count: a limit of two is reached by either.
    for expected in [201, 201, 409] {
        let (guest, session) = with("TWICE").await;
        assert_eq!(guest.confirm_as("ada.l@gmail.com", &session).await.status(), expected);
    }

    // A corrected address doesn't make the use another's, and a cancelled order gives it back to whoever had it.
    let order = order["order"]["orderId"].as_str().unwrap();
    let correction = json!({"customerInfo": {"email": "bob@example.com"}, "reason": "a typo"});
    world.staff().correct(order, &correction).await.expect(200);
    let (again, session) = with("FIRST").await;
    again.confirm_as("ada.l@gmail.com", &session).await.refused(409, "COUPON_ALREADY_USED");
    guest.cancel(order).await.expect(200);
    again.confirm_as("ada.l@gmail.com", &session).await.expect(201);
    let (bob, session) = with("FIRST").await;
    bob.confirm_as("bob@example.com", &session).await.expect(201);
}
