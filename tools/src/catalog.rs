//! Reads a catalog file and finds all of its faults at once.
//!
//! A deserializer stops at the first value of a wrong shape. So the file is read repeatedly, each time without the list
//! entry (a product, a variant, a shipping method, …) that stopped it, until the rest has the right shape and its
//! content can be checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use shared::{adapters::stored::catalog::CatalogFile, domain::invalid::Invalid};

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
    let Some(base) = base.get("jurisdictions").and_then(Value::as_array) else {
        return Err(io::Error::other(format!("{name} has no list of jurisdictions")));
    };
    let Some(tax) = document.get_mut("tax").and_then(Value::as_object_mut) else { return Ok(text) };
    tax.remove("baseRates");
    let id = |jurisdiction: &Value| jurisdiction.get("jurisdictionId").cloned();
    if let Some(own) = tax.entry("jurisdictions").or_insert_with(|| json!([])).as_array_mut() {
        let known: Vec<_> = own.iter().map(id).collect();
        own.extend(base.iter().filter(|jurisdiction| !known.contains(&id(jurisdiction))).cloned());
    }
    Ok(document.to_string())
}

/// Reads and checks a catalog file.
///
/// # Errors
/// Every fault with its JSON pointer in the file. For values of a wrong shape, one fault for each list entry.
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
    faults.extend(senseless.into_iter().map(|fault| reading.pruned.restore(fault)));
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
}

/// The parts of the file, each with its empty form.
fn parts() -> [(&'static str, Value); 8] {
    [
        ("$schema", json!("")),
        ("products", json!([])),
        ("coupons", json!([])),
        ("shipping", json!({"zones": []})),
        ("tax", json!({"jurisdictions": []})),
        ("taxExemptions", json!([])),
        ("cashOnDelivery", Value::Null),
        ("cards", Value::Null),
    ]
}

/// The optional parts of the file.
const OPTIONAL: [&str; 5] = ["$schema", "coupons", "taxExemptions", "cashOnDelivery", "cards"];

/// The members that are objects with known members.
const OBJECTS: [&str; 11] = [
    "shipping",
    "tax",
    "cashOnDelivery",
    "cards",
    "discount",
    "cost",
    "deliveryDays",
    "onlyFor",
    "onlyWith",
    "notFor",
    "with",
];

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
        Self { document: Value::Object(document), faults, pruned: Pruned::default() }
    }

    /// Removes all values of a wrong shape, and notes a fault for each.
    fn shape(&mut self) -> Option<CatalogFile> {
        loop {
            let error = match serde_path_to_error::deserialize::<_, CatalogFile>(&self.document) {
                Ok(file) => {
                    for fault in misread(&self.document, "") {
                        self.faults.push(self.pruned.restore(fault));
                    }
                    return Some(file);
                }
                Err(error) => error,
            };
            let path = steps(error.path());
            let at = self.pruned.original(&pointer(path.iter().map(String::as_str)));
            self.faults.push(Invalid::new(at, error.inner().to_string()));
            if !self.prune(path) {
                return None;
            }
        }
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

/// What a deserializer reads, though nobody means it: a list with the values of an object's members in their order, and
/// a choice by its number, or as an object.
fn misread(value: &Value, at: &str) -> Vec<Invalid> {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, part)| (name.clone(), part)).collect(),
        Value::Array(entries) => entries.iter().enumerate().map(|(index, part)| (index.to_string(), part)).collect(),
        _ => return Vec::new(),
    };
    let within = parts.into_iter().flat_map(|(name, part)| {
        let wrong = match part {
            // No list has lists as its entries.
            Value::Array(_) if value.is_array() || OBJECTS.contains(&name.as_str()) => {
                Some("must be an object, not a list")
            }
            Value::Object(_) if name == "stock" || name == "exportPrices" => Some("must not be an object"),
            Value::Number(_) if name == "type" => Some("must be a text"),
            _ => None,
        };
        let at = format!("{at}{}", pointer([name.as_str()]));
        let own = wrong.map(|detail| Invalid::new(at.clone(), detail));
        own.into_iter().chain(misread(part, &at))
    });
    within.collect()
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
        let text = sample().to_string().replacen('{', r#"{"coupons":[],"#, 1);
        assert!(read(&text).is_err_and(|faults| faults[0].detail.contains("duplicate field")));
    }
}
