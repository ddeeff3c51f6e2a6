//! Tax categories: kinds of goods for which a country's table says which rate is theirs.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::{as_text::as_text, ids::TaxCode};

/// A kind of goods that many countries tax at a rate of its own. A product has one as its tax code.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(
    serialize_all = "kebab-case",
    const_into_str,
    parse_err_ty = NotACategory,
    parse_err_fn = not_a_category
)]
pub enum TaxCategory {
    /// Printed books.
    Books,
    ChildrensClothes,
    Clothing,
    /// Electronically supplied services and downloads.
    Digital,
    /// Food for people, without drinks and restaurants.
    Food,
    /// Medicine for people.
    Medicine,
}

as_text! { TaxCategory: "tax category" }

/// Why a text is not a tax category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of books, childrens-clothes, clothing, digital, food, medicine")]
pub struct NotACategory;

fn not_a_category(_: &str) -> NotACategory {
    NotACategory
}

impl TaxCategory {
    /// The category that a tax code names, if it names one.
    pub fn of(code: &TaxCode) -> Option<Self> {
        code.as_str().parse().ok()
    }

    pub const fn name(self) -> &'static str {
        self.into_str()
    }
}
