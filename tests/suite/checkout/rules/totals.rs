//! The total that was shown is the total that is charged, whatever is in the cart and wherever it goes.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, cart, id_of, priced_items, total_of};

/// A number from one seed and one question, so that a failing seed can be tried again.
fn pick(seed: usize, question: usize, among: usize) -> usize {
    let mixed = (seed * 31 + question * 17 + 7).wrapping_mul(2_654_435_761);
    (mixed >> 13) % among
}

fn address(seed: usize) -> (Value, &'static str, &'static str) {
    let places = [
        ("US", Some("CA"), "94105", "us-standard", "USD"),
        ("US", Some("NY"), "10001", "us-express", "USD"),
        ("US", Some("AK"), "99501", "ak-hi-express", "USD"),
        ("DE", None, "10115", "de-standard", "EUR"),
        ("FR", None, "75001", "fr-standard", "EUR"),
        ("GB", None, "SW1A 1AA", "gb-standard", "USD"),
        ("CA", Some("QC"), "H3Z 2Y7", "ca-standard", "USD"),
    ];
    let (country, state, postal_code, method, currency) = places[pick(seed, 1, places.len())];
    let address = json!({
        "firstName": "Ada", "lastName": "Sample", "addressLine1": "1 Main Street", "city": "Town",
        "state": state, "postalCode": postal_code, "country": country
    });
    (address, method, currency)
}

#[tokio::test]
async fn the_total_confirmed_is_the_total_shown() {
    let world = Setup::default().unlimited().build().await;
    for seed in 0..60 {
        let (address, method, currency) = address(seed);
        let products = ["espresso-beans", "pour-over-kit/white", "pour-over-kit/black", "brewing-book"];
        let count = 1 + pick(seed, 2, products.len());
        let items: Vec<(&str, u32)> = (0..count)
            .map(|at| (products[(at + pick(seed, 3, 4)) % 4], u32::try_from(1 + pick(seed, 10 + at, 9)).unwrap()))
            .collect();
        let guest = world.guest();
        let body = json!({"cartItems": cart(&items), "currency": currency, "shippingAddress": address, "shippingMethodId": method});
        let mut session = guest.post(Route::Initiate, &body).await.expect(201);
        let coupons = ["SAVE20", "FREESHIP", "WELCOME", "COFFEE5", "B2G1", "BEANS10"];
        for question in 0..pick(seed, 4, 3) {
            // One that doesn't apply leaves the session as it was.
            let applied = guest.apply_coupon(id_of(&session), coupons[pick(seed, 5 + question, 6)]).await;
            assert!(matches!(applied.status(), 200 | 422), "seed {seed}: {:#}", applied.body());
            session = guest.session(id_of(&session)).await.expect(200);
        }
        assert_eq!(session["problems"], json!([]), "seed {seed}");
        for wrong in [total_of(&session) - 1, total_of(&session) + 1] {
            let refused = guest.confirm(id_of(&session), wrong).await.refused(409, "TOTAL_CHANGED");
            assert_eq!(refused["session"]["summary"], session["summary"], "seed {seed}");
        }

        let confirmed = guest.confirm_as(&format!("ada{seed}@example.com"), &session).await;

        let order = confirmed.expect(201)["order"].clone();
        assert_eq!(priced_items(&order), session["items"], "seed {seed}");
        for member in ["summary", "explain", "coupons", "shippingMethod", "currency"] {
            assert_eq!(order[member], session[member], "seed {seed}, {member}");
        }
        let sum: i64 =
            order["items"].as_array().unwrap().iter().map(|item| item["totalAmount"].as_i64().unwrap()).sum();
        assert_eq!(json!(sum), order["summary"]["totalAmount"], "seed {seed}");
    }
}

/// A session that the first release opened goes on in this one, coupon and all; so does an order.
#[tokio::test]
async fn what_the_first_release_stored_goes_on() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let owner = format!("guest#{}", guest.guest_id());
    let saved = |name: &str| -> Value {
        let path = tests::servers::root().join("tests/data/schema-1").join(format!("{name}.json"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let put = async |table: &str, mut document: Value| {
        document["owner"] = json!(owner);
        let item: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue> =
            serde_dynamo::to_item(&document).unwrap();
        let request = world.tables.client().put_item().table_name(world.tables.name(table));
        request.set_item(Some(item)).send().await.unwrap();
    };
    let mut session = saved("session-ready");
    let now = time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap();
    session["activeAt"] = json!(now);
    let checkout = session["checkoutId"].as_str().unwrap().to_owned();
    put("SESSIONS_TABLE", session.clone()).await;
    put("ORDERS_TABLE", saved("order-confirmed")).await;

    let shown = guest.session(&checkout).await.expect(200);
    assert_eq!(shown["coupon"]["couponCode"], "ONEEACH");
    assert_eq!(shown["summary"]["totalAmount"], session["summary"]["total"]);
    let priced = guest.tax(&checkout).await.expect(200);
    assert_eq!(priced["summary"]["totalAmount"], session["summary"]["total"]);
    let order = guest.confirm(&checkout, total_of(&priced)).await.expect(201);
    assert_eq!(order["order"]["coupons"], json!([{"couponCode": "ONEEACH", "discountAmount": 950}]));
    let old = saved("order-confirmed");
    let old = old["orderId"].as_str().unwrap();
    assert_eq!(guest.order(old).await.expect(200)["order"]["coupon"]["couponCode"], "ONCE");
    staff.set_status(old, "processing").await.expect(200);
    let before = world.stock("limited-print").await;
    staff.set_status(old, "cancelled").await.expect(200);
    assert_eq!(world.stock("limited-print").await, before + 3);
    assert_eq!(guest.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(2));
}
