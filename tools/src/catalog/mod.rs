//! Reads a catalog file and finds all of its faults at once.
//!
//! A deserializer stops at the first value of a wrong shape. So the file is read repeatedly, each time with something else
//! in place of the value that stopped it, or without its list entry (a product, a variant, a shipping method, …), until
//! the rest has the right shape and its content can be checked.

mod duplicates;
mod reading;
mod words;

use std::{fs, io, path::Path};

use serde_json::{Value, json};
use shared::{
    adapters::stored::catalog::CatalogFile,
    domain::invalid::{Invalid, is_within},
};

use duplicates::duplicates;
use reading::Reading;
use words::with_code;

/// The text of a catalog file with its base tax rates: `"baseRates": "tax-rates.json"` in its `tax` names a file in the
/// same folder. Its jurisdictions are added after the file's own, except those whose id the file has itself. Values of
/// a wrong shape stay, so that [`read`] reports them.
///
/// # Errors
/// When one of the files can't be read.
pub fn open(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    // A document keeps one of two members, so these are told of the text as it is.
    if !duplicates(&text).is_empty() {
        return Ok(text);
    }
    let Ok(mut document) = serde_json::from_str::<Value>(&text) else { return Ok(text) };
    let Some(name) = document.pointer("/tax/baseRates").and_then(Value::as_str) else { return Ok(text) };
    let of_base = |error: String| io::Error::other(format!("{name}, which its baseRates names: {error}"));
    let base = fs::read_to_string(file.with_file_name(name)).map_err(|error| of_base(error.to_string()))?;
    let base: Value = serde_json::from_str(&base).map_err(|error| of_base(error.to_string()))?;
    let Some(base) = base.get("jurisdictions").and_then(Value::as_array) else {
        return Err(of_base("it has no list of jurisdictions".to_owned()));
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
/// Every fault with its JSON pointer in the file.
pub fn read(text: &str) -> Result<CatalogFile, Vec<Invalid>> {
    let document =
        serde_json::from_str(text).map_err(|error| vec![Invalid::new("", format!("isn't JSON: {error}"))])?;
    let Value::Object(parts) = &document else {
        return Err(vec![Invalid::new("", "must be an object")]);
    };
    let twice = duplicates(text);
    if !twice.is_empty() {
        return Err(twice);
    }
    let mut reading = Reading::new(parts.clone());
    let file = reading.shape();
    let mut faults = reading.faults;
    let senseless = file.and_then(|file| file.check().err()).unwrap_or_default();
    let senseless = senseless.into_iter().map(|fault| reading.pruned.restore(fault));
    let senseless = senseless.filter(|fault| !reading.replaced.iter().any(|at| is_within(&fault.pointer, at)));
    // A list that lacks entries because of their shape may seem empty.
    let senseless = senseless.filter(|fault| !reading.pruned.holds(&fault.pointer));
    faults.extend(senseless.map(|fault| with_code(&document, fault)));
    without_consequences(&document, &mut faults);
    if faults.is_empty() {
        return serde_json::from_str(text).map_err(|error| vec![Invalid::new("", error.to_string())]);
    }
    Err(faults)
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

#[cfg(test)]
mod tests;
