//! The Stripe of a test's shop: a real server shared by the suite, behind a proxy of the test's own.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::types::AttributeValue;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use shared::app::App;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tools::stripe_server::{SECRET_KEY, StripeServer, WEBHOOK_SECRET};

use super::{Answer, World, confirmation, ledger::Item};
use crate::{event::Event, proxy::FaultProxy, servers};

/// The provider, and faults before it.
#[derive(Debug)]
pub struct Cards {
    server: Arc<StripeServer>,
    pub proxy: FaultProxy,
}

const LONG_SINCE: &str = "2020-01-01T00:00:00.000Z";

/// What the provider has for one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub captured: i64,
    pub refunded: i64,
    /// Payments that have taken money.
    pub intents: i64,
}

impl Cards {
    pub(super) async fn open(settings: &mut BTreeMap<String, String>) -> Self {
        let server = servers::stripe();
        let proxy = FaultProxy::before(server.address()).await;
        settings.insert("STRIPE_API_URL".to_owned(), format!("http://{}", proxy.address()));
        settings.insert("STRIPE_SECRET_KEY".to_owned(), SECRET_KEY.to_owned());
        settings.insert("STRIPE_WEBHOOK_SECRET".to_owned(), WEBHOOK_SECRET.to_owned());
        // A busy machine is no outage.
        settings.insert("STRIPE_TIMEOUT_MS".to_owned(), "20000".to_owned());
        Self { server, proxy }
    }

    /// Asks the provider, past the proxy.
    pub async fn ask(&self, method: &str, path: &str, form: &str) -> Value {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.url()))
            .header("authorization", format!("Bearer {SECRET_KEY}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::from(form.to_owned()))
            .expect("a request");
        let response = client.request(request).await.expect("an answer");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// Has its events sent there.
    pub fn send_events_to(&self, url: &str) {
        self.server.send_events_to(url).unwrap_or_else(|error| panic!("{error}"));
    }

    /// What Stripe.js makes of a card: its token.
    pub async fn token(&self, number: &str) -> String {
        let form = format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123");
        let made = self.ask("POST", "/v1/payment_methods", &form).await;
        made["id"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned()
    }

    /// A card whose bank wants to see the customer.
    pub async fn secured(&self) -> String {
        self.token("4000002500003155").await
    }

    /// What the customer does at their bank, with what their browser was given.
    pub async fn authenticate(&self, client_secret: &str, success: bool) -> Value {
        let intent = client_secret.split("_secret").next().unwrap_or_default();
        let form = format!("client_secret={client_secret}&success={success}");
        self.ask("POST", &format!("/v1/payment_intents/{intent}/_authenticate"), &form).await
    }

    /// What Stripe.js makes of a method that the customer chose in the Payment Element: a confirmation token.
    pub async fn confirmation_token(&self, method: &str) -> String {
        let form = format!("payment_method_data[type]={method}&return_url=https://shop.example/of-the-token");
        let form = if method == "card" { "payment_method=pm_card_visa".to_owned() } else { form };
        let made = self.ask("POST", "/v1/test_helpers/confirmation_tokens", &form).await;
        made["id"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned()
    }

    /// What the customer does on the page of their bank or wallet. Returns where they are sent then.
    pub async fn at_wallet(&self, redirect_url: &str, success: bool) -> String {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request = Request::builder().uri(format!("{redirect_url}?success={success}"));
        let response = client.request(request.body(Full::default()).expect("a request")).await.expect("an answer");
        response.headers()["location"].to_str().expect("a text").to_owned()
    }

    /// What the bank says at last about an order's direct debit.
    pub async fn settle(&self, order: &str, success: bool) -> Value {
        let intent = self.intent_of(order).await.expect("a payment");
        let path = format!("/_settle/{}", intent["id"].as_str().expect("an id"));
        self.ask("POST", &path, &format!("success={success}")).await
    }

    /// What was taken and went back, by order.
    pub async fn totals(&self) -> BTreeMap<String, Totals> {
        let answer = self.ask("GET", "/_totals", "").await;
        let of = |value: &Value, name: &str| value[name].as_i64().unwrap_or_default();
        let totals = answer.as_object().cloned().unwrap_or_default().into_iter();
        totals
            .map(|(order, sums)| {
                let (captured, refunded) = (of(&sums, "captured"), of(&sums, "refunded"));
                (order, Totals { captured, refunded, intents: of(&sums, "intents") })
            })
            .collect()
    }

    /// The payment that an order has at the provider.
    pub async fn intent_of(&self, order: &str) -> Option<Value> {
        let mut found = self.ask("GET", &format!("/_intent/{order}"), "").await;
        found["data"].get_mut(0).map(Value::take)
    }
}

impl Cards {
    /// From now on the provider's search doesn't know the payment of this order, as for an hour after an outage.
    pub async fn search_lags_for(&self, order: &str) {
        self.ask("POST", &format!("/_lag/{order}"), "").await;
    }
}

impl Cards {
    /// The customer's bank opens a dispute about a part of an order's payment, or goes on with its first one. `moves`
    /// says how often the amount has moved: 1 when the bank has taken it back.
    pub async fn dispute(&self, order: &str, number: usize, amount: i64, status: &str, moves: u8) -> Value {
        let intent = self.intent_of(order).await.expect("a payment");
        let path = format!("/_dispute/{}", intent["id"].as_str().expect("an id"));
        self.ask("POST", &path, &format!("number={number}&amount={amount}&status={status}&moves={moves}")).await
    }

    /// Somebody refunds a part of an order's payment in the Dashboard; without an amount, all that is left.
    pub async fn refund_in_dashboard(&self, order: &str, amount: Option<i64>) -> Value {
        let intent = self.intent_of(order).await.expect("a payment");
        let mut form = format!("payment_intent={}", intent["id"].as_str().expect("an id"));
        if let Some(amount) = amount {
            let _ = write!(form, "&amount={amount}");
        }
        let made = self.ask("POST", "/v1/refunds", &form).await;
        assert_eq!(made["object"], "refund", "{made:#}");
        made
    }

    /// The refunds of an order's payment, newest first.
    pub async fn refunds_of(&self, order: &str) -> Vec<Value> {
        let intent = self.intent_of(order).await.expect("a payment");
        let path = format!("/v1/refunds?payment_intent={}", intent["id"].as_str().expect("an id"));
        self.ask("GET", &path, "").await["data"].as_array().cloned().unwrap_or_default()
    }

    /// The disputes of an order's payment, newest first.
    pub async fn disputes_of(&self, order: &str) -> Vec<Value> {
        let Some(intent) = self.intent_of(order).await else { return Vec::new() };
        let path = format!("/v1/disputes?payment_intent={}", intent["id"].as_str().expect("an id"));
        self.ask("GET", &path, "").await["data"].as_array().cloned().unwrap_or_default()
    }

    /// What becomes of a refund: `pending`, `succeeded`, or `failed` when the customer's bank sends it back.
    pub async fn settle_refund(&self, refund: &Value, status: &str) -> Value {
        let path = format!("/_refund/{}", refund["id"].as_str().expect("an id"));
        self.ask("POST", &path, &format!("status={status}")).await
    }
}

/// Whether somebody is to act on an order soon. One that is authorized is looked at days later, and one whose refund is
/// on its way a day later.
///
/// # Panics
/// When it is due at no time.
pub fn is_unfinished(order: &Item) -> bool {
    let Some(due) = order.get("due") else { return false };
    let due = OffsetDateTime::parse(due.as_s().expect("a text"), &Rfc3339).expect("a time");
    due < OffsetDateTime::now_utc() + time::Duration::hours(12)
}

impl World {
    /// An event about a payment, as the provider would send it, signed now.
    pub async fn tell(&self, id: &str, kind: &str, intent: &Value) -> Answer {
        self.tell_to(&self.app, id, kind, intent).await
    }

    pub async fn tell_to(&self, container: &Arc<App>, id: &str, kind: &str, intent: &Value) -> Answer {
        let body = json!({"id": id, "type": kind, "data": {"object": intent}}).to_string();
        self.call_in(container, "payment-webhook", webhook(&body, WEBHOOK_SECRET, now()).request()).await
    }
}

impl World {
    /// Makes an order due for the reconciler long since, so that one that lives in the present looks at it.
    pub async fn make_due(&self, order: &str) {
        self.overwrite(order, "due", AttributeValue::S(LONG_SINCE.to_owned())).await;
    }

    /// The same of every order that is due at some time.
    pub async fn make_all_due(&self) {
        for order in self.stored_orders().await.iter().filter(|order| order.contains_key("due")) {
            self.update(order, "due", AttributeValue::S(LONG_SINCE.to_owned())).await;
        }
    }

    /// Makes the bank hold an order's authorized amount for an hour only, and the order due for the reconciler.
    pub async fn end_authorization_soon(&self, order: &str) {
        let soon = (OffsetDateTime::now_utc() + time::Duration::HOUR).format(&Rfc3339).expect("a time");
        self.overwrite(order, "card.captureBefore", AttributeValue::S(soon)).await;
        self.make_due(order).await;
    }

    /// Makes an order's document unreadable: it is of a schema that nobody knows yet.
    pub async fn damage(&self, order: &str) {
        self.overwrite(order, "schema", AttributeValue::N("99".to_owned())).await;
    }

    /// Makes an order one whose payment names this owner in its metadata, as was done once.
    pub async fn named_to_the_provider(&self, order: &str, owner: &str) {
        self.overwrite(order, "card.payer", AttributeValue::S(owner.to_owned())).await;
    }

    async fn overwrite(&self, order: &str, name: &str, value: AttributeValue) {
        let orders = self.stored_orders().await;
        let of_id = |item: &&Item| item["orderId"].as_s().is_ok_and(|id| id == order);
        self.update(orders.iter().find(of_id).expect("an order"), name, value).await;
    }

    async fn update(&self, order: &Item, name: &str, value: AttributeValue) {
        let update = self.tables.client().update_item().table_name(self.tables.name("ORDERS_TABLE"));
        let update = update.key("owner", order["owner"].clone()).key("orderId", order["orderId"].clone());
        let path: Vec<_> = name.split('.').map(|part| format!("#{part}")).collect();
        let names = name.split('.').map(|part| (format!("#{part}"), part.to_owned())).collect();
        let update = update.update_expression(format!("SET {} = :value", path.join(".")));
        let update = update.set_expression_attribute_names(Some(names)).expression_attribute_values(":value", value);
        update.send().await.unwrap_or_else(|error| panic!("{error:?}"));
    }
}

/// A signed event.
pub fn webhook(body: &str, secret: &str, at: u64) -> Event {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{at}.{body}").as_bytes());
    let signature = mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    Event::post("/api/v1/checkout/webhooks/stripe")
        .header("stripe-signature", format!("t={at},v1={signature}"))
        .body(body)
}

/// Seconds, as signatures count them.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs()
}

/// What confirm-order takes with a card. Each checkout has a mailbox of its own, so that no two customers are one.
pub fn card_confirmation(checkout: &str, expected_total: i64, token: &str) -> Value {
    let mut body = confirmation(checkout, expected_total);
    body["customerInfo"]["email"] = json!(format!("{checkout}@example.com"));
    body["paymentMethod"] = json!("card");
    body["paymentToken"] = json!(token);
    body
}
