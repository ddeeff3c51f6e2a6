//! Paths, queries, headers and addresses that lead nowhere.

use serde_json::{Value, json};
use shared::http::route::{CallerKind, Route};
use tests::world::{california, cart};

use super::{Shop, each_is_refused, invalid, refusal, with};

#[tokio::test]
async fn an_id_in_a_path_is_a_uuid() {
    let shop = Shop::open().await;
    let ids = ["12345", "01930d5c7a0070008000000000000c0de", "%2e%2e", "null", "01930d5c-7a00-7000-8000-00000000c0dé"];
    let mut cases = Vec::new();
    for id in ids {
        let event = shop.guest.event(Route::GetSession).path("checkoutId", id);
        cases.push((id.to_owned(), Route::GetSession, event, invalid("/path/checkoutId")));
        for route in Route::ALL.into_iter().filter(|route| route.path().contains("{orderId}")) {
            let event = shop.event(route).path("orderId", id);
            let event = if matches!(route, Route::GetOrder | Route::CaptureOrder) {
                event
            } else {
                event.json(&shop.good_body(route))
            };
            cases.push((id.to_owned(), route, event, invalid("/path/orderId")));
        }
        let route = Route::UpdateReturn;
        let event = shop.event(route).path("returnId", id).json(&shop.good_body(route));
        cases.push((id.to_owned(), route, event, invalid("/path/returnId")));
    }

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_list_is_asked_for_in_its_own_words() {
    let shop = Shop::open().await;
    let queries = [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("limit", "ten"),
        ("limit", ""),
        ("limit", "99999999999999999999"),
        ("cursor", "not-a-cursor"),
        ("cursor", ""),
        ("cursor", "AAAA"),
        ("cursor", "MDE5MzBkNWMtN2EwMC03MDAwLTgwMDAtMDAwMDAwMDBjMGRl"),
        ("status", "paid"),
        ("status", ""),
        ("status", "PENDING"),
        ("owner", "user#ada"),
        ("userId", "ada"),
        ("offset", "10"),
    ];
    let cases = queries.map(|(name, value)| {
        let at: &'static str = match name {
            "limit" => "/query/limit",
            "cursor" => "/query/cursor",
            "status" => "/query/status",
            "owner" => "/query/owner",
            "userId" => "/query/userId",
            _ => "/query/offset",
        };
        let event = shop.event(Route::ListOrders).query(name, value);
        (format!("{name}={value}"), Route::ListOrders, event, invalid(at))
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn every_fault_of_a_query_is_told_at_once() {
    let shop = Shop::open().await;
    let event = shop.event(Route::ListOrders).query("limit", "0").query("status", "paid").query("cursor", "x");

    let problem = shop.send(Route::ListOrders, &event).await.refused(400, "VALIDATION_FAILED");

    let mut places: Vec<_> =
        problem["errors"].as_array().expect("errors").iter().map(|e| e["pointer"].clone()).collect();
    places.sort_by_key(Value::to_string);
    assert_eq!(places, ["/query/cursor", "/query/limit", "/query/status"]);
}

#[tokio::test]
async fn a_guest_id_is_a_uuid_that_someone_could_have_been_given() {
    let shop = Shop::open().await;
    let ids = ["ada", "12345", "", "a3bb189e8bf94c2d9f431d2e3f4a5b6c", "00000000-0000-0000-0000-000000000000"];
    // A token comes before a guest id, and Stripe has a signature instead.
    let asks_for_guests = |route: &Route| {
        let spec = route.spec();
        let with_token = matches!(spec.caller, CallerKind::SignedIn | CallerKind::Staff);
        spec.reads_credentials && !with_token && *route != Route::PaymentWebhook
    };
    let routes = Route::ALL.into_iter().filter(asks_for_guests);
    let cases = routes.flat_map(|route| {
        let event = shop.event(route);
        let event = if route.method() == "GET" { event } else { event.json(&shop.good_body(route)) };
        ids.map(|id| (format!("guest {id:?}"), route, event.clone().guest(id), invalid("/headers/x-guest-id")))
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn an_address_is_one_that_a_parcel_can_be_sent_to() {
    let shop = Shop::open().await;
    let places = [
        ("/country", json!("USA")),
        ("/country", json!("XX")),
        ("/country", json!("United States")),
        ("/country", json!("")),
        ("/state", json!("Atlantis")),
        ("/state", json!("C")),
        ("/state", json!("")),
        ("/state", json!("DE-BY")),
        ("/postalCode", json!("9410")),
        ("/postalCode", json!("94105-12")),
        ("/postalCode", json!("ABCDE")),
        ("/postalCode", json!("")),
        ("/email", json!("nobody")),
    ];
    let mut cases = Vec::new();
    for (at, value) in places {
        let address = with(california(), at, Some(value.clone()));
        let shipping: &'static str = match at {
            "/country" => "/shippingAddress/country",
            "/state" => "/shippingAddress/state",
            "/postalCode" => "/shippingAddress/postalCode",
            _ => "/shippingAddress/email",
        };
        let opened = json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": address});
        let changed = json!({"checkoutId": shop.checkout(), "shippingAddress": address});
        let what = format!("{at} = {value}");
        cases.push((what.clone(), Route::Initiate, shop.event(Route::Initiate).json(&opened), invalid(shipping)));
        cases.push((what, Route::UpdateAddress, shop.event(Route::UpdateAddress).json(&changed), invalid(shipping)));
    }

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_place_that_nothing_is_sent_to_is_refused() {
    let shop = Shop::open().await;
    let brazil = json!({
        "firstName": "Ada", "lastName": "Sample", "addressLine1": "Praça da Sé, 1", "city": "São Paulo",
        "state": "SP", "postalCode": "01001-000", "country": "BR"
    });
    let body = json!({"checkoutId": shop.checkout(), "shippingAddress": brazil});
    let event = shop.event(Route::UpdateAddress).json(&body);

    let refused = refusal(422, "SHIPPING_UNAVAILABLE");
    each_is_refused(&shop, [("Brazil".to_owned(), Route::UpdateAddress, event, refused)]).await;
}
