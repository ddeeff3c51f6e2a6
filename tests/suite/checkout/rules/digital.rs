//! Nothing to ship: digital products alone, and together with goods that are shipped.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{adapters::stored::catalog::CatalogFile, http::route::Route};
use tests::world::{Setup, Shopper, World, california, cart, id_of, sample_catalog, total_of};
use uuid::Uuid;

use super::problems;

/// The sample shop with an e-book, and a licence of which there are two.
fn catalog() -> Value {
    let mut catalog = sample_catalog();
    let products = catalog["products"].as_array_mut().unwrap();
    products.push(json!({"productId": "e-book", "name": "E-book", "published": true, "digital": true,
        "prices": {"USD": 8000, "EUR": 1190}, "stock": "unlimited"}));
    products.push(json!({"productId": "licence", "name": "Licence", "published": true, "digital": true,
        "prices": {"USD": 500}, "stock": 2}));
    catalog
}

async fn shop() -> Arc<World> {
    Setup::default().unlimited().cards().catalog(catalog()).build().await
}

fn in_berlin() -> Value {
    let mut address = california();
    for (name, value) in [("city", "Berlin"), ("state", "BE"), ("postalCode", "10115"), ("country", "DE")] {
        address[name] = json!(value);
    }
    address
}

async fn digital(guest: &Shopper, items: &[(&str, u32)]) -> Value {
    let body = json!({"cartItems": cart(items), "billingAddress": california()});
    guest.post(Route::Initiate, &body).await.expect(201)
}

#[tokio::test]
async fn a_cart_of_digital_products_needs_neither_a_shipping_address_nor_a_method() {
    let world = shop().await;
    let guest = world.guest();
    let session = digital(&guest, &[("e-book", 1), ("licence", 2)]).await;
    let checkout = id_of(&session);
    assert_eq!((&session["requiresShipping"], problems(&session).len()), (&json!(false), 0));
    // 7.25 % of 90.00, where the buyer is.
    assert_eq!((&session["summary"]["shippingAmount"], total_of(&session)), (&json!(0), 9000 + 653));
    assert_eq!(guest.shipping_offers(checkout).await.expect(200)["shippingMethods"], json!([]));
    assert_eq!(guest.tax(checkout).await.expect(200)["taxBreakdown"][0]["jurisdiction"], "US-CA");

    let order = guest.pay(checkout, total_of(&session), "pm_card_visa").await.expect(201)["order"].take();

    assert_eq!((&order["shippingAddress"], &order["shippingMethod"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&order["billingAddress"]["city"], &order["items"][0]["digital"]),
        (&json!("San Francisco"), &json!(true))
    );
    assert_eq!(world.stock("licence").await, 0);
    let id = order["orderId"].as_str().unwrap();
    assert_eq!(guest.order(id).await.expect(200)["order"]["summary"], session["summary"]);
    assert_eq!(guest.orders().await.expect(200)["orders"][0]["orderId"], order["orderId"]);
}

#[tokio::test]
async fn the_buyers_place_decides_the_tax_and_must_be_known() {
    let world = shop().await;
    let guest = world.guest();
    let bare = guest.initiate(&[("e-book", 1)]).await.expect(201);
    let checkout = id_of(&bare);
    guest.tax(checkout).await.refused(409, "BILLING_ADDRESS_REQUIRED");
    guest.confirm(checkout, total_of(&bare)).await.refused(409, "BILLING_ADDRESS_REQUIRED");
    // A shipping address will do, as long as there is no other.
    let shipped = guest.ship_to(checkout, &california()).await.expect(200);
    assert_eq!(shipped["summary"]["taxAmount"], 580);
    let billed = json!({"checkoutId": checkout, "billingAddress": in_berlin()});
    let billed = guest.post(Route::UpdateAddress, &billed).await.expect(200);
    assert_eq!(billed["explain"].as_array().unwrap().iter().filter(|entry| entry["source"] == "DE").count(), 1);
    // With goods it is where they go, wherever the bill goes.
    let mixed = guest.set_items(checkout, &[("e-book", 1), ("espresso-beans", 1)]).await.expect(200);
    assert_eq!(guest.tax(checkout).await.expect(200)["taxBreakdown"][0]["jurisdiction"], "US-CA");
    assert_eq!(mixed["requiresShipping"], true);
}

#[tokio::test]
async fn a_mixed_cart_ships_the_rest_alone() {
    let world = shop().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2), ("e-book", 1)]).await;
    let checkout = id_of(&session);
    // 39.98 of goods are below the 75.00 that are free, whatever the e-book costs; and it has no part of the shipping.
    assert_eq!(session["summary"]["shippingAmount"], 599);
    assert_eq!(
        (&session["items"][0]["shippingAmount"], &session["items"][1]["shippingAmount"]),
        (&json!(599), &json!(0))
    );
    let express = guest.choose_shipping(checkout, "us-express").await.expect(200);
    assert_eq!(express["shippingMethod"]["amount"], 1500, "by the weight of a kilogram of beans");
    guest.set_items(checkout, &[("e-book", 1)]).await.expect(200);
    let back = guest.set_items(checkout, &[("espresso-beans", 2), ("e-book", 1)]).await.expect(200);
    assert_eq!(back["summary"], express["summary"], "the address and the method have waited");

    let bare = guest.initiate(&[("espresso-beans", 1), ("e-book", 1)]).await.expect(201);
    guest.confirm(id_of(&bare), total_of(&bare)).await.refused(409, "SHIPPING_ADDRESS_REQUIRED");
    guest.shipping_offers(id_of(&bare)).await.refused(409, "SHIPPING_ADDRESS_REQUIRED");
}

/// Restrictions, zones and conditions of methods look at parcels.
#[tokio::test]
async fn what_isnt_shipped_goes_anywhere() {
    let mut catalog = catalog();
    catalog["shipping"]["zones"][0]["methods"][0]["onlyFor"] = json!({"products": ["espresso-beans"]});
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1), ("licence", 1)]).await;
    assert_eq!(session["shippingMethod"]["shippingMethodId"], "us-standard");
    let nobody = world.nobody();
    let place = json!({"country": "AQ"});
    let preview = json!({"cartItems": cart(&[("licence", 1)]), "shippingAddress": place});
    let offers = nobody.post(Route::CalculateShippingPreview, &preview).await.expect(200);
    assert_eq!(offers["shippingMethods"], json!([]));
}

#[tokio::test]
async fn cash_is_paid_at_a_door_that_a_parcel_comes_to() {
    let world = shop().await;
    let guest = world.guest();
    let session = digital(&guest, &[("licence", 1)]).await;
    let refused = guest.confirm(id_of(&session), total_of(&session)).await;
    refused.refused(422, "CASH_ON_DELIVERY_NOTHING_TO_DELIVER");
    assert_eq!(world.stock("licence").await, 2);
    guest.buy(&[("licence", 1), ("espresso-beans", 1)]).await;
}

#[tokio::test]
async fn an_order_without_a_parcel_is_delivered_when_its_last_unit_is_handed_over() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = digital(&guest, &[("e-book", 1), ("licence", 1)]).await;
    let paid = guest.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
    let order = paid["order"]["orderId"].as_str().unwrap();

    let first = staff.fulfill(order, Uuid::new_v4(), &[[1, 1]]).await.expect(201);
    assert_eq!(first["order"]["status"], "partially_shipped");
    let id = Uuid::new_v4();
    let last = staff.fulfill(order, id, &[[0, 1]]).await.expect(201);
    assert_eq!(last["order"]["status"], "delivered");
    assert_eq!(staff.fulfill(order, id, &[[0, 1]]).await.expect(200)["order"]["version"], last["order"]["version"]);
    // Or by the order's status, as any other.
    let session = digital(&guest, &[("e-book", 1)]).await;
    let paid = guest.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
    let order = paid["order"]["orderId"].as_str().unwrap();
    staff.set_status(order, "shipped").await.expect(200);
    staff.set_status(order, "delivered").await.expect(200);
}

#[tokio::test]
async fn no_parcel_waits_for_what_isnt_in_it() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 2), ("licence", 2)]).await;
    let order = order["orderId"].as_str().unwrap();
    let some = staff.fulfill(order, Uuid::new_v4(), &[[0, 1], [1, 1]]).await.expect(201);
    assert_eq!(some["order"]["status"], "partially_shipped");
    let parcel =
        json!({"fulfillmentId": Uuid::new_v4(), "items": [{"line": 0, "quantity": 1}], "trackingNumber": "1Z1"});
    let event = staff.event_about(Route::CreateFulfillment, order).json(&parcel);
    let all = staff.send(Route::CreateFulfillment, &event).await.expect(201)["order"].take();

    assert_eq!((&all["status"], &all["trackingNumber"]), (&json!("shipped"), &json!("1Z1")));
    let last = all["fulfillments"].as_array().unwrap().last().unwrap();
    assert_eq!(last["items"], json!([{"line": 1, "quantity": 1}]));
    // The tracking number that is corrected is the parcel's.
    let correction = staff.event_about(Route::UpdateOrderStatus, order);
    let correction = correction.json(&json!({"status": "shipped", "trackingNumber": "1Z2"}));
    let corrected = staff.send(Route::UpdateOrderStatus, &correction).await.expect(200)["order"].take();
    assert_eq!(corrected["fulfillments"][1]["trackingNumber"], "1Z2");
    assert_eq!(corrected["fulfillments"][2]["trackingNumber"], Value::Null);
    staff.set_status(order, "delivered").await.expect(200);
}

#[tokio::test]
async fn what_is_left_when_the_goods_are_cancelled_is_an_order_without_a_parcel() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1), ("licence", 1)]).await;
    let order = order["orderId"].as_str().unwrap();
    let rest = guest.cancel_lines(order, Uuid::new_v4(), &[[0, 1]]).await.expect(200);
    assert_eq!(rest["order"]["status"], "confirmed");
    let done = staff.fulfill(order, Uuid::new_v4(), &[[1, 1]]).await.expect(201);
    assert_eq!(done["order"]["status"], "delivered");
}

/// What costs nothing is open until it is delivered, and its place among the open orders comes back.
#[tokio::test]
async fn a_free_download_is_one_of_the_open_orders_until_it_is_handed_over() {
    let mut catalog = catalog();
    let at = catalog["products"].as_array().unwrap().len() - 1;
    catalog["products"][at]["prices"]["USD"] = json!(0);
    let world = Setup::default().catalog(catalog).setting("OPEN_ORDERS_CALLER", "1/10").build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = digital(&guest, &[("licence", 1)]).await;
    let order = guest.confirm(id_of(&session), 0).await.expect(201)["order"].take();
    assert_eq!((&order["status"], &order["paymentMethod"]), (&json!("confirmed"), &json!("free")));
    let second = digital(&guest, &[("licence", 1)]).await;
    guest.confirm(id_of(&second), 0).await.refused(409, "TOO_MANY_OPEN_ORDERS");

    let done = staff.fulfill(order["orderId"].as_str().unwrap(), Uuid::new_v4(), &[[0, 1]]).await.expect(201);

    assert_eq!(done["order"]["status"], "delivered");
    guest.confirm(id_of(&second), 0).await.expect(201);
}

#[test]
fn a_digital_product_has_nothing_that_only_parcels_have() {
    let faults = |change: &dyn Fn(&mut Value)| {
        let mut catalog = catalog();
        let at = catalog["products"].as_array().unwrap().len() - 1;
        change(&mut catalog["products"][at]);
        let file: CatalogFile = serde_json::from_value(catalog).expect("a catalog");
        let faults = file.check().err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(faults(&|_| ()), [""; 0]);
    assert_eq!(faults(&|product| product["weightGrams"] = json!(5)), ["weightGrams"]);
    assert_eq!(faults(&|product| product["digital"] = json!(false)), ["weightGrams"]);
    let somewhere = json!([{"regions": ["US"], "message": "no"}]);
    assert_eq!(faults(&|product| product["notShippableTo"] = somewhere.clone()), ["notShippableTo"]);
}
