//! Least privilege, held from both sides: what the functions ask of `DynamoDB` in the flows below is what their
//! policies in the template allow, table by table, and nothing that is allowed is never asked for.

mod search;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use shared::{adapters::stored::catalog::CatalogFile, app::needs, http::route::Route};
use tests::{
    dynamo_faults::{Fault, Rule},
    servers::root,
    world::{Setup, Shopper, World, california, id_of, total_of},
};

/// Table variable (or the index of one) and action, by function.
type Grants = BTreeMap<String, BTreeSet<(String, String)>>;

/// `OrdersTable` is what functions know as `ORDERS_TABLE`.
const TABLES: [&str; 6] =
    ["SESSIONS_TABLE", "ORDERS_TABLE", "CATALOG_TABLE", "INVENTORY_TABLE", "IDEMPOTENCY_TABLE", "ORDER_SEARCH_TABLE"];

fn variable(logical: &str) -> String {
    // `OrderSearchTable`: two words.
    let spoken = |table: &str| table.replace('_', "").eq_ignore_ascii_case(logical);
    TABLES.into_iter().find(|table| spoken(table)).unwrap_or_else(|| panic!("{logical}")).to_owned()
}

/// What a policy's resource names: `!GetAtt OrdersTable.Arn`, or `!Sub ${OrdersTable.Arn}/index/by-order-id`.
fn resource(value: &Yaml) -> String {
    let Yaml::Tagged(tagged) = value else { panic!("{value:?}") };
    let text = tagged.value.as_str().unwrap_or_else(|| panic!("{value:?}"));
    let logical = text.trim_start_matches("${").split('.').next().unwrap();
    match text.split_once("/index/") {
        Some((_, index)) => format!("{}/{index}", variable(logical)),
        None => variable(logical),
    }
}

fn granted() -> Grants {
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    let template: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    let mut grants = Grants::new();
    for resource_of in template["Resources"].as_mapping().unwrap().values() {
        let Some(code) = resource_of["Properties"]["CodeUri"].as_str() else { continue };
        let granted = grants.entry(code.trim_start_matches("functions/").trim_end_matches('/').to_owned()).or_default();
        for policy in resource_of["Properties"]["Policies"].as_sequence().into_iter().flatten() {
            for statement in policy["Statement"].as_sequence().into_iter().flatten() {
                for action in statement["Action"].as_sequence().into_iter().flatten().filter_map(Yaml::as_str) {
                    if let Some(action) = action.strip_prefix("dynamodb:") {
                        granted.insert((resource(&statement["Resource"]), action.to_owned()));
                    }
                }
            }
        }
    }
    grants
}

/// What is asked and not granted, and the other way round, in words.
fn differences(asked: &Grants, granted: &Grants) -> Vec<String> {
    let without = |these: &Grants, others: &Grants, what: &str| -> Vec<String> {
        let each = these.iter().flat_map(|(function, of)| of.iter().map(move |grant| (function, grant)));
        each.filter(|(function, grant)| !others.get(*function).is_some_and(|of| of.contains(*grant)))
            .map(|(function, (resource, action))| format!("{function}: {action} on {resource} {what}"))
            .collect()
    };
    let idle = "is granted in template.yaml, and no call in tests/suite/checkout/permissions.rs asks for it";
    [without(asked, granted, "is asked for, and not granted in template.yaml"), without(granted, asked, idle)].concat()
}

struct Watch<'a> {
    world: &'a Arc<World>,
    names: BTreeMap<String, String>,
    asked: Grants,
}

impl Watch<'_> {
    /// Runs one call of a function and notes what it asked for.
    async fn of(&mut self, function: &str, call: impl Future<Output = tests::world::Answer>) -> Value {
        self.world.dynamodb.forget_calls();
        let answer = call.await;
        self.note(function);
        assert!(answer.status() < 500, "{function}: {:#}", answer.body());
        answer.body().clone()
    }

    /// Notes what was asked for since the last call.
    fn note(&mut self, function: &str) {
        for seen in self.world.dynamodb.calls() {
            for (table, action) in self.actions(&seen.operation, &seen.request) {
                self.asked.entry(function.to_owned()).or_default().insert((table, action));
            }
        }
    }

    /// A transaction needs the permissions of its actions.
    fn actions(&self, operation: &str, request: &Value) -> Vec<(String, String)> {
        let table = |of: &Value| self.names[of["TableName"].as_str().unwrap()].clone();
        match operation {
            "TransactWriteItems" => {
                let items = request["TransactItems"].as_array().unwrap().iter();
                let actions = items.flat_map(|item| item.as_object().unwrap());
                actions.map(|(action, of)| (table(of), format!("{action}Item"))).collect()
            }
            "BatchGetItem" | "BatchWriteItem" => {
                let tables = request["RequestItems"].as_object().unwrap().keys();
                tables.map(|name| (self.names[name].clone(), operation.to_owned())).collect()
            }
            _ => {
                let index = request["IndexName"].as_str().map_or_else(String::new, |index| format!("/{index}"));
                vec![(format!("{}{index}", table(request)), operation.to_owned())]
            }
        }
    }
}

/// The sample catalog with another price, and something that costs nothing and isn't shipped.
fn dearer() -> CatalogFile {
    let mut dearer = tests::world::sample_catalog();
    dearer["products"][0]["prices"]["USD"] = json!(2099);
    let mut free = dearer["products"][0].clone();
    (free["productId"], free["prices"], free["digital"]) = (json!("leaflet"), json!({"USD": 0}), json!(true));
    free.as_object_mut().unwrap().remove("weightGrams");
    dearer["products"].as_array_mut().unwrap().push(free);
    serde_json::from_value(dearer).unwrap()
}

#[tokio::test]
async fn each_function_may_do_what_it_does_and_nothing_else() {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let names = TABLES.into_iter().map(|variable| (world.tables.name(variable), variable.to_owned())).collect();
    let mut watch = Watch { world: &world, names, asked: Grants::new() };
    let guest = world.guest();
    let keyed = async |route: Route, body: Value| guest.post_once(route, "key", &body).await;
    watch.of("health", guest.send(Route::Health, &guest.event(Route::Health))).await;
    let cart = json!({"cartItems": tests::world::cart(&[("espresso-beans", 1)])});
    watch.of("initiate", keyed(Route::Initiate, cart)).await;
    let session = watch.of("initiate", guest.initiate(&[("espresso-beans", 2)])).await;
    let id = id_of(&session);
    // Past the trust window, and past the time when activity is worth noting.
    let later =
        |shopper: &Shopper, seconds| shopper.clone().served_by(&world.container_after(Duration::from_secs(seconds)));
    watch.of("get-session", later(&guest, 100).session(id)).await;
    watch.of("update-address", later(&guest, 200).ship_to(id, &california())).await;
    watch.of("calculate-shipping", later(&guest, 300).choose_shipping(id, "us-standard")).await;
    watch.of("calculate-shipping", later(&guest, 400).shipping_offers(id)).await;
    watch.of("calculate-tax", later(&guest, 500).tax(id)).await;
    // Prices that have changed are written even by a mere calculation.
    world.app().catalog.load_catalog(&dearer(), &[].into(), || ()).await.unwrap();
    watch.of("calculate-tax", later(&guest, 550).tax(id)).await;
    watch.of("apply-coupon", later(&guest, 600).apply_coupon(id, "ONEEACH")).await;
    watch.of("remove-coupon", later(&guest, 700).remove_coupon(id)).await;
    watch.of("apply-coupon", later(&guest, 800).apply_coupon(id, "ONEEACH")).await;
    // A change that changes nothing is activity, like reading.
    let plain = world.guest();
    let bare = plain.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let bare = id_of(&bare);
    let billing = json!({"checkoutId": bare, "billingAddress": california()});
    for (at, again) in [(100, 200), (300, 400), (500, 600)] {
        let change = async |shopper: Shopper| match at {
            100 => shopper.post(Route::UpdateAddress, &billing).await,
            300 => shopper.apply_coupon(bare, "SAVE20").await,
            _ => shopper.remove_coupon(bare).await,
        };
        change(later(&plain, at)).await.expect(200);
        world.dynamodb.forget_calls();
        let function =
            ["update-address", "apply-coupon", "remove-coupon"][usize::from(at > 100) + usize::from(at > 300)];
        watch.of(function, change(later(&plain, again))).await;
    }
    watch.of("update-items", later(&guest, 850).set_items(id, &[("espresso-beans", 2), ("cbd-tea", 1)])).await;
    let with_coupon = later(&guest, 870).set_items(id, &[("espresso-beans", 2)]).await.expect(200);
    let three = [("espresso-beans", 3)];
    later(&plain, 700).set_items(bare, &three).await.expect(200);
    watch.of("update-items", later(&plain, 800).set_items(bare, &three)).await;
    let late = later(&guest, 900);
    let body = tests::world::confirmation(id, total_of(&with_coupon));
    watch.of("confirm-order", late.post_once(Route::ConfirmOrder, "key", &tests::world::confirmation(id, 1))).await;
    let order = watch.of("confirm-order", late.post_once(Route::ConfirmOrder, "key-2", &body)).await;
    watch.of("confirm-order", late.post(Route::ConfirmOrder, &body)).await;
    let order = order["order"]["orderId"].as_str().unwrap();
    watch.of("get-order", guest.order(order)).await;
    watch.of("list-orders", guest.orders()).await;
    by_link(&mut watch, order).await;
    let staff = world.staff();
    let correction = json!({"shippingAddress": {"postalCode": "94105"}, "customerInfo": {"email": "a@example.com"}, "reason": "a typo"});
    watch.of("correct-order", staff.correct(order, &correction)).await;
    watch.of("receive-stock", staff.receive("espresso-beans", 500, "DN-1042")).await;
    watch.of("update-order-status", staff.set_status(order, "processing")).await;
    watch.of("update-order-status", staff.set_status(order, "cancelled")).await;
    // Whether a customer has ordered before is looked up by whoever prices a coupon for first orders.
    let user = world.user("ada");
    let session = watch.of("initiate", user.initiate(&[("espresso-beans", 2)])).await;
    let id = id_of(&session);
    let first = json!({"cartItems": tests::world::cart(&[("espresso-beans", 1)]), "couponCodes": ["WELCOME"]});
    watch.of("initiate", user.post(Route::Initiate, &first)).await;
    watch.of("apply-coupon", user.apply_coupon(id, "WELCOME")).await;
    watch.of("update-items", user.set_items(id, &[("espresso-beans", 3)])).await;
    watch.of("update-address", user.ship_to(id, &california())).await;
    watch.of("calculate-shipping", user.choose_shipping(id, "us-standard")).await;
    let session = watch.of("calculate-tax", user.tax(id)).await;
    watch.of("apply-coupon", user.apply_coupon(id, "COFFEE5")).await;
    let one = json!({"checkoutId": id, "couponCode": "COFFEE5"});
    watch.of("remove-coupon", user.post(Route::RemoveCoupon, &one)).await;
    watch.of("confirm-order", user.confirm(id, total_of(&session))).await;
    let place = json!({"country": "US", "state": "CA", "postalCode": "94105"});
    let preview = json!({"cartItems": tests::world::cart(&[("espresso-beans", 1)]), "shippingAddress": place});
    watch.of("calculate-shipping-preview", user.post(Route::CalculateShippingPreview, &preview)).await;
    let shopper = world.guest();
    let session = shopper.fill_cart(&[("espresso-beans", 1)]).await;
    let session = shopper.apply_coupon(id_of(&session), "ONEEACH").await.expect(200);
    shopper.confirm(id_of(&session), total_of(&session)).await.expect(201);
    world.dynamodb.forget_calls();
    // Somebody else changes an order meanwhile: it is read again.
    let conflict = Fault::TransactionCanceled("ConditionalCheckFailed");
    world.dynamodb.add(Rule::on("TransactWriteItems", conflict).times(1));
    watch.of("claim", user.post(Route::Claim, &json!({"guestId": shopper.guest_id()}))).await;
    world.dynamodb.clear_rules();
    let other = guest.buy(&[("espresso-beans", 1)]).await;
    let event = guest.event_about(Route::CancelOrder, other["orderId"].as_str().unwrap()).idempotency_key("key");
    watch.of("cancel-order", guest.send(Route::CancelOrder, &event)).await;

    let leaflet = json!({"cartItems": tests::world::cart(&[("leaflet", 1)]), "billingAddress": california()});
    let leaflet = guest.post(Route::Initiate, &leaflet).await.expect(201);
    let handed = guest.confirm(id_of(&leaflet), 0).await.expect(201);
    let handed = handed["order"]["orderId"].as_str().unwrap();
    watch.of("create-fulfillment", staff.fulfill(handed, uuid::Uuid::new_v4(), &[[0, 1]])).await;

    before_a_session(&mut watch).await;
    search::watched(&mut watch).await;
    cards(&mut watch).await;

    let differences = differences(&watch.asked, &granted());
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// What a shop's pages read.
async fn before_a_session(watch: &mut Watch<'_>) {
    let nobody = watch.world.nobody();
    for route in [Route::ListRegions, Route::ListProducts, Route::GetProduct] {
        let event = nobody.event_about(route, "espresso-beans");
        watch.of(route.function(), nobody.send(route, &event)).await;
    }
}

/// In another browser than the one that bought.
async fn by_link(watch: &mut Watch<'_>, order: &str) {
    let world = Arc::clone(watch.world);
    watch.of("lookup-order", world.nobody().look_up(order, "ada@example.com")).await;
    let token = tests::world::link_token(&world, order).await;
    watch.of("get-order", world.nobody().with_token(&token).order(order)).await;
}

/// What a function tries when it is asked whether its role lets it do its work.
#[test]
fn each_function_knows_what_its_role_must_grant() {
    let mut known = Grants::new();
    for (function, _, needs) in needs::ALL {
        let of = needs.iter().flat_map(|(resource, actions)| {
            actions.iter().map(|action| ((*resource).to_owned(), (*action).to_owned()))
        });
        known.insert((*function).to_owned(), of.collect());
    }
    let granted = granted();
    for (function, grants) in &granted {
        assert_eq!(known.get(function), Some(grants), "{function}: shared/src/app/needs.rs and template.yaml differ");
    }
    for function in known.keys() {
        assert!(granted.contains_key(function), "{function} is in shared/src/app/needs.rs and not in template.yaml");
    }
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    let template: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    for resource in template["Resources"].as_mapping().unwrap().values() {
        let Some(code) = resource["Properties"]["CodeUri"].as_str() else { continue };
        let key = &resource["Properties"]["Environment"]["Variables"]["STRIPE_SECRET_KEY_FROM"];
        let function = code.trim_start_matches("functions/").trim_end_matches('/');
        assert_eq!(
            needs::asks_stripe(function) != needs::AsksStripe::Never,
            !key.is_null(),
            "{function}: shared/src/app/needs.rs and template.yaml differ"
        );
    }
}

/// What is done with the units of an order that was paid: one is refunded and restocked, one is shipped and comes back.
async fn lines(watch: &mut Watch<'_>, guest: &Shopper) {
    let world = Arc::clone(watch.world);
    let staff = world.staff();
    let session = guest.fill_cart(&[("espresso-beans", 4)]).await;
    let paid = guest.pay(id_of(&session), total_of(&session), "pm_card_visa").await.expect(201);
    let order = paid["order"]["orderId"].as_str().unwrap();
    staff.capture(order).await.expect(200);
    let id = uuid::Uuid::new_v4();
    world.dynamodb.forget_calls();
    watch.of("refund-order", staff.refund_lines(order, id, &[[0, 1]], json!({"restock": true}))).await;
    watch.of("cancel-order", staff.cancel_lines(order, id, &[[0, 1]])).await;
    watch.of("create-fulfillment", staff.fulfill(order, id, &[[0, 1]])).await;
    let of = uuid::Uuid::new_v4();
    watch.of("create-return", staff.ask_return(order, of, &[[0, 1]])).await;
    watch.of("update-return", staff.decide_return(order, of, &json!({"status": "received"}))).await;
}

/// What payments need: those that end well, and those that don't.
async fn cards(watch: &mut Watch<'_>) {
    let world = Arc::clone(watch.world);
    let world = &world;
    let (guest, staff, stripe) = (world.guest(), world.staff(), world.stripe());
    let ready = async || guest.fill_cart(&[("espresso-beans", 1)]).await;
    let pay = async |session: &Value, token: &str| guest.pay(id_of(session), total_of(session), token).await;
    let order_of = |answer: &Value| answer["order"]["orderId"].as_str().unwrap().to_owned();
    let gone = async |order: &str| {
        let intent = stripe.intent_of(order).await.unwrap();
        let path = format!("/v1/payment_intents/{}/cancel", intent["id"].as_str().unwrap());
        stripe.ask("POST", &path, "").await;
        intent
    };
    // Declined: the session goes back.
    let session = ready().await;
    watch.of("confirm-order", pay(&session, "pm_card_chargeCustomerFail")).await;
    let paid = order_of(&watch.of("confirm-order", pay(&session, "pm_card_visa")).await);
    watch.of("capture-order", staff.capture(&paid)).await;
    watch.of("refund-order", staff.refund(&paid, uuid::Uuid::new_v4(), Some(100))).await;
    lines(watch, &guest).await;
    // What the bank held is gone when it is to be taken.
    let session = ready().await;
    let held = order_of(&pay(&session, "pm_card_visa").await.expect(201));
    gone(&held).await;
    watch.of("capture-order", staff.capture(&held)).await;
    for caller in ["customer", "staff", "webhook", "reconciler"] {
        let session = ready().await;
        let order = order_of(&pay(&session, &stripe.secured().await).await.expect(202));
        match caller {
            "customer" => drop(watch.of("cancel-order", guest.cancel(&order)).await),
            "staff" => drop(watch.of("update-order-status", staff.set_status(&order, "cancelled")).await),
            "webhook" => {
                let intent = gone(&order).await;
                // Claimed meanwhile: it is looked for by its id.
                let claim = json!({"guestId": guest.guest_id()});
                world.user("grace").post(Route::Claim, &claim).await.expect(200);
                world.dynamodb.forget_calls();
                watch.of("payment-webhook", world.tell("evt_1", "payment_intent.canceled", &intent)).await;
            }
            _ => {
                // And one that can't be read, which is put off.
                let damaged = pay(&ready().await, &stripe.secured().await).await.expect(202);
                world.damage(&order_of(&damaged)).await;
                let late = world.container_after(Duration::from_secs(1900));
                world.dynamodb.forget_calls();
                world.reconcile(&late).await.unwrap();
                // Carts were left, too.
                let told = world.tell_abandoned(&world.container_after(Duration::from_secs(5400))).await.unwrap();
                assert!(told.told > 0, "{told:?}");
                watch.note("reconcile");
            }
        }
    }
    // A card is saved for an account, and removed.
    let ada = world.user("lovelace");
    let session = ada.fill_cart(&[("espresso-beans", 1)]).await;
    let mut saving = tests::world::card_confirmation(id_of(&session), total_of(&session), "pm_card_visa");
    saving["savePaymentMethod"] = json!(true);
    world.dynamodb.forget_calls();
    watch.of("confirm-order", ada.post(Route::ConfirmOrder, &saving)).await;
    let list = ada.event(Route::ListPaymentMethods);
    let listed = watch.of("list-payment-methods", ada.send(Route::ListPaymentMethods, &list)).await;
    let card = listed["paymentMethods"][0]["paymentMethodId"].as_str().unwrap();
    let removal = ada.event_about(Route::RemovePaymentMethod, card);
    watch.of("remove-payment-method", ada.send(Route::RemovePaymentMethod, &removal)).await;
    let session = ready().await;
    let order = order_of(&pay(&session, "pm_card_visa").await.expect(201));
    let mut intent = stripe.intent_of(&order).await.unwrap();
    watch.of("payment-webhook", world.tell("evt_2", "payment_intent.amount_capturable_updated", &intent)).await;
    intent["id"] = json!("pi_other");
    watch.of("payment-webhook", world.tell("evt_3", "payment_intent.succeeded", &intent)).await;
}
