//! How commands answer: tables for people, one JSON document for programs.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

use crate::say;

/// Exit codes, told in `checkout --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Nothing fits what was asked for, or `doctor` found faults.
    NotFound,
    /// The person who was asked said no.
    Declined,
}

impl Outcome {
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotFound => 3,
            Self::Declined => 4,
        }
    }
}

/// Shows what was found: as JSON if that was asked for, else as people read it.
pub fn show(json: bool, value: &impl Serialize, text: impl FnOnce() -> String) {
    if json {
        // What is shown is made of texts and numbers.
        say::answer(serde_json::to_string_pretty(value).unwrap_or_default());
    } else {
        say::answer(text());
    }
}

/// Tells of an error in the form that was asked for.
pub fn failure(json: bool, why: &str) {
    if json { say::complain(&json!({ "error": why }).to_string()) } else { say::failure(why) }
}

/// A table without lines that a copy and paste would carry along.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}

/// `1.5 KiB`.
pub fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// `1 key`, `2 keys`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
