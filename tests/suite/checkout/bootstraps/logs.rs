//! What the functions write: JSON lines with the request's id, and nothing secret or personal.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    event::Event,
    proxy::Mode,
    token::{Signer, Token},
    world::{Setup, World, cart, id_of, total_of},
};
use tools::stripe_server::SECRET_KEY;

use super::Fleet;

const EMAIL: &str = "augusta.king@example.com";
/// None of these stands in a line by chance, as five digits would in a time.
const PERSONAL: [&str; 12] = [
    EMAIL,
    "augusta",
    "Lovelace",
    "12 St James Square",
    "Springfield Heights",
    "90210-4321",
    "415 555-0199",
    "leave it with the neighbour",
    // A card, its token, the key that charges it, and what the customer's browser goes on with.
    "4242424242424242",
    "pm_card_visa",
    SECRET_KEY,
    "_secret_",
];

fn address() -> Value {
    json!({
        "firstName": "augusta", "lastName": "Lovelace", "addressLine1": "12 St James Square",
        "city": "Springfield Heights", "state": "CA", "postalCode": "90210-4321", "country": "US",
        "phone": "+1 415 555-0199", "email": EMAIL
    })
}

fn confirmation(session: &Value, total: i64) -> Value {
    json!({
        "checkoutId": id_of(session), "expectedTotal": total, "paymentMethod": "cash_on_delivery",
        "customerInfo": {"email": EMAIL, "firstName": "augusta", "lastName": "Lovelace", "phone": "+1 415 555-0199"},
        "notes": "leave it with the neighbour"
    })
}

/// A purchase with mishaps: refusals, a bad token, a Redis that is gone, a database that fails. Returns the ids of the
/// requests, by function.
async fn purchase(world: &World, fleet: &mut Fleet, caller: &dyn Fn(Route) -> Event) -> Vec<(Route, String)> {
    let mut requests = Vec::new();
    let mut send = async |fleet: &mut Fleet, route: Route, event: Event| {
        let event = event.value();
        let id = event["requestContext"]["requestId"].as_str().expect("an id").to_owned();
        requests.push((route, id));
        match fleet.invoke(route.function(), &event).await {
            tests::runtime_api::Outcome::Answered(payload) => tests::world::Answer::from_gateway(&payload),
            tests::runtime_api::Outcome::Failed(error) => panic!("{error:#}"),
        }
    };
    let opened = json!({
        "cartItems": cart(&[("espresso-beans", 1)]),
        "shippingAddress": address(),
        "shippingMethodId": "us-standard"
    });
    let session = send(fleet, Route::Initiate, caller(Route::Initiate).json(&opened)).await.expect(201);
    let changed = json!({"checkoutId": id_of(&session), "billingAddress": address()});
    send(fleet, Route::UpdateAddress, caller(Route::UpdateAddress).json(&changed)).await.expect(200);
    let unknown = json!({"checkoutId": id_of(&session), "billingAddress": address(), EMAIL: EMAIL});
    send(fleet, Route::UpdateAddress, caller(Route::UpdateAddress).json(&unknown)).await.expect(400);

    let total = total_of(&session);
    let confirm = |total| caller(Route::ConfirmOrder).json(&confirmation(&session, total));
    send(fleet, Route::ConfirmOrder, confirm(total + 1)).await.expect(409);
    let forged = Signer::with_secret("guess").sign(&Token::of(EMAIL));
    send(fleet, Route::ConfirmOrder, confirm(total).bearer(&forged)).await.expect(401);
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::Error(400, "ValidationException")));
    send(fleet, Route::ConfirmOrder, confirm(total)).await.expect(503);
    world.dynamodb.clear_rules();
    world.redis.set(Mode::Refuse).await;
    world.redis.cut();
    let placed = send(fleet, Route::ConfirmOrder, confirm(total)).await.expect(201);
    world.redis.set(Mode::Pass).await;
    let order = placed["order"]["orderId"].as_str().expect("an order");
    send(fleet, Route::GetOrder, caller(Route::GetOrder).path("orderId", order)).await.expect(200);

    for (token, status) in [
        ("4242424242424242", 400),
        ("pm_card_chargeCustomerFail", 402),
        ("pm_card_visa", 201),
        (world.stripe().secured().await.as_str(), 202),
    ] {
        let session = send(fleet, Route::Initiate, caller(Route::Initiate).json(&opened)).await.expect(201);
        let mut card = confirmation(&session, total);
        card["paymentMethod"] = json!("card");
        card["paymentToken"] = json!(token);
        send(fleet, Route::ConfirmOrder, caller(Route::ConfirmOrder).json(&card)).await.expect(status);
    }
    requests
}

#[tokio::test]
async fn logs_are_json_with_the_requests_id_and_nothing_personal_at_any_level() {
    for level in ["info", "trace"] {
        let world = Setup::default().unlimited().cards().build().await;
        let mut fleet = Fleet::of(&world).setting("LOG_LEVEL", level);
        let guest = world.guest();
        let token = Signer::es256().sign(&Token::of("ada"));
        let by_guest = purchase(&world, &mut fleet, &|route| guest.event(route)).await;
        let by_user = purchase(&world, &mut fleet, &|route| world.nobody().event(route).bearer(&token)).await;

        let written = fleet.stop().await;

        for (function, ended) in &written {
            let text = format!("{}{}", ended.stdout, ended.stderr);
            let signature = token.rsplit('.').next().expect("a signature");
            for secret in PERSONAL.into_iter().chain([guest.guest_id(), signature]) {
                let line = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
                assert_eq!(line, None, "{function} at {level} tells {secret}");
            }
            assert_eq!(ended.stderr, "", "{function}");
        }
        for (route, id) in by_guest.into_iter().chain(by_user) {
            let lines = written[route.function()].stdout.lines();
            let lines =
                lines.map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
            let served: Vec<_> = lines
                .filter(|line| line["message"] == "Request served" && line["correlation_id"] == id.as_str())
                .collect();
            assert_eq!(served.len(), 1, "{route:?} {id}");
            assert!(served[0]["status"].is_u64() && served[0]["duration_ms"].is_u64(), "{}", served[0]);
            assert_eq!(served[0]["level"], "INFO");
            assert_eq!(served[0]["route"], route.function());
            // As AWS Lambda Powertools names them.
            for (field, expected) in [
                ("service", json!("checkout")),
                ("function_name", json!(route.function())),
                ("function_memory_size", json!(256)),
                ("function_arn", json!("arn:aws:lambda:us-east-1:123456789012:function:local")),
            ] {
                assert_eq!(served[0][field], expected, "{field}: {}", served[0]);
            }
            assert!(served[0]["function_request_id"].is_string() && served[0]["cold_start"].is_boolean());
            let trace = served[0]["xray_trace_id"].as_str().unwrap_or_default();
            assert!(trace.starts_with("Root=1-"), "{}", served[0]);
            assert!(served[0]["timestamp"].is_string(), "{}", served[0]);
        }
    }
}

/// Support finds who was refused, and nobody's whole address is written down.
#[tokio::test]
async fn a_refused_request_tells_who_asked_and_when_they_may_come_back() {
    let world = Setup::default().setting("RATE_LIMIT_APPLY_COUPON", "1/600").build().await;
    let mut fleet = Fleet::of(&world).setting("RATE_LIMITS", "apply-coupon=2/900");
    let token = |name: &str| Signer::es256().sign(&Token::of(name));
    let plain = |address: &str| Event::post(Route::ApplyCoupon.path()).source_ip(address).json(&json!({}));
    let ask = |address: &str| plain(address).guest(uuid::Uuid::new_v4().to_string());
    for (event, status) in [
        (ask("203.0.113.77"), 400),
        (ask("203.0.113.77"), 429),
        (ask("2001:db8:1:2:3:4:5:6"), 400),
        (ask("2001:db8:1:2:3:4:5:6"), 429),
        (plain("198.51.100.88").bearer(&token("ada")), 400),
        (plain("198.51.100.88").bearer(&token("ada")), 429),
        (plain("198.51.100.88").bearer(&token("bob")), 400),
        (plain("198.51.100.88").bearer(&token("eve")), 429),
    ] {
        fleet.send(Route::ApplyCoupon, &event).await.expect(status);
    }

    let written = fleet.stop().await;

    let text = &written["apply-coupon"].stdout;
    for whole in ["203.0.113.77", "198.51.100.88", "2001:db8:1:2"] {
        assert!(!text.contains(whole), "{whole} is told");
    }
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let refused: Vec<Value> = lines.filter(|line| line["message"] == "Request refused: over the rate limit").collect();
    let told = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (text("caller"), text("limit"), line["count"].as_u64(), line["window_s"].as_u64())
    };
    let expected = [
        ("203.0.113.0/24", "default", 1, 600),
        ("2001:db8:1::/48", "default", 1, 600),
        ("ada", "default", 1, 600),
        ("198.51.100.0/24", "address", 2, 900),
    ];
    let expected =
        expected.map(|(who, limit, count, window)| (who.to_owned(), limit.to_owned(), Some(count), Some(window)));
    assert_eq!(refused.iter().map(told).collect::<Vec<_>>(), expected);
    for line in &refused {
        assert_eq!((&line["route"], &line["level"]), (&json!("apply-coupon"), &json!("WARN")));
        assert!((1..=901).contains(&line["retry_after_s"].as_u64().unwrap()), "{line}");
    }
}
