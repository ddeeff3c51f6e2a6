//! Scopes: the products that a coupon or a shipping method applies to.

use std::collections::BTreeSet;

use crate::domain::{
    ids::{Category, ProductId, Sku},
    product::Product,
};

/// A set of products: by id, by category, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub products: BTreeSet<ProductId>,
    pub categories: BTreeSet<Category>,
}

impl Scope {
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty()
    }

    /// Whether it contains a line's product. `product` is none if it left the catalog; then its categories are unknown.
    pub fn holds(&self, sku: &Sku, product: Option<&Product>) -> bool {
        self.products.contains(&sku.product) || product.is_some_and(|p| !self.categories.is_disjoint(&p.categories))
    }
}
