//! What customers and the shop ask, each answered from real orders and payments.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, Shopper, World, card_confirmation, id_of, sample_catalog, total_of};

use super::Incident;

/// The sections that are walked through below.
pub(super) const WALKED: [&str; 2] = ["PaidTwice", "WrongPrice"];

/// An order that was paid by card.
async fn paid(shopper: &Shopper, items: &[(&str, u32)]) -> Value {
    let session = shopper.fill_cart(items).await;
    let mut body = card_confirmation(id_of(&session), total_of(&session), "pm_card_visa");
    body["customerInfo"]["email"] = json!("ada@example.com");
    let mut answer = shopper.post(Route::ConfirmOrder, &body).await.expect(201);
    answer["order"].take()
}

fn text<'a>(order: &'a Value, name: &str) -> &'a str {
    order[name].as_str().unwrap_or_else(|| panic!("no {name}: {order:#}"))
}

async fn beans_cost(world: &World, cents: u32) {
    let mut catalog = sample_catalog();
    let products = catalog["products"].as_array_mut().expect("products");
    let beans = products.iter_mut().find(|product| product["productId"] == "espresso-beans");
    beans.expect("beans")["prices"]["USD"] = json!(cents);
    let catalog = serde_json::from_value(catalog).expect("a catalog");
    world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await.expect("a loaded catalog");
}

async fn shop() -> Arc<World> {
    Setup::default().unlimited().cards().build().await
}

#[tokio::test]
async fn paid_twice() {
    let world = shop().await;
    let guest = world.guest();
    paid(&guest, &[("espresso-beans", 2)]).await;
    let again = paid(&guest, &[("espresso-beans", 2)]).await;
    world.index_orders().await;
    let intent = world.stripe().intent_of(text(&again, "orderId")).await.expect("a payment");
    let mut incident = Incident::of("PaidTwice", world.settings());
    incident.means("ORDER", text(&again, "orderNumber"));
    incident.means("INTENT", text(&intent, "id"));
    incident.walk().await;

    // The answer: one of them is cancelled, and the money goes back.
    let staff = world.staff();
    let event = staff.event_about(Route::CancelOrder, text(&again, "orderId"));
    staff.send(Route::CancelOrder, &event).await.expect(200);
    world.index_orders().await;
    let total = again["summary"]["totalAmount"].to_string();
    let over = incident.run("checkout order find --email ada@example.com --status cancelled --csv").await;
    let [_, row] = over.lines().collect::<Vec<_>>().try_into().expect("one order");
    assert!(row.contains(&format!(",refunded,USD,{total},{total},{total},")), "{over}");
}

#[tokio::test]
async fn wrong_price() {
    let world = shop().await;
    let (guest, late) = (world.guest(), world.guest());
    paid(&guest, &[("espresso-beans", 1)]).await;
    beans_cost(&world, 199).await;
    paid(&guest, &[("espresso-beans", 3)]).await;
    let open = late.fill_cart(&[("espresso-beans", 1)]).await;
    beans_cost(&world, 1999).await;
    world.index_orders().await;
    let incident = Incident::of("WrongPrice", world.settings());
    incident.walk().await;

    // As the section says: whoever has seen the wrong price can't buy at it any more.
    late.confirm(id_of(&open), total_of(&open)).await.refused(409, "TOTAL_CHANGED");
}
