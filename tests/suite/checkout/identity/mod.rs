//! Who may do what: another's sessions and orders are not there, a bad token is a 401, staff routes are for staff.

mod forgeries;
mod keys;

use serde_json::{Value, json};
use shared::http::route::{CallerKind, Route};
use tests::{
    token::{Signer, Token},
    world::{Answer, Setup, Shopper, World, california, confirmation, id_of},
};

/// Every route that names a session or an order, as this caller would ask for them.
async fn every_owned_route(shopper: &Shopper, checkout: &str, order: &str) -> Vec<(Route, &'static str, Answer)> {
    let session = "SESSION_NOT_FOUND";
    vec![
        (Route::GetSession, session, shopper.session(checkout).await),
        (Route::UpdateItems, session, shopper.set_items(checkout, &[("espresso-beans", 3)]).await),
        (Route::UpdateAddress, session, shopper.ship_to(checkout, &california()).await),
        (Route::CalculateShipping, session, shopper.shipping_offers(checkout).await),
        (Route::CalculateTax, session, shopper.tax(checkout).await),
        (Route::ApplyCoupon, session, shopper.apply_coupon(checkout, "SAVE20").await),
        (Route::RemoveCoupon, session, shopper.remove_coupon(checkout).await),
        (Route::ConfirmOrder, session, shopper.post(Route::ConfirmOrder, &confirmation(checkout, 1)).await),
        (Route::GetOrder, "ORDER_NOT_FOUND", shopper.order(order).await),
        (Route::CancelOrder, "ORDER_NOT_FOUND", shopper.cancel(order).await),
    ]
}

#[tokio::test]
async fn anothers_session_and_order_look_like_none_on_every_route_cached_or_not() {
    let world = Setup::default().unlimited().build().await;
    for owner in [world.guest(), world.user("ada")] {
        let session = owner.fill_cart(&[("espresso-beans", 1)]).await;
        let order = owner.buy(&[("espresso-beans", 1)]).await;
        let order = order["orderId"].as_str().unwrap();
        for cached in [true, false] {
            if cached {
                owner.session(id_of(&session)).await.expect(200);
                owner.order(order).await.expect(200);
            } else {
                world.keys.clear();
            }
            for stranger in [world.guest(), world.user("mallory")] {
                let unknown = uuid::Uuid::new_v4().to_string();
                let nothing = every_owned_route(&stranger, &unknown, &unknown).await;
                let others = every_owned_route(&stranger, id_of(&session), order).await;
                for ((route, code, answer), (_, _, none)) in others.into_iter().zip(nothing) {
                    assert_eq!(answer.status(), 404, "{route:?}: {:#}", answer.body());
                    assert_eq!(answer.code(), Some(code), "{route:?}");
                    assert_eq!(answer.body(), none.body(), "{route:?} tells an unknown one from another's");
                }
                assert_eq!(stranger.orders().await.expect(200)["orders"], json!([]));
            }
        }
        // Nothing a stranger tried has left a trace.
        let after = owner.session(id_of(&session)).await.expect(200);
        assert_eq!((&after["version"], &after["status"]), (&json!(1), &json!("open")));
        assert_eq!(owner.order(order).await.expect(200)["order"]["status"], "confirmed");
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_on_every_route_and_never_makes_a_guest() {
    let world = Setup::default().unlimited().build().await;
    let good = Token::of("ada");
    let es256 = Signer::es256();
    let bad = [
        ("garbage", "not-a-jwt".to_owned()),
        ("expired", es256.sign(&good.clone().expired())),
        ("another issuer", es256.sign(&good.clone().claim("iss", json!("https://evil.example")))),
        ("another audience", es256.sign(&good.clone().claim("aud", json!("another-shop")))),
        ("not yet valid", es256.sign(&good.clone().claim("nbf", json!(4_102_444_800_u64)))),
        ("no subject", es256.sign(&good.clone().without("sub"))),
        ("no expiry", es256.sign(&good.clone().without("exp"))),
        ("unsigned", good.unsigned()),
        ("a shared secret", Signer::hs256().sign(&good)),
        ("an unknown key", Signer::es256().key_id(Some("nobody-knows-me")).sign(&good)),
        ("a subject that is no id", es256.sign(&good.clone().claim("sub", json!("a b#c")))),
        ("another key's id", Signer::rs256().key_id(es256.jwk().common.key_id.as_deref()).sign(&good)),
    ];
    for route in Route::ALL.into_iter().filter(|route| route.spec().reads_credentials) {
        for (what, token) in &bad {
            let shopper = world.guest().with_token(token);
            // A guest id beside it doesn't help.
            let event = shopper.bare_event(route).guest(uuid::Uuid::new_v4().to_string());
            let answer = shopper.send(route, &event).await;
            assert_eq!((answer.status(), answer.code()), (401, Some("INVALID_TOKEN")), "{route:?}, {what}");
        }
        let basic = world.nobody().event_about(route, "x").header("authorization", "Basic YWRhOnNlY3JldA==");
        assert_eq!(world.nobody().send(route, &basic.json(&json!({}))).await.code(), Some("INVALID_TOKEN"));
    }
    assert!(world.all("SESSIONS_TABLE").await.is_empty());
}

#[tokio::test]
async fn without_an_identity_only_what_is_for_anyone_answers() {
    let world = World::new().await;
    let nobody = world.nobody();
    for route in Route::ALL {
        let event = nobody.bare_event(route);
        let answer = nobody.send(route, &event).await;
        match route {
            Route::Health => assert_eq!(answer.status(), 200),
            Route::Initiate | Route::CalculateShippingPreview => {
                assert_eq!(answer.code(), Some("VALIDATION_FAILED"));
            }
            // Its signature is all that it goes by.
            Route::PaymentWebhook => {
                answer.refused(400, "SIGNATURE_INVALID");
            }
            _ if matches!(route.spec().caller, CallerKind::Anyone | CallerKind::Newcomer) => {
                assert!(![401, 403].contains(&answer.status()), "{route:?} is for anyone: {:#}", answer.body());
            }
            _ => {
                answer.refused(401, "AUTHENTICATION_REQUIRED");
            }
        }
    }
    let session = nobody.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let guest = nobody.known_as_guest(session["guestId"].as_str().unwrap());
    guest.session(id_of(&session)).await.expect(200);
}

#[tokio::test]
async fn a_body_may_name_the_guest_but_never_the_user() {
    let world = World::new().await;
    let mine = uuid::Uuid::new_v4().to_string();
    let items = json!([{"productId": "espresso-beans", "quantity": 1}]);

    let named = world.nobody().post(Route::Initiate, &json!({"cartItems": items, "guestId": mine})).await.expect(201);
    assert_eq!(named["guestId"], json!(mine));
    let two = world.guest().post(Route::Initiate, &json!({"cartItems": items, "guestId": mine})).await;
    assert_eq!(two.refused(400, "VALIDATION_FAILED")["errors"][0]["pointer"], "/guestId");
    let user = world.user("ada").post(Route::Initiate, &json!({"cartItems": items, "guestId": mine})).await.expect(201);
    assert_eq!((&user["userId"], &user["guestId"]), (&json!("ada"), &Value::Null));
    let claimed = world.guest().post(Route::Initiate, &json!({"cartItems": items, "userId": "ada"})).await;
    assert_eq!(claimed.refused(400, "VALIDATION_FAILED")["errors"][0]["pointer"], "/userId");
}

#[tokio::test]
async fn staff_routes_are_for_staff() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();

    guest.set_status(order, "processing").await.refused(401, "AUTHENTICATION_REQUIRED");
    world.user("ada").set_status(order, "processing").await.refused(403, "FORBIDDEN");
    let other = Token::of("eve").claim("roles", json!(["customer"]));
    world
        .nobody()
        .with_token(&Signer::es256().sign(&other))
        .set_status(order, "processing")
        .await
        .refused(403, "FORBIDDEN");
    let done = world.staff().set_status(order, "processing").await.expect(200);
    assert_eq!(done["order"]["status"], "processing");
}

#[tokio::test]
async fn the_role_stands_where_the_settings_say() {
    let settings = Setup::default().setting("JWT_ROLES_CLAIM", "cognito:groups").setting("JWT_STAFF_ROLE", "support");
    let world = settings.build().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();

    world.staff().set_status(order, "processing").await.refused(403, "FORBIDDEN");
    let support = Token::of("grace").claim("cognito:groups", json!("support other"));
    let support = world.nobody().with_token(&Signer::rs256().sign(&support));
    support.set_status(order, "processing").await.expect(200);
}

#[tokio::test]
async fn without_keys_guests_can_buy_and_every_token_is_refused() {
    let settings = Setup::default().setting("JWT_JWKS", "").setting("JWT_ISSUER", "").setting("JWT_AUDIENCE", "");
    let world = settings.build().await;
    world.guest().buy(&[("espresso-beans", 1)]).await;
    world.user("ada").orders().await.refused(401, "INVALID_TOKEN");
}

/// Whoever guesses a guest's id is that guest: an id that can be guessed is refused wherever one is given.
#[tokio::test]
async fn a_guests_id_must_be_random_wherever_it_is_given() {
    let world = Setup::default().unlimited().build().await;
    let items = tests::world::cart(&[("espresso-beans", 1)]);
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "5df41881-3aed-3515-88a7-2f4a814cf09e",
        "2ed6657d-e927-568b-95e1-2665a8aea6a2",
        "1ec9414c-232a-6b00-b3c8-9f6bdeced846",
        "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0",
        "a3bb189e-8bf9-4c2d-cf43-1d2e3f4a5b6c",
        "00000000-0000-4000-8000-000000000000",
    ] {
        let with_header = world.nobody().known_as_guest(id);
        let problem = with_header.post(Route::Initiate, &json!({"cartItems": items})).await;
        let problem = problem.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], "/headers/x-guest-id", "{id}");
        assert!(!problem.to_string().contains(id), "{problem:#}");
        let in_body = json!({"cartItems": items, "guestId": id});
        let problem = world.nobody().post(Route::Initiate, &in_body).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], "/guestId", "{id}");
        assert!(!problem.to_string().contains(id), "{problem:#}");
        let problem = world.user("ada").post(Route::Claim, &json!({"guestId": id})).await;
        assert_eq!(problem.refused(400, "VALIDATION_FAILED")["errors"][0]["pointer"], "/guestId", "{id}");
    }
    let later = uuid::Uuid::now_v7().to_string();
    let of_version_7 = world.nobody().known_as_guest(&later);
    of_version_7.post(Route::Initiate, &json!({"cartItems": items})).await.expect(201);
}

/// Staff see any order, and nobody's password.
#[tokio::test]
async fn staff_are_not_told_a_guests_id() {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let paid = guest.pay(id_of(&session), tests::world::total_of(&session), "pm_card_visa").await.expect(201);
    let order = paid["order"]["orderId"].as_str().unwrap();
    for told in [
        staff.capture(order).await,
        staff.refund(order, uuid::Uuid::new_v4(), Some(100)).await,
        staff.set_status(order, "processing").await,
    ] {
        let text = told.expect(200).to_string();
        assert!(text.contains(order) && !text.contains(guest.guest_id()), "{text}");
    }
    assert_eq!(guest.order(order).await.expect(200)["order"]["guestId"], *guest.guest_id());
}
