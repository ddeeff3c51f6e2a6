//! A product as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::{StoredAmounts, amounts, regions},
    domain::{
        catalog::{Product, Restriction, StockRule, Variant},
        ids::{ProductId, Sku},
        invalid::{Faults, Invalid},
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredProduct {
    product_id: String,
    name: String,
    published: bool,
    /// May be empty where every variant has its own.
    #[serde(default)]
    prices: StoredAmounts,
    weight_grams: u32,
    /// Opening stock, or `"unlimited"`; of a product with variants, each variant says its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<StoredStock>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variants: Vec<StoredVariant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_shippable_to: Vec<StoredRestriction>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredVariant {
    variant_id: String,
    name: String,
    prices: StoredAmounts,
    stock: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of units, or \"unlimited\"")]
enum StoredStock {
    Counted(u64),
    Unlimited(Unlimited),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Unlimited {
    Unlimited,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredRestriction {
    regions: Vec<String>,
    message: String,
}

impl StoredProduct {
    pub fn id(&self) -> &str {
        &self.product_id
    }

    /// # Errors
    /// Every fault, at its JSON pointer in the product.
    pub fn product(&self) -> Result<Product, Vec<Invalid>> {
        let mut faults = Faults::default();
        let id: Option<ProductId> = faults.take("/productId", self.product_id.parse());
        if self.name.trim().is_empty() {
            faults.add("/name", "must not be empty");
        }
        if !(1..=1_000_000).contains(&self.weight_grams) {
            faults.add("/weightGrams", "must be 1 to 1000000 grams");
        }
        let prices = amounts(&mut faults, "/prices", &self.prices);
        let mut variants: Vec<Variant> = Vec::new();
        for (index, stored) in self.variants.iter().enumerate() {
            let prefix = format!("/variants/{index}");
            let prices = amounts(&mut faults, &format!("{prefix}/prices"), &stored.prices);
            if prices.is_empty() {
                faults.add(format!("{prefix}/prices"), "must have at least one price");
            }
            let variant_id = faults.take(&format!("{prefix}/variantId"), stored.variant_id.parse());
            if let Some(variant_id) = variant_id {
                if variants.iter().any(|v| v.id == variant_id) {
                    faults.add(format!("{prefix}/variantId"), format!("{variant_id} is there twice"));
                }
                variants.push(Variant { id: variant_id, name: stored.name.clone(), prices });
            }
        }
        let stock = match (self.stock, self.variants.is_empty()) {
            (Some(StoredStock::Unlimited(_)), _) => StockRule::Unlimited,
            (Some(StoredStock::Counted(_)), true) | (None, false) => StockRule::Counted,
            (Some(StoredStock::Counted(_)), false) => {
                faults.add("/stock", "must not be there: each variant has its own stock");
                StockRule::Counted
            }
            (None, true) => {
                faults.add("/stock", "must be a number of units, or \"unlimited\"");
                StockRule::Counted
            }
        };
        if variants.is_empty() && prices.is_empty() {
            faults.add("/prices", "must have at least one price");
        }
        let mut restrictions = Vec::new();
        for (index, stored) in self.not_shippable_to.iter().enumerate() {
            let prefix = format!("/notShippableTo/{index}");
            let regions = regions(&mut faults, &format!("{prefix}/regions"), &stored.regions);
            if stored.message.trim().is_empty() {
                faults.add(format!("{prefix}/message"), "must tell the customer why");
            }
            restrictions.push(Restriction { regions, message: stored.message.clone() });
        }
        let product = id.map(|id| Product {
            id,
            name: self.name.clone(),
            published: self.published,
            prices,
            weight_grams: self.weight_grams,
            stock,
            variants,
            restrictions,
        });
        faults.finish(product)
    }

    /// The opening stock of each counted SKU.
    pub fn opening_stock(&self, product: &Product) -> BTreeMap<Sku, u64> {
        let units = match self.stock {
            Some(StoredStock::Unlimited(_)) => return BTreeMap::new(),
            Some(StoredStock::Counted(units)) if self.variants.is_empty() => vec![units],
            _ => self.variants.iter().map(|v| v.stock).collect(),
        };
        product.skus().into_iter().zip(units).collect()
    }
}
