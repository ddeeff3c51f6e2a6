//! docs/openapi.json is what the code says. `BLESS=1` rewrites it.

use std::fs;

use serde_json::Value;
use tests::{
    openapi::{DOCUMENT, PATH, committed},
    servers::root,
};

#[test]
fn the_document_is_what_the_code_says() {
    let document: &Value = &DOCUMENT;
    if std::env::var_os("BLESS").is_some() {
        fs::write(root().join(PATH), format!("{document:#}\n")).expect("written");
    }
    let differs = committed().as_ref() != Some(document);
    assert!(!differs, "BLESS=1 cargo test -p tests -- architecture::openapi writes {PATH} anew");
}
