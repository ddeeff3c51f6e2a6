//! docs/API.md lists the codes of the code, no fewer and no more.

use std::collections::BTreeSet;

use serde_json::json;
use shared::domain::{cart_issue::CartIssue, coupon::CouponRefusal};
use strum::{IntoEnumIterator as _, VariantNames as _};
use tests::problem_codes::{LISTED, check, rows};

use super::{Source, sources, tokens};

/// Not codes, though they look like some: methods, and what a test of the source says.
const OTHERS: [&str; 6] = ["CODE", "DELETE", "HEAD", "PATCH", "POST", "SCREAMING_SNAKE_CASE"];

/// The codes that the source names.
fn named(sources: &[Source]) -> BTreeSet<String> {
    let tokens = sources.iter().flat_map(|source| tokens::of(&source.text));
    let texts = tokens.filter_map(|token| token.text().map(ToOwned::to_owned));
    let is_code = |text: &String| {
        text.len() > 3
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            && !OTHERS.contains(&text.as_str())
    };
    texts.filter(is_code).collect()
}

#[test]
fn the_document_lists_every_code_and_no_other() {
    let mut sources = sources(&["shared/src/http", "shared/src/app"]);
    // The rest of `app` knows the names of settings too.
    sources.retain(|source| !source.path.starts_with("shared/src/app/") || source.path.ends_with("/serve.rs"));
    let mut all = named(&sources);
    all.extend(CouponRefusal::iter().map(|refusal| refusal.code().to_owned()));
    // Whoever confirms the new total accepts a changed price: it refuses nothing.
    all.extend(CartIssue::VARIANTS.iter().filter(|code| **code != "PRICE_CHANGED").map(|code| (*code).to_owned()));
    assert_eq!(LISTED.keys().cloned().collect::<BTreeSet<_>>(), all);
}

#[test]
fn a_problem_that_differs_from_its_row_is_found() {
    let listed = rows("| `GONE` | 404, 410 | `orderId` | no | … |\n| `BUSY` | 503 | | yes | … |");
    let problem = |code: &str| json!({"type": "about:blank", "title": "T", "status": 404, "code": code, "detail": "D"});
    let found = |status, problem: &serde_json::Value, retry| check(&listed, status, problem, retry).unwrap_err();
    check(&listed, 404, &problem("GONE"), false).unwrap();
    check(&listed, 503, &problem("BUSY"), true).unwrap();
    let mut with = problem("GONE");
    with["orderId"] = json!("1");
    check(&listed, 410, &with, false).unwrap();

    assert_eq!(found(404, &problem("OTHER"), false), "docs/API.md doesn't list OTHER");
    assert!(found(409, &problem("GONE"), false).contains("here it is a 409"));
    assert!(found(404, &problem("GONE"), true).contains("Retry-After"));
    assert!(found(503, &problem("BUSY"), false).contains("Retry-After"));
    with["left"] = json!(1);
    assert_eq!(found(404, &with, false), "docs/API.md doesn't list [\"left\"] of GONE");
    let mut without = problem("GONE");
    without.as_object_mut().unwrap().remove("detail");
    assert_eq!(found(404, &without, false), "GONE has no detail");
}

#[test]
fn a_code_in_the_source_is_found() {
    let source = Source::new("x.rs", r#"fn f() { Problem::new(404, "NOT_THERE", "A title", "text"); g("POST") }"#);
    assert_eq!(named(&[source]), BTreeSet::from(["NOT_THERE".to_owned()]));
}
