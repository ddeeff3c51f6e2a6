//! Who gets a link.

use serde_json::json;
use shared::{
    config::{Config, vars::Vars},
    http::route::Route,
};
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Setup, World, confirmation, id_of, total_of},
};

use super::{ADA, UNKNOWN, events, into_a_quarter, shop, text, token_of};

#[tokio::test]
async fn number_and_address_get_a_link_however_they_are_pasted() {
    let world = shop().await;
    let guest = world.guest();
    for (number, email) in [
        ("{number}", "ada@example.com"),
        ("#{number}", " ADA@Example.COM "),
        ("“{number}”", "\u{200e}ada@example.com"),
        (" {lower} ", "ada@example.com"),
        ("{spaced}", "Ada@example.com"),
        ("{id}", "ada@example.com"),
        ("{ID}", "ada@example.com"),
    ] {
        let order = guest.buy(&[("espresso-beans", 1)]).await;
        let (known, id) = (text(&order, "orderNumber"), text(&order, "orderId"));
        let number = number
            .replace("{number}", known)
            .replace("{lower}", &known.to_lowercase())
            .replace("{spaced}", &known.replace('-', "\u{2009}"))
            .replace("{id}", id)
            .replace("{ID}", &id.to_uppercase());
        let before = events(&world).await.len();

        let answer = world.nobody().look_up(&number, email).await;

        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.expect(202), json!({"status": "accepted"}));
        let events = events(&world).await;
        assert_eq!(events.len(), before + 1, "{number} {email}");
        let event = events.last().unwrap();
        assert_eq!((&event["detail"]["orderId"], &event["detail"]["orderNumber"]), (&json!(id), &json!(known)));
        assert!(event["detail"]["link"].as_str().unwrap().starts_with("https://shop.example.com/order#ey"));
        // A guest's id works like a password, and an address is personal.
        let told = format!("{event}{}", decoded(token_of(event)));
        for secret in [guest.guest_id(), "guest", "@", "Ada", "Sample"] {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
    }
}

/// The claims of a token.
fn decoded(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_number_alone_or_guessed_or_with_another_address_gets_none_and_the_same_answer() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let number = text(&order, "orderNumber");
    let answers = [
        world.nobody().look_up(UNKNOWN, ADA).await,
        world.nobody().look_up(number, "bob@example.com").await,
        world.nobody().look_up(number, "ada@example.org").await,
        world.nobody().look_up(number, "ada+shop@example.com").await,
        world.nobody().look_up("01936b2e-0000-7000-8000-000000000000", ADA).await,
    ];
    for answer in &answers {
        assert_eq!((answer.status(), answer.body()), (202, answers[0].body()));
    }
    assert!(events(&world).await.is_empty());
    let alone = json!({"orderNumber": number});
    let problem = world.nobody().post(Route::LookupOrder, &alone).await.refused(400, "VALIDATION_FAILED");
    assert_eq!(problem["errors"][0]["pointer"], "/email");
    for (number, email, at) in [
        ("", ADA, "/orderNumber"),
        ("RH83-HWTV", ADA, "/orderNumber"),
        ("RH83-HWTV-H8P0", ADA, "/orderNumber"),
        (UNKNOWN, "ada", "/email"),
        (UNKNOWN, "", "/email"),
    ] {
        let problem = world.nobody().look_up(number, email).await.refused(400, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["pointer"], at, "{number} {email}");
    }
}

#[tokio::test]
async fn of_many_requests_in_a_quarter_of_an_hour_one_is_told_and_the_next_when_it_has_expired() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let (number, id) = (text(&order, "orderNumber"), text(&order, "orderId"));
    let at = |seconds| into_a_quarter(&world, seconds);
    for spelling in [number, id, number, &number.to_lowercase(), number] {
        world.nobody().served_by(&at(10)).look_up(spelling, ADA).await.expect(202);
    }
    assert_eq!(events(&world).await.len(), 1);
    // The link of the first is good until a later one can be had.
    world.nobody().served_by(&at(911)).look_up(number, ADA).await.expect(202);
    let events = events(&world).await;
    assert_eq!(events.len(), 2);
    let first = world.nobody().with_token(token_of(&events[0]));
    first.clone().served_by(&at(905)).order(id).await.expect(200);
    first.served_by(&at(911)).order(id).await.refused(401, "ORDER_LINK_EXPIRED");
    world.nobody().with_token(token_of(&events[1])).served_by(&at(911)).order(id).await.expect(200);
}

#[tokio::test]
async fn an_order_that_the_index_does_not_have_yet_is_found_by_the_next_request() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let number = text(&order, "orderNumber");
    world.dynamodb.add(Rule::on("Query", Fault::NothingFound).times(1));
    let caller = world.nobody().served_by(&into_a_quarter(&world, 10));
    caller.look_up(number, ADA).await.expect(202);
    assert!(events(&world).await.is_empty());
    for _ in 0..2 {
        caller.look_up(number, ADA).await.expect(202);
        assert_eq!(events(&world).await.len(), 1);
    }
}

#[tokio::test]
async fn the_customers_own_spelling_does_not_matter_and_each_order_has_its_own_link() {
    let world = shop().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let mut body = confirmation(id_of(&session), total_of(&session));
    body["customerInfo"]["email"] = json!("Ada@EXÄMPLE.com");
    let order = guest.post(Route::ConfirmOrder, &body).await.expect(201)["order"].take();
    guest.buy(&[("espresso-beans", 2)]).await;
    world.nobody().look_up(text(&order, "orderNumber"), "ada@xn--exmple-cua.com").await.expect(202);
    let events = events(&world).await;
    let told: Vec<_> = events.iter().map(|event| &event["detail"]["orderId"]).collect();
    assert_eq!(told, [&order["orderId"]]);
}

#[tokio::test]
async fn without_a_page_there_are_no_links_and_every_request_says_so() {
    let setup = Setup::default().unlimited();
    let world = setup.setting("ORDER_LINK_URL", "").setting("ORDER_LINK_SECRET", "").build().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    world.dynamodb.forget_calls();
    for number in [text(&order, "orderNumber"), UNKNOWN] {
        world.nobody().look_up(number, ADA).await.refused(404, "ORDER_LINKS_OFF");
    }
    assert!(world.dynamodb.calls().is_empty());
}

#[tokio::test]
async fn a_bad_page_or_secret_is_refused_at_the_start() {
    let world = World::new().await;
    let fault = |page: &str, secret: &str| {
        let mut settings = world.settings().clone();
        settings.insert("ORDER_LINK_URL".to_owned(), page.to_owned());
        settings.insert("ORDER_LINK_SECRET".to_owned(), secret.to_owned());
        Config::read(Vars::new(settings)).err().map(|error| error.to_string())
    };
    let good = "a-secret-of-links-for-tests-only-0123456789";
    let two = format!("{good},another-{good}");
    for page in ["https://shop.example.com/order", "https://shop.example.com/o?lang=de", "http://localhost:3000/order"]
    {
        for secret in [good, &two] {
            assert_eq!(fault(page, secret), None, "{page}");
        }
    }
    let long = format!("https://shop.example.com/{}", "o".repeat(512));
    for page in [
        "http://shop.example.com/order",
        "http://localhost.example.com/order",
        "shop.example.com",
        "https://",
        "https://shop.example.com/#order",
        "https://shop.example.com/an order",
        "javascript:alert(1)",
        &long,
    ] {
        assert!(fault(page, good).is_some_and(|text| text.contains("ORDER_LINK_URL must be")), "{page}");
    }
    for secret in ["short", &format!("{good},short"), &format!("{two},a-third-{good}")] {
        let fault = fault("https://shop.example.com/order", secret).expect("a fault");
        assert!(fault.contains("ORDER_LINK_SECRET must be") && !fault.contains(good), "{fault}");
    }
    let fault = fault("https://shop.example.com/order", "").expect("a fault");
    assert!(fault.contains("ORDER_LINK_URL needs ORDER_LINK_SECRET"), "{fault}");
}
