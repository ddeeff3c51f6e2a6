//! Every fault of a file at its place, in the words of its author.

use super::*;

fn sample() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/sample-catalog.json");
    serde_json::from_str(&open(&file).unwrap()).unwrap()
}

fn faults(value: &Value) -> Vec<String> {
    read(&value.to_string()).err().unwrap_or_default().iter().map(|fault| fault.pointer.clone()).collect()
}

#[test]
fn the_sample_catalog_has_no_fault() {
    assert_eq!(faults(&sample()), Vec::<String>::new());
}

#[test]
fn the_name_of_its_schema_is_a_text_that_nothing_reads() {
    let mut file = sample();
    assert!(file["$schema"].is_string());
    file["$schema"] = json!(7);
    assert_eq!(faults(&file), ["/$schema"]);
    file.as_object_mut().map(|file| file.remove("$schema"));
    assert_eq!(faults(&file), Vec::<String>::new());
}

#[test]
fn every_fault_is_told_at_its_place_in_the_whole_file() {
    let mut file = sample();
    file["products"][0]["weightGrams"] = json!("heavy");
    file["products"][1]["variants"][0]["stock"] = json!(-1);
    file["products"][1]["variants"][1]["prices"]["EUR"] = json!(-5);
    file["products"][3]["name"] = json!(" ");
    file["coupons"][1]["discount"] = json!({"type": "gift"});
    file["coupons"][2]["code"] = json!("not a code!");
    file["shipping"]["zones"][1]["methods"][0]["colour"] = json!("red");
    file["tax"]["jurisdictions"][0]["rates"]["standard"] = json!("lots");
    let expected = [
        "/coupons/1/discount/type",
        "/coupons/2/code",
        "/products/0/weightGrams",
        "/products/1/variants/0/stock",
        "/products/1/variants/1/prices/EUR",
        "/products/3/name",
        "/shipping/zones/1/methods/0/colour",
        "/tax/jurisdictions/0/rates/standard",
    ];
    let mut found = faults(&file);
    found.sort();
    assert_eq!(found, expected);
}

/// Each line is a change of the sample, and what is said of it.
#[test]
fn faults_are_told_in_the_words_of_the_author() {
    for (at, wrong, expected) in [
        ("/products/0/prices/USD", json!(899.00), "write cents: 89900"),
        ("/products/0/prices/EUR", json!("18.5"), "write cents: 1850"),
        ("/products/0/prices/JPY", json!(2900.0), "write a whole number: 2900"),
        ("/products/0/prices/USD", json!("1899"), "write the number without quotes: 1899"),
        (
            "/products/0/prices/USD",
            json!(18.999),
            "must be a whole number of minor units; USD has 2 decimals, so 18.999 can't be paid",
        ),
        ("/products/0/weightGrams", json!(0.5), "must be a whole number"),
        ("/products/0/published", json!("yes"), "must be true or false"),
        ("/products/0/lowStockAt", json!(0), "must be 1 to 1000000000 units"),
        ("/products/0/lowStockAt", json!(-5), "must be 1 to 1000000000 units"),
        ("/products/0/lowStockAt", json!(1_000_000_001), "must be 1 to 1000000000 units"),
        ("/products/0/lowStockAt", json!(2.5), "must be a whole number"),
        ("/products/0/lowStockAt", json!("5"), "write the number without quotes: 5"),
        ("/products/0/lowStockAt", json!("few"), "must be a whole number"),
        ("/products/0/lowstockat", json!(5), "is unknown here; did you mean \"lowStockAt\"?"),
        (
            "/products/1/lowStockAt",
            json!(5),
            "must be left out: each variant has its own stock, so each has its own of this",
        ),
        ("/products/0/stockParts", json!(0), "must be 1 to 64 parts"),
        ("/products/0/stockParts", json!(65), "must be 1 to 64 parts"),
        ("/products/0/stockParts", json!(-1), "must be 1 to 64 parts"),
        ("/products/0/stockParts", json!(2.5), "must be a whole number"),
        ("/products/0/stockParts", json!("8"), "write the number without quotes: 8"),
        (
            "/products/1/stockParts",
            json!(8),
            "must be left out: each variant has its own stock, so each has its own of this",
        ),
        ("/coupons/3/limitParts", json!(0), "must be 1 to 64 parts"),
        ("/coupons/3/limitParts", json!(65), "must be 1 to 64 parts"),
        ("/coupons/3/limitParts", json!(2.5), "must be a whole number"),
        ("/coupons/3/limitParts", json!("8"), "write the number without quotes: 8"),
        ("/coupons/0/limitParts", json!(8), "needs a `totalLimit` beside it"),
        ("/products/0/categories", json!("coffee"), "must be a list"),
        ("/products/0/name", json!(7), "write it in quotes: \"7\""),
        ("/coupons/0/startsAt", json!("2026-12-01"), "add a time and an offset: 2026-12-01T00:00:00+01:00"),
        (
            "/coupons/0/startsAt",
            json!("2026-12-01T08:00:00"),
            "add an offset: 2026-12-01T08:00:00+01:00, or 2026-12-01T08:00:00Z for UTC",
        ),
        ("/coupons/0/startsAt", json!("soon"), "must be a time with an offset, such as 2026-12-01T00:00:00+01:00"),
        ("/coupons/0/discount", json!({"type": "percentage", "percent": 10}), "write it in quotes: \"10\""),
        ("/coupons/0/discount", json!({"type": "fixed", "amounts": {"EUR": 4.99}}), "write cents: 499"),
        ("/shipping/zones/0/methods/0/cost", json!({"type": "flat", "amounts": {"USD": "5.90"}}), "write cents: 590"),
        ("/coupons/0/customerlimit", json!(1), "is unknown here; did you mean \"customerLimit\"?"),
        ("/coupons/0/colour", json!(1), "is unknown here"),
        ("/curencies", json!({"default": "EUR"}), "is unknown here; did you mean \"currencies\"?"),
        ("/copons", json!([]), "is unknown here; did you mean \"coupons\"?"),
        ("/notes", json!("x"), "is unknown here"),
        ("/shipping/zones/0/places", json!(["UK"]), "UK is GB"),
        ("/shipping/zones/0/places", json!(["Germany"]), "Germany is DE"),
        ("/shipping/zones/0/places", json!(["us-ca"]), "us-ca is US-CA"),
        ("/shipping/zones/0/places", json!([{"region": "uk"}]), "uk is GB"),
        ("/products/0/prices", json!({"usd": 5}), "usd is USD"),
        ("/products/0/prices", json!({"€": 5}), "€ is EUR"),
    ] {
        let mut file = sample();
        let (parent, member) = at.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap()[member] = wrong.clone();
        let faults = read(&file.to_string()).err().unwrap_or_default();
        let details: Vec<&str> = faults.iter().map(|fault| fault.detail.as_str()).collect();
        assert_eq!(details, [expected], "{at} {wrong}: {faults:?}");
    }
}

#[test]
fn a_member_of_a_discount_or_a_cost_that_is_unknown_is_told_alone() {
    let mut file = sample();
    file["coupons"][0]["discount"] = json!({"type": "percentage", "percent": "10", "perCent": "20"});
    assert_eq!(faults(&file), ["/coupons/0/discount/perCent"]);
    let mut file = sample();
    let amounts = json!({"type": "flat", "amounts": {"USD": 500}, "perStepp": 5});
    file["shipping"]["zones"][0]["methods"][0]["cost"] = amounts;
    assert_eq!(faults(&file), ["/shipping/zones/0/methods/0/cost/perStepp"]);
}

#[test]
fn all_faults_of_one_entry_are_told_at_once() {
    let mut file = sample();
    let product = file["products"][0].as_object_mut().unwrap();
    product.remove("name");
    product.remove("published");
    product.insert("prices".to_owned(), json!({"USD": 18.99, "EUR": "x", "eur": 5}));
    product.insert("stock".to_owned(), json!(-1));
    product.insert("taxcode".to_owned(), json!("standard"));
    file["coupons"][0]["discount"] = json!({"type": "percentage", "percent": 10});
    file["coupons"][0]["code"] = json!("not a code!");
    let mut found = faults(&file);
    found.sort();
    let expected = [
        "/coupons/0/code",
        "/coupons/0/discount/percent",
        "/products/0/name",
        "/products/0/prices/EUR",
        "/products/0/prices/USD",
        "/products/0/prices/eur",
        "/products/0/published",
        "/products/0/stock",
        "/products/0/taxcode",
    ];
    assert_eq!(found, expected);
}

#[test]
fn unknown_and_missing_parts_hide_no_other_fault() {
    let mut file = sample();
    file["prodcuts"] = json!([]);
    file["shipping"] = json!(7);
    file["products"][0]["name"] = json!("");
    file.as_object_mut().map(|file| file.remove("tax"));
    let mut found = faults(&file);
    found.sort();
    assert_eq!(found, ["/prodcuts", "/products/0/name", "/shipping", "/tax"]);
}

#[test]
fn what_nobody_means_is_not_read() {
    let mut file = sample();
    file["shipping"]["zones"][0]["methods"][0]["deliveryDays"] = json!([3, 5]);
    file["shipping"]["zones"][0]["methods"][1]["onlyFor"] = json!([]);
    file["coupons"][0]["discount"] = json!(["percentage", "20"]);
    file["coupons"][2]["discount"]["type"] = json!(3);
    file["products"][0]["stock"] = json!({"unlimited": null});
    file["tax"]["exportPrices"] = json!({"keep": null});
    file["products"][4]["notShippableTo"][0]["regions"] = json!([["US", null, []]]);
    let expected = [
        "/coupons/0/discount",
        "/coupons/2/discount/type",
        "/products/0/stock",
        "/products/4/notShippableTo/0/regions/0",
        "/shipping/zones/0/methods/0/deliveryDays",
        "/shipping/zones/0/methods/1/onlyFor",
        "/tax/exportPrices",
    ];
    let mut found = faults(&file);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_coupon_isnt_blamed_for_a_product_with_a_fault() {
    let mut file = sample();
    file["products"][0]["stock"] = json!([]);
    assert_eq!(faults(&file), ["/products/0/stock"]);
    file["products"][0]["stock"] = json!(1);
    file["products"][0]["name"] = json!("");
    assert_eq!(faults(&file), ["/products/0/name"]);
}

#[test]
fn a_name_that_stands_twice_is_found() {
    let text = sample().to_string();
    for (once, twice, at) in [
        ("\"published\":true", "\"published\":true,\"published\":false", "/products/0/published"),
        ("\"EUR\":2190", "\"EUR\":2190,\"EUR\":12", "/products/0/prices/EUR"),
        ("\"tax\":", "\"tax\":{},\"tax\":", "/tax"),
    ] {
        let text = text.replacen(once, twice, 1);
        let faults = read(&text).err().unwrap_or_default();
        let told: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.detail.as_str())).collect();
        assert_eq!(told, [(at, "stands here twice: which one is meant?")]);
    }
}

#[test]
fn a_name_that_stands_twice_is_found_beside_base_rates_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, rates) = (folder.path().join("shop.json"), folder.path().join("rates.json"));
    fs::write(&rates, json!({"jurisdictions": []}).to_string()).expect("a file");
    let mut sample = sample();
    sample["tax"]["baseRates"] = json!("rates.json");
    let text = sample.to_string().replacen("\"EUR\":2190", "\"EUR\":2190,\"EUR\":12", 1);
    fs::write(&file, text).expect("a file");
    let opened = open(&file).expect("a text");
    assert!(read(&opened).is_err_and(|faults| faults.len() == 1 && faults[0].pointer == "/products/0/prices/EUR"));

    fs::write(&file, sample.to_string().replace("rates.json", "none.json")).expect("a file");
    let missing = open(&file).expect_err("it isn't there").to_string();
    assert!(missing.starts_with("none.json, which its baseRates names: "), "{missing}");
}
