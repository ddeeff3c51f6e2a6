//! Shipping without a session, and what an order says of its delivery.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, World, cart, id_of, to_tokyo, total_of};

fn preview(items: &[(&str, u32)], place: &Value) -> Value {
    json!({"cartItems": cart(items), "shippingAddress": place})
}

#[tokio::test]
async fn a_preview_offers_what_a_session_would() {
    let world = World::new().await;
    let place = json!({"country": "US", "state": "California", "postalCode": "94105"});
    let items = [("espresso-beans", 2), ("pour-over-kit/white", 1)];

    let quoted = world.nobody().post(Route::CalculateShippingPreview, &preview(&items, &place)).await.expect(200);

    let guest = world.guest();
    let session = guest.fill_cart(&items).await;
    let offered = guest.shipping_offers(id_of(&session)).await.expect(200);
    assert_eq!(quoted["shippingMethods"], offered["shippingMethods"]);
    assert_eq!(quoted["currency"], "USD");
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

#[tokio::test]
async fn a_preview_says_what_can_not_be_sent() {
    let world = World::new().await;
    let nobody = world.nobody();
    for (items, place, status, code) in [
        (
            vec![("cbd-tea", 1)],
            json!({"country": "US", "state": "idaho ", "postalCode": "83701"}),
            422,
            "NOT_SHIPPABLE",
        ),
        (
            vec![("espresso-beans", 1)],
            json!({"country": "BR", "state": "SP", "postalCode": "01001-000"}),
            422,
            "SHIPPING_UNAVAILABLE",
        ),
        (
            vec![("no-such-thing", 1)],
            json!({"country": "US", "state": "CA", "postalCode": "94105"}),
            404,
            "PRODUCT_NOT_FOUND",
        ),
        (vec![("espresso-beans", 1)], json!({"country": "US", "postalCode": "94105"}), 400, "VALIDATION_FAILED"),
    ] {
        nobody.post(Route::CalculateShippingPreview, &preview(&items, &place)).await.refused(status, code);
    }
}

/// A place of a preview is judged as an address's.
#[tokio::test]
async fn a_preview_takes_no_longer_texts_than_an_address() {
    let world = World::new().await;
    let nobody = world.nobody();
    let long = |length: usize| "x".repeat(length);
    let of = |name: &str, value: String| {
        let mut place = json!({"country": "HK"});
        place[name] = json!(value);
        preview(&[("espresso-beans", 1)], &place)
    };
    for name in ["county", "state"] {
        for value in [long(101), long(60_000), "a\u{7}b".to_owned()] {
            let refused = nobody.post(Route::CalculateShippingPreview, &of(name, value)).await;
            let refused = refused.refused(400, "VALIDATION_FAILED");
            assert_eq!(refused["errors"][0]["pointer"], format!("/shippingAddress/{name}"), "{refused}");
        }
        let taken = nobody.post(Route::CalculateShippingPreview, &of(name, long(100))).await;
        taken.refused(422, "SHIPPING_UNAVAILABLE");
    }
}

#[tokio::test]
async fn each_kind_of_cost_has_its_price() {
    let world = World::new().await;
    let nobody = world.nobody();
    let place = |country: &str, state: Option<&str>, postal: &str| json!({"country": country, "state": state, "postalCode": postal});
    for (place, quantity, amount) in [
        (place("GB", None, "SW1A 1AA"), 3, 1199 + 3 * 200),
        (place("CA", Some("ON"), "K1A 0B1"), 5, 1499 + 100),
        (place("CA", Some("ON"), "K1A 0B1"), 6, 799 + 100),
        (place("DE", None, "10115"), 1, 1299),
        (place("US", Some("AK"), "99501"), 1, 1599),
    ] {
        let body = preview(&[("espresso-beans", quantity)], &place);
        let quoted = nobody.post(Route::CalculateShippingPreview, &body).await.expect(200);
        assert_eq!(quoted["shippingMethods"][0]["amount"], amount, "{place}");
    }
}

#[tokio::test]
async fn an_order_keeps_its_estimate_and_its_explanation() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2), ("gift-card-note", 1)]).await;
    let session = guest.apply_coupon(id_of(&session), "SAVE20").await.expect(200);

    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    let order = guest.order(order["order"]["orderId"].as_str().unwrap()).await.expect(200)["order"].clone();

    assert_eq!(order["shippingMethod"], session["shippingMethod"]);
    assert!(order["shippingMethod"]["estimatedDelivery"]["latest"].is_string());
    assert_eq!(order["explain"], session["explain"]);
    let explain = order["explain"].as_array().unwrap();
    let sum: i64 = explain.iter().map(|entry| entry["amount"].as_i64().unwrap()).sum();
    assert_eq!(json!(sum), order["summary"]["totalAmount"]);
    for item in order["items"].as_array().unwrap() {
        let of_line = explain.iter().filter(|entry| entry["productId"] == item["productId"]);
        let sum: i64 = of_line.map(|entry| entry["amount"].as_i64().unwrap()).sum();
        assert_eq!(json!(sum), item["totalAmount"]);
    }
}

/// No currency has a rate to another, and each keeps its own decimals.
#[tokio::test]
async fn a_session_in_yen_has_no_decimals() {
    let world = Setup::default().build().await;
    let guest = world.guest();
    let session = guest.post(Route::Initiate, &to_tokyo()).await.expect(201);

    // 10 % in 8940 and in 2000: 994.54… of the two together.
    let expected = json!({
        "subtotal": 8940, "discountAmount": 0, "shippingAmount": 2000, "taxAmount": 995, "taxIncluded": true,
        "taxReliefAmount": 0, "totalAmount": 10940, "itemCount": 3
    });
    assert_eq!(session["summary"], expected);
    assert_eq!(session["explain"][0]["text"], "3 × 2980 JPY Espresso beans, 500 g");
    let order = guest.confirm(id_of(&session), 10940).await.expect(201);
    assert_eq!(order["order"]["currency"], "JPY");
}

/// A shop with a dearer method for parts of countries.
fn by_parts(catalog: &mut Value) {
    let zone = |id: &str, place: &str, amount: u32| {
        json!({"zoneId": id, "places": [place], "methods": [{
            "shippingMethodId": id, "name": id, "cost": {"type": "flat", "amounts": {"USD": amount}},
            "deliveryDays": {"min": 1, "max": 2}
        }]})
    };
    catalog["shipping"]["zones"] = json!([
        zone("gb", "GB", 100),
        zone("ulster", "GB-NIR", 200),
        zone("de", "DE", 300),
        zone("bavaria", "DE-BY", 400),
        zone("es", "ES", 500),
        zone("canaries", "ES-CN", 600)
    ]);
    catalog["currencies"] = Value::Null;
}

#[tokio::test]
async fn an_address_that_may_be_in_a_dearer_zone_is_asked_for_more() {
    let mut catalog = tests::world::sample_catalog();
    by_parts(&mut catalog);
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let nobody = world.nobody();
    for (country, state, postal_code, method) in [
        ("GB", None, "SW1A 1AA", Some("gb")),
        ("GB", None, "BT1 5GS", Some("ulster")),
        ("GB", Some("Belfast City"), "BT1 5GS", Some("ulster")),
        ("GB", Some("Scotland"), "EH1 1YZ", Some("gb")),
        ("DE", Some("Bayern"), "80331", Some("bavaria")),
        ("DE", Some("Hessen"), "60311", Some("de")),
        ("DE", None, "80331", None),
        ("ES", None, "28001", Some("es")),
        ("ES", None, "35001", Some("canaries")),
        ("ES", Some("Tenerife"), "38001", Some("canaries")),
    ] {
        let place = json!({"country": country, "state": state, "postalCode": postal_code});
        let answer = nobody.post(Route::CalculateShippingPreview, &preview(&[("espresso-beans", 1)], &place)).await;
        let Some(method) = method else {
            let refused = answer.refused(422, "SHIPPING_UNAVAILABLE");
            let why = "the address needs a state or region: how we ship to DE depends on it";
            assert_eq!(refused["problems"][0]["detail"], why, "{place}");
            continue;
        };
        let offers = answer.expect(200);
        assert_eq!(offers["shippingMethods"][0]["shippingMethodId"], method, "{place}");
        assert_eq!(offers["shippingMethods"].as_array().map(Vec::len), Some(1), "{place}");
    }
}

#[tokio::test]
async fn goods_that_no_method_takes_are_not_blamed_on_the_place() {
    let mut catalog = tests::world::sample_catalog();
    by_parts(&mut catalog);
    catalog["shipping"]["zones"][0]["methods"][0]["maximumWeightGrams"] = json!(900);
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let place = json!({"country": "GB", "postalCode": "SW1A 1AA"});
    let nobody = world.nobody();
    let heavy = nobody.post(Route::CalculateShippingPreview, &preview(&[("espresso-beans", 2)], &place)).await;
    let heavy = heavy.refused(422, "SHIPPING_UNAVAILABLE");
    let why = "no shipping method to GB takes this cart: its goods, their weight or their value";
    assert_eq!(heavy["problems"][0]["detail"], why);
    let elsewhere = json!({"country": "AT", "postalCode": "1010"});
    let far = nobody.post(Route::CalculateShippingPreview, &preview(&[("espresso-beans", 1)], &elsewhere)).await;
    assert_eq!(far.refused(422, "SHIPPING_UNAVAILABLE")["problems"][0]["detail"], "we don't ship to AT");

    // A session says the same when it is read again.
    let guest = world.guest();
    let address = json!({
        "firstName": "Ada", "addressLine1": "1 High Street", "city": "London", "country": "GB", "postalCode": "SW1A 1AA"
    });
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": address});
    let session = guest.post(Route::Initiate, &body).await.expect(201);
    let body = json!({"checkoutId": id_of(&session), "cartItems": cart(&[("espresso-beans", 3)])});
    guest.post(Route::UpdateItems, &body).await.expect(200);
    let read = guest.session(id_of(&session)).await.expect(200);
    let told = read["problems"].as_array().into_iter().flatten().find(|p| p["code"] == "SHIPPING_UNAVAILABLE");
    assert_eq!(told.map(|problem| problem["detail"].clone()), Some(json!(why)), "{read:#}");
}
