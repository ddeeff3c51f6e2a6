//! What a shop's pages show before there is a session: products with their prices and what is left of them, and where the
//! shop ships to.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Answer, Setup, World, california, cart, id_of, sample_catalog};

async fn products(world: &Arc<World>, query: &[(&str, &str)]) -> Answer {
    let nobody = world.nobody();
    let event = query.iter().fold(nobody.event(Route::ListProducts), |event, (name, value)| event.query(name, *value));
    nobody.send(Route::ListProducts, &event).await
}

async fn product(world: &Arc<World>, id: &str, currency: &str) -> Answer {
    let nobody = world.nobody();
    let event = nobody.event_about(Route::GetProduct, id).query("currency", currency);
    nobody.send(Route::GetProduct, &event).await
}

async fn regions(world: &Arc<World>) -> Answer {
    let nobody = world.nobody();
    nobody.send(Route::ListRegions, &nobody.event(Route::ListRegions)).await
}

fn ids(page: &Value) -> Vec<&str> {
    page["products"].as_array().unwrap().iter().map(|product| product["productId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_page_lists_what_can_be_bought_in_a_currency() {
    let world = Setup::default().unlimited().build().await;
    let answer = products(&world, &[]).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=30"));
    let page = answer.expect(200);
    assert_eq!(page["currency"], "USD");
    let all = [
        "brewing-book",
        "cbd-tea",
        "espresso-beans",
        "gift-card-note",
        "limited-print",
        "pour-over-kit",
        "sold-out-mug",
    ];
    assert_eq!(ids(&page), all, "the published ones, by id");
    assert_eq!(page["products"][2]["price"], 1999);
    assert_eq!(page["products"][3]["availability"], "in_stock", "what isn't counted is there");
    assert_eq!(page["products"][6]["availability"], "sold_out");
    let kit = &page["products"][5];
    assert!(kit.get("price").is_none() && kit.get("availability").is_none(), "{kit:#}");
    assert_eq!(
        kit["variants"][1],
        json!({"variantId": "black", "name": "black", "price": 5499, "availability": "in_stock"})
    );

    let in_yen = products(&world, &[("currency", "JPY")]).await.expect(200);
    assert_eq!(ids(&in_yen), ["espresso-beans"]);
    assert_eq!(in_yen["products"][0]["price"], 2980);
    let nothing = products(&world, &[("currency", "CHF")]).await.expect(200);
    assert_eq!(nothing, json!({"currency": "CHF", "products": []}));
}

#[tokio::test]
async fn pages_follow_each_other_and_miss_nothing() {
    let world = Setup::default().unlimited().build().await;
    for (limit, currency) in [("1", "USD"), ("2", "EUR"), ("3", "USD"), ("100", "EUR")] {
        let (mut found, mut cursor) = (Vec::new(), None);
        for _ in 0..20 {
            let mut query = vec![("limit", limit), ("currency", currency)];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = products(&world, &query).await.expect(200);
            found.extend(ids(&page).into_iter().map(ToOwned::to_owned));
            cursor = page["nextCursor"].as_str().map(ToOwned::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(cursor, None, "it ends");
        let whole = products(&world, &[("limit", "100"), ("currency", currency)]).await.expect(200);
        assert_eq!(found, ids(&whole), "{limit} at a time");
    }
}

#[tokio::test]
async fn what_is_left_is_told_as_it_is_sold() {
    let mut catalog = sample_catalog();
    let book =
        catalog["products"].as_array_mut().unwrap().iter_mut().find(|it| it["productId"] == "brewing-book").unwrap();
    (book["stock"], book["backorder"]) = (json!(1), json!({"limit": 2, "availableInDays": 10}));
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let state = async |id: &str| product(&world, id, "USD").await.expect(200)["product"]["availability"].clone();
    assert_eq!(state("limited-print").await, "in_stock");
    world.guest().buy(&[("limited-print", 5)]).await;
    assert_eq!(state("limited-print").await, "sold_out");

    assert_eq!(state("brewing-book").await, "in_stock");
    world.guest().buy(&[("brewing-book", 1)]).await;
    let book = product(&world, "brewing-book", "USD").await.expect(200)["product"].clone();
    assert_eq!((&book["availability"], &book["availableInDays"]), (&json!("backorder"), &json!(10)));
    world.guest().buy(&[("brewing-book", 2)]).await;
    assert_eq!(state("brewing-book").await, "sold_out", "no more is sold beyond the stock");
}

#[tokio::test]
async fn a_product_that_is_not_for_sale_is_not_there() {
    let world = Setup::default().unlimited().build().await;
    for (id, currency, pointer) in [
        ("no-such-thing", "USD", "/path/productId"),
        ("unpublished-item", "USD", "/path/productId"),
        ("limited-print", "EUR", "/query/currency"),
    ] {
        let problem = product(&world, id, currency).await.expect(404);
        assert_eq!(problem["code"], "PRODUCT_NOT_FOUND", "{id}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{id}");
    }
    let nobody = world.nobody();
    let event =
        nobody.event(Route::ListProducts).query("currency", "dollars").query("limit", "0").query("colour", "red");
    let problem = nobody.send(Route::ListProducts, &event.query("cursor", "?")).await.expect(400);
    let mut pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/query/colour", "/query/currency", "/query/cursor", "/query/limit"]);
    let odd = product(&world, "no such id", "USD").await.expect(400);
    assert_eq!(odd["errors"][0]["pointer"], "/path/productId");
}

#[tokio::test]
async fn the_usual_price_stands_beside_one_that_holds_for_a_time() {
    let mut catalog = sample_catalog();
    catalog["products"][0]["scheduledPrices"] =
        json!([{"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z", "prices": {"USD": 1499}}]);
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let beans = product(&world, "espresso-beans", "USD").await.expect(200)["product"].clone();
    assert_eq!((&beans["price"], &beans["usualPrice"]), (&json!(1499), &json!(1999)));
    let in_euro = product(&world, "espresso-beans", "EUR").await.expect(200)["product"].clone();
    assert_eq!((&in_euro["price"], in_euro.get("usualPrice")), (&json!(2190), None));
}

/// An address with all fields that a region lists, and one of its states.
fn typed(region: &Value, state: Option<&Value>) -> Value {
    let mut address = json!({"country": region["country"]});
    for field in region["addressFields"].as_array().unwrap() {
        let name = field["field"].as_str().unwrap();
        address[name] = match name {
            "state" => match state {
                Some(state) => state["code"].clone(),
                None => continue,
            },
            "postalCode" => match region["postalCode"].get("example") {
                Some(example) if field["required"] == true => example.clone(),
                _ => continue,
            },
            _ if field["required"] == true => json!("Main 1"),
            _ => continue,
        };
    }
    address
}

#[tokio::test]
async fn an_address_typed_by_its_region_ships() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let regions = regions(&world).await;
    assert_eq!(regions.header("cache-control"), Some("public, max-age=300"));
    let regions = regions.expect(200);
    let regions = regions["regions"].as_array().unwrap();
    let countries: Vec<_> = regions.iter().map(|region| region["country"].as_str().unwrap()).collect();
    assert!(countries.is_sorted() && countries.contains(&"US") && countries.contains(&"GB"), "{countries:?}");
    for region in regions {
        let currency = &region["currencies"][0];
        let empty = Vec::new();
        let states = region["states"].as_array().unwrap_or(&empty);
        // The first, the middle and the last one stand for all: each is tried in the domain's own tests.
        let some = [states.first(), states.get(states.len() / 2), states.last()];
        for state in if states.is_empty() { vec![None] } else { some.to_vec() } {
            let address = typed(region, state);
            let body =
                json!({"cartItems": cart(&[("espresso-beans", 1)]), "currency": currency, "shippingAddress": address});
            let session = guest.post(Route::Initiate, &body).await.expect(201);
            let problems = session["problems"].as_array().map_or(&[][..], Vec::as_slice);
            let is_about_the_place = |problem: &&Value| {
                matches!(problem["code"].as_str(), Some("SHIPPING_UNAVAILABLE" | "CURRENCY_NOT_OFFERED"))
            };
            assert_eq!(problems.iter().find(is_about_the_place), None, "{address}");
            let event = guest.event_about(Route::GetSession, id_of(&session));
            let session = guest.send(Route::GetSession, &event).await.expect(200);
            let offers = session["shippingMethods"].as_array();
            assert!(offers.is_some_and(|offers| !offers.is_empty()), "{address}: {session:#}");
        }
    }
    let us = regions.iter().find(|region| region["country"] == "US").unwrap();
    assert_eq!(us["states"][0], json!({"code": "AL", "name": "Alabama"}));
    assert_eq!(us["postalCode"]["example"], "95014");
    let session = guest.post(Route::Initiate, &json!({"cartItems": cart(&[("espresso-beans", 1)])})).await.expect(201);
    guest.ship_to(id_of(&session), &california()).await.expect(200);
}

#[tokio::test]
async fn a_state_that_nothing_is_shipped_to_is_not_offered() {
    let mut catalog = sample_catalog();
    catalog["shipping"]["zones"][0]["places"] = json!(["US-CA", "US-NY"]);
    catalog["shipping"]["zones"].as_array_mut().unwrap().truncate(1);
    catalog["currencies"] = json!({"default": "USD"});
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let regions = regions(&world).await.expect(200);
    assert_eq!(regions["regions"].as_array().unwrap().len(), 1);
    let states = json!([{"code": "CA", "name": "California"}, {"code": "NY", "name": "New York"}]);
    assert_eq!(regions["regions"][0]["states"], states);
}

/// A shop with a catalog service of its own.
#[tokio::test]
async fn a_shop_may_leave_these_routes_out() {
    let world = Setup::default().setting("STORE_FRONT_ROUTES", "false").build().await;
    for answer in [products(&world, &[]).await, product(&world, "espresso-beans", "USD").await, regions(&world).await] {
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert_eq!(answer.expect(404)["code"], "ROUTE_LEFT_OUT");
    }
    assert_eq!(world.keys.all(), Vec::<String>::new(), "nothing is counted, because nothing is asked");
}
