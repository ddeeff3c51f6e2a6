//! States, provinces and regions as people write them, and rules that hold for them.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::TestRunner};
use shared::domain::{
    invalid::Faults,
    pasted,
    place::{Destination, Fit, RawDestination, Region},
    postal_code,
    postal_codes::PostalCodes,
};

use super::agreement::cases;

/// Country, code or `-`, and the ways to write it.
const STATES: &str = include_str!("../../data/states.tsv");

fn there(country: &str, state: &str) -> Destination {
    let state = Some(state.to_owned());
    Destination::restore(&RawDestination { country: country.to_owned(), state, ..RawDestination::default() })
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    STATES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        (fields[0], fields[1], fields[2].split('|').collect())
    })
}

#[test]
fn states_are_known_as_people_write_them() {
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (country, code, names) in rows() {
        for name in names {
            *ways.entry(country).or_default() += 1;
            let there = there(country, name);
            let meant = if code == "-" { country } else { code };
            if there.label() != meant {
                wrong.push(format!("{name} in {country} is {}, not {meant}", there.label()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ways.len() >= 15 && ways.values().all(|ways| *ways >= 10), "{ways:?}");
}

#[test]
fn case_spaces_and_points_change_nothing() {
    for (country, _, names) in rows() {
        for name in names {
            let meant = there(country, name);
            let (upper, lower) = (name.to_uppercase(), name.to_lowercase());
            let pasted = format!("\u{200E}\u{a0}{}\u{200B} ", name.replace(' ', "\u{3000}"));
            let dashes = name.replace('-', "\u{2011}").replace('\'', "’");
            for other in [upper, lower, pasted, dashes] {
                assert_eq!(there(country, &other).label(), meant.label(), "{other:?} in {country}");
            }
        }
    }
}

#[test]
fn what_an_address_says_is_what_it_says_when_it_is_read_again() {
    for (country, _, names) in rows() {
        for name in names {
            let meant = there(country, name);
            let again = there(meant.country(), meant.state().unwrap_or_default());
            assert_eq!((again.label(), again.state()), (meant.label(), meant.state()), "{name} in {country}");
        }
    }
}

#[test]
fn a_name_that_is_not_known_leaves_a_rule_open() {
    let region: Region = "GB-NIR".parse().expect("a region");
    assert!(matches!(region.fit(&there("GB", "Derry/Londonderry area")), Fit::Unsure { .. }));
    let raw =
        RawDestination { country: "US".to_owned(), state: Some("Carolina".to_owned()), ..RawDestination::default() };
    let mut faults = Faults::default();
    let parsed = Destination::parse(&mut faults, &raw);
    let faults = faults.finish(parsed).expect_err("which Carolina?");
    assert_eq!(faults[0].pointer, "/state");
}

#[test]
fn whatever_is_pasted_is_read_the_same_when_it_is_read_again() {
    let countries = prop::sample::select(vec!["US", "GB", "FR", "FI", "PR", "CN", "JP", "IE", "NL", "HK"]);
    // Letters and marks that combine, with what is taken out from between them.
    let marks = "[a-zÄΣטאは\u{5b0}-\u{5bc}\u{300}-\u{330}\u{3099}\u{fb3c}\u{200d}\u{ad}' .·0٣ㆍ\u{3164}]{0,12}";
    let text =
        prop_oneof!["[ -~]{0,30}", "\\PC{0,20}", any::<String>(), "[A-Z]{1,2}[0-9]{1,2}[A-Z]? ?[0-9][A-Z]{2}", marks];
    TestRunner::new(cases(2000))
        .run(&(countries, text.clone(), text), |(country, state, code)| {
            for text in [&state, &code] {
                let line = pasted::line(text);
                prop_assert_eq!(&pasted::line(&line), &line);
                let folded = pasted::folded(text);
                prop_assert_eq!(&pasted::folded(&folded), &folded);
                let code = pasted::code(text);
                prop_assert_eq!(&pasted::code(&code), &code);
            }
            let raw = RawDestination {
                country: country.to_owned(),
                state: Some(state),
                postal_code: Some(code),
                county: None,
            };
            let there = Destination::restore(&raw);
            let again = Destination::restore(&RawDestination {
                country: there.country().to_owned(),
                state: there.state().map(ToOwned::to_owned),
                postal_code: there.postal_code().map(ToOwned::to_owned),
                county: None,
            });
            prop_assert_eq!(again.label(), there.label());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_code_is_among_those_that_begin_as_it_does() {
    let codes = "[A-PR-UWYZ][A-HK-Y]?[1-9][0-9]? [0-9][ABD-HJLN-UW-Z]{2}";
    TestRunner::new(cases(2000))
        .run(&(codes, "[0-9]{5}", 1..5_usize), |(british, german, length)| {
            let (outward, _) = british.split_once(' ').unwrap_or_default();
            let area = outward.trim_end_matches(|c: char| c.is_ascii_digit());
            for rule in [&british, outward, area, &format!("{area}0-{outward}"), &format!("{outward}-{area}99")] {
                let rule = PostalCodes::parse("GB", rule).map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert!(rule.contain("GB", &british), "{:?}", rule);
            }
            let longer = PostalCodes::parse("GB", &format!("{outward}0"));
            prop_assert!(
                !longer.is_ok_and(|rule| rule.check("GB").is_ok() && rule.contain("GB", &british))
                    || british.contains(" 0")
            );
            let rule =
                PostalCodes::parse("DE", &german[..length]).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(rule.contain("DE", &postal_code::tidy(&german)));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
