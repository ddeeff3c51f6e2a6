//! Reads a catalog file and finds all of its faults at once.
//!
//! A deserializer stops at the first value of a wrong shape. So the file is read repeatedly, each time with something else
//! in place of the value that stopped it, or without its list entry (a product, a variant, a shipping method, …), until
//! the rest has the right shape and its content can be checked.

mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use shared::{adapters::stored::catalog::CatalogFile, domain::invalid::Invalid};

use words::{Misshapen, with_code};

/// The text of a catalog file with its base tax rates: `"baseRates": "tax-rates.json"` in its `tax` names a file in the
/// same folder. Its jurisdictions are added after the file's own, except those whose id the file has itself. Values of
/// a wrong shape stay, so that [`read`] reports them.
///
/// # Errors
/// When one of the files can't be read.
pub fn open(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let Ok(mut document) = serde_json::from_str::<Value>(&text) else { return Ok(text) };
    let Some(name) = document.pointer("/tax/baseRates").and_then(Value::as_str) else { return Ok(text) };
    let base = fs::read_to_string(file.with_file_name(name))?;
    let base: Value = serde_json::from_str(&base).map_err(io::Error::other)?;
    let Some(tax) = document.get_mut("tax").and_then(Value::as_object_mut) else { return Ok(text) };
    tax.remove("baseRates");
    let id = |jurisdiction: &Value| jurisdiction.get("jurisdictionId").cloned();
    if let Some(own) = tax.entry("jurisdictions").or_insert_with(|| json!([])).as_array_mut() {
        let known: Vec<_> = own.iter().map(id).collect();
        let base = base.get("jurisdictions").and_then(Value::as_array).into_iter().flatten();
        own.extend(base.filter(|jurisdiction| !known.contains(&id(jurisdiction))).cloned());
    }
    Ok(document.to_string())
}

/// Reads and checks a catalog file.
///
/// # Errors
/// Every fault with its JSON pointer in the file.
pub fn read(text: &str) -> Result<CatalogFile, Vec<Invalid>> {
    let document =
        serde_json::from_str(text).map_err(|error| vec![Invalid::new("", format!("isn't JSON: {error}"))])?;
    let Value::Object(parts) = &document else {
        return Err(vec![Invalid::new("", "must be an object")]);
    };
    let mut reading = Reading::new(parts.clone());
    let file = reading.shape();
    let mut faults = reading.faults;
    let senseless = file.and_then(|file| file.check().err()).unwrap_or_default();
    let senseless = senseless.into_iter().map(|fault| reading.pruned.restore(fault));
    let senseless = senseless.filter(|fault| !reading.replaced.iter().any(|at| is_within(&fault.pointer, at)));
    // A list that lacks entries because of their shape may seem empty.
    let senseless = senseless.filter(|fault| !reading.pruned.entries.contains_key(&fault.pointer));
    faults.extend(senseless.map(|fault| with_code(&document, fault)));
    without_consequences(&document, &mut faults);
    if faults.is_empty() {
        // A duplicate name in an object can be found only in the text.
        return serde_json::from_str(text).map_err(|error| vec![Invalid::new("", error.to_string())]);
    }
    Err(faults)
}

/// A file from which values of a wrong shape are removed.
struct Reading {
    document: Value,
    faults: Vec<Invalid>,
    pruned: Pruned,
    /// The pointers in the whole file of what was replaced: its content says nothing.
    replaced: Vec<String>,
}

/// The required parts of the file, each with its empty form.
fn parts() -> [(&'static str, Value); 9] {
    [
        ("products", json!([])),
        ("coupons", json!([])),
        ("shipping", json!({"zones": []})),
        ("tax", json!({"jurisdictions": []})),
        ("taxExemptions", json!([])),
        ("currencies", Value::Null),
        ("paymentMethods", Value::Null),
        ("cashOnDelivery", Value::Null),
        ("cards", Value::Null),
    ]
}

/// Values of every shape, the most harmless first.
fn stand_ins() -> [Value; 9] {
    [
        Value::Null,
        json!([]),
        json!({}),
        json!("x"),
        json!(1),
        json!(false),
        json!({"type": "freeShipping"}),
        json!({"type": "flat", "amounts": {}}),
        json!({"min": 1, "max": 1}),
    ]
}

fn is_within(pointer: &str, at: &str) -> bool {
    pointer.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The optional parts of the file.
const OPTIONAL: [&str; 6] = ["coupons", "taxExemptions", "currencies", "paymentMethods", "cashOnDelivery", "cards"];

impl Reading {
    /// The parts are checked one by one, so unknown and missing ones are handled first.
    fn new(mut document: Map<String, Value>) -> Self {
        let mut faults = Vec::new();
        document.retain(|name, _| {
            let known = parts().iter().any(|(part, _)| part == name);
            if !known {
                faults.push(Invalid::new(pointer([name.as_str()]), "is unknown here"));
            }
            known
        });
        for (part, empty) in parts() {
            if !document.contains_key(part) {
                if !OPTIONAL.contains(&part) {
                    faults.push(Invalid::new(pointer([part]), "is missing"));
                }
                document.insert(part.to_owned(), empty);
            }
        }
        Self { document: Value::Object(document), faults, pruned: Pruned::default(), replaced: Vec::new() }
    }

    /// Replaces or removes all values of a wrong shape, and notes a fault for each.
    fn shape(&mut self) -> Option<CatalogFile> {
        loop {
            let (path, message) = match self.parse() {
                Ok(file) => return Some(file),
                Err(stopped) => stopped,
            };
            let why = Misshapen::of(&message);
            let mut at = path.clone();
            if let Misshapen::Missing(member) = why {
                at.push(member.to_owned());
            }
            let here = pointer(at.iter().map(String::as_str));
            let original = self.pruned.original(&here);
            let detail = why.detail(&message, &here, self.document.pointer(&here));
            self.faults.push(Invalid::new(original.clone(), detail));
            // A value that was replaced already, and still has a wrong shape, leaves with its entry.
            let is_replaced = !self.replaced.contains(&original) && self.replace(&at, &why);
            if is_replaced {
                self.replaced.push(original);
            } else if !self.prune(path) {
                return None;
            }
        }
    }

    /// The file, or the steps to the value of a wrong shape that stopped it, and the message.
    fn parse(&self) -> Result<CatalogFile, (Vec<String>, String)> {
        serde_path_to_error::deserialize(&self.document)
            .map_err(|error| (steps(error.path()), error.inner().to_string()))
    }

    /// Puts something of the right shape in the place of a value, so that what comes after it is read too. False if
    /// nothing fits there.
    fn replace(&mut self, at: &[String], why: &Misshapen<'_>) -> bool {
        let Some((last, parent)) = at.split_last() else { return false };
        let parent = pointer(parent.iter().map(String::as_str));
        let here = pointer(at.iter().map(String::as_str));
        let Some(Value::Object(members)) = self.document.pointer_mut(&parent) else { return false };
        if matches!(why, Misshapen::Unknown(_)) {
            return members.remove(last).is_some();
        }
        let before = members.get(last).cloned();
        for candidate in stand_ins() {
            if let Some(Value::Object(members)) = self.document.pointer_mut(&parent) {
                members.insert(last.clone(), candidate);
            }
            let stopped = self.parse().err().map(|(path, _)| pointer(path.iter().map(String::as_str)));
            if stopped.is_none_or(|stopped| !is_within(&stopped, &here)) {
                return true;
            }
        }
        if let Some(Value::Object(members)) = self.document.pointer_mut(&parent) {
            match before {
                Some(before) => drop(members.insert(last.clone(), before)),
                None => drop(members.remove(last)),
            }
        }
        false
    }

    /// Removes the innermost list entry of this path, or empties the part that contains it.
    fn prune(&mut self, mut path: Vec<String>) -> bool {
        while let Some(last) = path.pop() {
            let list = pointer(path.iter().map(String::as_str));
            let index = last.parse::<usize>().ok();
            if let (Some(Value::Array(entries)), Some(index)) = (self.document.pointer_mut(&list), index) {
                if index >= entries.len() {
                    return false;
                }
                entries.remove(index);
                self.pruned.remember(&list, index);
                return true;
            }
            let empty = parts().into_iter().find(|(part, _)| path.is_empty() && *part == last);
            if let (Some((part, empty)), Value::Object(document)) = (empty, &mut self.document) {
                let before = document.insert(part.to_owned(), empty.clone());
                return before != Some(empty);
            }
        }
        false
    }
}

/// The removed list entries, to calculate where the rest is in the whole file.
#[derive(Default)]
struct Pruned {
    /// By the list's pointer in the whole file: indexes in it, ascending.
    entries: BTreeMap<String, BTreeSet<usize>>,
}

impl Pruned {
    fn remember(&mut self, list: &str, index: usize) {
        let list = self.original(list);
        let index = self.original_index(&list, index);
        self.entries.entry(list).or_default().insert(index);
    }

    fn restore(&self, fault: Invalid) -> Invalid {
        Invalid::new(self.original(&fault.pointer), fault.detail)
    }

    /// Converts a place in the rest of the file to its place in the whole file.
    fn original(&self, place: &str) -> String {
        place.split('/').skip(1).fold(String::new(), |list, step| {
            let step =
                step.parse().map_or_else(|_| step.to_owned(), |index| self.original_index(&list, index).to_string());
            format!("{list}/{step}")
        })
    }

    fn original_index(&self, list: &str, index: usize) -> usize {
        let gone = self.entries.get(list).into_iter().flatten();
        gone.fold(index, |index, gone| if *gone <= index { index + 1 } else { index })
    }
}

/// Removes the faults of coupons whose products are in the file but have faults themselves.
fn without_consequences(document: &Value, faults: &mut Vec<Invalid>) {
    let products = faults.iter().filter_map(|fault| {
        let index = fault.pointer.strip_prefix("/products/")?.split('/').next()?;
        document.pointer(&format!("/products/{index}/productId")).cloned()
    });
    let blamed: Vec<Value> = products.collect();
    faults.retain(|fault| {
        let named = fault.pointer.starts_with("/coupons/").then(|| document.pointer(&fault.pointer)).flatten();
        !named.is_some_and(|named| fault.pointer.contains("/products/") && blamed.contains(named))
    });
}

/// The steps of a path, as in a JSON pointer.
fn steps(path: &serde_path_to_error::Path) -> Vec<String> {
    let steps = path.iter().map_while(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        // An enum variant is not a step in the file, so the steps after it are unknown.
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect()
}

fn pointer<'a>(steps: impl IntoIterator<Item = &'a str>) -> String {
    steps.into_iter().fold(String::new(), |pointer, step| {
        let step = step.replace('~', "~0").replace('/', "~1");
        format!("{pointer}/{step}")
    })
}

#[cfg(test)]
mod tests {
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
            ("/products/0/categories", json!("coffee"), "must be a list"),
            ("/products/0/name", json!(7), "write it in quotes: \"7\""),
            ("/coupons/0/startsAt", json!("2026-12-01"), "add a time and an offset: 2026-12-01T00:00:00+01:00"),
            (
                "/coupons/0/startsAt",
                json!("2026-12-01T08:00:00"),
                "add an offset: 2026-12-01T08:00:00+01:00, or 2026-12-01T08:00:00Z for UTC",
            ),
            ("/coupons/0/startsAt", json!("soon"), "must be a time with an offset, such as 2026-12-01T00:00:00+01:00"),
            ("/coupons/0/customerlimit", json!(1), "is unknown here; did you mean \"customerLimit\"?"),
            ("/coupons/0/colour", json!(1), "is unknown here"),
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
            "/coupons/0/discount",
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
        let text = sample().to_string().replacen('{', r#"{"coupons":[],"#, 1);
        assert!(read(&text).is_err_and(|faults| faults[0].detail.contains("duplicate field")));
    }
}
