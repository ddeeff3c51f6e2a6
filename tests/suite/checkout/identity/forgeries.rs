//! Tokens that somebody made to look like ours, and callers that look like others.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    token::{self, Signer, Token},
    world::{World, cart},
};
use uuid::Uuid;

/// Each with what is wrong about it.
fn forgeries() -> Vec<(&'static str, String)> {
    let ada = Token::of("ada");
    let [es256, rs256] = [Signer::es256(), Signer::rs256()];
    let good = es256.sign(&ada);
    let (signed, signature) = good.rsplit_once('.').expect("a signature");
    let keys = token::jwks(&[&es256, &rs256]);
    let public_key = serde_json::to_value(rs256.jwk()).expect("a key");
    let modulus = public_key["n"].as_str().expect("a modulus").to_owned();
    let another = Signer::es256_of_another();
    let own_key = json!({"alg": "ES256", "kid": "mine", "jwk": another.jwk()});
    let own_url = json!({"alg": "ES256", "kid": "ec-1", "jku": "http://127.0.0.1:1/jwks.json"});
    let header = |algorithm: &str, kid: &str| json!({"alg": algorithm, "typ": "JWT", "kid": kid});
    let extended = |name: &str, value: Value| {
        let mut header = header("ES256", "ec-1");
        header[name] = value;
        header
    };
    let bearer = |token: String| format!("Bearer {token}");
    let tokens = [
        ("another key under the same id", another.sign(&ada)),
        ("a key of its own in the header", another.sign_under(&own_key, &ada)),
        ("a key set of its own in the header", another.sign_under(&own_url, &ada)),
        ("no key id where there are two keys", Signer::es256().key_id(None).sign(&ada)),
        ("HS256 with the RSA modulus", Signer::with_secret(&modulus).key_id(Some("rsa-1")).sign(&ada)),
        ("HS256 with the whole key set", Signer::with_secret(&keys).key_id(Some("rsa-1")).sign(&ada)),
        (
            "HS256 with the EC key",
            Signer::with_secret(serde_json::to_string(&es256.jwk()).expect("a key")).key_id(Some("ec-1")).sign(&ada),
        ),
        ("HS256 that says it is RS256", Signer::with_secret(&keys).sign_under(&header("RS256", "rsa-1"), &ada)),
        ("RS256 that says it is ES256", rs256.sign_under(&header("ES256", "ec-1"), &ada)),
        ("ES256 that says it is RS256", es256.sign_under(&header("RS256", "rsa-1"), &ada)),
        ("ES256 with the id of the RSA key", es256.sign_under(&header("ES256", "rsa-1"), &ada)),
        ("RS512", Signer::rs256().algorithm(Algorithm::RS512).sign(&ada)),
        ("PS256", Signer::rs256().algorithm(Algorithm::PS256).sign(&ada)),
        ("alg none with a signature", es256.sign_under(&header("none", "ec-1"), &ada)),
        ("alg None", format!("{}.", ada.under(&header("None", "ec-1")))),
        ("no signature", format!("{signed}.")),
        ("half a signature", format!("{signed}.{}", &signature[..signature.len() / 2])),
        ("somebody else's claims", format!("{}.{signature}", Token::staff("grace").under(&header("ES256", "ec-1")))),
        ("an extension that must be understood", es256.sign_under(&extended("crit", json!(["exp"])), &ada)),
        ("an extension of no name", es256.sign_under(&extended("crit", json!([])), &ada)),
        ("extensions that are no list", es256.sign_under(&extended("crit", json!("exp")), &ada)),
        ("a payload that isn't base64", es256.sign_under(&extended("b64", json!(false)), &ada)),
        ("a compressed payload", es256.sign_under(&extended("zip", json!("DEF")), &ada)),
        ("a nested token", es256.sign_under(&extended("cty", json!("jwt")), &ada)),
        ("a header too long", es256.sign_under(&extended("x", json!("x".repeat(7000))), &ada)),
        ("claims too long", es256.sign(&ada.clone().claim("x", json!("x".repeat(7000))))),
        ("an audience that is part of another", es256.sign(&ada.clone().claim("aud", json!("checkout")))),
        ("no audience in its list", es256.sign(&ada.clone().claim("aud", json!([])))),
        ("an audience that is no text", es256.sign(&ada.clone().claim("aud", json!({"checkout-tests": true})))),
        ("one that isn't valid yet", es256.sign(&ada.clone().claim("nbf", json!(9_999_999_999_u64)))),
        ("four parts", format!("{good}.{signature}")),
        ("two parts", signed.to_owned()),
        ("an issuer too few", es256.sign(&ada.clone().without("iss"))),
        ("an audience too few", es256.sign(&ada.clone().without("aud"))),
        ("an expiry that is no number", es256.sign(&ada.clone().claim("exp", json!("tomorrow")))),
        ("a subject that is no text", es256.sign(&ada.clone().claim("sub", json!(42)))),
        ("an empty subject", es256.sign(&ada.clone().claim("sub", json!("")))),
        ("an endless subject", es256.sign(&ada.claim("sub", json!("x".repeat(129))))),
    ];
    let headers = [
        ("no token", "Bearer ".to_owned()),
        ("no scheme", good.clone()),
        ("two tokens", format!("Bearer {good},Bearer {good}")),
        ("a scheme twice", format!("Bearer Bearer {good}")),
        ("another scheme", format!("JWT {good}")),
        ("nothing", String::new()),
        ("no ASCII", "Bearer ä.ö.ü".to_owned()),
    ];
    tokens.map(|(what, token)| (what, bearer(token))).into_iter().chain(headers).collect()
}

#[tokio::test]
async fn no_forgery_passes_and_none_makes_a_guest() {
    let world = World::new().await;
    let order = world.user("ada").buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().expect("an order");
    let before = world.all("SESSIONS_TABLE").await.len();

    for (what, authorization) in forgeries() {
        for route in [Route::GetOrder, Route::Initiate] {
            let caller = world.guest();
            let event = caller.event(route).header("authorization", &*authorization);
            let event = match route {
                Route::GetOrder => event.path("orderId", order),
                _ => event.json(&json!({"cartItems": cart(&[("espresso-beans", 1)])})),
            };
            let answer = caller.send(route, &event).await;
            assert_eq!((answer.status(), answer.code()), (401, Some("INVALID_TOKEN")), "{what}: {:#}", answer.body());
            assert!(answer.body().get("guestId").is_none());
        }
    }
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), before);
}

#[tokio::test]
async fn what_a_provider_may_do_differently_passes() {
    let world = World::new().await;
    let ada = Token::of("ada");
    let audiences = ada.clone().claim("aud", json!(["another-shop", token::AUDIENCE]));
    for token in [Signer::es256().sign(&audiences), Signer::rs256().sign(&ada.claim("nbf", json!(1)))] {
        world.nobody().with_token(&token).orders().await.expect(200);
        let event = world.nobody().event(Route::ListOrders).header("authorization", format!("bearer  {token} "));
        world.nobody().send(Route::ListOrders, &event).await.expect(200);
    }
}

#[tokio::test]
async fn a_guest_with_the_id_of_a_user_is_somebody_else() {
    let world = World::new().await;
    let id = Uuid::new_v4().to_string();
    let user = world.user(&id);
    let guest = world.nobody().known_as_guest(&id);
    let session = user.fill_cart(&[("espresso-beans", 1)]).await;
    let order = user.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().expect("an order");
    // Whatever there is to be cached is.
    user.orders().await.expect(200);
    user.order(order).await.expect(200);

    assert_eq!(guest.orders().await.expect(200)["orders"], json!([]));
    guest.order(order).await.refused(404, "ORDER_NOT_FOUND");
    guest.cancel(order).await.refused(404, "ORDER_NOT_FOUND");
    guest.session(session["checkoutId"].as_str().expect("a session")).await.refused(404, "SESSION_NOT_FOUND");
    let orders = user.orders().await.expect(200);
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_good_token_counts_more_than_a_guest_id_beside_it() {
    let world = World::new().await;
    let guest = world.guest();
    let theirs = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let token = Signer::es256().sign(&Token::of("ada"));

    let event = guest.event(Route::Initiate).bearer(&token).json(&json!({"cartItems": cart(&[("espresso-beans", 1)])}));
    let session = guest.send(Route::Initiate, &event).await.expect(201);
    let read = guest.event_about(Route::GetSession, theirs["checkoutId"].as_str().expect("a session")).bearer(&token);

    assert_eq!((&session["userId"], session.get("guestId")), (&json!("ada"), None));
    guest.send(Route::GetSession, &read).await.refused(404, "SESSION_NOT_FOUND");
}
