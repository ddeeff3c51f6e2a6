//! A whole purchase, step by step.

use serde_json::json;
use tests::world::{World, california, id_of, in_lists, total_of};

#[tokio::test]
async fn a_purchase_runs_from_cart_to_order() {
    let world = World::new().await;
    let guest = world.guest();

    let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    let checkout = id_of(&session);
    assert_eq!(session["summary"]["totalAmount"], 3998);

    let session = guest.ship_to(checkout, &california()).await.expect(200);
    assert_eq!(session["shippingAddress"]["state"], "CA");
    let offers = guest.shipping_offers(checkout).await.expect(200);
    assert_eq!(offers["shippingMethods"][0]["shippingMethodId"], "us-standard");
    guest.choose_shipping(checkout, "us-standard").await.expect(200);
    let session = guest.tax(checkout).await.expect(200);
    assert_eq!(session["taxBreakdown"][0]["amount"], 290);
    let session = guest.apply_coupon(checkout, "save20").await.expect(200);
    assert_eq!(session["summary"]["discountAmount"], 800);
    let total = total_of(&session);
    assert_eq!(total, 3998 - 800 + 599 + 232);

    let answer = guest.confirm(checkout, total).await.expect(201);
    let order = answer["order"]["orderId"].as_str().unwrap();
    let read = guest.order(order).await.expect(200);
    assert_eq!(read["order"], answer["order"]);
    let list = guest.orders().await.expect(200);
    assert_eq!(list["orders"][0], in_lists(&answer["order"]));
    let again = guest.confirm(checkout, total).await.expect(200);
    assert_eq!(again["order"], answer["order"]);
    let session = guest.session(checkout).await.expect(200);
    assert_eq!(session["status"], json!("completed"));
}
