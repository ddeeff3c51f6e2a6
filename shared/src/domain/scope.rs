//! Parts of what the shop sells: what a coupon or a shipping method is for.

use std::collections::BTreeSet;

use crate::domain::{
    ids::{Category, ProductId, Sku},
    product::Product,
};

/// A part of what the shop sells: some products, all of some categories, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub products: BTreeSet<ProductId>,
    pub categories: BTreeSet<Category>,
}

impl Scope {
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty()
    }

    /// Whether it holds a line, of which the product may have left the catalog: then nobody knows its categories.
    pub fn holds(&self, sku: &Sku, product: Option<&Product>) -> bool {
        self.products.contains(&sku.product) || product.is_some_and(|p| !self.categories.is_disjoint(&p.categories))
    }
}
