//! What a shopper typed for a line: one product with other texts is another line, all the way to the parcel.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, World, california, id_of, total_of};
use uuid::Uuid;

use super::problems;

/// Kits and beans, some with texts.
fn engraved(items: &[(&str, u32, Value)]) -> Value {
    let item = |(product, quantity, attributes): &(&str, u32, Value)| {
        let mut item = json!({"productId": product, "quantity": quantity});
        if !attributes.is_null() {
            item["attributes"] = attributes.clone();
        }
        item
    };
    items.iter().map(item).collect()
}

fn opening(items: &Value) -> Value {
    json!({"cartItems": items, "shippingAddress": california(), "shippingMethodId": "us-standard"})
}

fn ada() -> Value {
    json!({"engraving": "For Ada", "gift-text": "♥ from Bob"})
}

fn bob() -> Value {
    json!({"engraving": "For Bob"})
}

#[tokio::test]
async fn lines_with_other_texts_stay_apart_and_the_same_are_one() {
    let world = World::new().await;
    let guest = world.guest();
    let trimmed = json!({"gift-text": " ♥ from Bob ", "engraving": "For Ada"});
    let items = engraved(&[
        ("limited-print", 1, ada()),
        ("limited-print", 1, bob()),
        ("limited-print", 1, Value::Null),
        ("limited-print", 1, trimmed),
        ("limited-print", 1, json!({})),
    ]);

    let session = guest.post(Route::Initiate, &opening(&items)).await.expect(201);

    let shown: Vec<_> =
        session["items"].as_array().unwrap().iter().map(|i| (&i["attributes"], &i["quantity"])).collect();
    let expected = [(ada(), json!(2)), (bob(), json!(1)), (Value::Null, json!(2))];
    assert_eq!(shown, expected.iter().map(|(typed, quantity)| (typed, quantity)).collect::<Vec<_>>());
    assert_eq!((&session["summary"]["itemCount"], problems(&session).len()), (&json!(5), 0));
    // Each line says where its cents come from.
    for (at, item) in session["items"].as_array().unwrap().iter().enumerate() {
        let entries =
            session["explain"].as_array().unwrap().iter().filter(|e| e["line"] == at && e["included"] != true);
        let sum: i64 = entries.map(|entry| entry["amount"].as_i64().unwrap()).sum();
        assert_eq!(json!(sum), item["totalAmount"], "line {at}");
    }

    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    assert_eq!(world.stock("limited-print").await, 0);
    let id = order["order"]["orderId"].as_str().unwrap();
    for read in
        [&order["order"], &guest.order(id).await.expect(200)["order"], &guest.orders().await.expect(200)["orders"][0]]
    {
        assert_eq!((&read["items"][0]["attributes"], &read["items"][1]["attributes"]), (&ada(), &bob()));
        assert_eq!(read["items"][2]["attributes"], Value::Null);
    }
}

#[tokio::test]
async fn stock_and_the_most_per_order_count_all_lines_of_a_product() {
    let world = World::new().await;
    let guest = world.guest();
    let five = engraved(&[("limited-print", 3, ada()), ("limited-print", 3, bob())]);
    let short = guest.post(Route::Initiate, &opening(&five)).await.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!((&short["problems"][0]["requested"], &short["problems"][1]), (&json!(6), &Value::Null));

    let kit = |quantity: u32, typed: Value| json!({"productId": "pour-over-kit", "variantId": "white", "quantity": quantity, "attributes": typed});
    let many = json!([kit(11, ada()), kit(10, bob())]);
    let many = guest.post(Route::Initiate, &opening(&many)).await.refused(422, "MAX_PER_ORDER_EXCEEDED");
    assert_eq!(many["problems"][0]["requested"], 21);
}

/// A kit free of three, on lines of one price: the line whose texts come first gives it.
#[tokio::test]
async fn a_coupon_counts_the_units_of_all_lines() {
    let world = World::new().await;
    let guest = world.guest();
    let kit =
        |typed: Value| json!({"productId": "pour-over-kit", "variantId": "white", "quantity": 1, "attributes": typed});
    for items in [json!([kit(bob()), kit(ada()), kit(json!({}))]), json!([kit(json!({})), kit(bob()), kit(ada())])] {
        let mut body = opening(&items);
        body["couponCodes"] = json!(["B2G1"]);
        let session = guest.post(Route::Initiate, &body).await.expect(201);
        let given: Vec<_> =
            session["items"].as_array().unwrap().iter().filter(|item| item["discountAmount"] == 4999).collect();
        assert_eq!((given.len(), &given[0]["attributes"]), (1, &Value::Null), "{items}");
    }
}

#[tokio::test]
async fn parcels_refunds_and_returns_name_one_of_the_lines() {
    let world = Setup::default().unlimited().cards().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let items = engraved(&[("limited-print", 2, ada()), ("limited-print", 2, bob())]);
    let session = guest.post(Route::Initiate, &opening(&items)).await.expect(201);
    let paid = guest.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
    let order = paid["order"]["orderId"].as_str().unwrap();
    let id = Uuid::new_v4();

    let parcel = staff.fulfill(order, id, &[[1, 1]]).await.expect(201);
    let packed = &parcel["order"]["fulfillments"][0]["items"];
    assert_eq!(*packed, json!([{"line": 1, "quantity": 1, "attributes": bob()}]));
    staff.refund_lines(order, id, &[[0, 1]], json!({"restock": true})).await.expect(200);
    guest.ask_return(order, id, &[[1, 1]]).await.expect(201);
    let returned = staff.decide_return(order, id, &json!({"status": "received"})).await.expect(200);

    let counts = |at: usize| {
        let item = &returned["order"]["items"][at];
        ["shippedQuantity", "cancelledQuantity", "refundedQuantity", "returnedQuantity"].map(|name| item[name].clone())
    };
    assert_eq!((counts(0), counts(1)), ([0, 1, 1, 0].map(Value::from), [1, 0, 1, 1].map(Value::from)));
    // One came back by the refund, and one by the return.
    assert_eq!(world.stock("limited-print").await, 3);
}

#[tokio::test]
async fn another_text_is_another_cart_and_keeps_the_first_price() {
    let world = World::new().await;
    let guest = world.guest();
    let open = guest.post(Route::Initiate, &opening(&engraved(&[("espresso-beans", 1, ada())]))).await.expect(201);
    let checkout = id_of(&open);
    super::change_catalog(&world, |catalog| super::product(catalog, "espresso-beans")["prices"]["USD"] = json!(2499))
        .await;
    let body = |items: Value| json!({"checkoutId": checkout, "cartItems": items});

    let changed = body(engraved(&[("espresso-beans", 1, bob()), ("espresso-beans", 1, ada())]));
    let changed = guest.post(Route::UpdateItems, &changed).await.expect(200);

    assert_eq!((&changed["version"], &changed["items"][0]["attributes"]), (&json!(2), &bob()));
    // One product, one first price, and one problem.
    assert_eq!(problems(&changed), ["PRICE_CHANGED"]);
    assert_eq!(changed["problems"][0]["oldPrice"], 1999);
    let gone = guest.set_items(checkout, &[("espresso-beans", 2)]).await.expect(200);
    assert_eq!((&gone["items"][0]["attributes"], gone["items"].as_array().map(Vec::len)), (&Value::Null, Some(1)));
}
