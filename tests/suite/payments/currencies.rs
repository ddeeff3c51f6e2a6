//! Currencies with no decimals, and with three, from the cart to the provider.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, california, cart, id_of, sample_catalog, to_tokyo, total_of};
use uuid::Uuid;

use super::{VISA, assert_money, order_id, state_of};

#[tokio::test]
async fn yen_have_no_decimals() {
    let world = Setup::default().unlimited().cards().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = guest.post(Route::Initiate, &to_tokyo()).await.expect(201);
    let order = guest.pay(id_of(&session), 10_940, VISA).await.expect(201)["order"].take();
    assert_money(&world, &order, "jpy", 10_940).await;
    let refunded = staff.refund(order_id(&order), Uuid::new_v4(), Some(940)).await.expect(200)["order"].take();
    assert_eq!(refunded["payment"]["refundedAmount"], 940);
    assert_eq!(world.stripe().totals().await[order_id(&order)].refunded, 940);
}

/// The sample catalog, sold in Kuwaiti dinar at these prices.
fn in_dinar(goods: i64, delivery: i64) -> Value {
    let mut catalog = sample_catalog();
    catalog["products"][0]["prices"]["KWD"] = json!(goods);
    catalog["cashOnDelivery"]["maximumTotals"]["KWD"] = json!(1_000_000);
    catalog["shipping"]["zones"][0]["methods"][0]["cost"]["amounts"]["KWD"] = json!(delivery);
    catalog["tax"] = json!({
        "sellerCountry": "US",
        "jurisdictions": [{"jurisdictionId": "US", "name": "none", "places": ["US"], "rates": {"standard": "0"}}]
    });
    catalog
}

#[tokio::test]
async fn dinar_have_three_and_a_card_pays_them_in_steps_of_ten() {
    for (goods, total) in [(5120, 10_240 + 1500), (5121, 10_242 + 1500)] {
        let world = Setup::default().unlimited().cards().catalog(in_dinar(goods, 1500)).build().await;
        let guest = world.guest();
        let body = json!({
            "cartItems": cart(&[("espresso-beans", 2)]), "currency": "KWD", "shippingAddress": california(),
            "shippingMethodId": "us-standard"
        });
        let session = guest.post(Route::Initiate, &body).await.expect(201);
        assert_eq!((total_of(&session), &session["problems"]), (total, &json!([])));
        let answer = guest.pay(id_of(&session), total, VISA).await;
        if total % 10 == 0 {
            let order = answer.expect(201)["order"].take();
            assert_eq!(state_of(&order), ("confirmed", "paid"));
            assert_money(&world, &order, "kwd", total).await;
        } else {
            answer.refused(422, "AMOUNT_NOT_PAYABLE_BY_CARD");
            assert_eq!(world.stored_orders().await.len(), 0);
            // In cash there is such a coin.
            guest.confirm(id_of(&session), total).await.expect(201);
        }
    }
}
