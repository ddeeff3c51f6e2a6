//! What an order keeps: of the purchase, whatever becomes of the catalog, and of what was done with it.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, World, confirmation, id_of, priced_items, sample_catalog, total_of};

use super::{order_id, statuses};

#[tokio::test]
async fn an_order_keeps_what_was_bought_when_the_catalog_changes() {
    let world = World::new().await;
    let guest = world.guest();
    let bought = guest.buy(&[("espresso-beans", 2), ("pour-over-kit/white", 1)]).await;

    let mut catalog = sample_catalog();
    for product in catalog["products"].as_array_mut().unwrap() {
        match product["productId"].as_str().unwrap() {
            "espresso-beans" => {
                product["prices"]["USD"] = json!(2999);
                product["name"] = json!("Dearer beans");
            }
            "pour-over-kit" => product["published"] = json!(false),
            _ => {}
        }
    }
    let changed = serde_json::from_value(catalog).unwrap();
    world.app().catalog.load_catalog(&changed, &[].into(), || ()).await.unwrap();
    world.keys.clear();

    assert_eq!(guest.order(order_id(&bought)).await.expect(200)["order"], bought);
    assert_eq!(bought["items"][0]["unitPrice"], 1999);
    assert_eq!(bought["summary"]["subtotal"], 2 * 1999 + 4999);
    let next = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    assert_eq!((&next["items"][0]["unitPrice"], &next["items"][0]["name"]), (&json!(2999), &json!("Dearer beans")));
    let cancelled = guest.cancel(order_id(&bought)).await.expect(200);
    assert_eq!(priced_items(&cancelled["order"]), priced_items(&bought), "a cancellation changes no price");
    assert_eq!(cancelled["order"]["items"][0]["cancelledQuantity"], 2);
    assert_eq!((world.stock("espresso-beans").await, world.stock("pour-over-kit/white").await), (100_000, 1000));
}

#[tokio::test]
async fn an_order_keeps_the_whole_purchase() {
    let world = World::new().await;
    let ada = world.user("ada");
    let session = ada.fill_cart(&[("espresso-beans", 2), ("pour-over-kit/black", 1)]).await;
    let session = ada.apply_coupon(id_of(&session), "SAVE20").await.expect(200);
    let mut body = confirmation(id_of(&session), total_of(&session));
    body["customerInfo"]["phone"] = json!("+1 415 555 0100");
    body["notes"] = json!("ring twice");

    let answer = ada.post(Route::ConfirmOrder, &body).await.expect(201);

    let order = &answer["order"];
    assert_eq!(priced_items(order), session["items"]);
    for same in ["summary", "currency", "shippingAddress", "shippingMethod", "coupon", "userId", "checkoutId"] {
        assert_eq!(order[same], session[same], "{same}");
        assert_ne!(order[same], Value::Null, "{same}");
    }
    assert_eq!(order["customerInfo"], body["customerInfo"]);
    assert_eq!((&order["notes"], &order["paymentMethod"]), (&json!("ring twice"), &json!("cash_on_delivery")));
    assert_eq!(order["billingAddress"], order["shippingAddress"], "none was given: the goods and the bill go one way");
    assert_eq!((&order["status"], &order["paymentStatus"]), (&json!("confirmed"), &json!("pending")));
    assert_eq!(order["guestId"], Value::Null);
    let sum: i64 = order["items"].as_array().unwrap().iter().map(|item| item["totalAmount"].as_i64().unwrap()).sum();
    assert_eq!(sum + order["summary"]["shippingAmount"].as_i64().unwrap(), order["summary"]["totalAmount"]);
}

#[tokio::test]
async fn the_history_tells_what_was_done_when_and_by_which_side() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order_id(&order);
    let step = |body: Value| {
        let (staff, event) = (world.staff(), world.staff().event(Route::UpdateOrderStatus).path("orderId", order));
        async move { staff.send(Route::UpdateOrderStatus, &event.json(&body)).await.expect(200) }
    };

    step(json!({"status": "processing", "note": "packed by the window", "noteVisibility": "customer"})).await;
    step(json!({"status": "shipped"})).await;

    let answer = guest.order(order).await.expect(200);
    let order = &answer["order"];
    let history = order["statusHistory"].as_array().unwrap();
    assert_eq!(statuses(order), ["confirmed", "processing", "shipped"]);
    let told: Vec<_> = history.iter().map(|step| (step["actor"].as_str().unwrap(), step["note"].as_str())).collect();
    assert_eq!(told, [("customer", None), ("staff", Some("packed by the window")), ("staff", None)]);
    let times: Vec<_> = history.iter().map(|step| step["at"].as_str().unwrap()).collect();
    assert_eq!((order["createdAt"].as_str(), order["updatedAt"].as_str()), (Some(times[0]), Some(times[2])));
    assert!(times.is_sorted_by_key(|at| time_of(at)), "{times:?}");
    assert_eq!(order["version"], 3);
    // Which member of the staff it was is kept, but not the customer's business.
    assert!(!answer.to_string().contains("grace"));
    assert!(format!("{:?}", world.stored_orders().await[0]["history"]).contains("grace"));
}

#[tokio::test]
async fn a_cancellation_keeps_its_reason() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;

    let event = guest.event(Route::CancelOrder).path("orderId", order_id(&order));
    let answer = guest.send(Route::CancelOrder, &event.json(&json!({"reason": "ordered twice"}))).await.expect(200);

    let last = answer["order"]["statusHistory"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["status"], &last["actor"], &last["note"]),
        (&json!("cancelled"), &json!("customer"), &json!("ordered twice"))
    );
}

#[tokio::test]
async fn an_order_number_can_be_read_out_and_is_the_orders_own() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let mut numbers = Vec::new();
    for _ in 0..5 {
        let order = guest.buy(&[("espresso-beans", 1)]).await;
        let number = order["orderNumber"].as_str().unwrap();

        let parts: Vec<&str> = number.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [4, 4, 4], "{number}");
        let readable = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
        assert!(parts.concat().chars().all(|c| readable(c) && !"01ILO".contains(c)), "{number}");
        let stored = world.stored_orders().await;
        let stored = stored.iter().find(|stored| stored["orderId"].as_s().unwrap() == order_id(&order)).unwrap();
        assert_eq!(stored["orderNumber"].as_s().unwrap(), number);
        assert_eq!(guest.order(order_id(&order)).await.expect(200)["order"]["orderNumber"], number);
        numbers.push(number.to_owned());
    }

    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 5);
}

/// Times of one form sort as texts do, but for the fraction, which may be left out.
fn time_of(at: &str) -> (String, String) {
    let (seconds, fraction) = at.trim_end_matches('Z').split_once('.').unwrap_or((at.trim_end_matches('Z'), ""));
    (seconds.to_owned(), format!("{fraction:0<9}"))
}
