//! What localstripe can't answer, in the shapes that Stripe's reference documents: <https://docs.stripe.com/api/errors>,
//! <https://docs.stripe.com/error-low-level>, <https://docs.stripe.com/declines/codes>.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    answering::{Answering, Asked},
    world::{Setup, World, id_of},
};
use uuid::Uuid;

use super::{TOTAL, VISA, order_id, pay, ready, sold, state_of};

const PAYMENTS: &str = "POST /v1/payment_intents";

/// A shop whose Stripe says what it is told to say.
async fn shop() -> (Answering, Arc<World>) {
    let stripe = Answering::with("").await;
    stripe.answer(500, json!({"error": {"type": "api_error", "message": "nothing was prepared"}}).to_string());
    let world = Setup::default()
        .unlimited()
        .setting("STRIPE_API_URL", stripe.url(""))
        .setting("STRIPE_SECRET_KEY", "sk_test_123")
        .build()
        .await;
    (stripe, world)
}

fn intent(status: &str) -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": TOTAL, "amount_received": 0, "currency": "usd",
        "status": status, "client_secret": "pi_1_secret_2", "last_payment_error": null, "latest_charge": null
    })
}

fn succeeded() -> String {
    let mut intent = intent("succeeded");
    intent["amount_received"] = json!(TOTAL);
    intent.to_string()
}

fn form(asked: &Asked) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = asked.body.split('&').filter_map(|pair| pair.split_once('=')).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn a_payment_is_asked_for_as_the_reference_says() {
    let (stripe, world) = shop().await;
    stripe.answer_next(PAYMENTS, 200, succeeded());
    let guest = world.guest();
    let order = pay(&guest, &ready(&guest).await, VISA).await.expect(201)["order"].take();
    let [asked] = stripe.asked().try_into().expect("one request");
    assert_eq!(asked.line, PAYMENTS);
    assert_eq!(asked.header("authorization"), "Bearer sk_test_123");
    assert_eq!(asked.header("stripe-version"), "2026-08-26.dahlia");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("idempotency-key"), format!("order-{}", order_id(&order)));
    let expected = [
        ("amount", "4458"),
        ("capture_method", "automatic"),
        ("confirm", "true"),
        ("currency", "usd"),
        ("metadata%5Border_id%5D", order_id(&order)),
        ("payment_method", VISA),
        ("payment_method_types%5B%5D", "card"),
    ];
    assert_eq!(form(&asked), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(!format!("{asked:?}").contains(guest.guest_id()), "a guest's id is as good as a password");
}

/// An order that was placed before ids of guests were kept from Stripe is asked for as it was asked for then: another
/// request under the same key decides nothing.
#[tokio::test]
async fn a_payment_that_names_its_owner_goes_on_naming_it() {
    let (stripe, world) = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    stripe.answer_next(PAYMENTS, 500, json!({"error": {"type": "api_error"}}).to_string());
    let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
    let owner = format!("guest#{}", guest.guest_id());
    world.named_to_the_provider(order_id(&order), &owner).await;
    stripe.asked();
    stripe.answer_next(PAYMENTS, 200, succeeded());
    pay(&guest, &session, VISA).await.expect(200);
    let [asked] = stripe.asked().try_into().expect("one request");
    let named = ("metadata%5Bowner%5D".to_owned(), owner.replace('#', "%23"));
    assert!(form(&asked).contains(&named), "{:?}", form(&asked));
}

/// Whatever decides nothing leaves the order waiting, and the next try asks for just the same.
#[tokio::test]
async fn an_answer_that_decides_nothing_is_asked_for_again_under_the_same_key() {
    let error = |kind: &str, code: &str| json!({"error": {"type": kind, "code": code, "message": "…"}}).to_string();
    let (stripe, world) = shop().await;
    for (status, body) in [
        (429, error("invalid_request_error", "rate_limit")),
        (429, error("invalid_request_error", "lock_timeout")),
        (502, "<html>Bad Gateway</html>".to_owned()),
        (503, String::new()),
        (401, error("invalid_request_error", "api_key_expired")),
        (403, error("invalid_request_error", "")),
        (409, error("idempotency_error", "idempotency_key_in_use")),
        (400, error("idempotency_error", "")),
        (200, succeeded()[..40].to_owned()),
        (200, "{}".to_owned()),
        (200, intent("succeeded").to_string().replace("usd", "gold")),
    ] {
        let guest = world.guest();
        let session = ready(&guest).await;
        stripe.answer_next(PAYMENTS, status, body.clone());
        let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
        assert_eq!(state_of(&order), ("pending", "pending"), "{status} {body}");
        stripe.answer_next(PAYMENTS, 200, succeeded());
        let done = pay(&guest, &session, VISA).await.expect(200)["order"].take();
        assert_eq!((order_id(&done), state_of(&done)), (order_id(&order), ("confirmed", "paid")));
        let [first, second] = stripe.asked().try_into().expect("two requests");
        assert_eq!(first.header("idempotency-key"), second.header("idempotency-key"));
        assert_eq!(first.body, second.body);
    }
}

#[tokio::test]
async fn a_declined_card_says_why_and_nothing_that_helps_a_thief() {
    for (code, shown) in [
        ("insufficient_funds", "insufficient_funds"),
        ("expired_card", "expired_card"),
        ("incorrect_cvc", "incorrect_cvc"),
        ("generic_decline", "generic_decline"),
        ("stolen_card", "generic_decline"),
        ("lost_card", "generic_decline"),
        ("fraudulent", "generic_decline"),
        ("merchant_blacklist", "generic_decline"),
        ("pickup_card", "generic_decline"),
    ] {
        let (stripe, world) = shop().await;
        let declined = json!({"error": {
            "type": "card_error", "code": "card_declined", "decline_code": code, "message": "Your card was declined.",
            "payment_intent": intent("requires_payment_method")
        }});
        stripe.answer_next(PAYMENTS, 402, declined.to_string());
        stripe.answer_next("POST /v1/payment_intents/pi_1/cancel", 200, intent("canceled").to_string());
        let guest = world.guest();
        let session = ready(&guest).await;
        let problem = pay(&guest, &session, VISA).await.refused(402, "PAYMENT_DECLINED");
        assert_eq!(problem["declineCode"], shown);
        assert!(!problem.to_string().contains("stolen"), "{problem:#}");
        let lines: Vec<_> = stripe.asked().into_iter().map(|asked| asked.line).collect();
        assert_eq!(lines, [PAYMENTS, "POST /v1/payment_intents/pi_1/cancel"], "nobody can try another card behind us");
        assert_eq!(sold(&world).await, 0);
        assert_eq!(guest.session(id_of(&session)).await.expect(200)["status"], "open");
    }
}

/// Refused before there is a payment, Stripe's list is looked through for one before anything goes back: unlike the
/// search it has everything at once.
#[tokio::test]
async fn a_refusal_without_a_payment_is_final_only_if_there_is_none() {
    let (stripe, world) = shop().await;
    let missing = json!({"error": {
        "type": "invalid_request_error", "code": "resource_missing", "param": "payment_method",
        "message": "No such PaymentMethod: 'pm_card_visa'"
    }});
    let list = |data: &[Value], more: bool| json!({"object": "list", "data": data, "has_more": more}).to_string();
    let of = |order: &str, id: &str| {
        let mut intent: Value = serde_json::from_str(&succeeded()).unwrap();
        intent["id"] = json!(id);
        intent["metadata"] = json!({"order_id": order});
        intent
    };
    let waiting = async || {
        let guest = world.guest();
        let session = ready(&guest).await;
        stripe.answer_next(PAYMENTS, 500, json!({"error": {"type": "api_error"}}).to_string());
        let order = order_id(&pay(&guest, &session, VISA).await.expect(202)["order"]).to_owned();
        stripe.answer_next(PAYMENTS, 400, missing.to_string());
        stripe.asked();
        (guest, session, order)
    };

    // There is none, on no page.
    let (guest, session, order) = waiting().await;
    stripe.answer_next("GET /v1/payment_intents?", 200, list(&[of("another", "pi_9"), of("a third", "pi_8")], true));
    stripe.answer_next("GET /v1/payment_intents?", 200, list(&[of("a fourth", "pi_7")], false));
    pay(&guest, &session, VISA).await.refused(402, "PAYMENT_DECLINED");
    let lines: Vec<_> = stripe.asked().into_iter().map(|asked| asked.line).collect();
    let [_, first, second] = lines.try_into().expect("three requests");
    let placed_at = order.parse::<Uuid>().unwrap().get_timestamp().unwrap().to_unix().0;
    let (since, until) = (placed_at - 60, |line: &str| {
        let until = line.split("created%5Blte%5D=").nth(1).and_then(|rest| rest.split('&').next());
        until.and_then(|until| until.parse::<u64>().ok()).expect("a time")
    });
    assert!(first.contains(&format!("created%5Bgte%5D={since}&")) && first.contains("&limit=100"), "{first}");
    assert!(until(&first).abs_diff(placed_at + 1800 + 60) <= 1, "{first}");
    assert!(!first.contains("starting_after") && second.ends_with("&starting_after=pi_8"), "{second}");

    // There is one, on the second.
    let (guest, session, order) = waiting().await;
    stripe.answer_next("GET /v1/payment_intents?", 200, list(&[of("another", "pi_9")], true));
    stripe.answer_next("GET /v1/payment_intents?", 200, list(&[of(&order, "pi_7")], true));
    let done = pay(&guest, &session, VISA).await.expect(200)["order"].take();
    assert_eq!(state_of(&done), ("confirmed", "paid"));

    // What isn't known decides nothing: no answer, one without an end, and more pages than can be looked through.
    for answer in
        [String::new(), json!({"object": "list", "data": []}).to_string(), list(&[of("another", "pi_9")], true)]
    {
        let (guest, session, _) = waiting().await;
        for _ in 0..40 {
            stripe.answer_next("GET /v1/payment_intents?", 200, answer.clone());
        }
        let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
        assert_eq!(state_of(&order), ("pending", "pending"), "{answer}");
        stripe.forget_answers();
    }
}

#[tokio::test]
async fn a_payment_that_stripe_still_works_on_waits() {
    let (stripe, world) = shop().await;
    let guest = world.guest();
    let session = ready(&guest).await;
    stripe.answer_next(PAYMENTS, 200, intent("processing").to_string());
    stripe.answer_next("GET /v1/payment_intents/pi_1", 200, intent("processing").to_string());
    let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
    assert_eq!(state_of(&order), ("pending", "pending"));
    stripe.answer_next("GET /v1/payment_intents/pi_1", 200, succeeded());
    let done = pay(&guest, &session, VISA).await.expect(200)["order"].take();
    assert_eq!(state_of(&done), ("confirmed", "paid"));
}

/// A refund's key is of its payment: two orders may be refunded under one id. What Stripe refuses is left to be refunded,
/// and alarmed.
#[tokio::test]
async fn refunds_are_of_one_payment_and_a_refused_one_is_left() {
    let (stripe, world) = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let id = Uuid::new_v4();
    let mut orders = Vec::new();
    for intent in ["pi_1", "pi_2"] {
        stripe.answer_next(PAYMENTS, 200, succeeded().replace("pi_1", intent));
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        orders
            .push(guest.pay(id_of(&session), tests::world::total_of(&session), VISA).await.expect(201)["order"].take());
    }
    stripe.asked();
    let refund = |id: &str, amount: i64, status: &str| {
        let refund = json!({"id": id, "amount": amount, "status": status, "created": 1_795_000_000});
        refund.to_string()
    };
    let nothing = json!({"object": "list", "data": [], "has_more": false}).to_string();
    for (order, amount) in orders.iter().zip([100, 200]) {
        stripe.answer_next("POST /v1/refunds", 200, refund("re_1", amount, "succeeded"));
        staff.refund(order_id(order), id, Some(amount)).await.expect(200);
    }
    let keys: Vec<_> = stripe.asked().iter().map(|asked| asked.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys, [format!("pi_1-refund-{id}"), format!("pi_2-refund-{id}")]);

    // Refused, the lists of refunds and disputes say how the payment stands.
    let disputed = json!({"error": {"type": "invalid_request_error", "code": "charge_disputed", "message": "…"}});
    let failed = json!({"id": "re_2", "amount": 300, "status": "failed", "created": 1_795_000_000,
                        "failure_reason": "expired_or_canceled_card"});
    for (status, body) in [(400, disputed.to_string()), (200, failed.to_string())] {
        stripe.answer_next("POST /v1/refunds", status, body);
        if status == 400 {
            stripe.answer_next("GET /v1/refunds?", 200, nothing.clone());
            stripe.answer_next("GET /v1/disputes?", 200, nothing.clone());
        }
        let answer = staff.refund(order_id(&orders[0]), Uuid::new_v4(), Some(300)).await;
        assert_eq!(answer.counts().failed_refunds, 1);
        let order = answer.expect(200)["order"].take();
        assert_eq!(order["payment"]["refundedAmount"], 100);
        let refunds = order["payment"]["refunds"].as_array().unwrap();
        assert_eq!(refunds.last().unwrap()["status"], "failed", "{order:#}");
    }
    // On its way: it can't be refunded again, and isn't back yet.
    let before = staff.refund(order_id(&orders[0]), id, Some(100)).await.expect(200)["order"].take();
    stripe.answer_next("POST /v1/refunds", 200, refund("re_3", 300, "pending"));
    let order = staff.refund(order_id(&orders[0]), Uuid::new_v4(), Some(300)).await.expect(200)["order"].take();
    assert_eq!(order["payment"]["refunds"].as_array().unwrap().last().unwrap()["status"], "pending");
    assert_eq!(order["payment"]["refundedAmount"], 100);
    let left = |order: &Value| order["payment"]["refundableAmount"].as_i64().unwrap();
    assert_eq!(left(&order), left(&before) - 300);
}

/// Stripe saves a failure of its own with the idempotency key, and repeats it: the next attempt has a key of its own, if
/// there certainly is no refund; and a payment that was made all the same is found.
#[tokio::test]
async fn a_failure_that_stripe_saved_is_not_asked_for_again_for_ever() {
    let (stripe, world) = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = ready(&guest).await;
    let api_error = json!({"error": {"type": "api_error", "message": "…"}}).to_string();
    let list = |data: Value| json!({"object": "list", "data": data, "has_more": false}).to_string();

    // The payment was made: the list has it.
    stripe.answer_next(PAYMENTS, 500, api_error.clone());
    stripe.answer_next("GET /v1/payment_intents?", 200, list(json!([])));
    let order = pay(&guest, &session, VISA).await.expect(202)["order"].take();
    let mut intent: Value = serde_json::from_str(&succeeded()).unwrap();
    intent["metadata"] = json!({"order_id": order_id(&order)});
    stripe.answer_next(PAYMENTS, 500, api_error.clone());
    stripe.answer_next("GET /v1/payment_intents?", 200, list(json!([intent])));
    let order = pay(&guest, &session, VISA).await.expect(200)["order"].take();
    assert_eq!(state_of(&order), ("confirmed", "paid"));
    stripe.asked();

    let id = Uuid::new_v4();
    let refund = || async { staff.refund(order_id(&order), id, Some(300)).await };
    for made in [false, true] {
        let ours = json!({"id": "re_1", "amount": 300, "status": "succeeded", "created": 1_795_000_000,
                          "metadata": {"refund_id": id.to_string()}});
        if made {
            // Before the next attempt the list is read, and has it.
            stripe.answer_next("GET /v1/refunds?", 200, list(json!([ours])));
            stripe.answer_next("GET /v1/disputes?", 200, list(json!([])));
            let order = refund().await.expect(200)["order"].take();
            assert_eq!(order["payment"]["refundedAmount"], 300);
        } else {
            for attempt in 0..3 {
                if attempt > 0 {
                    stripe.answer_next("GET /v1/refunds?", 200, list(json!([])));
                    stripe.answer_next("GET /v1/disputes?", 200, list(json!([])));
                }
                stripe.answer_next("POST /v1/refunds", 500, api_error.clone());
                stripe.answer_next("GET /v1/refunds?", 200, list(json!([])));
                stripe.answer_next("GET /v1/disputes?", 200, list(json!([])));
                refund().await.expect(202);
            }
            let keys = stripe.asked().into_iter().filter(|asked| asked.line.starts_with("POST /v1/refunds"));
            let keys: Vec<_> = keys.map(|asked| asked.header("idempotency-key").to_owned()).collect();
            assert_eq!(keys, ["", "-1", "-2"].map(|attempt| format!("pi_1-refund-{id}{attempt}")));
        }
    }
}
