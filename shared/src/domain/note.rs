//! Notes in an order's history, and who may read them.

use strum::{EnumString, VariantArray};

use crate::domain::as_text::as_text;

/// The most notes that staff may add to one order beside its changes of status. They are a part of its document, which
/// must stay small enough to be stored.
pub const MAX_NOTES: usize = 50;

/// The longest note or reason, in characters.
pub const LONGEST_NOTE: usize = 500;
/// The longest notes of a customer with their order.
pub const LONGEST_NOTES: usize = 1000;

/// A text in an order's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    pub visibility: NoteVisibility,
}

/// Who may read a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case", parse_err_ty = NotAVisibility, parse_err_fn = not_a_visibility)]
pub enum NoteVisibility {
    /// The shop's staff only.
    Staff,
    /// The customer too.
    Customer,
}

as_text! { NoteVisibility: "note visibility" }

/// Why a text is not a visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be staff or customer")]
pub struct NotAVisibility;

fn not_a_visibility(_: &str) -> NotAVisibility {
    NotAVisibility
}

/// An order has as many notes as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order may have {MAX_NOTES} notes beside its changes of status, and this one has them")]
pub struct TooManyNotes;

impl Note {
    /// A note that the customer may read too.
    pub fn for_customer(text: impl Into<String>) -> Self {
        Self { text: text.into(), visibility: NoteVisibility::Customer }
    }
}
