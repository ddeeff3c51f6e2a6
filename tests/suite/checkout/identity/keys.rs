//! Where the keys come from, and what they open.

use std::{fs, path::Path, sync::Arc};

use serde_json::{Value, json};
use tests::{
    answering::Answering,
    token::{self, HS256_SECRET, Signer, Token},
    world::{Answer, Setup, World},
};

/// What the bearer of this token gets for their orders.
async fn orders(world: &Arc<World>, token: &str) -> Answer {
    world.nobody().with_token(token).orders().await
}

#[tokio::test]
async fn both_public_key_algorithms_pass_by_a_set_in_a_setting_a_file_or_a_url() {
    let keys = token::jwks(&[&Signer::rs256(), &Signer::es256()]);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("jwks-{}.json", uuid::Uuid::new_v4()));
    fs::write(&file, &keys).expect("a folder to write to");
    let server = Answering::with(keys.clone()).await;

    for source in [keys, file.display().to_string(), server.url("/.well-known/jwks.json")] {
        let world = Setup::default().setting("JWT_JWKS", source).build().await;
        for signer in [Signer::rs256(), Signer::es256()] {
            orders(&world, &signer.sign(&Token::of("ada"))).await.expect(200);
        }
        orders(&world, &Signer::es256_of_another().sign(&Token::of("ada"))).await.refused(401, "INVALID_TOKEN");
    }
    fs::remove_file(file).expect("the file is ours");
}

#[tokio::test]
async fn a_shared_secret_opens_to_its_own_tokens_only() {
    let setup = Setup::default().setting("JWT_JWKS", "").setting("JWT_HS256_SECRET", HS256_SECRET);
    let world = setup.build().await;

    orders(&world, &Signer::hs256().sign(&Token::of("ada"))).await.expect(200);
    for signer in [Signer::with_secret("another"), Signer::with_secret(""), Signer::es256(), Signer::rs256()] {
        orders(&world, &signer.sign(&Token::of("ada"))).await.refused(401, "INVALID_TOKEN");
    }
    orders(&world, &Token::of("ada").unsigned()).await.refused(401, "INVALID_TOKEN");
}

#[tokio::test]
async fn a_set_is_fetched_once_a_container_whatever_keys_are_named() {
    let server = Answering::with(token::jwks(&[&Signer::es256()])).await;
    let world = Setup::default().setting("JWT_JWKS", server.url("/.well-known/jwks.json")).build().await;
    world.app().warm_up("health").await;
    assert_eq!(server.asked().len(), 1);

    for _ in 0..3 {
        orders(&world, &Signer::es256().sign(&Token::of("ada"))).await.expect(200);
        let unknown = Signer::es256().key_id(Some("made-up")).sign(&Token::of("ada"));
        orders(&world, &unknown).await.refused(401, "INVALID_TOKEN");
    }
    assert_eq!(server.asked().len(), 0);
    let user = world.user("ada").served_by(&world.container());
    for _ in 0..2 {
        user.orders().await.expect(200);
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn without_the_keys_a_token_is_neither_good_nor_bad() {
    let good = token::jwks(&[&Signer::es256()]);
    for (status, body) in [(500, good), (200, "<html>".to_owned()), (200, "{\"keys\":[]}".to_owned())] {
        let server = Answering::with(String::new()).await;
        server.answer(status, body);
        let world = Setup::default().setting("JWT_JWKS", server.url("/.well-known/jwks.json")).build().await;
        world.app().warm_up("health").await;

        let answer = orders(&world, &Signer::es256().sign(&Token::of("ada"))).await;

        assert_eq!(answer.header("retry-after"), Some("5"));
        answer.refused(503, "IDENTITY_UNAVAILABLE");
        // What is no token at all needs no key to be refused, and guests need none.
        orders(&world, "not.a.token").await.refused(401, "INVALID_TOKEN");
        world.guest().orders().await.expect(200);
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn keys_that_we_cant_use_cost_us_none_of_the_others() {
    let mut keys: Value = serde_json::from_str(&token::jwks(&[&Signer::es256(), &Signer::rs256()])).expect("a key set");
    keys["keys"][1]["use"] = json!("enc");
    let others = [
        json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXRoYXQtZXZlcnlib2R5LWtub3dz"}),
        json!({"kty": "XYZ", "kid": "future"}),
        json!({"kty": "EC", "kid": "p384", "crv": "P-384", "x": "AA", "y": "AA"}),
        json!("nonsense"),
    ];
    keys["keys"].as_array_mut().expect("keys").extend(others);
    let world = Setup::default().setting("JWT_JWKS", keys.to_string()).build().await;

    orders(&world, &Signer::es256().sign(&Token::of("ada"))).await.expect(200);
    let shared = Signer::with_secret("secret-that-everybody-knows").key_id(Some("shared"));
    orders(&world, &shared.sign(&Token::of("ada"))).await.refused(401, "INVALID_TOKEN");
    orders(&world, &Signer::rs256().sign(&Token::of("ada"))).await.refused(401, "INVALID_TOKEN");
}

#[tokio::test]
async fn a_role_is_read_from_a_list_or_a_text_and_from_nothing_else() {
    let world = World::new().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().expect("an order");

    for (roles, status) in [
        (json!(["staff"]), 200),
        (json!(["customer", "staff"]), 200),
        (json!("staff"), 200),
        (json!("customer staff"), 200),
        (json!([]), 403),
        (json!("staffer"), 403),
        (json!(["Staff"]), 403),
        (json!([["staff"]]), 403),
        (json!({"staff": true}), 403),
        (json!(true), 403),
        (json!(null), 403),
    ] {
        let token = Signer::es256().sign(&Token::of("grace").claim("roles", roles.clone()));
        let answer = world.nobody().with_token(&token).set_status(order, "confirmed").await;
        assert_eq!(answer.status(), status, "{roles}: {:#}", answer.body());
    }
}

/// A shop's web client and its app have a client id each.
#[tokio::test]
async fn a_token_for_any_of_the_audiences_passes_and_for_no_other() {
    let world = Setup::default().setting("JWT_AUDIENCE", "web-client, app-client,").build().await;
    for (audience, status) in [
        (json!("web-client"), 200),
        (json!("app-client"), 200),
        (json!(["another", "app-client"]), 200),
        (json!("web-client, app-client,"), 401),
        (json!("web-client,app-client"), 401),
        (json!(""), 401),
        (json!(["another"]), 401),
        (json!(token::AUDIENCE), 401),
    ] {
        let token = Signer::es256().sign(&Token::of("ada").claim("aud", audience.clone()));
        assert_eq!(orders(&world, &token).await.status(), status, "{audience}");
    }
}

/// Keycloak's roles stand in another claim; Auth0's claim is a URL, with dots in it.
#[tokio::test]
async fn roles_stand_in_a_claim_of_any_name_or_within_another() {
    for (name, claim, roles) in [
        ("realm_access.roles", "realm_access", json!({"roles": ["staff"]})),
        ("resource_access.shop.example.roles", "resource_access", json!({"shop.example": {"roles": ["staff"]}})),
        ("resource_access.checkout.roles", "resource_access", json!({"checkout": {"roles": ["staff", "customer"]}})),
        ("https://shop.example/roles", "https://shop.example/roles", json!(["staff"])),
        ("https://shop.example/claims.roles", "https://shop.example/claims", json!({"roles": ["staff"]})),
        ("cognito:groups", "cognito:groups", json!(["staff"])),
        ("realm_access.roles", "realm_access.roles", json!(["staff"])),
        ("scope", "scope", json!("openid staff")),
    ] {
        let world = Setup::default().setting("JWT_ROLES_CLAIM", name).build().await;
        let order = world.guest().buy(&[("espresso-beans", 1)]).await;
        let order = order["orderId"].as_str().expect("an order");
        let plain = Signer::es256().sign(&Token::of("grace").claim("roles", json!(["staff"])));
        world.nobody().with_token(&plain).set_status(order, "confirmed").await.refused(403, "FORBIDDEN");
        let token = Signer::es256().sign(&Token::of("grace").claim(claim, roles));
        world.nobody().with_token(&token).set_status(order, "confirmed").await.expect(200);
    }
}

#[tokio::test]
async fn a_claim_of_the_whole_name_counts_before_one_within_another() {
    let world = Setup::default().setting("JWT_ROLES_CLAIM", "realm_access.roles").build().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().expect("an order");
    let both = Token::of("grace").claim("realm_access.roles", json!(["customer"]));
    let token = Signer::es256().sign(&both.claim("realm_access", json!({"roles": ["staff"]})));
    world.nobody().with_token(&token).set_status(order, "confirmed").await.refused(403, "FORBIDDEN");
}
