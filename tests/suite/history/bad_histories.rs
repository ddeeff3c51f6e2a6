//! The checker catches what it is for.

use std::time::Duration;

use super::{
    check::{Answers, Trust, check},
    record::{Ask, Operation, Told},
};

fn document(version: u64, a: &str, b: &str) -> Told {
    Told::Document { version, fields: vec![("a", a.to_owned()), ("b", b.to_owned())] }
}

/// From one moment to another; the clocks agree.
fn operation(at: (u64, u64), ask: Ask, told: Told) -> Operation {
    let (called, answered) = at;
    let time = |tick: u64| Duration::from_millis(tick * 100);
    Operation { client: 0, document: 0, ask, told, called, answered, began: time(called), ended: time(answered) }
}

fn set(at: (u64, u64), field: &'static str, value: &str, told: Told) -> Operation {
    operation(at, Ask::Set { field, value: value.to_owned() }, told)
}

fn read(at: (u64, u64), told: Told) -> Operation {
    operation(at, Ask::Read, told)
}

/// Two changes at once, of which the second builds upon the first, and a read.
fn good() -> Vec<Operation> {
    vec![
        set((1, 4), "a", "1", document(2, "1", "-")),
        set((2, 5), "b", "2", document(3, "1", "2")),
        read((6, 7), document(3, "1", "2")),
    ]
}

const SECOND: Trust = Trust::For(Duration::from_secs(1));

#[track_caller]
fn caught(history: &[Operation], last: &Told, trust: Trust, words: &str) {
    let error = check(history, 0, last, trust, Answers::Arrive).expect_err("a bad history");
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_good_history_passes() {
    let last = document(3, "1", "2");
    check(&good(), 0, &last, Trust::Never, Answers::Arrive).unwrap();
    // A change of which nobody knows may have been made, or not.
    let mut with_unknown = good();
    with_unknown.push(set((8, 9), "a", "9", Told::Nothing));
    check(&with_unknown, 0, &last, Trust::Never, Answers::Arrive).unwrap();
    check(&with_unknown, 0, &document(4, "9", "2"), Trust::Never, Answers::Arrive).unwrap();
    // Something old, within trust.
    let mut old = good();
    old.push(read((10, 11), document(2, "1", "-")));
    check(&old, 0, &last, SECOND, Answers::Arrive).unwrap();
}

#[test]
fn a_lost_update_is_caught() {
    let last = document(3, "1", "2");
    caught(&good(), &document(3, "1", "-"), Trust::Never, "one version is two documents");
    let mut without = good();
    without[1].told = document(3, "-", "2");
    without[2].told = document(3, "-", "2");
    caught(&without, &document(3, "-", "2"), Trust::Never, "a change is lost: a must be");
    let mut twice = good();
    twice[1].told = document(2, "-", "2");
    caught(&twice, &last, Trust::Never, "two changes are the same version");
    let mut back = good();
    back.push(set((8, 9), "a", "3", document(1, "3", "2")));
    caught(&back, &last, Trust::Never, "a later change is an earlier version");
    caught(&good(), &document(5, "1", "2"), Trust::Never, "the last version is 5");
    caught(&good()[..1], &document(1, "-", "-"), Trust::Never, "the last version is 1");
}

#[test]
fn a_change_whose_answer_was_lost_may_be_made_again_and_still_loses_nothing() {
    let history = [
        set((1, 8), "a", "1", document(4, "1", "2")),
        // Seen before it was acknowledged, because it was made before, too.
        read((2, 3), document(2, "1", "-")),
        set((4, 5), "b", "2", document(3, "1", "2")),
    ];
    check(&history, 0, &document(4, "1", "2"), Trust::Never, Answers::MayBeLost).unwrap();
    caught(&history, &document(4, "1", "2"), Trust::Never, "the last version is 4");
    let mut lost = history;
    lost[0].told = document(4, "1", "-");
    check(&lost, 0, &document(4, "1", "-"), Trust::Never, Answers::MayBeLost).unwrap_err();
}

#[test]
fn a_change_whose_answer_was_lost_may_find_itself_in_the_version_of_another() {
    let last = document(3, "1", "2");
    let history = |end: u64| [set((1, end), "a", "1", last.clone()), set((4, 5), "b", "2", last.clone())];
    check(&history(8), 0, &last, Trust::Never, Answers::MayBeLost).unwrap();
    caught(&history(8), &last, Trust::Never, "two changes are the same version");
    // It had ended before the other began: two changes from one version, of which one is lost.
    let apart = check(&history(3), 0, &last, Trust::Never, Answers::MayBeLost);
    assert!(apart.unwrap_err().contains("two changes are the same version"));
    // It is not in the version that it was told.
    let without = document(3, "-", "2");
    let history = [set((1, 8), "a", "1", without.clone()), set((4, 5), "b", "2", without.clone())];
    let gone = check(&history, 0, &without, Trust::Never, Answers::MayBeLost);
    assert!(gone.unwrap_err().contains("a change is lost: a must be"));
}

#[test]
fn something_shown_for_too_long_is_caught() {
    let last = document(3, "1", "2");
    let mut old = good();
    old.push(read((6, 7), document(2, "1", "-")));
    caught(&old, &last, Trust::Never, "had been replaced before");
    let mut older = good();
    older.push(read((16, 17), document(2, "1", "-")));
    caught(&older, &last, SECOND, "1s is allowed");
}
