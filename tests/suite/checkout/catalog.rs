//! The sample catalog, and the command that checks and loads a catalog.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
};

use serde_json::{Value, json};
use tests::{
    binaries::binary,
    servers::root,
    world::{Setup, World, id_of, sample_catalog, total_of},
};

pub(super) const SAMPLE: &str = "data/sample-catalog.json";

/// A file that goes when dropped.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn holding(catalog: &Value) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("catalog-{}.json", uuid::Uuid::new_v4()));
        fs::write(&path, catalog.to_string()).expect("a folder to write to");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs `checkout catalog …` on the tables of this world.
pub(super) async fn checkout(world: Option<&World>, arguments: &[&str], file: &Path) -> Output {
    let mut command = tokio::process::Command::new(binary("checkout"));
    command.arg("catalog").args(arguments).arg(file).current_dir(root());
    for name in ["AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB"] {
        command.env_remove(name);
    }
    command.envs(world.map(|world| world.settings().clone()).unwrap_or_default());
    command.output().await.expect("the command starts")
}

/// Everything that a loader writes.
async fn contents(world: &Arc<World>) -> BTreeMap<String, impl PartialEq + std::fmt::Debug> {
    let mut contents = BTreeMap::new();
    for table in ["CATALOG_TABLE", "INVENTORY_TABLE"] {
        for item in world.all(table).await {
            contents.insert(format!("{table} {:?}", item.get("id")), item);
        }
    }
    contents
}

#[test]
fn the_sample_catalog_has_what_others_rely_on() {
    let catalog = sample_catalog();
    let product = |id: &str| -> Value {
        let mut products = catalog["products"].as_array().expect("products").iter();
        products.find(|product| product["productId"] == id).unwrap_or_else(|| panic!("no {id}")).clone()
    };
    for (id, price, stock) in [
        ("espresso-beans", 1999, 100_000),
        ("limited-print", 2500, 5),
        ("sold-out-mug", 1500, 0),
        ("cbd-tea", 1299, 500),
    ] {
        assert_eq!((&product(id)["prices"]["USD"], &product(id)["stock"]), (&json!(price), &json!(stock)), "{id}");
        assert_eq!(product(id)["published"], true, "{id}");
    }
    assert_eq!(product("espresso-beans")["weightGrams"], 500);
    assert_eq!(product("pour-over-kit")["weightGrams"], 1200);
    let variants = product("pour-over-kit")["variants"].clone();
    let variants: Vec<_> = variants.as_array().expect("variants").iter().collect();
    let told = |v: &Value| (v["variantId"].clone(), v["prices"]["USD"].clone(), v["stock"].clone());
    let expected = [(json!("white"), json!(4999), json!(1000)), (json!("black"), json!(5499), json!(1000))];
    assert_eq!(variants.into_iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(product("cbd-tea")["notShippableTo"][0]["regions"], json!(["US-ID", "US-NE", "US-KS"]));
    assert_eq!(product("unpublished-item")["published"], false);
    let coupons: Vec<_> = catalog["coupons"].as_array().expect("coupons").iter().map(|c| c["code"].clone()).collect();
    assert_eq!(
        coupons,
        ["SAVE20", "FLAT500", "FREESHIP", "ONCE", "ONEEACH", "EXPIRED", "BEANS10", "B2G1", "WELCOME", "COFFEE5"]
    );
}

#[tokio::test]
async fn the_sample_catalog_passes_the_check() {
    let output = checkout(None, &["check"], Path::new(SAMPLE)).await;

    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("no fault"), "{output:?}");
}

#[tokio::test]
async fn every_fault_of_a_file_is_told_with_its_place_and_nothing_of_it_is_loaded() {
    let world = World::new().await;
    let before = contents(&world).await;
    let mut broken = sample_catalog();
    broken["products"][0]["weightGrams"] = json!("heavy");
    broken["products"][1]["variants"][0]["stock"] = json!(-1);
    broken["products"][2]["prices"]["USD"] = json!(19.99);
    broken["coupons"][0]["discount"]["percent"] = json!("120");
    broken["coupons"][6]["products"][0] = json!("no-such-thing");
    broken["shipping"]["zones"][0]["places"][0] = json!("Atlantis");
    broken["tax"]["jurisdictions"][3]["rates"]["standard"] = json!("lots");
    broken["extra"] = json!(1);
    let file = Scratch::holding(&broken);

    for command in ["check", "load"] {
        let output = checkout(Some(&world), &[command], &file.0).await;

        assert!(!output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        for place in [
            "/products/0/weightGrams",
            "/products/1/variants/0/stock",
            "/products/2/prices/USD",
            "/coupons/0/discount/percent",
            "/coupons/6/products/0",
            "/shipping/zones/0/places/0",
            "/tax/jurisdictions/3/rates/standard",
            "/extra",
        ] {
            assert!(said.contains(place), "{place} isn't in:\n{said}");
        }
    }
    assert!(contents(&world).await == before, "something was loaded");
}

#[tokio::test]
async fn what_is_no_catalog_is_told_in_a_sentence() {
    for text in [json!([]), json!("catalog"), json!(null), json!({})] {
        let file = Scratch::holding(&text);
        let output = checkout(None, &["check"], &file.0).await;
        assert!(!output.status.success(), "{text}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
    }
    let output = checkout(None, &["check"], Path::new("no-such-file.json")).await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-file.json"), "{output:?}");
}

#[tokio::test]
async fn loading_again_changes_nothing() {
    let world = World::new().await;
    let before = contents(&world).await;

    for _ in 0..2 {
        let output = checkout(Some(&world), &["load"], Path::new(SAMPLE)).await;
        assert!(output.status.success(), "{output:?}");
    }

    assert!(contents(&world).await == before, "loading again changed something");
}

#[tokio::test]
async fn loading_leaves_live_stock_alone_until_told_to_reset_it() {
    let world = World::new().await;
    world.guest().buy(&[("espresso-beans", 3)]).await;
    let mut changed = sample_catalog();
    changed["products"][0]["prices"]["USD"] = json!(2099);
    changed["products"][0]["stock"] = json!(70_000);
    let file = Scratch::holding(&changed);

    let output = checkout(Some(&world), &["load"], &file.0).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(world.stock("espresso-beans").await, 99_997);
    let session = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    assert_eq!((session["summary"]["subtotal"].clone(), id_of(&session).len()), (json!(2099), 36));

    let output = checkout(Some(&world), &["load", "--reset-stock", "espresso-beans"], &file.0).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(world.stock("espresso-beans").await, 70_000);
}

#[tokio::test]
async fn what_a_new_file_doesnt_name_stays_and_what_it_adds_is_for_sale() {
    let world = World::new().await;
    let mut other = sample_catalog();
    let mut mug = other["products"][3].take();
    mug["productId"] = json!("new-mug");
    mug["stock"] = json!(3);
    other["products"] = json!([mug]);
    other["coupons"] = json!([]);
    let file = Scratch::holding(&other);

    let output = checkout(Some(&world), &["load"], &file.0).await;

    assert!(output.status.success(), "{output:?}");
    assert_eq!(world.stock("new-mug").await, 3);
    let guest = world.guest();
    guest.initiate(&[("new-mug", 3), ("espresso-beans", 1)]).await.expect(201);
}

pub(super) fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_load_says_what_it_changes_and_withdraws_only_when_told_to() {
    let world = World::new().await;
    let mut other = sample_catalog();
    other["products"][0]["prices"]["USD"] = json!(2099);
    other["products"][0]["prices"]["EUR"] = json!(18);
    (other["products"][3]["productId"], other["products"][3]["stock"]) = (json!("new-mug"), json!(5));
    let coupons = other["coupons"].as_array_mut().unwrap();
    coupons.retain(|coupon| coupon["code"] != "SAVE20");
    let file = Scratch::holding(&other);
    let before = contents(&world).await;

    let tried = checkout(Some(&world), &["load", "--dry-run", "--prune"], &file.0).await;
    let (dry, complaints) = (said(&tried), String::from_utf8_lossy(&tried.stderr).into_owned());
    assert!(contents(&world).await == before, "a dry run changed something");
    let old = sample_catalog()["products"][3]["productId"].as_str().unwrap().to_owned();
    let gone = [format!("product {old}"), "coupon SAVE20".to_owned()];
    for line in ["Added: product new-mug", "Changed: product espresso-beans"] {
        assert!(dry.contains(line), "{line} isn't in:\n{dry}");
    }
    assert!(
        gone.iter().all(|entry| dry.contains(&format!("Withdrawn, because the file doesn't name it: {entry}"))),
        "{dry}"
    );

    let slips: Vec<&str> = complaints.lines().filter(|line| line.contains("moves from")).collect();
    let [slip] = slips.as_slice() else { panic!("{complaints}") };
    assert!(slip.contains("the price of espresso-beans moves from") && slip.contains("to 0.18 EUR"), "{slip}");

    let loaded = said(&checkout(Some(&world), &["load"], &file.0).await);
    assert!(
        gone.iter().all(|entry| loaded.contains(&format!("Left on sale, though the file doesn't name it: {entry}"))),
        "{loaded}"
    );
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1), ("new-mug", 1)]).await.expect(201);
    guest.apply_coupon(id_of(&session), "SAVE20").await.expect(200);

    let pruned = said(&checkout(Some(&world), &["load", "--prune"], &file.0).await);
    assert!(pruned.contains("2 withdrawn"), "{pruned}");
    let session = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    world.guest().initiate(&[(&old, 1)]).await.refused(404, "PRODUCT_NOT_FOUND");
    guest.apply_coupon(id_of(&session), "SAVE20").await;
    let again = said(&checkout(Some(&world), &["load", "--prune"], &file.0).await);
    assert!(again.contains("0 to add, 0 to change"), "{again}");
    let unknown = checkout(Some(&world), &["load", "--reset-stock", "espresso-bean"], &file.0).await;
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no stock of espresso-bean"), "{unknown:?}");
}

#[tokio::test]
async fn rules_that_no_item_takes_are_told_before_anything_is_loaded() {
    let world = World::new().await;
    let before = contents(&world).await;
    let mut large = sample_catalog();
    let codes: Vec<_> = (0..60_000).map(|n| format!("{:05}", 30_000 + n)).collect();
    let place = json!({"region": "US", "postalCodes": codes});
    large["shipping"]["zones"][0]["except"] = json!([place]);
    let file = Scratch::holding(&large);
    for command in ["check", "load"] {
        let output = checkout(Some(&world), &[command], &file.0).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("rules of shipping") && said.contains("409600"), "{said}");
    }
    assert!(contents(&world).await == before, "something was loaded");
}

/// Runs `checkout product off …` or `checkout coupon off …`.
pub(super) async fn off(world: &World, kind: &str, name: &str) -> Output {
    let mut command = tokio::process::Command::new(binary("checkout"));
    command.args([kind, "off", name]).current_dir(root()).env_remove("AWS_SESSION_TOKEN");
    command.envs(world.settings().clone()).output().await.expect("the command starts")
}

#[tokio::test]
async fn what_is_taken_off_is_off_at_once_in_open_sessions_too() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let session = guest.apply_coupon(id_of(&session), "SAVE20").await.expect(200);
    let total = session["summary"]["totalAmount"].as_i64().unwrap();

    assert!(said(&off(&world, "coupon", "save20").await).contains("COUPON_NO_LONGER_VALID"));
    guest.confirm(id_of(&session), total).await.refused(409, "COUPON_UNKNOWN");
    let again = off(&world, "coupon", "SAVE20").await;
    assert!(
        !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("no coupon SAVE20"),
        "{again:?}"
    );

    assert!(said(&off(&world, "product", "espresso-beans").await).contains("PRODUCT_UNAVAILABLE"));
    world.guest().initiate(&[("espresso-beans", 1)]).await.refused(404, "PRODUCT_NOT_FOUND");
    guest.remove_coupon(id_of(&session)).await;
    guest.confirm(id_of(&session), total).await.refused(409, "PRODUCT_UNAVAILABLE");

    said(&checkout(Some(&world), &["load"], Path::new(SAMPLE)).await);
    let session = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    assert_eq!(session["problems"], json!([]));
}

#[tokio::test]
async fn a_promotion_is_on_every_cart_until_it_is_taken_off() {
    let mut catalog = sample_catalog();
    let tenth = json!({"code": "Tea week", "automatic": true, "discount": {"type": "percentage", "percent": "10"}});
    catalog["coupons"].as_array_mut().unwrap().push(tenth);
    let world = Setup::default().catalog(catalog).build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let promotion = &session["coupons"][0];
    assert_eq!((&promotion["couponCode"], &promotion["automatic"]), (&json!("TEA WEEK"), &json!(true)));
    let discount = promotion["discountAmount"].as_i64().unwrap();
    assert!(discount > 0 && session["coupon"].is_null(), "{session:#}");
    guest.apply_coupon(id_of(&session), "Tea week").await.refused(422, "COUPON_UNKNOWN");

    // What can't be combined with it takes its place, and leaves it again.
    let with = guest.apply_coupon(id_of(&session), "SAVE20").await.expect(200);
    assert_eq!(with["coupon"]["couponCode"], "SAVE20");
    assert_eq!(with["coupons"].as_array().map(Vec::len), Some(1), "{with:#}");
    let without = guest.remove_coupon(id_of(&session)).await.expect(200);
    assert_eq!(without["coupons"], session["coupons"]);
    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201)["order"].take();
    assert_eq!((&order["coupons"], &order["summary"]["discountAmount"]), (&session["coupons"], &json!(discount)));

    let open = guest.fill_cart(&[("espresso-beans", 1)]).await;
    said(&off(&world, "coupon", "tea week").await);
    guest.confirm(id_of(&open), total_of(&open)).await.refused(409, "TOTAL_CHANGED");
    assert!(guest.session(id_of(&open)).await.expect(200)["coupons"][0].is_null());
    let again = off(&world, "coupon", "tea week").await;
    assert!(!again.status.success(), "{again:?}");
}

#[tokio::test]
async fn a_coupon_that_becomes_automatic_can_not_be_entered_any_more() {
    let world = World::new().await;
    let mut catalog = sample_catalog();
    catalog["coupons"][0]["automatic"] = json!(true);
    let code = catalog["coupons"][0]["code"].as_str().unwrap().to_owned();
    for counted in ["totalLimit", "customerLimit", "firstOrderOnly"] {
        catalog["coupons"][0].as_object_mut().unwrap().remove(counted);
    }
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    guest.apply_coupon(id_of(&session), &code).await.expect(200);
    let file = Scratch::holding(&catalog);
    let plan = said(&checkout(Some(&world), &["load"], &file.0).await);
    assert!(plan.contains(&code), "{plan}");
    let other = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    assert_eq!(other["coupons"][0]["automatic"], true, "{other:#}");
    guest.remove_coupon(id_of(&session)).await.expect(200);
    guest.apply_coupon(id_of(&session), &code).await.refused(422, "COUPON_UNKNOWN");
}
