//! Each value of the full catalog left out, replaced and joined by a strange one: the loader refuses what the schema
//! refuses, and more only by rules that no schema can say.

use std::collections::BTreeSet;

use proptest::{
    prelude::any,
    sample::Index,
    test_runner::{TestCaseError, TestRunner},
};
use serde_json::{Number, Value, json};
use shared::domain::invalid::Invalid;

use super::{
    super::{agreement::cases, random, shop::whole},
    BASE_RATES, FULL_RATES, Folder, Held, Schema,
};

const NAMES: &str = "what is named must be in the file";
const TWICE: &str = "an id is unique";
const COMPARED: &str = "two values are compared";
const LISTS: &str = "the schema would have to list all of the world";
const OVERLAP: &str = "times are compared";
const FILES: &str = "another file is read";

/// What only the loader can know: where its fault is (the last steps, `*` is any), a part of what it says, and why.
const ONLY_THE_LOADER: &[(&str, &str, &str)] = &[
    ("discount/methods/*", "there is no shipping method", NAMES),
    ("discount/zones/*", "there is no zone", NAMES),
    ("coupons/*/products/*", "there is no product", NAMES),
    ("paymentMethods/*/feeTaxCode", "no jurisdiction has a rate", NAMES),
    ("jurisdictions/*/priceLimits/*", "must be a tax code of this jurisdiction's rates", NAMES),
    ("paymentMethods/*/countries", "an earlier entry", COMPARED),
    ("paymentMethods/*/feeTaxCode", "has no effect without a fee", COMPARED),
    ("maximumTotals/*", "must not be below minimumTotals", COMPARED),
    ("coupons/*/excludedProducts/*", "there is no product", NAMES),
    ("products/*/taxCode", "no jurisdiction has a rate", NAMES),
    ("jurisdictions/*/categories/*", "must be a tax code of this jurisdiction's rates", NAMES),
    ("tax/exportPrices", "sellerCountry must be a country with a jurisdiction", NAMES),
    ("products/*/productId", "twice", TWICE),
    ("variants/*/variantId", "twice", TWICE),
    ("coupons/*/code", "twice", TWICE),
    ("zones/*/zoneId", "twice", TWICE),
    ("methods/*/shippingMethodId", "twice", TWICE),
    ("jurisdictions/*/jurisdictionId", "twice", TWICE),
    ("taxExemptions/*/certificateNumber", "twice", TWICE),
    ("products/*/minPerOrder", "must not be more than maxPerOrder", COMPARED),
    ("methods/*/deliveryDays", "min not above max", COMPARED),
    ("methods/*/maximumValue", "must not be below minimumValue", COMPARED),
    ("methods/*/maximumWeightGrams", "must not be below minimumWeightGrams", COMPARED),
    ("cost/steps/*", "ascend", COMPARED),
    ("endsAt", "must be after startsAt", COMPARED),
    ("jurisdictions/*/places", "must be of one country", COMPARED),
    ("postalCodes/*", "must be the beginning of postal codes", LISTS),
    ("regions/*", "must be an ISO 3166 code", LISTS),
    ("places/*", "must be an ISO 3166 code", LISTS),
    ("countries/*", "must be an ISO 3166 code", LISTS),
    ("*/region", "must be an ISO 3166 code", LISTS),
    ("tax/sellerCountry", "must be an ISO 3166 code", LISTS),
    ("holidays/*", "must be a date", LISTS),
    ("scheduledPrices/*", "overlaps", OVERLAP),
    ("scheduledRates/*", "overlaps", OVERLAP),
    ("tax/baseRates", "(os error", FILES),
];

fn matches(pattern: &str, pointer: &str) -> bool {
    let (mut last, mut found) = (pattern.rsplit('/'), pointer.rsplit('/'));
    last.all(|step| found.next().is_some_and(|found| step == "*" || step == found))
}

/// A whole number of any size.
fn number(number: i128) -> Value {
    let whole = i64::try_from(number).map(Number::from).or_else(|_| u64::try_from(number).map(Number::from));
    // Beyond what JSON readers take as a whole number.
    #[expect(clippy::cast_precision_loss, reason = "it is the nearest that can be written")]
    whole.map_or_else(|_| json!(number as f64), Value::Number)
}

/// Values to put in place of one.
fn instead(schema: &Schema, held: &Held<'_>) -> Vec<Value> {
    let mut values =
        vec![json!(null), json!(true), json!(false), json!(7.5), json!([]), json!({}), json!(""), json!("#")];
    for words in held.parts.iter().filter_map(|part| schema.at(part)) {
        let bound = |word: &str| words[word].as_i64().map(i128::from).or_else(|| words[word].as_u64().map(i128::from));
        values.extend(bound("minimum").into_iter().flat_map(|least| [number(least), number(least - 1)]));
        values.extend(bound("maximum").into_iter().flat_map(|most| [number(most), number(most + 1)]));
        if words["enum"].is_array() || !words["const"].is_null() {
            values.extend([json!(0), json!({held.value.as_str().unwrap_or_default(): null})]);
        }
    }
    let is = |part: &str| held.parts.contains(part);
    if is("/$defs/time") {
        values.extend(["1999-12-31T23:59:59Z", "2999-01-01T00:00:00+01:00", "2026-12-01"].map(Value::from));
    } else if held.value.is_string() {
        values.extend(["ZZ", "FR", "2026-02-30"].map(Value::from));
    }
    if let Some(members) = held.value.as_object() {
        values.push(members.values().cloned().collect());
        values.push(json!([members]));
    }
    values.retain(|value| value != held.value);
    values
}

/// Every change of a document: what it is, and the document after it.
fn changes(schema: &Schema, part: &str, document: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for held in schema.walk(part, document) {
        let at = &held.pointer;
        for value in instead(schema, &held) {
            let mut changed = document.clone();
            *changed.pointer_mut(at).expect("a value") = value.clone();
            all.push((format!("{at} = {value}"), changed));
        }
        if held.value.is_object() {
            let mut changed = document.clone();
            let members = changed.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
            members.insert("nobody-knows-this".to_owned(), json!(1));
            all.push((format!("{at} with an unknown member"), changed));
        }
        if let Some((list, name)) = at.rsplit_once('/') {
            let mut changed = document.clone();
            match changed.pointer_mut(list).expect("what it is in") {
                Value::Object(members) => drop(members.remove(name)),
                Value::Array(entries) => {
                    let entry = entries.remove(name.parse().expect("an index"));
                    let mut twice = document.clone();
                    twice.pointer_mut(list).and_then(Value::as_array_mut).expect("a list").push(entry);
                    all.push((format!("{at} twice"), twice));
                }
                _ => panic!("{list} has no members"),
            }
            all.push((format!("{at} left out"), changed));
        }
    }
    all
}

/// What the comparison of all changes has found.
#[derive(Default)]
struct Compared {
    differences: Vec<String>,
    /// The rules that some change has met.
    met: BTreeSet<usize>,
    taken: usize,
    refused: usize,
}

impl Compared {
    fn note(&mut self, schema: &Schema, part: &str, (change, document): &(String, Value), faults: Vec<Invalid>) {
        if !schema.takes(part, document) {
            self.refused += 1;
            if faults.is_empty() {
                let found = schema.faults(part, document);
                self.differences.push(format!("{change}: the loader takes it, the schema refuses it: {found:?}"));
            }
            return;
        }
        self.taken += 1;
        for Invalid { pointer, detail, .. } in faults {
            let is = |(pattern, part, _): &(&str, &str, &str)| matches(pattern, &pointer) && detail.contains(part);
            let rule = ONLY_THE_LOADER.iter().position(is);
            self.met.extend(rule);
            if rule.is_none() {
                self.differences.push(format!("{change}: the schema takes it, the loader refuses {pointer}: {detail}"));
            }
        }
    }
}

#[test]
fn the_loader_and_the_schema_refuse_the_same_catalogs() {
    let schema = Schema::read();
    let folder = Folder::new();
    let (catalogs, rates) = (super::full(), super::json(FULL_RATES));
    let mut compared = Compared::default();
    for change in catalogs.iter().flat_map(|catalog| changes(&schema, "", catalog)) {
        let faults = folder.faults(&change.1, &rates);
        compared.note(&schema, "", &change, faults);
    }
    let [catalog, _] = catalogs;
    for change in changes(&schema, BASE_RATES, &rates) {
        let faults = folder.faults(&catalog, &change.1);
        compared.note(&schema, BASE_RATES, &change, faults);
    }
    let Compared { differences, met, taken, refused } = compared;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(taken > 300 && refused > 3000, "{taken} changes were taken, {refused} refused");
    let unmet = ONLY_THE_LOADER.iter().enumerate().filter(|(rule, _)| !met.contains(rule));
    let unmet: Vec<_> = unmet.map(|(_, rule)| rule).collect();
    assert!(unmet.is_empty(), "no change meets these rules: {unmet:?}");
}

/// Of random catalogs, one value changed: never does the schema alone refuse it.
#[test]
fn the_schema_refuses_no_random_catalog_that_the_loader_takes() {
    let schema = Schema::read();
    let strategy = (random::case(), any::<Index>(), any::<Index>());
    let result = TestRunner::new(cases(500)).run(&strategy, |(case, held, value)| {
        let catalog = whole(&case.catalog);
        let walked = schema.walk("", &catalog);
        let held = held.get(&walked);
        let values = instead(&schema, held);
        let value = value.get(&values);
        let mut changed = catalog.clone();
        *changed.pointer_mut(&held.pointer).expect("a value") = value.clone();
        if schema.takes("", &changed) || tools::catalog::read(&changed.to_string()).is_err() {
            return Ok(());
        }
        Err(TestCaseError::fail(format!("{} = {value}: {:?}", held.pointer, schema.faults("", &changed))))
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
