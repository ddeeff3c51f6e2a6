//! The orders of one owner.

use serde_json::Value;
use shared::http::route::Route;

use super::{Grows, Row, Steps};
use crate::{
    event::Event,
    world::{Setup, Shopper, id_of, total_of},
};

/// Orders on a page.
const PAGE: usize = 20;
const FULL: Grows = Grows::Until(PAGE, "the page, until it is full");
const RARE: Grows = Grows::Until(1_000, "a filter looks at a hundred orders at a time, and at a thousand at most");

fn page(guest: &Shopper, status: &str, cursor: Option<&str>) -> Event {
    let event = guest.event(Route::ListOrders).query("limit", PAGE.to_string());
    let event = if status.is_empty() { event } else { event.query("status", status) };
    cursor.into_iter().fold(event, |event, cursor| event.query("cursor", cursor))
}

/// An owner with so many orders, a multiple of a page or one.
pub async fn orders(sizes: &[usize]) -> Vec<Row> {
    let world = Setup::default().unlimited().build().await;
    let mut rows = Vec::new();
    // The first only opens the connections, and loads the scripts.
    for (nth, size) in [1].iter().chain(sizes).enumerate() {
        let guest = world.guest();
        let order = guest.buy(&[("espresso-beans", 1)]).await;
        let order = order["orderId"].as_str().expect("an id");
        world.copy_order(order, size - 1).await;
        if nth == 1 {
            rows.clear();
        }
        let mut steps = Steps { world: &world, size: *size, rows: &mut rows };
        steps.of("get-order, miss", Grows::Nothing, 200, guest.order(order)).await;
        steps.of("get-order, hit", Grows::Nothing, 200, guest.order(order)).await;
        let list = |status: &'static str, cursor: Option<String>| {
            let (guest, event) = (guest.clone(), page(&guest, status, cursor.as_deref()));
            async move { guest.send(Route::ListOrders, &event).await }
        };
        let mut first = steps.of("list-orders, the first page, miss", FULL, 200, list("", None)).await;
        steps.of("list-orders, the first page, hit", FULL, 200, list("", None)).await;
        // The last page but one, which is as full as the first.
        let (mut before, mut page) = (None, first.take());
        while let Some(cursor) = page["nextCursor"].as_str().map(ToOwned::to_owned) {
            page = list("", Some(cursor.clone())).await.expect(200);
            if page["nextCursor"].is_string() {
                before = Some(cursor);
            }
        }
        forget(&world, &guest).await;
        steps.of("list-orders, a late page, miss", FULL, 200, list("", before)).await;
        let none = steps.of("list-orders, a status that none has", RARE, 200, list("delivered", None)).await;
        assert_eq!(none["orders"].as_array().map(Vec::len), Some(0));
        let session: Value = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let confirmed =
            steps.of("confirm-order", Grows::Nothing, 201, guest.confirm(id_of(&session), total_of(&session))).await;
        let another = confirmed["order"]["orderId"].as_str().expect("an id").to_owned();
        steps.of("cancel-order", Grows::Nothing, 200, guest.cancel(&another)).await;
    }
    rows
}

/// Takes the cached pages away.
async fn forget(world: &crate::world::World, guest: &Shopper) {
    let key = format!("{}orders:{}", world.keys.prefix(), guest.guest_id());
    let mut redis = world.keys.connection().await;
    let _: u64 = redis::AsyncCommands::del(&mut redis, key).await.expect("an answer");
}
