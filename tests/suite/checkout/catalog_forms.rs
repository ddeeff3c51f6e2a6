//! A catalog as earlier releases wrote it: every document as attributes, none as text.

use serde_json::{Value, json};
use shared::{adapters::dynamodb::client::Item, http::route::Route};
use tests::world::{Setup, World, id_of, sample_catalog, total_of};

use super::catalog::{SAMPLE, Scratch, checkout, off, said};

/// Writes every text of the catalog as attributes. Returns the ids of those documents.
async fn written_as_attributes(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for item in world.all("CATALOG_TABLE").await {
        let Some(json) = item.get("json") else { continue };
        let mut document: Value = serde_json::from_str(json.as_s().unwrap()).unwrap();
        let jurisdictions = document.pointer_mut("/document/jurisdictions").and_then(Value::as_array_mut);
        for jurisdiction in jurisdictions.into_iter().flatten() {
            // Was written, though it goes without saying.
            for name in ["included", "shippingTaxable"] {
                jurisdiction.as_object_mut().unwrap().entry(name).or_insert(json!(false));
            }
        }
        let mut old: Item = serde_dynamo::to_item(&document).unwrap();
        old.extend(item.get("listing").map(|listing| ("listing".to_owned(), listing.clone())));
        ids.push(old["id"].as_s().unwrap().clone());
        let put = world.tables.client().put_item().table_name(world.tables.name("CATALOG_TABLE"));
        put.set_item(Some(old)).send().await.unwrap();
    }
    ids
}

fn with_a_promotion(percent: &str) -> Value {
    let mut catalog = sample_catalog();
    let promotion =
        json!({"code": "TEAWEEK", "automatic": true, "discount": {"type": "percentage", "percent": percent}});
    catalog["coupons"].as_array_mut().unwrap().push(promotion);
    catalog
}

#[tokio::test]
async fn a_catalog_of_attributes_is_sold_planned_and_changed_like_one_of_text() {
    let world = Setup::default().catalog(with_a_promotion("10")).build().await;
    let guest = world.guest();
    let before = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let ids = written_as_attributes(&world).await;
    for kind in ["product#espresso-beans", "rules#shipping", "rules#tax#US"] {
        assert!(ids.iter().any(|id| id == kind), "{kind} isn't text: {ids:?}");
    }

    let after = guest.clone().served_by(&world.container()).fill_cart(&[("espresso-beans", 2)]).await;
    assert_eq!((&after["summary"], &after["coupons"]), (&before["summary"], &before["coupons"]));
    let nobody = world.guest();
    let listed = nobody.send(Route::ListProducts, &nobody.event(Route::ListProducts)).await.expect(200);
    assert!(listed["products"].as_array().is_some_and(|products| products.len() > 2), "{listed:#}");

    let file = Scratch::holding(&with_a_promotion("10"));
    let plan = said(&checkout(Some(&world), &["load", "--dry-run"], &file.0).await);
    assert!(plan.contains("0 to add, 0 to change"), "{plan}");
    let mut dear = with_a_promotion("10");
    dear["products"][0]["prices"]["USD"] = json!(1_999_000);
    let tried = checkout(Some(&world), &["load", "--dry-run"], &Scratch::holding(&dear).0).await;
    let complaints = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert!(complaints.contains("the price of espresso-beans moves from"), "{complaints}");

    // The rules become text, without the promotion and with all else.
    said(&off(&world, "coupon", "teaweek").await);
    guest.confirm(id_of(&before), total_of(&before)).await.refused(409, "TOTAL_CHANGED");
    let open = guest.session(id_of(&before)).await.expect(200);
    assert!(open["coupons"][0].is_null() && open["shippingMethod"] == before["shippingMethod"], "{open:#}");
    let mut usual = sample_catalog();
    usual["products"][0]["name"] = json!("Beans");
    let plan = said(&checkout(Some(&world), &["load", "--dry-run"], &Scratch::holding(&usual).0).await);
    assert!(plan.contains("0 to add, 1 to change"), "{plan}");
    said(&checkout(Some(&world), &["load"], std::path::Path::new(SAMPLE)).await);
    assert_eq!(written_as_attributes(&world).await.len(), ids.len(), "all are text again");
}

#[tokio::test]
async fn a_container_prices_by_the_rules_of_now_however_often_they_change() {
    let world = Setup::default().catalog(with_a_promotion("10")).build().await;
    let guest = world.guest();
    let mut discounts = Vec::new();
    for percent in ["10", "20", "10", "5"] {
        let file = Scratch::holding(&with_a_promotion(percent));
        said(&checkout(Some(&world), &["load"], &file.0).await);
        for _ in 0..2 {
            let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
            discounts.push(session["coupons"][0]["discountAmount"].as_i64().unwrap());
        }
    }
    assert_eq!(discounts, [200, 200, 400, 400, 200, 200, 100, 100]);
}
