//! The list of orders, page by page.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::Value;
use shared::http::route::Route;
use tests::world::{Setup, Shopper, World, in_lists};
use uuid::Uuid;

use super::order_id;

#[tokio::test]
async fn orders_are_listed_newest_first_to_whom_they_belong() {
    let world = Setup::default().unlimited().build().await;
    let (ada, guest) = (world.user("ada"), world.guest());
    let of_ada = [buy(&ada).await, buy(&ada).await, buy(&ada).await];
    let of_guest = buy(&guest).await;

    let [newest, middle, oldest] = [&of_ada[2], &of_ada[1], &of_ada[0]];
    assert_eq!(ids(&page(&ada, &[]).await), [newest, middle, oldest]);
    assert_eq!(ids(&page(&guest, &[]).await), [&of_guest]);
    assert_eq!(page(&world.user("grace"), &[]).await, serde_json::json!({"orders": []}));
}

#[tokio::test]
async fn pages_hold_what_was_asked_for_and_the_last_one_says_so() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let mut placed = buy_some(&guest, 6).await;
    placed.reverse();

    let three_a_page = all_pages(&guest, &[("limit", "3")]).await;
    let four_a_page = all_pages(&guest, &[("limit", "4")]).await;
    let default = all_pages(&guest, &[]).await;

    assert_eq!(three_a_page, [&placed[..3], &placed[3..]], "a full last page has no cursor to an empty one");
    assert_eq!(four_a_page, [&placed[..4], &placed[4..]]);
    assert_eq!(default, [&placed[..]]);
}

#[tokio::test]
async fn twenty_orders_are_a_page_when_nothing_is_said() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("gift-card-note", 1)]).await;
    copy_order(&world, order_id(&order), 20, "confirmed").await;

    let pages = all_pages(&guest, &[]).await;

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 1]);
}

#[tokio::test]
async fn pages_survive_orders_that_arrive_and_change_between_them() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let mut placed = buy_some(&guest, 7).await;
    placed.reverse();

    let mut seen = Vec::new();
    let mut cursor = None;
    for _ in 0..4 {
        let found = next_page(&guest, &[("limit", "2")], cursor.as_deref()).await;
        seen.extend(ids(&found).into_iter().map(str::to_owned));
        cursor = found["nextCursor"].as_str().map(str::to_owned);
        // One more comes in, and one that was seen and one that wasn't change.
        buy(&guest).await;
        guest.cancel(&seen[0]).await.expect(200);
        guest.cancel(&placed[6]).await.expect(200);
    }

    assert_eq!(seen, placed);
    assert_eq!(cursor, None);
    assert_eq!(ids(&page(&guest, &[]).await).len(), 7 + 4, "the newcomers are on a fresh list");
}

#[tokio::test]
async fn a_status_chooses_the_orders_and_they_come_in_full_pages() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let mut placed = buy_some(&guest, 7).await;
    placed.reverse();
    for cancelled in [1, 2, 5] {
        guest.cancel(&placed[cancelled]).await.expect(200);
    }

    let cancelled = all_pages(&guest, &[("status", "cancelled"), ("limit", "2")]).await;
    let confirmed = all_pages(&guest, &[("status", "confirmed"), ("limit", "2")]).await;
    let shipped = all_pages(&guest, &[("status", "shipped")]).await;

    let pick = |page: &[usize]| page.iter().map(|nth| placed[*nth].clone()).collect::<Vec<_>>();
    assert_eq!(cancelled, [pick(&[1, 2]), pick(&[5])]);
    assert_eq!(confirmed, [pick(&[0, 3]), pick(&[4, 6])]);
    assert_eq!(shipped, [pick(&[])]);
}

/// A request reads so many orders and no more. Past that it answers with what it found, and where to go on.
#[tokio::test]
async fn the_one_cancelled_order_behind_a_thousand_others_is_found_by_going_on() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let oldest = buy(&guest).await;
    guest.cancel(&oldest).await.expect(200);
    copy_order(&world, &oldest, 1050, "confirmed").await;
    world.dynamodb.forget_calls();

    let pages = all_pages(&guest, &[("status", "cancelled")]).await;

    assert_eq!(pages, [vec![], vec![oldest]]);
    assert_eq!(world.dynamodb.count("Query"), 10 + 1);
}

#[tokio::test]
async fn a_list_says_of_an_order_what_the_order_says_of_itself() {
    let world = World::new().await;
    let guest = world.guest();
    let order = buy(&guest).await;

    for step in ["processing", "shipped"] {
        world.staff().set_status(&order, step).await.expect(200);

        let [listed, filtered] = [page(&guest, &[]).await, page(&guest, &[("status", step)]).await];
        let alone = guest.order(&order).await.expect(200);
        assert_eq!(
            (&listed["orders"][0], &filtered["orders"][0]),
            (&in_lists(&alone["order"]), &in_lists(&alone["order"]))
        );
        assert_eq!(alone["order"]["status"], step);
    }
}

async fn buy(shopper: &Shopper) -> String {
    order_id(&shopper.buy(&[("espresso-beans", 1)]).await).to_owned()
}

/// Oldest first.
async fn buy_some(shopper: &Shopper, count: usize) -> Vec<String> {
    let mut orders = Vec::new();
    for _ in 0..count {
        orders.push(buy(shopper).await);
    }
    orders
}

async fn page(shopper: &Shopper, query: &[(&str, &str)]) -> Value {
    let event = shopper.event(Route::ListOrders);
    let event = query.iter().fold(event, |event, (name, value)| event.query(name, *value));
    shopper.send(Route::ListOrders, &event).await.expect(200)
}

async fn next_page(shopper: &Shopper, query: &[(&str, &str)], cursor: Option<&str>) -> Value {
    let cursor = cursor.map(|cursor| ("cursor", cursor));
    page(shopper, &query.iter().copied().chain(cursor).collect::<Vec<_>>()).await
}

/// The order ids of every page, following the cursors.
async fn all_pages(shopper: &Shopper, query: &[(&str, &str)]) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let found = next_page(shopper, query, cursor.as_deref()).await;
        pages.push(ids(&found).into_iter().map(str::to_owned).collect());
        cursor = found["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return pages;
        }
    }
}

fn ids(page: &Value) -> Vec<&str> {
    page["orders"].as_array().unwrap().iter().map(order_id).collect()
}

/// Puts so many newer orders of the same owner beside this one, which is the only one there is.
async fn copy_order(world: &Arc<World>, order: &str, count: u16, status: &str) {
    let original = world.stored_orders().await.remove(0);
    let mut bytes = Uuid::try_parse(order).unwrap().into_bytes();
    // The first six bytes are the time.
    bytes[5] = bytes[5].wrapping_add(1);
    bytes[4] = bytes[4].wrapping_add(u8::from(bytes[5] == 0));
    let copies: Vec<WriteRequest> = (0..count)
        .map(|number| {
            bytes[14..].copy_from_slice(&number.to_be_bytes());
            let mut item = original.clone();
            item.insert("orderId".to_owned(), AttributeValue::S(Uuid::from_bytes(bytes).to_string()));
            item.insert("status".to_owned(), AttributeValue::S(status.to_owned()));
            WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
        })
        .collect();
    let table = world.tables.name("ORDERS_TABLE");
    for chunk in copies.chunks(25) {
        let batch = world.tables.client().batch_write_item().request_items(&table, chunk.to_vec());
        let answer = batch.send().await.unwrap();
        assert!(answer.unprocessed_items().is_none_or(std::collections::HashMap::is_empty));
    }
    // The list may have been cached before.
    world.keys.clear();
}
