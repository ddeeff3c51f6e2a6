//! A product may have a least and a most per order, over all its variants.

use serde_json::json;
use shared::http::route::Route;
use tests::world::{World, california, cart, id_of, total_of};

use super::{change_catalog, problems, product};

#[tokio::test]
async fn more_than_a_product_allows_is_refused_at_its_place() {
    let world = World::new().await;
    let guest = world.guest();
    let body =
        json!({"cartItems": cart(&[("espresso-beans", 1), ("pour-over-kit/white", 11), ("pour-over-kit/black", 10)])});

    let refused = guest.post(Route::Initiate, &body).await;

    let problem = refused.refused(422, "MAX_PER_ORDER_EXCEEDED");
    assert_eq!(problem["errors"][0]["pointer"], "/cartItems/1");
    let about = &problem["problems"][0];
    assert_eq!(
        (&about["productId"], &about["requested"], &about["maxPerOrder"]),
        (&json!("pour-over-kit"), &json!(21), &json!(20))
    );
    guest.initiate(&[("pour-over-kit/white", 10), ("pour-over-kit/black", 10)]).await.expect(201);
}

#[tokio::test]
async fn a_most_that_comes_later_is_told_at_every_change_and_blocks() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 5)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["maxPerOrder"] = json!(4)).await;

    for changed in [
        guest.ship_to(checkout, &california()).await,
        guest.choose_shipping(checkout, "us-standard").await,
        guest.tax(checkout).await,
        guest.apply_coupon(checkout, "ONEEACH").await,
        guest.remove_coupon(checkout).await,
    ] {
        let session = changed.expect(200);
        assert_eq!(problems(&session), ["MAX_PER_ORDER_EXCEEDED"]);
        assert_eq!(session["problems"][0]["maxPerOrder"], 4);
    }
    guest.confirm(checkout, total).await.refused(409, "MAX_PER_ORDER_EXCEEDED");
    assert_eq!((world.stock("espresso-beans").await, world.stored_orders().await.len()), (100_000, 0));

    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["maxPerOrder"] = json!(5)).await;
    guest.confirm(checkout, total).await.expect(201);
}

#[tokio::test]
async fn fewer_than_a_product_needs_is_refused_at_its_place() {
    let world = World::new().await;
    change_catalog(&world, |catalog| product(catalog, "pour-over-kit")["minPerOrder"] = json!(6)).await;
    let guest = world.guest();
    let few =
        json!({"cartItems": cart(&[("espresso-beans", 1), ("pour-over-kit/white", 3), ("pour-over-kit/black", 2)])});

    let refused = guest.post(Route::Initiate, &few).await;

    let problem = refused.refused(422, "MIN_PER_ORDER_NOT_REACHED");
    assert_eq!(problem["errors"][0]["pointer"], "/cartItems/1");
    let about = &problem["problems"][0];
    assert_eq!(
        (&about["productId"], &about["requested"], &about["minPerOrder"]),
        (&json!("pour-over-kit"), &json!(5), &json!(6))
    );
    guest.initiate(&[("pour-over-kit/white", 3), ("pour-over-kit/black", 3)]).await.expect(201);
    guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
}

#[tokio::test]
async fn a_least_that_comes_later_blocks_and_only_a_change_for_the_worse_is_refused() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 3)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["minPerOrder"] = json!(6)).await;

    let session = guest.tax(checkout).await.expect(200);
    assert_eq!(problems(&session), ["MIN_PER_ORDER_NOT_REACHED"]);
    assert_eq!(session["problems"][0]["minPerOrder"], 6);
    guest.confirm(checkout, total).await.refused(409, "MIN_PER_ORDER_NOT_REACHED");
    assert_eq!((world.stock("espresso-beans").await, world.stored_orders().await.len()), (100_000, 0));

    guest.set_items(checkout, &[("espresso-beans", 2)]).await.refused(422, "MIN_PER_ORDER_NOT_REACHED");
    let more = guest.set_items(checkout, &[("espresso-beans", 4)]).await.expect(200);
    assert_eq!(problems(&more), ["MIN_PER_ORDER_NOT_REACHED"]);
    let enough = guest.set_items(checkout, &[("espresso-beans", 6)]).await.expect(200);
    assert_eq!(problems(&enough), [""; 0]);
}
