//! The repeated reading of a catalog file, until the rest of it has the right shape.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use shared::{
    adapters::stored::catalog::CatalogFile,
    domain::invalid::{Invalid, escaped, is_within},
};

use super::words::{Misshapen, unknown};

/// A file from which values of a wrong shape are removed.
pub(super) struct Reading {
    document: Value,
    pub(super) faults: Vec<Invalid>,
    pub(super) pruned: Pruned,
    /// The pointers in the whole file of what was replaced: its content says nothing.
    pub(super) replaced: Vec<String>,
}

/// What stops the reading of a file.
struct Stop {
    /// The steps to the value of a wrong shape, or to where one is missing.
    at: Vec<String>,
    /// The steps that the deserializer knows.
    path: Vec<String>,
    message: String,
}

/// The parts of the file, each with its empty form.
fn parts() -> [(&'static str, Value); 10] {
    [
        ("$schema", json!("")),
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
        json!({}),
        json!([]),
        json!("x"),
        json!(1),
        json!(false),
        json!({"type": "freeShipping"}),
        json!({"type": "flat", "amounts": {}}),
        json!({"min": 1, "max": 1}),
    ]
}

/// The optional parts of the file.
const OPTIONAL: [&str; 7] =
    ["$schema", "coupons", "taxExemptions", "currencies", "paymentMethods", "cashOnDelivery", "cards"];

/// The members that are objects with known members.
const OBJECTS: [&str; 13] = [
    "shipping",
    "tax",
    "currencies",
    "cashOnDelivery",
    "cards",
    "backorder",
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
    pub(super) fn new(mut document: Map<String, Value>) -> Self {
        let mut faults = Vec::new();
        document.retain(|name, _| {
            let known = parts().iter().any(|(part, _)| part == name);
            if !known {
                faults.push(Invalid::new(
                    pointer([name.as_str()]),
                    unknown(name, parts().into_iter().map(|(part, _)| part)),
                ));
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
    pub(super) fn shape(&mut self) -> Option<CatalogFile> {
        loop {
            let Stop { at, path, message } = match self.parse() {
                Ok(file) => {
                    let misread = misread(&self.document, "").into_iter().map(|fault| self.pruned.restore(fault));
                    let of_the_file = |fault: &Invalid| !self.replaced.contains(&fault.pointer);
                    self.faults.extend(misread.filter(of_the_file).collect::<Vec<_>>());
                    return Some(file);
                }
                Err(stopped) => stopped,
            };
            let why = Misshapen::of(&message);
            let here = pointer_to(&at);
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

    /// The file, or what stopped it.
    fn parse(&self) -> Result<CatalogFile, Stop> {
        serde_path_to_error::deserialize(&self.document).map_err(|error| {
            let (path, message) = (steps(error.path()), error.inner().to_string());
            let mut at = path.clone();
            match Misshapen::of(&message) {
                Misshapen::Missing(member) => at.push(member.to_owned()),
                // A kind of discount or cost is read as a whole, so the path ends there.
                Misshapen::Other => at.extend(blamed(&message, self.document.pointer(&pointer_to(&path)))),
                // A kind of discount or cost is read as a whole, so the path ends before the member.
                Misshapen::Unknown(member) => {
                    let within = self.document.pointer(&pointer_to(&path));
                    let has_it = within.and_then(Value::as_object).is_some_and(|members| members.contains_key(member));
                    at.extend(has_it.then(|| member.to_owned()));
                }
            }
            Stop { at, path, message }
        })
    }

    /// Puts something of the right shape in the place of a value, so that what comes after it is read too. False if
    /// nothing fits there.
    fn replace(&mut self, at: &[String], why: &Misshapen<'_>) -> bool {
        let Some((last, parent)) = at.split_last() else { return false };
        let parent = pointer_to(parent);
        let here = pointer_to(at);
        let Some(Value::Object(members)) = self.document.pointer_mut(&parent) else { return false };
        if matches!(why, Misshapen::Unknown(_)) {
            return members.remove(last).is_some();
        }
        let before = members.get(last).cloned();
        for candidate in stand_ins() {
            if let Some(Value::Object(members)) = self.document.pointer_mut(&parent) {
                members.insert(last.clone(), candidate);
            }
            let stopped = self.parse().err().map(|stop| pointer_to(&stop.at));
            if stopped.is_none_or(|stopped| !is_within(&stopped, &here) && !is_within(&here, &stopped)) {
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
            let list = pointer_to(&path);
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

/// Whether a member is an object with known members; there are lists of currencies, too. Each price limit is one, by the
/// name of its tax code.
fn is_object(at: &str, name: &str) -> bool {
    at.ends_with("/priceLimits") || (OBJECTS.contains(&name) && (name != "currencies" || at.is_empty()))
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
            Value::Array(_) if value.is_array() || is_object(at, &name) => Some("must be an object, not a list"),
            Value::Object(_) if ["stock", "exportPrices", "taxed"].contains(&name.as_str()) => {
                Some("must not be an object")
            }
            Value::Number(_) if name == "type" => Some("must be a text"),
            _ => None,
        };
        let at = format!("{at}{}", pointer([name.as_str()]));
        match wrong {
            Some(detail) => vec![Invalid::new(at, detail)],
            None => misread(part, &at),
        }
    });
    within.collect()
}

/// The removed list entries, to calculate where the rest is in the whole file.
#[derive(Default)]
pub(super) struct Pruned {
    /// By the list's pointer in the whole file: indexes in it, ascending.
    entries: BTreeMap<String, BTreeSet<usize>>,
}

impl Pruned {
    fn remember(&mut self, list: &str, index: usize) {
        let list = self.original(list);
        let index = self.original_index(&list, index);
        self.entries.entry(list).or_default().insert(index);
    }

    /// Whether entries of the list at this pointer were removed.
    pub(super) fn holds(&self, list: &str) -> bool {
        self.entries.contains_key(list)
    }

    pub(super) fn restore(&self, fault: Invalid) -> Invalid {
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

/// The steps from an object to the one value in it of which a message speaks. None if there are several.
fn blamed(message: &str, within: Option<&Value>) -> Vec<String> {
    let told = message.strip_prefix("invalid type: ").and_then(|told| told.split(", expected").next());
    let (Some(told), Some(Value::Object(_))) = (told, within) else { return Vec::new() };
    let mut found = Vec::new();
    search(told, within.unwrap_or(&Value::Null), &mut Vec::new(), &mut found);
    if found.len() == 1 { found.swap_remove(0) } else { Vec::new() }
}

/// Collects where the values are that a deserializer names like this.
fn search(told: &str, value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let is_it = match value {
        Value::Null => told == "null",
        Value::Bool(is) => told == format!("boolean `{is}`"),
        Value::Number(number) => told == format!("integer `{number}`") || told == format!("floating point `{number}`"),
        Value::String(text) => told == format!("string {text:?}"),
        Value::Array(_) => told == "sequence",
        Value::Object(_) => told == "map",
    };
    // The object itself isn't meant: its type fits.
    if is_it && !at.is_empty() {
        found.push(at.clone());
    }
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, part)| (name.clone(), part)).collect(),
        Value::Array(entries) => entries.iter().enumerate().map(|(index, part)| (index.to_string(), part)).collect(),
        _ => Vec::new(),
    };
    for (step, part) in parts {
        at.push(step);
        search(told, part, at, found);
        at.pop();
    }
}

fn pointer_to(steps: &[String]) -> String {
    pointer(steps.iter().map(String::as_str))
}

pub(super) fn pointer<'a>(steps: impl IntoIterator<Item = &'a str>) -> String {
    steps.into_iter().fold(String::new(), |pointer, step| format!("{pointer}/{}", escaped(step)))
}
