//! Taxes of other places, and of other customers.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, Shopper, World, cart, id_of, total_of};

use super::{change_catalog, problems};

fn berlin() -> Value {
    json!({
        "firstName": "Ada", "lastName": "Sample", "addressLine1": "Unter den Linden 1", "city": "Berlin",
        "postalCode": "10117", "country": "DE"
    })
}

async fn in_berlin(shopper: &Shopper) -> Value {
    let body = json!({
        "cartItems": cart(&[("espresso-beans", 1)]), "currency": "EUR", "shippingAddress": berlin(),
        "shippingMethodId": "de-standard"
    });
    shopper.post(Route::Initiate, &body).await.expect(201)
}

async fn tax_with(shopper: &Shopper, checkout: &str, member: &str, value: Value) -> tests::world::Answer {
    let mut body = json!({"checkoutId": checkout});
    body[member] = value;
    shopper.post(Route::CalculateTax, &body).await
}

#[tokio::test]
async fn prices_in_the_eu_include_their_tax() {
    let world = World::new().await;
    let guest = world.guest();

    let session = in_berlin(&guest).await;

    // 19 % in 21.90 + 9.90.
    assert_eq!(session["summary"]["taxAmount"], 508);
    assert_eq!((&session["summary"]["taxIncluded"], total_of(&session)), (&json!(true), 3180));
    let order = guest.confirm(id_of(&session), 3180).await.expect(201);
    assert_eq!(order["order"]["taxBreakdown"][0]["jurisdiction"], "DE");
}

#[tokio::test]
async fn a_business_of_another_member_state_pays_no_tax() {
    let mut catalog = tests::world::sample_catalog();
    catalog["tax"]["sellerCountry"] = json!("FR");
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let guest = world.guest();
    let session = in_berlin(&guest).await;
    let checkout = id_of(&session);

    for bad in ["DE136695975", "DE13669597", "US123", "XX1", "", "DE 1366 9597 X", "GB980780684"] {
        let refused = tax_with(&guest, checkout, "vatNumber", json!(bad)).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["pointer"], "/vatNumber", "{bad}");
    }
    let relieved = tax_with(&guest, checkout, "vatNumber", json!("de 136 695 976")).await.expect(200);
    assert_eq!(relieved["vatNumber"], "DE136695976");
    assert_eq!(relieved["summary"]["taxReliefAmount"], 508);
    assert_eq!((&relieved["summary"]["taxAmount"], total_of(&relieved)), (&json!(0), 3180 - 508));
    // A number of the seller's own country changes nothing.
    let same = tax_with(&guest, checkout, "vatNumber", json!("FR83404833048")).await.expect(200);
    assert_eq!(total_of(&same), 3180);
    let none = tax_with(&guest, checkout, "vatNumber", Value::Null).await.expect(200);
    assert_eq!((none["vatNumber"].clone(), total_of(&none)), (Value::Null, 3180));
    let relieved = tax_with(&guest, checkout, "vatNumber", json!("DE136695976")).await.expect(200);
    let order = guest.confirm(checkout, total_of(&relieved)).await.expect(201);
    assert_eq!(order["order"]["vatNumber"], "DE136695976");
    let explain = order["order"]["explain"].as_array().unwrap();
    assert!(explain.iter().any(|entry| entry["type"] == "taxRelief" && entry["amount"] == -508), "{explain:#?}");
}

#[tokio::test]
async fn a_certificate_on_file_exempts_and_no_other() {
    let mut catalog = tests::world::sample_catalog();
    let own = json!({"certificateNumber": "OWN-1", "regions": ["US-CA"], "userId": "grace"});
    catalog["taxExemptions"].as_array_mut().unwrap().push(own);
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let checkout = id_of(&session);
    assert_eq!(session["summary"]["taxAmount"], 290);

    for number in ["CA-RESALE-0002", "OWN-1"] {
        let refused = tax_with(&guest, checkout, "taxExemptionCertificate", json!(number)).await;
        refused.refused(422, "TAX_EXEMPTION_INVALID");
    }
    assert_eq!(guest.session(checkout).await.expect(200)["taxExemptionCertificate"], Value::Null);
    let exempt = tax_with(&guest, checkout, "taxExemptionCertificate", json!("CA-RESALE-0001")).await.expect(200);
    assert_eq!((&exempt["summary"]["taxAmount"], total_of(&exempt)), (&json!(0), 4597));
    assert_eq!(exempt["taxBreakdown"][0]["amount"], 0);
    // In another state it doesn't hold: that is said, and the tax is charged.
    let mut nevada = tests::world::california();
    (nevada["state"], nevada["postalCode"]) = (json!("NV"), json!("89501"));
    let elsewhere = guest.ship_to(checkout, &nevada).await.expect(200);
    assert_eq!(problems(&elsewhere), ["TAX_EXEMPTION_INVALID"]);
    assert_ne!(elsewhere["summary"]["taxAmount"], 0);
    guest.confirm(checkout, total_of(&elsewhere)).await.refused(409, "TAX_EXEMPTION_INVALID");
    let back = guest.ship_to(checkout, &tests::world::california()).await.expect(200);
    let order = guest.confirm(checkout, total_of(&back)).await.expect(201);
    assert_eq!(order["order"]["taxExemptionCertificate"], "CA-RESALE-0001");
    // One that names its customer is theirs.
    let grace = world.user("grace");
    let session = grace.fill_cart(&[("espresso-beans", 2)]).await;
    let exempt = tax_with(&grace, id_of(&session), "taxExemptionCertificate", json!("OWN-1")).await.expect(200);
    assert_eq!(exempt["summary"]["taxAmount"], 0);
}

#[tokio::test]
async fn a_tax_that_is_not_known_is_a_problem_and_never_a_guess() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    // The shop gives California's tax up, and has none of the county that it adds.
    change_catalog(&world, |catalog| {
        let jurisdictions = catalog["tax"]["jurisdictions"].as_array_mut().unwrap();
        jurisdictions.retain(|jurisdiction| jurisdiction["jurisdictionId"] != "US-CA");
    })
    .await;
    guest.tax(id_of(&session)).await.refused(422, "TAX_UNAVAILABLE");
    guest.confirm(id_of(&session), total_of(&session)).await.refused(409, "TAX_UNAVAILABLE");

    change_catalog(&world, |catalog| {
        let marin = json!({
            "jurisdictionId": "US-CA-MARIN", "name": "Marin County", "rates": {"standard": "1"},
            "places": [{"region": "US-CA", "county": "Marin County"}]
        });
        catalog["tax"]["jurisdictions"].as_array_mut().unwrap().push(marin);
    })
    .await;
    let vague = guest.tax(id_of(&session)).await.refused(422, "TAX_UNAVAILABLE");
    assert!(vague["detail"].as_str().unwrap().contains("a county"), "{vague:#}");
    let mut address = tests::world::california();
    address["county"] = json!(" marin ");
    guest.ship_to(id_of(&session), &address).await.expect(200);
    let session = guest.tax(id_of(&session)).await.expect(200);
    // 7.25 % and 1 % of 39.98, each rounded for itself.
    assert_eq!(session["summary"]["taxAmount"], 290 + 40);
    assert_eq!(session["taxBreakdown"].as_array().map(Vec::len), Some(2));

    // A country whose rules are taken out of the file is one without rules.
    change_catalog(&world, |catalog| {
        let jurisdictions = catalog["tax"]["jurisdictions"].as_array_mut().unwrap();
        jurisdictions.retain(|jurisdiction| jurisdiction["jurisdictionId"] != "DE");
    })
    .await;
    let session = in_berlin(&world.guest()).await;
    assert_eq!(problems(&session), ["TAX_UNAVAILABLE"]);
}
