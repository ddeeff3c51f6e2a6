//! The lines of a cart, each of another product.

use serde_json::json;
use shared::http::route::Route;

use super::{Grows, Row, Steps};
use crate::world::{Setup, california, cart_of_many, catalog_of_many, id_of, total_of};

const DOCUMENTS: Grows = Grows::Bytes("the documents: each line is stored in the session and in the order");
const PRODUCTS: Grows =
    Grows::Bytes("the documents, and each product is read with its stock, in batches of a hundred items");
const COUNTERS: Grows = Grows::Bytes("the documents, and each product's stock is counted down, in the one transaction");

/// Purchases of carts of these sizes, up to fifty.
pub async fn lines(sizes: &[usize]) -> Vec<Row> {
    let world = Setup::default().unlimited().catalog(catalog_of_many(50)).build().await;
    // The connections are there, and the server knows the scripts.
    let guest = world.guest();
    let first = guest.buy(&[("beans-1", 1)]).await;
    let first = first["orderId"].as_str().expect("an id");
    guest.order(first).await.expect(200);
    guest.cancel(first).await.expect(200);

    let mut rows = Vec::new();
    for size in sizes {
        let guest = world.guest();
        let mut steps = Steps { world: &world, size: *size, rows: &mut rows };
        let opened = json!({
            "cartItems": cart_of_many(*size), "shippingAddress": california(), "shippingMethodId": "us-standard"
        });
        let session = steps.of("initiate", PRODUCTS, 201, guest.post(Route::Initiate, &opened)).await;
        let checkout = id_of(&session);
        steps.of("get-session", DOCUMENTS, 200, guest.session(checkout)).await;
        steps.of("calculate-tax", PRODUCTS, 200, guest.tax(checkout)).await;
        let confirmed = steps.of("confirm-order", COUNTERS, 201, guest.confirm(checkout, total_of(&session))).await;
        let order = confirmed["order"]["orderId"].as_str().expect("an id");
        steps.of("get-order, miss", DOCUMENTS, 200, guest.order(order)).await;
        steps.of("get-order, hit", DOCUMENTS, 200, guest.order(order)).await;
        steps.of("cancel-order", COUNTERS, 200, guest.cancel(order)).await;
    }
    rows
}
