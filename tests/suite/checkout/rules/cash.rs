//! Cash on delivery is offered where the catalog says, and up to its largest total.

use serde_json::json;
use shared::http::route::Route;
use tests::world::{Setup, World, confirmation, id_of, sample_catalog, to_tokyo, total_of};

use super::change_catalog;

#[tokio::test]
async fn a_catalog_without_a_rule_has_no_cash_on_delivery() {
    let mut catalog = sample_catalog();
    catalog.as_object_mut().unwrap().remove("cashOnDelivery");
    let world = Setup::default().catalog(catalog).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;

    guest.confirm(id_of(&session), total_of(&session)).await.refused(422, "PAYMENT_METHOD_UNAVAILABLE");

    assert_eq!((world.stock("espresso-beans").await, world.stored_orders().await.len()), (100_000, 0));
    // The session stays open, and the rule may come at any time.
    change_catalog(&world, |_| ()).await;
    guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    // And go again: a file without it takes it away.
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    change_catalog(&world, |catalog| drop(catalog.as_object_mut().unwrap().remove("cashOnDelivery"))).await;
    guest.confirm(id_of(&session), total_of(&session)).await.refused(422, "PAYMENT_METHOD_UNAVAILABLE");
}

#[tokio::test]
async fn cash_on_delivery_has_a_switch_countries_and_a_largest_total() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    let rule = |enabled: bool, countries: &[&str], totals: serde_json::Value| json!({"enabled": enabled, "countries": countries, "maximumTotals": totals});
    for (code, rule) in [
        ("PAYMENT_METHOD_UNAVAILABLE", rule(false, &["US"], json!({"USD": total}))),
        ("CASH_ON_DELIVERY_NOT_IN_COUNTRY", rule(true, &["DE", "JP"], json!({"USD": total}))),
        ("CASH_ON_DELIVERY_NOT_IN_CURRENCY", rule(true, &["US"], json!({"EUR": total}))),
        ("CASH_ON_DELIVERY_TOTAL_TOO_LARGE", rule(true, &["US"], json!({"USD": total - 1}))),
    ] {
        change_catalog(&world, |catalog| catalog["cashOnDelivery"] = rule).await;
        let problem = guest.clone().from_address(&format!("198.19.0.{}", code.len())).confirm(checkout, total).await;
        let problem = problem.refused(422, code);
        if code == "CASH_ON_DELIVERY_TOTAL_TOO_LARGE" {
            assert_eq!(problem["maximumTotal"], total - 1);
        }
        assert_eq!((world.stock("espresso-beans").await, world.stored_orders().await.len()), (100_000, 0), "{code}");
    }
    change_catalog(&world, |catalog| catalog["cashOnDelivery"] = rule(true, &["US"], json!({"USD": total}))).await;
    guest.confirm(checkout, total).await.expect(201);
}

/// The address decides, and it may have changed since the copy in the cache was made.
#[tokio::test]
async fn a_refusal_rests_on_the_session_as_it_is() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let checkout = id_of(&session).to_owned();
    let only_japan = json!({"enabled": true, "countries": ["JP"], "maximumTotals": {"USD": 100_000}});
    change_catalog(&world, |catalog| catalog["cashOnDelivery"] = only_japan).await;
    let body = confirmation(&checkout, total_of(&session));
    let refused = guest.post_once(Route::ConfirmOrder, "key", &body).await;
    refused.refused(422, "CASH_ON_DELIVERY_NOT_IN_COUNTRY");

    // The cache doesn't hear of the new address.
    world.redis.down().await;
    guest.ship_to(&checkout, &to_tokyo()["shippingAddress"]).await.expect(200);
    let session = guest.choose_shipping(&checkout, "jp-standard").await.expect(200);
    world.redis.up().await;

    guest.confirm(&checkout, total_of(&session)).await.expect(201);
}
