//! A body of another shape: every fault at once, with a code for programs and words for people.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Setup, World, confirmation, id_of, total_of};

fn told(problem: &Value) -> Vec<(String, String, String)> {
    let text = |error: &Value, name: &str| error[name].as_str().expect("a text").to_owned();
    let errors = problem["errors"].as_array().expect("errors");
    let mut told: Vec<_> =
        errors.iter().map(|error| (text(error, "pointer"), text(error, "code"), text(error, "detail"))).collect();
    told.sort();
    told
}

fn expected(faults: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    faults.iter().map(|(at, code, detail)| ((*at).to_owned(), (*code).to_owned(), (*detail).to_owned())).collect()
}

#[tokio::test]
async fn a_form_learns_everything_that_is_wrong_with_it_at_once() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let body = json!({
        "checkoutId": id_of(&session), "recover": true,
        "shippingAddress": {
            "firstName": "", "addressLine1": 1, "city": "Los Angeles", "state": "Californium", "postalCode": "90001",
            "country": "US", "phone": "no number", "zip": "90001"
        }
    });
    let problem = guest.post(Route::UpdateAddress, &body).await.refused(400, "VALIDATION_FAILED");
    let known = "firstName, lastName, company, addressLine1, addressLine2, city, state, county, postalCode, country, \
                 phone, email";
    let state = "must be a state or region of US, by ISO 3166-2 code or name";
    let phone = problem["errors"].as_array().into_iter().flatten().find(|e| e["pointer"] == "/shippingAddress/phone");
    let phone = phone.and_then(|error| error["detail"].as_str()).expect("a fault of the phone number");
    assert_eq!(
        told(&problem),
        expected(&[
            (
                "/recover",
                "UNKNOWN_MEMBER",
                "is not known here; known are checkoutId, shippingAddress, billingAddress, recoverByEmail"
            ),
            ("/shippingAddress/addressLine1", "WRONG_TYPE", "must be text, not a number"),
            ("/shippingAddress/firstName", "REQUIRED", "must not be empty"),
            ("/shippingAddress/phone", "INVALID", phone),
            ("/shippingAddress/state", "INVALID", state),
            ("/shippingAddress/zip", "UNKNOWN_MEMBER", &format!("is not known here; known are {known}")),
        ])
    );
    assert_eq!(problem["detail"], "6 things are wrong with the request");
    // What was right in it was not taken, either.
    let read = guest.session(id_of(&session)).await.expect(200);
    assert_eq!((&read["version"], &read["shippingAddress"]), (&session["version"], &session["shippingAddress"]));
}

#[tokio::test]
async fn nothing_that_follows_from_a_fault_is_told_beside_it() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let mut body = confirmation(id_of(&session), total_of(&session));
    body["expectedTotal"] = json!("4029");
    body["paymentMethod"] = Value::Null;
    body.as_object_mut().expect("an object").remove("customerInfo");
    let problem = guest.post(Route::ConfirmOrder, &body).await.refused(400, "VALIDATION_FAILED");
    assert_eq!(
        told(&problem),
        expected(&[
            ("/customerInfo", "REQUIRED", "is required"),
            ("/expectedTotal", "WRONG_TYPE", "must be a whole number, not text"),
        ])
    );

    let body = json!({"checkoutId": id_of(&session), "shippingAddress": "1 Main St"});
    let problem = guest.post(Route::UpdateAddress, &body).await.refused(400, "VALIDATION_FAILED");
    assert_eq!(told(&problem), expected(&[("/shippingAddress", "WRONG_TYPE", "must be an object, not text")]));
    assert_eq!(problem["detail"], "/shippingAddress: must be an object, not text");
}

/// What only some countries need is missing in them, whether it is left out or empty.
#[tokio::test]
async fn a_state_and_a_postal_code_that_a_country_needs_are_required_there() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    let state = "must be a state or region of US, by ISO 3166-2 code or name";
    for empty in [None, Some(""), Some(" \u{a0}")] {
        let mut address =
            json!({"firstName": "Ada", "lastName": "L", "addressLine1": "1 Main St", "city": "X", "country": "US"});
        for name in ["state", "postalCode"] {
            if let Some(empty) = empty {
                address[name] = json!(empty);
            }
        }
        let problem = guest.ship_to(id_of(&session), &address).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(
            told(&problem),
            expected(&[
                ("/shippingAddress/postalCode", "REQUIRED", "is required in US, such as 95014"),
                ("/shippingAddress/state", "REQUIRED", state),
            ]),
            "{empty:?}"
        );
    }
}
