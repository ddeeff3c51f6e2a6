//! The shop's currencies: which one a request gets that names none, and what is said where one isn't offered.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, california, cart, id_of, sample_catalog};

#[tokio::test]
async fn a_request_that_names_no_currency_gets_that_of_its_country_or_of_the_shop() {
    let mut catalog = sample_catalog();
    catalog["currencies"] = json!({"default": "EUR", "byCountry": {"US": ["USD", "EUR"]}});
    let world = Setup::default().catalog(catalog).build().await;
    let items = cart(&[("espresso-beans", 1)]);
    let opened = async |more: Value| {
        let mut body = json!({"cartItems": items});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.guest().post(Route::Initiate, &body).await.expect(201)["currency"].take()
    };
    assert_eq!(opened(json!({})).await, "EUR");
    assert_eq!(opened(json!({"shippingAddress": california()})).await, "USD");
    assert_eq!(opened(json!({"shippingAddress": california(), "currency": "EUR"})).await, "EUR");
    let preview = async |currency: Value| {
        let body = json!({"cartItems": items, "currency": currency, "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}});
        world.nobody().post(Route::CalculateShippingPreview, &body).await.expect(200)
    };
    assert_eq!(preview(Value::Null).await, preview(json!("USD")).await);

    // Without the section it is USD, as before.
    let world = Setup::default().build().await;
    let session = world.guest().post(Route::Initiate, &json!({"cartItems": items})).await.expect(201);
    assert_eq!(session["currency"], "USD");
}

#[tokio::test]
async fn where_the_currency_is_the_reason_it_is_said_with_those_that_are_offered() {
    let mut catalog = sample_catalog();
    catalog["currencies"] = json!({"default": "USD", "byCountry": {"US": ["USD"]}});
    let world = Setup::default().catalog(catalog).build().await;
    let guest = world.guest();
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "currency": "EUR"});
    let session = guest.post(Route::Initiate, &body).await.expect(201);
    let checkout = id_of(&session);

    let refused = guest.ship_to(checkout, &california()).await.refused(422, "CURRENCY_NOT_OFFERED");
    let problem = &refused["problems"][0];
    assert_eq!((&problem["code"], &problem["currencies"]), (&json!("CURRENCY_NOT_OFFERED"), &json!(["USD"])));
    assert_eq!(refused["detail"], "orders to US-CA are taken in USD, not in EUR");
    let preview = json!({"cartItems": body["cartItems"], "currency": "EUR", "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}});
    world.nobody().post(Route::CalculateShippingPreview, &preview).await.refused(422, "CURRENCY_NOT_OFFERED");

    // A session that is opened with the address keeps the issue, and reads the same after it was stored.
    let mut with = body.clone();
    with["shippingAddress"] = california();
    let opened = guest.post(Route::Initiate, &with).await.expect(201);
    let read = guest.session(id_of(&opened)).await.expect(200);
    assert_eq!(opened["problems"], read["problems"]);
    assert!(read["problems"].as_array().unwrap().iter().any(|issue| issue["currencies"] == json!(["USD"])), "{read:#}");
    guest.choose_shipping(id_of(&opened), "us-standard").await.refused(422, "CURRENCY_NOT_OFFERED");
    // Nobody ships to Brazil, in whatever currency.
    let brazil = json!({
        "firstName": "Ada", "lastName": "Sample", "addressLine1": "Praça da Sé, 1", "city": "São Paulo",
        "state": "SP", "postalCode": "01001-000", "country": "BR"
    });
    guest.ship_to(checkout, &brazil).await.refused(422, "SHIPPING_UNAVAILABLE");
}
