//! What a million checkouts cost on AWS: `docs/COST.md` is made of counts of one purchase and of a table of prices.

mod measure;
mod page;
mod prices;
mod sums;

use tests::marked::Marked;

use super::costs;
use measure::Purchase;
use prices::{Prices, Stack};
use sums::Bill;

const BEGIN: &str = "<!-- figures: BLESS=1 cargo test -p tests -- checkout::bill -->\n";
const END: &str = "<!-- end of figures -->\n";

/// A step that takes more than it did makes each checkout dearer: then this fails, and the document says by how much.
#[tokio::test]
async fn a_million_checkouts_cost_what_the_document_says() {
    let (prices, stack, [purchase, short]) = (Prices::read(), Stack::read(), measure::purchases().await);
    as_in_the_table_of_costs(&purchase);
    let bill = |purchase| Bill { prices: &prices, stack: &stack, purchase };
    let figures = page::figures(&bill(&purchase), &bill(&short));
    let document = Marked::of("docs/COST.md", BEGIN, END);
    if std::env::var_os("BLESS").is_some() {
        document.write(&figures);
    } else {
        let documented = &document.text;
        let changed: Vec<_> = documented.lines().zip(figures.lines()).filter(|(was, is)| !is_same(was, is)).collect();
        let anew = "BLESS=1 cargo test -p tests -- checkout::bill writes the figures anew";
        assert!(changed.is_empty(), "what the document says, and what is: {changed:#?}\n{anew}");
        assert_eq!(documented.lines().count(), figures.lines().count(), "{anew}");
    }
}

/// The processes ask the stores just as often as the handlers of the test of costs.
fn as_in_the_table_of_costs(purchase: &Purchase) {
    for (name, row) in [
        ("initiate", "initiate"),
        ("update-address", "update-address"),
        ("calculate-shipping", "calculate-shipping, choice"),
        ("calculate-tax", "calculate-tax"),
        ("apply-coupon", "apply-coupon"),
        ("get-order", "get-order, miss"),
    ] {
        let step = purchase.steps.iter().find(|step| step.name == name).expect("a step");
        let calls = usize::try_from(step.gets + step.puts + step.transactions).expect("few");
        assert_eq!(costs::counted(row), (step.trips, step.commands, calls, step.stripe), "{name}");
    }
}

/// Words are the same, and numbers nearly: an id or a time may be some bytes longer. A count or a unit more is more than that.
fn is_same(was: &str, is: &str) -> bool {
    let words = |line: &str| line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
    let (was, is) = (words(was), words(is));
    let number = |word: &str| word.trim_end_matches([',', ';', '.']).parse::<f64>().ok();
    was.len() == is.len()
        && was.iter().zip(&is).all(|(was, is)| match (number(was), number(is)) {
            (Some(was), Some(is)) => (was - is).abs() <= f64::max(0.02, was.abs() * 0.02),
            _ => was == is,
        })
}

#[test]
fn a_unit_more_is_noticed_and_a_byte_more_is_not() {
    assert!(is_same("| initiate | 24 | 3 | 1080 | 0.90 |", "| initiate | 24 | 3 | 1083 | 0.91 |"));
    assert!(!is_same("| initiate | 24 | 3 |", "| initiate | 24 | 4 |"));
    assert!(!is_same("| initiate | 5.5 |", "| initiate | 6 |"));
    assert!(!is_same("| initiate | 24 |", "| address | 24 |"));
}
