//! What staff find, page by page; what they are refused; and that nobody else finds anything.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, Shopper, World, confirmation, id_of, to_tokyo, total_of};
use uuid::Uuid;

use super::{
    list::{CANCELLED, CONFIRMED, copy_order},
    order_id,
};

const TODAY: &str = "2026-11-27";

async fn search(shopper: &Shopper, query: &[(&str, &str)]) -> tests::world::Answer {
    let event = shopper.event(Route::SearchOrders);
    let event = query.iter().fold(event, |event, (name, value)| event.query(name, *value));
    shopper.send(Route::SearchOrders, &event).await
}

fn ids(page: &Value) -> Vec<String> {
    page["orders"].as_array().unwrap().iter().map(|order| order_id(order).to_owned()).collect()
}

async fn found(shopper: &Shopper, query: &[(&str, &str)]) -> Vec<String> {
    ids(&search(shopper, query).await.expect(200))
}

/// The order ids of every page, following the cursors.
async fn all_pages(shopper: &Shopper, query: &[(&str, &str)]) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query: Vec<_> = query.iter().copied().chain(cursor.as_deref().map(|cursor| ("cursor", cursor))).collect();
        let page = search(shopper, &query).await.expect(200);
        pages.push(ids(&page));
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return pages;
        }
    }
}

/// A purchase under this address.
async fn buy(shopper: &Shopper, items: &[(&str, u32)], email: &str) -> Value {
    let session = shopper.fill_cart(items).await;
    let mut body = confirmation(id_of(&session), total_of(&session));
    body["customerInfo"]["email"] = json!(email);
    shopper.post(Route::ConfirmOrder, &body).await.expect(201)["order"].take()
}

#[tokio::test]
async fn staff_find_an_order_by_everything_that_is_known_of_it() {
    let world = Setup::default().unlimited().build().await;
    let (guest, ada, staff) = (world.guest(), world.user("ada"), world.staff());
    let first = buy(&guest, &[("espresso-beans", 2)], "Cosima@Example.com").await;
    let second = buy(&ada, &[("espresso-beans", 1), ("gift-card-note", 1)], "ada@example.com").await;
    let [a, b] = [order_id(&first).to_owned(), order_id(&second).to_owned()];
    staff.set_status(&a, "processing").await.expect(200);
    let shipped = staff.event(Route::CreateFulfillment).path("orderId", &a);
    let parcel = json!({"fulfillmentId": Uuid::new_v4(), "items": [{"line": 0, "quantity": 2}], "trackingNumber": "1Z 999 aa1", "carrier": "UPS"});
    staff.send(Route::CreateFulfillment, &shipped.json(&parcel)).await.expect(201);
    let yen = ada.post(Route::Initiate, &to_tokyo()).await;
    assert!(yen.status() < 500, "{:#}", yen.body());
    world.index_orders().await;

    let price = first["items"][0]["unitPrice"].to_string();
    let number = first["orderNumber"].as_str().unwrap();
    let loose = number.replace('-', "").to_lowercase();
    let one: &[&str] = &[&a];
    let two: &[&str] = &[&b, &a];
    let none: &[&str] = &[];
    for (query, expected) in [
        (vec![], two),
        (vec![("orderNumber", number)], one),
        (vec![("orderNumber", &loose)], one),
        (vec![("orderNumber", "2222-2222-2222")], none),
        (vec![("email", "cosima@example.com")], one),
        (vec![("email", " COSIMA@EXAMPLE.COM")], one),
        (vec![("email", "osima@example.com")], none),
        (vec![("productId", "espresso-beans")], two),
        (vec![("productId", "gift-card-note")], &[&b]),
        (vec![("productId", "espresso-bean")], none),
        (vec![("productId", "espresso-beans"), ("unitPrice", &price), ("currency", "USD")], two),
        (vec![("productId", "espresso-beans"), ("unitPrice", &price), ("currency", "EUR")], none),
        (vec![("productId", "espresso-beans"), ("unitPrice", "1"), ("currency", "USD")], none),
        (vec![("status", "shipped")], one),
        (vec![("status", "confirmed")], &[&b]),
        (vec![("status", "processing")], none),
        (vec![("paymentStatus", "pending")], two),
        (vec![("paymentStatus", "refunded")], none),
        (vec![("status", "shipped"), ("paymentStatus", "pending")], one),
        (vec![("status", "shipped"), ("paymentStatus", "paid")], none),
        (vec![("trackingNumber", "1z 999 AA1")], one),
        (vec![("trackingNumber", "1Z")], none),
        (vec![("paymentIntentId", "pi_none")], none),
        (vec![("email", "cosima@example.com"), ("productId", "gift-card-note")], none),
        (vec![("email", "ada@example.com"), ("productId", "espresso-beans"), ("status", "confirmed")], &[&b]),
        (vec![("productId", "espresso-beans"), ("status", "shipped")], one),
        (vec![("orderNumber", number), ("status", "confirmed")], none),
        (vec![("from", "2026-01-01"), ("to", "2100-01-01")], two),
        (vec![("from", "2100-01-01")], none),
        (vec![("to", "2026-01-01"), ("productId", "espresso-beans")], none),
    ] {
        assert_eq!(found(&staff, &query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn staff_see_what_they_need_and_no_guests_id() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order_id(&order);
    staff.set_status(id, "processing").await.expect(200);
    world.index_orders().await;

    let searched = search(&staff, &[]).await.expect(200);
    let read = staff.order(id).await.expect(200);

    let mut seen = read["order"].clone();
    seen.as_object_mut().unwrap().remove("explain");
    assert_eq!(searched["orders"], json!([seen]), "a list shows what the order shows");
    assert!(!read.to_string().contains(guest.guest_id()), "{read:#}");
    assert_eq!(read["order"]["statusHistory"][1]["staffId"], "grace");
    assert_eq!(read["order"]["customerInfo"]["email"], "ada@example.com");
    let own = guest.order(id).await.expect(200);
    assert_eq!(own["order"]["guestId"], guest.guest_id());
    assert!(!own.to_string().contains("grace"), "{own:#}");
}

#[tokio::test]
async fn nobody_but_staff_finds_or_reads_anothers_order() {
    let world = Setup::default().unlimited().build().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    world.index_orders().await;

    for (who, status) in [(world.nobody(), 401), (world.guest(), 401), (world.user("mallory"), 403)] {
        assert_eq!(search(&who, &[]).await.status(), status);
        assert_eq!(search(&who, &[("email", "ada@example.com")]).await.status(), status);
    }
    for who in [world.guest(), world.user("mallory")] {
        assert_eq!(who.order(order_id(&order)).await.status(), 404);
    }
    let unknown = Uuid::now_v7().to_string();
    assert_eq!(world.staff().order(&unknown).await.status(), 404);
}

#[tokio::test]
async fn what_is_no_search_is_refused_with_the_reason() {
    let world = World::new().await;
    let staff = world.staff();
    for (query, pointers) in [
        (vec![("mail", "a@example.com")], vec!["/query/mail"]),
        (vec![("email", "")], vec!["/query/email"]),
        (vec![("orderNumber", "12")], vec!["/query/orderNumber"]),
        (vec![("orderNumber", "7KQM-2H4P-XT9R-2")], vec!["/query/orderNumber"]),
        (vec![("productId", "a b#c")], vec!["/query/productId"]),
        (vec![("status", "sent")], vec!["/query/status"]),
        (vec![("paymentStatus", "gone")], vec!["/query/paymentStatus"]),
        (vec![("from", "27.11.2026")], vec!["/query/from"]),
        (vec![("from", "2026-02-30")], vec!["/query/from"]),
        (vec![("from", TODAY), ("to", "2026-11-26")], vec!["/query/to"]),
        (vec![("to", "-9999-01-01")], vec!["/query/to"]),
        (vec![("to", "9999-12-31")], vec!["/query/to"]),
        (vec![("unitPrice", "19.99"), ("currency", "USD"), ("productId", "tea")], vec!["/query/unitPrice"]),
        (vec![("unitPrice", "1999")], vec!["/query/currency", "/query/productId"]),
        (vec![("currency", "USD")], vec!["/query/currency"]),
        (vec![("limit", "0")], vec!["/query/limit"]),
        (vec![("limit", "101")], vec!["/query/limit"]),
        (vec![("cursor", "x")], vec!["/query/cursor"]),
    ] {
        let answer = search(&staff, &query).await;
        assert_eq!(answer.status(), 400, "{query:?}: {:#}", answer.body());
        let faults = answer.body()["errors"].as_array().cloned().unwrap_or_default();
        let mut told: Vec<_> = faults.iter().filter_map(|fault| fault["pointer"].as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, pointers, "{query:?}: {:#}", answer.body());
    }
}

#[tokio::test]
async fn pages_are_full_and_a_cursor_fits_its_own_search_only() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.push(order_id(&guest.buy(&[("espresso-beans", 1)]).await).to_owned());
    }
    placed.reverse();
    guest.cancel(&placed[1]).await.expect(200);
    guest.cancel(&placed[4]).await.expect(200);
    world.index_orders().await;

    assert_eq!(all_pages(&staff, &[("limit", "3")]).await, [&placed[..3], &placed[3..6], &placed[6..]]);
    let confirmed: Vec<_> = [0, 2, 3, 5, 6].map(|nth| placed[nth].clone()).into();
    let by_product = [("productId", "espresso-beans"), ("status", "confirmed"), ("limit", "2")];
    assert_eq!(all_pages(&staff, &by_product).await, [&confirmed[..2], &confirmed[2..4], &confirmed[4..]]);

    let first = search(&staff, &[("limit", "3")]).await.expect(200);
    let cursor = first["nextCursor"].as_str().unwrap();
    assert_eq!(search(&staff, &[("status", "confirmed"), ("cursor", cursor)]).await.status(), 400);
    // Newcomers don't move the pages.
    order_id(&guest.buy(&[("espresso-beans", 1)]).await);
    world.index_orders().await;
    assert_eq!(found(&staff, &[("limit", "3"), ("cursor", cursor)]).await, &placed[3..6]);
}

#[tokio::test]
async fn few_of_a_thousand_orders_are_one_page_and_nothing_is_scanned() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let oldest = order_id(&guest.buy(&[("espresso-beans", 1)]).await).to_owned();
    let mut kinds = vec![CONFIRMED; 1000];
    kinds[10] = CANCELLED;
    kinds[990] = CANCELLED;
    let copies = copy_order(&world, &oldest, &kinds).await;
    let run = world.index_orders().await;
    assert_eq!(run.done, 1001);
    world.dynamodb.forget_calls();

    let few = all_pages(&staff, &[("productId", "espresso-beans"), ("status", "cancelled")]).await;

    assert_eq!(few, [[copies[990].clone(), copies[10].clone()]]);
    let counts = world.dynamodb.counts();
    assert_eq!(counts.get("Scan"), None);
    // The product and the status at once; then whose the two are, and both orders.
    assert!(counts["Query"] <= 2 && counts["BatchGetItem"] <= 2, "{counts:?}");
    assert_eq!(all_pages(&staff, &[("limit", "100")]).await.iter().map(Vec::len).sum::<usize>(), 1001);

    // An operator sees as many as they want, of whatever pages.
    for (most, shown, more) in [("150", 150, true), ("1001", 1001, false)] {
        let all = crate::operator::run(&world, &["order", "find", "--most", most, "--json"]).await.json();
        assert_eq!((all["orders"].as_array().map(Vec::len), &all["more"]), (Some(shown), &json!(more)));
    }
    let known = crate::operator::run(&world, &["order", "reindex", "--json"]).await.json();
    assert_eq!(known, json!({"done": 0, "known": 1001, "unreadable": []}));
}
