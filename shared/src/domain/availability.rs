//! Whether a product can be bought now, for a shop's pages.

use std::collections::BTreeMap;

use crate::domain::{
    ids::{Sku, VariantId},
    product::{Backorder, Product},
};

/// A product, and what is left of its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stocked {
    pub product: Product,
    /// Units, by counter; negative where more is sold than is there. They may be slightly outdated.
    pub left: BTreeMap<Sku, i64>,
}

/// Whether one unit can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    InStock,
    /// It is sold, and comes later.
    Backorder {
        /// Business days until the shop has it.
        available_in_days: u16,
    },
    SoldOut,
}

impl Stocked {
    /// Of a variant, or of a product without variants.
    pub fn availability(&self, variant: Option<&VariantId>) -> Availability {
        let Some(counted) = self.product.counted(variant) else { return Availability::InStock };
        let left = self.left.get(&counted.counter).copied().unwrap_or_default();
        match counted.backorder {
            _ if left > 0 => Availability::InStock,
            Some(Backorder { limit, available_in_days }) if left > -i64::from(limit) => {
                Availability::Backorder { available_in_days }
            }
            _ => Availability::SoldOut,
        }
    }
}

impl Product {
    /// The counters that its stock is in.
    pub fn counters(&self) -> Vec<Sku> {
        let variants = self.variants.iter().filter_map(|variant| self.counted(Some(&variant.id)));
        let own = self.variants.is_empty().then(|| self.counted(None)).flatten();
        let mut counters: Vec<_> = variants.chain(own).map(|counted| counted.counter).collect();
        // Variants may share one.
        counters.dedup();
        counters
    }
}
