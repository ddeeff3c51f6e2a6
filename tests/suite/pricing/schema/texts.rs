//! Codes, ids, percentages and times: no pattern of the schema refuses what the code reads.

use serde_json::{Value, json};
use shared::domain::{
    ids::{Category, CertificateNumber, CouponCode, ProductId, ShippingMethodId, TaxCode, UserId, VariantId},
    money::{Currency, Rate},
    place::Region,
    tax_category::TaxCategory,
};
use strum::VariantArray;
use time::{
    Date, OffsetDateTime,
    format_description::well_known::{Iso8601, Rfc3339},
};

use super::{SCHEMA, Schema};

/// What people write, and what they shouldn't.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "a b",
    "a  b",
    "a#b",
    "a/b",
    "a.b",
    "-",
    "_",
    "&",
    "10% off",
    " tea ",
    "\ttea\n",
    "ｔｅａ",
    "\u{FEFF}tea",
    "tea\u{200B}",
    "früh-2026",
    "春のセール",
    "🎁",
    "espresso\u{2013}beans",
    "A\u{0}B",
    "auth0|42",
    "auth0 42",
    "ada#1",
    "~!",
    "é",
    "standard",
    "7.25",
    "100",
    "100.0",
    "100.0000",
    "100.0001",
    "101",
    "099",
    "007.5",
    "000",
    "00",
    "0",
    "0.0001",
    "0.00001",
    "1e2",
    ".5",
    "5.",
    "-1",
    "+1",
    " 5",
    "7,25",
    "1000",
    "1_0",
    "٧",
    "US",
    "us",
    "USA",
    "XX",
    "US-CA",
    "US-ca",
    "GB-NIR",
    "GB-BFS",
    "FR-974",
    "NL-BQ1",
    "BQ-BO",
    "US-",
    "US-AE",
    "PR",
    "USD",
    "usd",
    "XYZ",
    "Christmas",
    "2026-12-25",
    "20261225",
    "2026-W52-5",
    "2026W525",
    "2026-360",
    "2026360",
    "+002026-12-25",
    "-2026-12-25",
    "2026-13-45",
    "2026-02-30",
    "2026-12-25T10:00:00Z",
    "2026-12-25 10:00:00Z",
    "2026-12-25t10:00:00z",
    "2026-12-25T10:00:00",
    "2026-12-25T10:00Z",
    "2026-12-25T10:00:00.5Z",
    "2026-12-25T10:00:00.123456789123Z",
    "2026-12-25T10:00:00+01:00",
    "2026-12-25T10:00:00-23:59",
    "2026-12-25T10:00:00+24:00",
    "2026-12-25T10:00:00+0100",
    "2026-12-25T24:00:00Z",
    "2026-12-31T23:59:60Z",
    "2026-02-30T10:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "12026-12-25T10:00:00Z",
    "2026-12-25T10:00:00Z ",
];

/// Whether the code reads a text.
type Reads = fn(&str) -> bool;

/// Where the schema has a form, whether the code reads a text there, and whether the schema knows as much as the code.
const FORMS: &[(&str, Reads, bool)] = &[
    ("/$defs/product/properties/productId", |text| text.parse::<ProductId>().is_ok(), false),
    ("/$defs/variant/properties/variantId", |text| text.parse::<VariantId>().is_ok(), false),
    ("/$defs/method/properties/shippingMethodId", |text| text.parse::<ShippingMethodId>().is_ok(), false),
    ("/$defs/scope/properties/products/items", |text| text.parse::<ProductId>().is_ok(), false),
    ("/$defs/coupon/properties/code", |text| text.parse::<CouponCode>().is_ok(), false),
    ("/$defs/certificate/properties/certificateNumber", |text| text.parse::<CertificateNumber>().is_ok(), false),
    ("/$defs/certificate/properties/userId", |text| text.parse::<UserId>().is_ok(), true),
    ("/$defs/product/properties/categories/items", |text| text.parse::<Category>().is_ok(), true),
    ("/$defs/product/properties/taxCode", |text| text.parse::<TaxCode>().is_ok(), true),
    ("/$defs/taxCode", |text| text.parse::<TaxCode>().is_ok(), true),
    ("/$defs/percentage", |text| text.parse::<Rate>().is_ok(), true),
    ("/$defs/buyGetDiscount/properties/percent", |text| text.parse::<Rate>().is_ok(), true),
    ("/$defs/currency", |text| text.parse::<Currency>().is_ok(), true),
    ("/$defs/region", |text| text.parse::<Region>().is_ok(), false),
    ("/$defs/time", |text| OffsetDateTime::parse(text, &Rfc3339).is_ok(), false),
    ("/$defs/shipping/properties/holidays/items", |text| Date::parse(text, &Iso8601::DATE).is_ok(), false),
];

#[test]
fn no_pattern_refuses_what_the_code_reads() {
    let schema = Schema::read();
    let lengths = [1, 2, 39, 40, 41, 63, 64, 65, 127, 128, 129];
    let long = lengths.iter().flat_map(|length| ["x", "ж", "% "].map(|part| part.repeat(*length)));
    let texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).chain(long).collect();
    let mut differences = Vec::new();
    for (part, reads, exact) in FORMS {
        assert!(texts.iter().any(|text| reads(text)) && texts.iter().any(|text| !reads(text)), "{part}");
        for text in &texts {
            match (reads(text), schema.takes(part, &json!(text))) {
                (true, false) => differences.push(format!("{part} refuses {text:?}, which the code reads")),
                (false, true) if *exact => differences.push(format!("{part} takes {text:?}, which the code refuses")),
                _ => {}
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_lists_of_currencies_and_categories_are_those_of_the_code() {
    let schema = Schema::read();
    let list = |part: &str| -> Vec<String> {
        let list = schema.at(part).and_then(Value::as_array).unwrap_or_else(|| panic!("{SCHEMA} has no {part}"));
        list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    let letters = || 'A'..='Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c]))));
    let currencies: Vec<String> = codes.filter(|code| code.parse::<Currency>().is_ok()).collect();
    assert_eq!(list("/$defs/currency/enum"), currencies);
    let categories: Vec<_> = TaxCategory::VARIANTS.iter().map(|category| category.name().to_owned()).collect();
    assert_eq!(list("/$defs/jurisdiction/properties/categories/propertyNames/enum"), categories);
}

#[test]
fn every_region_may_be_written() {
    let schema = Schema::read();
    let countries = rust_iso3166::ALL.iter().map(|country| country.alpha2.to_owned());
    let parts = rust_iso3166::ALL.iter().filter_map(|country| country.subdivisions()).flatten();
    let all: Vec<String> = countries.chain(parts.map(|part| part.code.to_owned())).collect();
    assert!(all.len() > 4000, "only {}", all.len());
    for code in all.iter().filter(|code| code.parse::<Region>().is_ok()) {
        assert!(schema.takes("/$defs/region", &json!(code)), "{code}");
    }
}
