//! What a link opens: one order, to read and to cancel, for a quarter of an hour.

use std::time::Duration;

use serde_json::{Value, json};
use shared::http::route::{CallerKind, Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    token::{self, Signer, Token},
    world::{Setup, World, id_of, total_of},
};

use super::{ADA, events, linked, of, shop, text, token_of};

/// The claims of a link to this order.
fn claims(order: &str) -> Token {
    Token::of(order).without("iss").without("iat").claim("aud", json!("order-link"))
}

fn signed(secret: &str, token: &Token) -> String {
    Signer::with_secret(secret).sign_under(&json!({"alg": "HS256", "typ": "order-link+jwt"}), token)
}

#[tokio::test]
async fn the_link_shows_the_order_without_whose_it_is() {
    let world = shop().await;
    for owner in [world.guest(), world.user("lovelace")] {
        let order = owner.buy(&[("espresso-beans", 2)]).await;
        let id = text(&order, "orderId");
        let link = linked(&world, &order).await;

        let answer = link.order(id).await;

        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let shown = answer.expect(200)["order"].take();
        let mut owned = owner.order(id).await.expect(200)["order"].take();
        let members = owned.as_object_mut().unwrap();
        assert!(members.remove("guestId").or_else(|| members.remove("userId")).is_some());
        assert_eq!(shown, owned);
        // And again: a browser may ask as often as it likes.
        link.order(id).await.expect(200);
        let head = link.event_about(Route::GetOrder, id);
        link.send(Route::GetOrder, &head).await.expect(200);
    }
}

#[tokio::test]
async fn a_waiting_payment_is_not_the_links_to_finish() {
    let world = Setup::default().unlimited().cards().build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let token = world.stripe().secured().await;
    let order = guest.pay(id_of(&session), total_of(&session), &token).await.expect(202)["order"].take();
    let link = linked(&world, &order).await;
    let id = text(&order, "orderId");
    assert!(guest.order(id).await.expect(200)["order"]["payment"]["clientSecret"].is_string());
    let shown = link.order(id).await.expect(200);
    assert_eq!(shown["order"]["paymentStatus"], "requires_action");
    assert!(!shown.to_string().contains("clientSecret") && !shown.to_string().contains("_secret_"), "{shown:#}");
    // To give it up is.
    let cancelled = link.cancel(id).await.expect(200);
    assert_eq!(cancelled["order"]["status"], "cancelled");
    assert!(!cancelled.to_string().contains(guest.guest_id()), "{cancelled:#}");
}

#[tokio::test]
async fn the_link_cancels_the_order_while_its_customer_could() {
    let world = shop().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let id = text(&order, "orderId");
    let link = linked(&world, &order).await;
    // A key has no effect, and the cancellation needs none.
    let event = link.event_about(Route::CancelOrder, id).idempotency_key("any").json(&json!({"reason": "too late"}));
    for _ in 0..2 {
        let answer = link.send(Route::CancelOrder, &event).await;
        assert_eq!((answer.header("cache-control"), answer.header("idempotent-replayed")), (Some("no-store"), None));
        let cancelled = answer.expect(200)["order"].take();
        assert_eq!((&cancelled["status"], &cancelled["version"]), (&json!("cancelled"), &json!(2)));
        let step = cancelled["statusHistory"].as_array().and_then(|steps| steps.last()).unwrap();
        assert_eq!((&step["actor"], &step["note"]), (&json!("customer"), &json!("too late")));
        assert!(!cancelled.to_string().contains(guest.guest_id()));
    }
    assert_eq!(world.stock("espresso-beans").await, 100_000);
    let again = guest.buy(&[("espresso-beans", 1)]).await;
    let id = text(&again, "orderId");
    let link = linked(&world, &again).await;
    staff.set_status(id, "processing").await.expect(200);
    link.cancel(id).await.refused(409, "ORDER_NOT_CANCELLABLE");
    assert_eq!(link.order(id).await.expect(200)["order"]["status"], "processing");
}

#[tokio::test]
async fn the_link_is_good_for_its_order_on_its_two_routes_and_nothing_else() {
    let world = shop().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let other = guest.buy(&[("espresso-beans", 1)]).await;
    let link = linked(&world, &order).await;
    let unknown = "01936b2e-0000-7000-8000-000000000000";
    for id in [text(&other, "orderId"), unknown] {
        let [read, cancelled] = [link.order(id).await, link.cancel(id).await];
        read.refused(404, "ORDER_NOT_FOUND");
        cancelled.refused(404, "ORDER_NOT_FOUND");
    }
    let id = text(&order, "orderId");
    for route in Route::ALL.into_iter().filter(|route| route.spec().reads_credentials) {
        // A guest's id beside it doesn't help.
        let event = link.bare_event(route).guest(guest.guest_id());
        let answer = match route {
            Route::GetOrder | Route::CancelOrder => continue,
            _ => link.send(route, &event).await,
        };
        match route.spec().caller {
            // The limits of the address, as everyone there sees them.
            CallerKind::Anyone if route == Route::ListLimits => {
                let members: Vec<_> =
                    answer.body().as_object().into_iter().flat_map(|body| body.keys().map(String::as_str)).collect();
                assert_eq!((answer.status(), members), (200, vec!["exempt", "limits"]));
            }
            CallerKind::Anyone => assert_ne!(answer.status(), 200, "{route:?}"),
            _ => drop(answer.refused(401, "INVALID_TOKEN")),
        }
        if route.path().contains("{orderId}") {
            of(&link, route, id).await.refused(401, "INVALID_TOKEN");
        }
    }
    assert_eq!(guest.order(id).await.expect(200)["order"]["version"], 1);
}

#[tokio::test]
async fn it_ends_after_a_quarter_of_an_hour_and_says_what_to_do() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let id = text(&order, "orderId");
    let link = linked(&world, &order).await;
    link.clone().served_by(&world.container_after(Duration::from_secs(880))).order(id).await.expect(200);
    let late = link.served_by(&world.container_after(Duration::from_secs(901)));
    let problem = late.order(id).await.refused(401, "ORDER_LINK_EXPIRED");
    assert!(problem["detail"].as_str().unwrap().contains("POST /orders/lookup"));
    late.cancel(id).await.refused(401, "ORDER_LINK_EXPIRED");
    assert_eq!(world.stored_orders().await.len(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_quite_a_links_is_refused() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let id = text(&order, "orderId");
    let good = signed(token::LINK_SECRET, &claims(id));
    world.nobody().with_token(&good).order(id).await.expect(200);
    let (body, signature) = good.rsplit_once('.').unwrap();
    let another = signed(token::LINK_SECRET, &claims("01936b2e-0000-7000-8000-000000000000"));
    let secret = Signer::with_secret(token::LINK_SECRET);
    let link = json!({"alg": "HS256", "typ": "order-link+jwt"});
    let with = |name: &str, value: Value| {
        let mut header = link.clone();
        header[name] = value;
        secret.sign_under(&header, &claims(id))
    };
    for (what, token) in [
        ("another secret", signed("another-secret-of-links-for-tests-0123456789", &claims(id))),
        ("another order's claims", format!("{}.{signature}", another.rsplit_once('.').unwrap().0)),
        ("no signature", format!("{body}.")),
        ("alg none", format!("{}.", claims(id).under(&json!({"alg": "none", "typ": "order-link+jwt"})))),
        ("another audience", signed(token::LINK_SECRET, &claims(id).claim("aud", json!(token::AUDIENCE)))),
        ("no audience", signed(token::LINK_SECRET, &claims(id).without("aud"))),
        ("no expiry", signed(token::LINK_SECRET, &claims(id).without("exp"))),
        ("no order", signed(token::LINK_SECRET, &claims("ada"))),
        ("a plain type", secret.sign(&claims(id))),
        ("crit", with("crit", json!(["exp"]))),
        ("zip", with("zip", json!("DEF"))),
        ("a user's key", Signer::es256().sign_under(&json!({"alg": "ES256", "typ": "order-link+jwt"}), &claims(id))),
        ("a user's token of that type", {
            let header = json!({"alg": "ES256", "kid": "ec-1", "typ": "order-link+jwt"});
            Signer::es256().sign_under(&header, &Token::of("ada"))
        }),
        ("a user's claims", signed(token::LINK_SECRET, &Token::staff("grace"))),
    ] {
        let holder = world.nobody().with_token(&token);
        holder.order(id).await.refused(401, "INVALID_TOKEN");
        let answer = holder.set_status(id, "processing").await;
        assert_eq!(answer.status(), 401, "{what}");
    }
    let expired = signed(token::LINK_SECRET, &claims(id).expired());
    world.nobody().with_token(&expired).order(id).await.refused(401, "ORDER_LINK_EXPIRED");
}

#[tokio::test]
async fn a_secret_is_changed_without_ending_the_links_that_are_out() {
    let old = token::LINK_SECRET;
    let new = "a-new-secret-of-links-for-tests-only-0123456789";
    let world = Setup::default().unlimited().setting("ORDER_LINK_SECRET", format!("{new},{old}")).build().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let id = text(&order, "orderId");
    let link = linked(&world, &order).await;
    link.order(id).await.expect(200);
    // The first signs.
    let last = events(&world).await.pop().unwrap();
    let claimed =
        jsonwebtoken::decode::<Value>(token_of(&last), &jsonwebtoken::DecodingKey::from_secret(new.as_bytes()), &{
            let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
            validation.set_audience(&["order-link"]);
            validation
        });
    assert_eq!(claimed.unwrap().claims["sub"], id);
    world.nobody().with_token(&signed(old, &claims(id))).order(id).await.expect(200);
    let gone = signed("a-secret-of-long-ago-for-tests-only-0123456789", &claims(id));
    world.nobody().with_token(&gone).order(id).await.refused(401, "INVALID_TOKEN");
}

#[tokio::test]
async fn the_link_follows_an_order_that_moves_to_an_account() {
    let world = shop().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = text(&order, "orderId");
    let link = linked(&world, &order).await;
    let claim = json!({"guestId": guest.guest_id()});
    world.user("lovelace").post(Route::Claim, &claim).await.expect(200);
    let shown = link.order(id).await.expect(200);
    assert!(!shown.to_string().contains("lovelace"), "{shown:#}");
    // One that was asked for afterwards, too.
    let later = world.container_after(Duration::from_secs(900));
    world.nobody().served_by(&later).look_up(id, ADA).await.expect(202);
    let last = events(&world).await.pop().unwrap();
    let link = world.nobody().with_token(token_of(&last)).served_by(&later);
    assert_eq!(link.cancel(id).await.expect(200)["order"]["status"], "cancelled");
}

#[tokio::test]
async fn an_erased_order_has_no_link() {
    let world = shop().await;
    let order = world.guest().buy(&[("espresso-beans", 1)]).await;
    let (id, number) = (text(&order, "orderId"), text(&order, "orderNumber"));
    let staff = world.staff();
    for status in ["processing", "shipped", "delivered"] {
        staff.set_status(id, status).await.expect(200);
    }
    let link = linked(&world, &order).await;
    erase(&world, id).await;
    link.order(id).await.refused(404, "ORDER_NOT_FOUND");
    link.cancel(id).await.refused(404, "ORDER_NOT_FOUND");
    let told = events(&world).await.len();
    let later = world.container_after(Duration::from_secs(900));
    world.nobody().served_by(&later).look_up(number, ADA).await.expect(202);
    assert_eq!(events(&world).await.len(), told);
}

/// As the operator's command does it.
async fn erase(world: &World, id: &str) {
    let id = id.parse().unwrap();
    let orders = &world.app().orders;
    let owner = orders.dynamo.order_owner(id).await.unwrap().unwrap();
    let order = orders.dynamo.order(&owner, id).await.unwrap().unwrap();
    let context = world.app().scheduled();
    let erased = orders.erase(&order, context.now, context.attempt(context.request())).await.unwrap();
    assert!(erased.is_some());
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_and_a_lost_answer_cancels_once() {
    let world = Setup::default().unlimited().hasty_under_faults(300).build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = text(&order, "orderId");
    let link = linked(&world, &order).await;
    for operation in ["Query", "GetItem"] {
        for fault in [Fault::InternalServerError, Fault::Hang] {
            world.dynamodb.add(Rule::on(operation, fault));
            link.order(id).await.refused(503, "STORE_UNAVAILABLE");
            link.cancel(id).await.refused(503, "STORE_UNAVAILABLE");
            world.dynamodb.clear_rules();
        }
    }
    // An answer that is lost cancels once.
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::AnswerLost).times(1));
    let cancelled = link.cancel(id).await.expect(200);
    assert_eq!((&cancelled["order"]["status"], &cancelled["order"]["version"]), (&json!("cancelled"), &json!(2)));
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}
