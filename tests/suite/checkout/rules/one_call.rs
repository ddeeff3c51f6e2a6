//! One call opens what one call can show: with coupons, a certificate and a VAT number.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{World, california, cart, id_of, total_of};

use super::{change_catalog, problems};

fn opening(more: &Value) -> Value {
    let mut body = json!({"cartItems": cart(&[("espresso-beans", 2)])});
    body.as_object_mut().expect("a body").extend(more.as_object().expect("members").clone());
    body
}

#[tokio::test]
async fn a_session_is_opened_as_several_steps_would_have_made_it() {
    let world = World::new().await;
    let guest = world.guest();
    let stepwise = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let id = id_of(&stepwise);
    guest.apply_coupon(id, "COFFEE5").await.expect(200);
    guest.apply_coupon(id, "WELCOME").await.expect(200);
    let facts = json!({"checkoutId": id, "taxExemptionCertificate": "CA-RESALE-0001", "vatNumber": "DE 136695976"});
    guest.post(Route::CalculateTax, &facts).await.expect(200);
    let stepwise = guest.session(id).await.expect(200);

    let body = opening(&json!({
        "shippingAddress": california(), "shippingMethodId": "us-standard",
        "couponCodes": ["coffee5", " WELCOME ", "COFFEE5"],
        "taxExemptionCertificate": "CA-RESALE-0001", "vatNumber": "DE 136695976"
    }));
    let opened = guest.post(Route::Initiate, &body).await.expect(201);

    for same in ["items", "summary", "coupons", "problems", "explain", "vatNumber", "taxExemptionCertificate"] {
        assert_eq!(opened[same], stepwise[same], "{same}");
    }
    assert_eq!((&opened["version"], &opened["summary"]["taxAmount"]), (&json!(1), &json!(0)));
    let order = guest.confirm(id_of(&opened), total_of(&opened)).await.expect(201);
    assert_eq!(order["order"]["taxExemptionCertificate"], "CA-RESALE-0001");
    assert_eq!(order["order"]["coupons"], opened["coupons"]);
}

/// Without an address nobody knows whether it holds: the step that knows says it.
#[tokio::test]
async fn a_certificate_is_judged_with_the_address() {
    let world = World::new().await;
    let guest = world.guest();
    let body = opening(&json!({"taxExemptionCertificate": "NY-1", "couponCodes": []}));
    let session = guest.post(Route::Initiate, &body).await.expect(201);
    assert_eq!((&session["taxExemptionCertificate"], problems(&session).len()), (&json!("NY-1"), 0));

    let session = guest.ship_to(id_of(&session), &california()).await.expect(200);
    assert_eq!(problems(&session), ["TAX_EXEMPTION_INVALID"]);
    guest.confirm(id_of(&session), total_of(&session)).await.refused(409, "SHIPPING_METHOD_REQUIRED");

    let body = opening(&json!({"taxExemptionCertificate": "NY-1", "shippingAddress": california()}));
    let refused = guest.post(Route::Initiate, &body).await.refused(422, "TAX_EXEMPTION_INVALID");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("NY-1")), "{refused:#}");
}

#[tokio::test]
async fn each_coupon_that_doesnt_apply_is_named_at_its_place() {
    let world = World::new().await;
    let body = opening(&json!({"couponCodes": ["SAVE20", "nosuch", "EXPIRED"]}));
    let refused = world.guest().post(Route::Initiate, &body).await.refused(422, "COUPON_UNKNOWN");
    let places: Vec<_> = refused["errors"].as_array().expect("errors").iter().map(|error| &error["pointer"]).collect();
    assert_eq!(places, ["/couponCodes/1", "/couponCodes/2"]);
}

/// A repeated request gets the same session; other coupons make it another request.
#[tokio::test]
async fn a_repeat_with_other_coupons_isnt_a_repeat() {
    let world = World::new().await;
    let guest = world.guest();
    let body = |coupons: &Value, number: &str| opening(&json!({"couponCodes": coupons, "vatNumber": number}));
    let first = guest.post_once(Route::Initiate, "key", &body(&json!(["SAVE20"]), "DE136695976")).await.expect(201);
    // What the shop changes meanwhile doesn't change an answer that was given.
    change_catalog(&world, |catalog| catalog["coupons"][0]["endsAt"] = json!("2020-01-01T00:00:00Z")).await;

    let again = guest.post_once(Route::Initiate, "key", &body(&json!(["SAVE20"]), "DE136695976")).await;

    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    for other in [body(&json!(["FREESHIP"]), "DE136695976"), body(&json!(["SAVE20"]), "NL000099998B57")] {
        guest.post_once(Route::Initiate, "key", &other).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    }
}
