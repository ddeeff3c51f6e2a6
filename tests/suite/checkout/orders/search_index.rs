//! The index of what orders are found by, as the stream brings it the changes: late, twice, in any sequence, and with
//! its writer dying.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use shared::{checkout::search::IndexRun, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    handlers,
    world::{Setup, World},
};

use super::order_id;

/// Every entry, and every list of entries, as text. The revision of a list counts its changes only.
async fn entries(world: &World) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for mut item in world.all("ORDER_SEARCH_TABLE").await {
        item.remove("revision");
        let mut members: Vec<_> = item
            .into_iter()
            .map(|(name, value)| match value.as_ss() {
                Ok(texts) => format!("{name}={:?}", texts.iter().collect::<BTreeSet<_>>()),
                Err(_) => format!("{name}={value:?}"),
            })
            .collect();
        members.sort();
        all.insert(members.join(" "));
    }
    all
}

async fn terms(world: &World) -> BTreeSet<String> {
    let all = world.all("ORDER_SEARCH_TABLE").await;
    all.iter().map(|item| item["term"].as_s().unwrap().clone()).collect()
}

async fn by_status(world: &Arc<World>, status: &str) -> usize {
    let staff = world.staff();
    let event = staff.event(Route::SearchOrders).query("status", status);
    let page = staff.send(Route::SearchOrders, &event).await.expect(200);
    page["orders"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_change_moves_an_order_whatever_the_sequence_of_its_records() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order_id(&order);
    world.index_orders().await;
    assert_eq!((by_status(&world, "confirmed").await, by_status(&world, "cancelled").await), (1, 0));

    guest.cancel(id).await.expect(200);
    // Until the index knows, the order is still under its old status, and isn't shown there.
    assert_eq!((by_status(&world, "confirmed").await, by_status(&world, "cancelled").await), (0, 0));
    let run = world.index_orders().await;
    assert_eq!((run.done, run.known), (1, 1), "two records of one order are one change");
    assert_eq!((by_status(&world, "confirmed").await, by_status(&world, "cancelled").await), (0, 1));
    assert!(!terms(&world).await.contains("status#confirmed"));

    let whole = entries(&world).await;
    let mut changed = world.changed_orders().await;
    changed.reverse();
    for records in [changed.clone(), [changed.clone(), changed].concat()] {
        let run = handlers::index_orders(Arc::clone(world.app()), records.clone()).await;
        assert_eq!(run, IndexRun { known: records.len(), ..IndexRun::default() });
        assert_eq!(entries(&world).await, whole);
    }
}

#[tokio::test]
async fn a_claimed_order_is_found_once_and_under_its_new_owner() {
    let world = Setup::default().unlimited().build().await;
    let (guest, ada, staff) = (world.guest(), world.user("ada"), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    world.index_orders().await;

    ada.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    let found = async || {
        let page = staff.send(Route::SearchOrders, &staff.event(Route::SearchOrders)).await.expect(200);
        let orders = page["orders"].as_array().unwrap().clone();
        assert_eq!(orders.len(), 1, "{page:#}");
        assert_eq!((order_id(&orders[0]), &orders[0]["userId"]), (order_id(&order), &json!("ada")), "{page:#}");
    };
    // The entries still name the guest; the order is found where it is.
    found().await;
    world.index_orders().await;
    found().await;
    let holding = world.all("ORDER_SEARCH_TABLE").await;
    assert!(!format!("{holding:?}").contains(guest.guest_id()), "{holding:#?}");
}

/// Fifty lines are more terms than one transaction takes. Whatever is lost and wherever the writer ends, the next try
/// leaves exactly what one try would have.
#[tokio::test]
async fn a_writer_that_fails_anywhere_leaves_what_the_next_one_finishes() {
    for fault in [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::InternalServerError] {
        for skipped in 0..2 {
            let world = Setup::default().unlimited().catalog(many_products()).build().await;
            let guest = world.guest();
            let items: Vec<_> = (0..50).map(|nth| format!("product-{nth}")).collect();
            let items: Vec<_> = items.iter().map(|id| (id.as_str(), 1)).collect();
            let order = guest.buy(&items).await;
            // More than the client's own attempts.
            let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()).skip(skipped).times(3));
            let failed = handlers::index_orders(Arc::clone(world.app()), world.changed_orders().await).await;
            assert!(hits.count() > 0, "{fault:?}");
            world.dynamodb.clear_rules();
            let run = world.index_orders().await;
            assert_eq!(failed.done + run.done + run.known, 1, "{failed:?} {run:?}");

            guest.cancel(order_id(&order)).await.expect(200);
            world.index_orders().await;

            let found = terms(&world).await;
            assert_eq!(found.iter().filter(|term| term.starts_with("product#")).count(), 50);
            assert_eq!(found.iter().filter(|term| term.starts_with("price#")).count(), 50);
            assert_eq!(found.len(), 100 + 6 + 1, "{found:#?}");
            assert!(found.contains("status#cancelled") && !found.contains("status#confirmed"), "{found:#?}");
        }
    }
}

#[tokio::test]
async fn an_order_that_cant_be_read_holds_up_no_other() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let damaged = guest.buy(&[("espresso-beans", 1)]).await;
    let good = guest.buy(&[("espresso-beans", 1)]).await;
    world.index_orders().await;
    let table = world.tables.name("ORDERS_TABLE");
    let change = world.tables.client().update_item().table_name(table);
    let text = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned());
    let change =
        change.key("owner", text(&format!("guest#{}", guest.guest_id()))).key("orderId", text(order_id(&damaged)));
    let change = change
        .update_expression("SET #items = :none")
        .expression_attribute_names("#items", "items")
        .expression_attribute_values(":none", text("gone"));
    change.send().await.expect("a damaged order");

    let run = world.index_orders().await;
    let staff = world.staff();
    let page = staff.send(Route::SearchOrders, &staff.event(Route::SearchOrders)).await.expect(200);

    assert_eq!((run.unreadable, run.failed.len()), (1, 0), "{run:?}");
    let orders = page["orders"].as_array().unwrap();
    assert_eq!(orders.iter().map(order_id).collect::<Vec<_>>(), [order_id(&good)]);
}

fn many_products() -> serde_json::Value {
    let mut catalog = tests::world::sample_catalog();
    let products = catalog["products"].as_array_mut().expect("products");
    let beans =
        products.iter().find(|product| product["id"] == "espresso-beans" || product["productId"] == "espresso-beans");
    let beans = beans.expect("beans").clone();
    for nth in 0..50 {
        let mut product = beans.clone();
        let name = if product.get("id").is_some() { "id" } else { "productId" };
        product[name] = json!(format!("product-{nth}"));
        products.push(product);
    }
    catalog
}
