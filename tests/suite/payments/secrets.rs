//! Keys that are in SSM or Secrets Manager, as the two document their answers:
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>,
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::app::{App, Clock};
use tests::{
    answering::Answering,
    world::{Setup, World, now, webhook},
};
use tools::stripe_server::{SECRET_KEY, WEBHOOK_SECRET};

use super::{VISA, pay, ready};

/// A shop whose secrets are in this store, at these places.
async fn shop(store: &Answering, key: &str, webhook: &str) -> Arc<World> {
    Setup::default()
        .unlimited()
        .cards()
        .setting("STRIPE_SECRET_KEY", "")
        .setting("STRIPE_SECRET_KEY_FROM", key)
        .setting("STRIPE_WEBHOOK_SECRET", "")
        .setting("STRIPE_WEBHOOK_SECRET_FROM", webhook)
        .setting("AWS_ENDPOINT_URL_SSM", store.url(""))
        .setting("AWS_ENDPOINT_URL_SECRETS_MANAGER", store.url(""))
        .setting("AWS_SESSION_TOKEN", "session")
        .build()
        .await
}

fn parameter(name: &str, value: &str) -> String {
    json!({"Parameter": {"ARN": "arn", "Name": name, "Type": "SecureString", "Value": value, "Version": 1}}).to_string()
}

fn secret(value: &str) -> String {
    json!({"ARN": "arn", "Name": "checkout/stripe", "VersionId": "1", "SecretString": value}).to_string()
}

async fn takes_cards_and_events(world: &Arc<World>) {
    let guest = world.guest();
    pay(&guest, &ready(&guest).await, VISA).await.expect(201);
    let event = webhook(r#"{"id":"evt_1","type":"invoice.paid","data":{"object":{}}}"#, WEBHOOK_SECRET, now());
    world.call("payment-webhook", event.request()).await.expect(200);
}

#[tokio::test]
async fn parameters_are_fetched_once_at_cold_start_and_signed_for() {
    let store = Answering::with("").await;
    store.answer_next("POST /", 200, parameter("/checkout/stripe-key", SECRET_KEY));
    let world = shop(&store, "ssm:/checkout/stripe-key", "").await;
    world.app().warm_up("confirm-order").await;
    let [asked] = store.asked().try_into().expect("one request");
    assert_eq!(asked.header("x-amz-target"), "AmazonSSM.GetParameter");
    assert_eq!(asked.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(asked.header("x-amz-security-token"), "session");
    let authorization = asked.header("authorization");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=local/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/ssm/aws4_request"), "{authorization}");
    for signed in ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
        assert!(authorization.contains(signed), "{signed} isn't signed: {authorization}");
    }
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    assert_eq!(body, json!({"Name": "/checkout/stripe-key", "WithDecryption": true}));

    let guest = world.guest();
    pay(&guest, &ready(&guest).await, VISA).await.expect(201);
    assert_eq!(store.asked().len(), 0, "it is kept");
}

#[tokio::test]
async fn a_secret_may_be_one_of_a_json_object() {
    let store = Answering::with(secret(&json!({"key": SECRET_KEY, "webhook": WEBHOOK_SECRET}).to_string())).await;
    let world = shop(&store, "secretsmanager:checkout/stripe#key", "secretsmanager:checkout/stripe#webhook").await;
    world.app().warm_up("confirm-order").await;
    let asked = store.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert_eq!(asked.header("x-amz-target"), "secretsmanager.GetSecretValue");
        assert!(asked.header("authorization").contains("/us-east-1/secretsmanager/aws4_request"));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).expect("JSON"), json!({"SecretId": "checkout/stripe"}));
    }
    takes_cards_and_events(&world).await;
}

/// Keys are changed over where they are kept: nothing has to be deployed.
#[tokio::test]
async fn a_key_that_stripe_refuses_is_fetched_again() {
    let (store, stripe) =
        (Answering::with(parameter("/checkout/stripe-key", "sk_old")).await, Answering::with("").await);
    let world = shop(&store, "ssm:/checkout/stripe-key", "").await;
    let mut config = world.app().config.clone();
    config.stripe.as_mut().expect("a shop that takes cards").url = stripe.url("");
    let container = Arc::new(App::new(config, Clock::System).expect("a container"));
    let guest = world.guest().served_by(&container);
    let session = ready(&guest).await;
    stripe.answer(401, r#"{"error":{"type":"invalid_request_error","message":"Expired API Key provided"}}"#);
    store.answer_next("POST /", 200, parameter("/checkout/stripe-key", "sk_old"));
    pay(&guest, &session, VISA).await.expect(202);
    store.answer(200, parameter("/checkout/stripe-key", "sk_new"));
    pay(&guest, &session, VISA).await.expect(202);
    let keys: Vec<_> = stripe.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(keys, ["Bearer sk_old", "Bearer sk_new"]);
}

/// Orders wait, events are to be sent again, and the first request after it is mended goes through: no container has to
/// be replaced.
#[tokio::test]
async fn secrets_that_cannot_be_had_are_asked_for_by_whoever_needs_them() {
    let denied = json!({"__type": "AccessDeniedException", "Message": "not authorized"}).to_string();
    let no_member = secret(r#"{"other": "1"}"#);
    for (status, body) in [
        (400, denied.as_str()),
        (400, r#"{"__type": "ParameterNotFound"}"#),
        (500, ""),
        (200, "{}"),
        (200, &no_member),
        (200, &secret("no JSON")),
    ] {
        let store = Answering::with("").await;
        store.answer(status, body);
        let world = shop(&store, "secretsmanager:checkout/stripe#key", "secretsmanager:checkout/stripe#webhook").await;
        world.app().warm_up("confirm-order").await;
        let guest = world.guest();
        let session = ready(&guest).await;
        let answer = pay(&guest, &session, VISA).await;
        assert_eq!(answer.counts().payments_degraded, 1, "{status} {body}");
        answer.expect(202);
        let event = webhook(r#"{"id":"evt_1","type":"invoice.paid","data":{"object":{}}}"#, WEBHOOK_SECRET, now());
        let refused = world.call("payment-webhook", event.request()).await;
        assert!(refused.status() == 503 && !format!("{refused:?}").contains(SECRET_KEY), "{refused:?}");

        store.answer(200, secret(&json!({"key": SECRET_KEY, "webhook": WEBHOOK_SECRET}).to_string()));
        pay(&guest, &session, VISA).await.expect(200);
        takes_cards_and_events(&world).await;
    }
}
