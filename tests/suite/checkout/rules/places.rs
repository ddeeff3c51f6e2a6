//! Where a cart may go: regions and their provinces, places with two codes, postal codes, and pasted addresses.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, Shopper, World, cart, confirmation, id_of, total_of};

use super::{problems, product};

fn address(country: &str, state: Option<&str>, postal_code: &str) -> Value {
    json!({
        "firstName": "Ada", "addressLine1": "1 High Street", "city": "Town", "country": country, "state": state,
        "postalCode": postal_code
    })
}

/// A shop whose tea may not go to Northern Ireland, the Canaries, Puerto Rico, Brittany and some Scottish islands.
async fn careful_shop() -> Arc<World> {
    let mut catalog = tests::world::sample_catalog();
    product(&mut catalog, "espresso-beans")["notShippableTo"] = json!([
        {"regions": ["GB-NIR", "ES-CN", "PR", "FR-BRE"], "message": "Not there."},
        {"regions": [{"region": "GB", "postalCodes": ["ZE", "PA20-PA49"]}], "message": "Not by ferry."}
    ]);
    Setup::default().unlimited().catalog(catalog).build().await
}

async fn opened(guest: &Shopper, address: &Value) -> Value {
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": address});
    guest.post(Route::Initiate, &body).await.expect(201)
}

#[tokio::test]
async fn a_restriction_of_a_region_holds_for_what_is_in_it_at_each_step() {
    let world = careful_shop().await;
    let guest = world.guest();
    for (to, message) in [
        (address("GB", Some("Belfast City"), "BT1 5GS"), "Not there."),
        (address("GB", Some("Co. Antrim"), "BT41 1AA"), "Not there."),
        (address("US", Some("Puerto Rico"), "00901"), "Not there."),
        (address("PR", None, "00901"), "Not there."),
        (address("GB", Some("Argyll & Bute"), "PA20 0AA"), "Not by ferry."),
        // A postal code that tells where it is is as good as a state.
        (address("GB", None, "BT1 5GS"), "Not there."),
        (address("ES", None, "35001"), "Not there."),
        (address("ES", Some("somewhere"), "38001"), "Not there."),
        (address("FR", None, "75001"), "Not there. (the address needs a state or region)"),
        (
            address("FR", Some("somewhere"), "75001"),
            "Not there. (the address needs a state or region by its ISO 3166-2 code or its name)",
        ),
    ] {
        let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": to});
        let refused = guest.post(Route::Initiate, &body).await.refused(422, "NOT_SHIPPABLE");
        assert_eq!(refused["problems"][0]["detail"], message, "{to}");

        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let refused = guest.ship_to(id_of(&session), &to).await.refused(422, "NOT_SHIPPABLE");
        assert_eq!(refused["problems"][0]["detail"], message, "{to}");
    }
    for to in [
        address("GB", Some("Argyll and Bute"), "PA2 6BE"),
        address("US", Some("Calif."), "94105"),
        address("GB", None, "SW1A 1AA"),
        address("GB", Some("somewhere"), "SW1A 1AA"),
        address("ES", None, "28001"),
    ] {
        let session = opened(&guest, &to).await;
        assert!(!problems(&session).contains(&"NOT_SHIPPABLE"), "{to}");
    }
}

#[tokio::test]
async fn a_restriction_that_comes_after_the_address_holds_at_confirm() {
    let world = World::new().await;
    let guest = world.guest();
    let body = json!({
        "cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": address("GB", Some("Belfast"), "BT1 5GS"),
        "shippingMethodId": "gb-standard"
    });
    let session = guest.post(Route::Initiate, &body).await.expect(201);
    super::change_catalog(&world, |catalog| {
        product(catalog, "espresso-beans")["notShippableTo"] =
            json!([{"regions": ["GB-NIR"], "message": "Not there."}]);
    })
    .await;
    guest.confirm(id_of(&session), total_of(&session)).await.refused(409, "NOT_SHIPPABLE");
}

#[tokio::test]
async fn an_address_is_asked_for_nothing_that_no_rule_depends_on() {
    let world = World::new().await;
    let session = opened(&world.guest(), &address("GB", None, "SW1A 1AA")).await;
    assert_eq!(session["problems"], json!([]));
}

#[tokio::test]
async fn territories_and_military_mail_are_shipped_and_taxed() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    for (to, state, tax) in [
        (address("PR", None, "00901"), "PR", "11.5"),
        (address("US", Some("Puerto Rico"), "00901-1234"), "PR", "11.5"),
        (address("GU", None, "96910"), "GU", "0"),
        (address("US", Some("U.S. Virgin Islands"), "00802"), "VI", "0"),
        (address("US", Some("Armed Forces Europe"), "09123"), "AE", "0"),
        (address("US", Some("ＡＰ"), "９６３４９"), "AP", "0"),
    ] {
        let mut body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": to});
        body["shippingMethodId"] = json!("us-overseas-mail");
        let session = guest.post(Route::Initiate, &body).await.expect(201);
        assert_eq!(session["problems"], json!([]), "{to}");
        let shown = &session["shippingAddress"];
        assert_eq!((&shown["country"], &shown["state"]), (&json!("US"), &json!(state)), "{to}");
        let taxed = guest.tax(id_of(&session)).await.expect(200);
        assert_eq!(taxed["taxBreakdown"][0]["rate"], tax, "{to}");
        guest.confirm(id_of(&taxed), total_of(&taxed)).await.expect(201);
    }
}

#[tokio::test]
async fn what_is_pasted_is_taken_as_it_is_seen() {
    let world = World::new().await;
    let guest = world.guest();
    let pasted = json!({
        "firstName": "\u{202A}Ada\u{202C}", "lastName": " ", "addressLine1": "\u{FEFF}1 Market\u{a0}St", "city": "San\u{2007}Francisco",
        "state": "\u{200E}Calif.", "postalCode": "\u{200B}９４１０５\u{2011}1234", "country": "us\u{200E}",
        "phone": "\u{202D}+1\u{a0}415\u{2011}555\u{2013}0100\u{202C}", "email": "\u{200B}ada@example.com\u{a0}"
    });
    let session = opened(&guest, &pasted).await;
    assert_eq!(
        session["shippingAddress"],
        json!({
            "firstName": "Ada", "addressLine1": "1 Market St", "city": "San Francisco", "state": "CA",
            "postalCode": "94105-1234", "country": "US", "phone": "+1 415-555-0100", "email": "ada@example.com"
        })
    );
    let checkout = id_of(&session);
    let applied = guest.apply_coupon(checkout, "\u{200B}ｓａｖｅ20\u{a0}").await.expect(200);
    assert_eq!(applied["coupons"][0]["couponCode"], "SAVE20");
    let session = guest.choose_shipping(checkout, "us-standard").await.expect(200);
    let mut body = confirmation(checkout, total_of(&session));
    body["customerInfo"] = json!({"email": "ada@example.com\u{200B}", "firstName": "Ada\u{200F}"});
    body["notes"] = json!("Ring\u{202E} twice\nplease");
    let order = guest.post(Route::ConfirmOrder, &body).await.expect(201);
    assert_eq!(order["order"]["customerInfo"], json!({"email": "ada@example.com", "firstName": "Ada"}));
    let read = guest.order(order["order"]["orderId"].as_str().expect("an id")).await.expect(200);
    assert_eq!(read["order"]["customerInfo"], order["order"]["customerInfo"]);
}
