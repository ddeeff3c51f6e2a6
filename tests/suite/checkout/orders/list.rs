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
    copy_order(&world, order_id(&order), &[CONFIRMED; 20]).await;

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
    copy_order(&world, &oldest, &vec![CONFIRMED; 1050]).await;
    world.dynamodb.forget_calls();

    let pages = all_pages(&guest, &[("status", "cancelled")]).await;

    assert_eq!(pages, [vec![], vec![oldest]]);
    assert_eq!(world.dynamodb.count("Query"), 10 + 1);
}

/// Attempts whose card was declined are no orders. Wherever they stand, pages are full, no order is missing or there
/// twice, and the last page says so.
#[tokio::test]
async fn declined_attempts_are_left_out_and_pages_are_full_all_the_same() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let first = buy(&guest).await;
    // Alone, a few in a row, more than a page in a row, and at the end.
    let kinds: Vec<_> = (0..60)
        .map(|nth| match nth {
            3 | 10..=13 | 20..=44 | 58.. => DECLINED,
            _ if nth % 2 == 0 => CANCELLED,
            _ => CONFIRMED,
        })
        .collect();
    let copies = copy_order(&world, &first, &kinds).await;
    let of = |kind: Option<Kind>| {
        let known = copies.iter().zip(&kinds).filter(|(_, its)| kind.map_or(**its != DECLINED, |kind| **its == kind));
        let known = known.map(|(id, _)| id.clone());
        let oldest = (kind != Some(CANCELLED)).then(|| first.clone());
        let mut ids: Vec<_> = oldest.into_iter().chain(known).collect();
        ids.reverse();
        ids
    };
    for (status, expected) in
        [(None, of(None)), (Some("cancelled"), of(Some(CANCELLED))), (Some("confirmed"), of(Some(CONFIRMED)))]
    {
        for limit in [1, 2, 7, 20, 100] {
            let size = limit.to_string();
            let mut query = vec![("limit", size.as_str())];
            query.extend(status.map(|status| ("status", status)));

            let pages = all_pages(&guest, &query).await;

            let full: Vec<_> = expected.chunks(limit).map(<[String]>::to_vec).collect();
            assert_eq!(pages, full, "{status:?}, {limit} a page");
        }
    }
}

/// A declined attempt within a page costs nothing; only what it leaves missing in a full page is read with another query.
#[tokio::test]
async fn a_list_without_declined_attempts_costs_one_query_unless_a_page_must_be_filled() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let first = buy(&guest).await;
    copy_order(&world, &first, &[DECLINED, CONFIRMED, DECLINED, DECLINED, CONFIRMED]).await;
    let queries = async |limit: &str| {
        world.dynamodb.forget_calls();
        let found = ids(&page(&guest, &[("limit", limit)]).await).len();
        let asked = world.dynamodb.calls().into_iter().filter(|call| call.operation == "Query");
        (found, asked.map(|call| call.request["Limit"].as_u64().expect("a limit")).collect::<Vec<_>>())
    };

    assert_eq!(queries("20").await, (3, vec![21]), "all there is");
    assert_eq!(queries("100").await, (3, vec![101]), "all there is");
    assert_eq!(queries("2").await, (2, vec![3, 3]), "two orders, and whether there are more");
    assert_eq!(queries("1").await, (1, vec![2, 2]), "the newest, and an older one behind two attempts");
}

/// A thousand attempts in a row, which no customer can make: an answer all the same, and where to go on.
#[tokio::test]
async fn however_many_attempts_there_are_a_request_reads_so_much_and_no_more() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let oldest = buy(&guest).await;
    copy_order(&world, &oldest, &vec![DECLINED; 1000]).await;
    world.dynamodb.forget_calls();

    let pages = all_pages(&guest, &[]).await;

    assert_eq!(pages, [vec![], vec![oldest]]);
    assert!(world.dynamodb.count("Query") <= 10 + 10, "{}", world.dynamodb.count("Query"));
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

/// Status of an order, status of its payment.
pub(super) type Kind = (&'static str, &'static str);

pub(super) const CONFIRMED: Kind = ("confirmed", "pending");
pub(super) const CANCELLED: Kind = ("cancelled", "cancelled");
const DECLINED: Kind = ("cancelled", "declined");

/// Puts newer orders of the same owner beside this one, which is the only one there is: one of each of these kinds, the
/// newest last. Returns their ids.
pub(super) async fn copy_order(world: &Arc<World>, order: &str, kinds: &[Kind]) -> Vec<String> {
    let original = world.stored_orders().await.remove(0);
    let mut bytes = Uuid::try_parse(order).unwrap().into_bytes();
    // The first six bytes are the time.
    bytes[5] = bytes[5].wrapping_add(1);
    bytes[4] = bytes[4].wrapping_add(u8::from(bytes[5] == 0));
    let mut ids = Vec::new();
    let mut copies = Vec::new();
    for (number, (status, payment)) in (0_u16..).zip(kinds) {
        bytes[14..].copy_from_slice(&number.to_be_bytes());
        let id = Uuid::from_bytes(bytes).to_string();
        let mut item = original.clone();
        for (name, value) in [("orderId", id.as_str()), ("status", status), ("paymentStatus", payment)] {
            item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
        }
        ids.push(id);
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        copies.push(WriteRequest::builder().put_request(put).build());
    }
    let table = world.tables.name("ORDERS_TABLE");
    for chunk in copies.chunks(25) {
        let batch = world.tables.client().batch_write_item().request_items(&table, chunk.to_vec());
        let answer = batch.send().await.unwrap();
        assert!(answer.unprocessed_items().is_none_or(std::collections::HashMap::is_empty));
    }
    // The list may have been cached before.
    world.keys.clear();
    ids
}
