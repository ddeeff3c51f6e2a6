//! The output of commands: tables for people, one JSON document for programs.

use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::say;

/// Exit codes, documented in `checkout --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Nothing was found, or `doctor` found faults.
    NotFound,
    /// The person answered no.
    Declined,
    /// Something can't be done yet.
    Unfinished,
}

impl Outcome {
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotFound => 3,
            Self::Declined => 4,
            Self::Unfinished => 5,
        }
    }
}

/// Prints a result: as JSON if requested, else for people.
pub fn show(json: bool, value: &impl Serialize, text: impl FnOnce() -> String) {
    if json {
        // Results are made of texts and numbers, so this can't fail.
        say::answer(serde_json::to_string_pretty(value).unwrap_or_default());
    } else {
        say::answer(text());
    }
}

/// Prints an error in the requested form.
pub fn failure(json: bool, why: &str) {
    if json { say::complain(&json!({ "error": why }).to_string()) } else { say::failure(why) }
}

/// A table without border lines, which would disturb copy and paste.
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

/// Shows on a terminal, and nowhere else, how many have been done: `12 items read`.
pub fn progress(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template(&format!("==> {{spinner}} {{pos}} {what}")) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
