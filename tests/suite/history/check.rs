//! The rules that a record must keep. Pure: the record, and what the database holds in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::record::{Ask, Operation, Told};

/// For how long something old may be shown after what replaced it was acknowledged.
#[derive(Clone, Copy, Debug)]
pub enum Trust {
    Never,
    For(Duration),
}

/// Whether a write may take effect without its writer hearing of it. Then somebody else may write before it is tried
/// again: the change is made a second time, on top of theirs, or is found there already, within their version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Arrive,
    MayBeLost,
}

/// Clocks are read, and cut off, to the millisecond.
const GRAIN: Duration = Duration::from_millis(5);

/// Finds what breaks a rule, and says what it is.
///
/// # Errors
/// The rule, and the operations.
pub fn check(
    operations: &[Operation],
    document: usize,
    last: &Told,
    trust: Trust,
    answers: Answers,
) -> Result<(), String> {
    let mine: Vec<&Operation> = operations.iter().filter(|operation| operation.document == document).collect();
    let done: Vec<&Operation> = mine.iter().copied().filter(|o| o.is_change() && o.version().is_some()).collect();
    let unknown: Vec<&Operation> = mine.iter().copied().filter(|o| o.is_change() && o.version().is_none()).collect();
    versions_are_unique_and_in_order(&done, answers)?;
    one_version_is_one_document(&mine, last)?;
    for (told, by) in mine.iter().map(|o| (&o.told, Some(*o))).chain([(last, None)]) {
        nothing_is_lost(told, by, &done, &unknown, answers)?;
    }
    let Told::Document { version, .. } = last else { return Err("there is no last state".to_owned()) };
    let again = if answers == Answers::MayBeLost { done.len() } else { 0 };
    let fewest = versions_made(&done);
    let most = (done.len() + unknown.len() + again) as u64;
    if !(fewest..=most).contains(&(version - 1)) {
        return Err(format!("{fewest} to {most} changes took effect, and the last version is {version}"));
    }
    mine.iter().filter(|o| !o.is_change()).try_for_each(|read| nothing_old_is_shown(read, &done, trust))
}

/// Whether it may have found its value there already, and changed nothing: only this field's values come again.
fn may_change_nothing(operation: &Operation) -> bool {
    matches!(operation.ask, Ask::Set { field: "method", .. })
}

/// The versions that were certainly made by these. A change that changes nothing answers with what another made.
fn versions_made(done: &[&Operation]) -> u64 {
    let made = done.iter().filter(|o| o.version() != Some(1) || !may_change_nothing(o));
    made.map(|o| o.version()).collect::<BTreeSet<_>>().len() as u64
}

fn versions_are_unique_and_in_order(done: &[&Operation], answers: Answers) -> Result<(), String> {
    for first in done {
        for second in done.iter().filter(|second| first.called < second.called) {
            // One was made and its answer was lost, the other was made on top of it, and then the first found itself.
            let found_itself = answers == Answers::MayBeLost && second.called < first.answered;
            let excused = found_itself || may_change_nothing(first) || may_change_nothing(second);
            if first.version() == second.version() && !excused {
                return Err(format!("two changes are the same version: {first:?} and {second:?}"));
            }
            if first.answered < second.called && first.version() > second.version() {
                return Err(format!("a later change is an earlier version: {first:?} and {second:?}"));
            }
        }
    }
    Ok(())
}

fn one_version_is_one_document(mine: &[&Operation], last: &Told) -> Result<(), String> {
    let mut known: BTreeMap<u64, &Told> = BTreeMap::new();
    for told in mine.iter().map(|operation| &operation.told).chain([last]) {
        let Told::Document { version, .. } = told else { continue };
        let first = *known.entry(*version).or_insert(told);
        if first != told {
            return Err(format!("one version is two documents: {first:?} and {told:?}"));
        }
    }
    Ok(())
}

/// Each field is as the last acknowledged change up to the version left it, or as one that nobody knows of made it.
fn nothing_is_lost(
    told: &Told,
    by: Option<&Operation>,
    done: &[&Operation],
    unknown: &[&Operation],
    answers: Answers,
) -> Result<(), String> {
    let Told::Document { version, fields } = told else { return Ok(()) };
    for (name, value) in fields {
        let sets = |operation: &Operation| match &operation.ask {
            Ask::Set { field, value } if field == name => Some(value.clone()),
            _ => None,
        };
        let until = done.iter().filter(|o| o.version() <= Some(*version));
        let last = until.filter_map(|o| Some((o.version()?, sets(o)?))).max();
        let under_way = |o: &&Operation| {
            answers == Answers::MayBeLost && o.version() > Some(*version) && by.is_some_and(|by| o.called < by.answered)
        };
        let may_be = unknown.iter().copied().chain(done.iter().copied().filter(under_way));
        let may_be = may_be.filter_map(sets).any(|made| made == *value);
        if last.as_ref().is_some_and(|(_, expected)| expected != value) && !may_be {
            return Err(format!("a change is lost: {name} must be {last:?}, and {by:?} was told {told:?}"));
        }
    }
    Ok(())
}

fn nothing_old_is_shown(read: &Operation, done: &[&Operation], trust: Trust) -> Result<(), String> {
    let Some(seen) = read.version() else { return Ok(()) };
    let newer = done.iter().filter(|change| change.version() > Some(seen) && change.answered < read.called);
    // The first of them to be acknowledged: since then, what was read is old.
    let Some(replaced) = newer.min_by_key(|change| change.ended) else { return Ok(()) };
    let age = read.began.saturating_sub(replaced.ended);
    match trust {
        Trust::For(allowed) if age <= allowed + GRAIN => Ok(()),
        Trust::For(allowed) => Err(format!(
            "{read:?} was told what had been replaced {age:?} before, and {allowed:?} is allowed: {replaced:?}"
        )),
        Trust::Never => Err(format!("{read:?} was told what had been replaced before: {replaced:?}")),
    }
}
