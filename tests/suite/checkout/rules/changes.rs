//! What the shop changes between the first look and the order.

use serde_json::json;
use tests::world::{Setup, World, california, id_of, total_of};

use super::{change_catalog, problems, product};

#[tokio::test]
async fn a_new_price_is_told_and_taken_only_when_the_customer_has_seen_it() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let (checkout, old_total) = (id_of(&session), total_of(&session));
    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["prices"]["USD"] = json!(2499)).await;

    let refused = guest.confirm(checkout, old_total).await.refused(409, "TOTAL_CHANGED");

    let problem = &refused["session"]["problems"][0];
    assert_eq!(problem["code"], "PRICE_CHANGED");
    assert_eq!((&problem["oldPrice"], &problem["newPrice"]), (&json!(1999), &json!(2499)));
    assert_eq!(problem["productId"], "espresso-beans");
    assert_eq!(problem["detail"], "the price was 19.99 USD, and is 24.99 USD now");
    // Whoever reads the session sees what refused them, and the old total stays refused.
    let read = guest.session(checkout).await.expect(200);
    assert_eq!((read["problems"].clone(), total_of(&read)), (json!([problem]), total_of(&refused["session"])));
    guest.confirm(checkout, old_total).await.refused(409, "TOTAL_CHANGED");
    let order = guest.confirm(checkout, total_of(&read)).await.expect(201);
    assert_eq!(order["order"]["items"][0]["unitPrice"], 2499);
    assert_eq!(order["order"]["summary"]["totalAmount"], read["summary"]["totalAmount"]);
}

#[tokio::test]
async fn a_price_that_comes_back_is_no_news() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let checkout = id_of(&session);
    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["prices"]["USD"] = json!(999)).await;
    assert_eq!(problems(&guest.tax(checkout).await.expect(200)), ["PRICE_CHANGED"]);
    // It is still told after another step, until the price is what it was.
    assert_eq!(problems(&guest.ship_to(checkout, &california()).await.expect(200)), ["PRICE_CHANGED"]);

    change_catalog(&world, |_| ()).await;

    let session = guest.tax(checkout).await.expect(200);
    assert_eq!(session["problems"], json!([]));
    guest.confirm(checkout, total_of(&session)).await.expect(201);
}

#[tokio::test]
async fn a_scheduled_price_ends_when_it_says() {
    let mut catalog = tests::world::sample_catalog();
    let in_an_hour = time::OffsetDateTime::now_utc() + time::Duration::minutes(20);
    let ends = in_an_hour.format(&time::format_description::well_known::Rfc3339).unwrap();
    product(&mut catalog, "espresso-beans")["scheduledPrices"] = json!([{"prices": {"USD": 1500}, "endsAt": ends}]);
    let world = Setup::default().catalog(catalog).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    assert_eq!(session["items"][0]["unitPrice"], 1500);

    let later = guest.clone().served_by(&world.container_after(std::time::Duration::from_secs(25 * 60)));
    let refused = later.confirm(id_of(&session), total_of(&session)).await.refused(409, "TOTAL_CHANGED");

    assert_eq!(refused["session"]["items"][0]["unitPrice"], 1999);
    assert_eq!(problems(&refused["session"]), ["PRICE_CHANGED"]);
}

#[tokio::test]
async fn what_left_the_shop_is_told_and_blocks() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1), ("limited-print", 2)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    change_catalog(&world, |catalog| product(catalog, "espresso-beans")["published"] = json!(false)).await;

    let told = guest.tax(checkout).await.expect(200);
    assert_eq!(problems(&told), ["PRODUCT_UNAVAILABLE"]);
    // It keeps its last price, so that the cart still shows what it showed.
    assert_eq!(told["items"][0]["unitPrice"], 1999);
    guest.confirm(checkout, total).await.refused(409, "PRODUCT_UNAVAILABLE");

    change_catalog(&world, |catalog| {
        let beans = product(catalog, "espresso-beans");
        beans["notShippableTo"] = json!([{"regions": ["US-CA"], "message": "Not to California any more."}]);
    })
    .await;
    let told = guest.tax(checkout).await.expect(200);
    assert_eq!(told["problems"][0]["detail"], "Not to California any more.");
    guest.confirm(checkout, total).await.refused(409, "NOT_SHIPPABLE");
    assert_eq!(world.stored_orders().await.len(), 0);
}

#[tokio::test]
async fn what_others_bought_is_told_before_confirm() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("limited-print", 4)]).await;
    world.guest().buy(&[("limited-print", 3)]).await;

    let told = guest.tax(id_of(&session)).await.expect(200);

    let problem = &told["problems"][0];
    assert_eq!(
        (&problem["code"], &problem["requested"], &problem["available"]),
        (&json!("OUT_OF_STOCK"), &json!(4), &json!(2))
    );
    guest.confirm(id_of(&session), total_of(&told)).await.refused(409, "INSUFFICIENT_STOCK");
}

#[tokio::test]
async fn variants_that_share_a_stock_are_summed() {
    let mut catalog = tests::world::sample_catalog();
    let kit = product(&mut catalog, "pour-over-kit");
    kit["stock"] = json!(5);
    for variant in kit["variants"].as_array_mut().unwrap() {
        variant.as_object_mut().unwrap().remove("stock");
    }
    let world = Setup::default().catalog(catalog).build().await;
    let guest = world.guest();

    let short = guest.initiate(&[("pour-over-kit/white", 3), ("pour-over-kit/black", 3)]).await;
    let short = short.refused(409, "INSUFFICIENT_STOCK");
    assert_eq!(short["problems"][0]["requested"], 6);

    guest.buy(&[("pour-over-kit/white", 2), ("pour-over-kit/black", 2)]).await;
    assert_eq!(world.stock("pour-over-kit").await, 1);
    guest.initiate(&[("pour-over-kit/white", 2)]).await.refused(409, "INSUFFICIENT_STOCK");
}

#[tokio::test]
async fn a_region_is_known_however_it_is_spelled() {
    let world = World::new().await;
    for state in ["ID", "id", "Idaho", "idaho ", "US-ID", " us-id "] {
        let mut address = california();
        (address["state"], address["postalCode"]) = (json!(state), json!("83701"));
        let guest = world.guest();
        let cart = tests::world::cart(&[("cbd-tea", 1)]);
        let body = json!({"cartItems": cart, "shippingAddress": address});
        let refused = guest.post(shared::http::route::Route::Initiate, &body).await.refused(422, "NOT_SHIPPABLE");
        assert_eq!(refused["problems"][0]["detail"], "CBD tea can't be shipped to Idaho, Nebraska or Kansas.");
        let session = guest.fill_cart(&[("cbd-tea", 1)]).await;
        guest.ship_to(id_of(&session), &address).await.refused(422, "NOT_SHIPPABLE");
        assert_eq!(guest.session(id_of(&session)).await.expect(200)["shippingAddress"]["state"], "CA", "{state}");
    }
}
