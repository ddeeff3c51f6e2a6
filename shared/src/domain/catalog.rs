//! What the shop sells.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    address::{Address, Region},
    coupon::{Coupon, CouponUses},
    ids::{CouponCode, ProductId, Sku, VariantId},
    money::{Amounts, Currency, Minor},
    shipping::ShippingRules,
    tax::TaxRules,
};

/// A product, or a variant of one, as a cart line can name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub name: String,
    /// Only a published product can be bought.
    pub published: bool,
    pub prices: Amounts,
    pub weight_grams: u32,
    pub stock: StockRule,
    /// Where there are variants, a cart line must name one.
    pub variants: Vec<Variant>,
    pub restrictions: Vec<Restriction>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    pub id: VariantId,
    pub name: String,
    pub prices: Amounts,
}

/// Whether the product can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockRule {
    /// Each SKU of the product has a counter in the inventory.
    Counted,
    Unlimited,
}

/// Regions that a product may not go to, with the shop's words for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    pub regions: Vec<Region>,
    pub message: String,
}

/// What a cart line buys, found in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    pub name: String,
    pub price: Minor,
    pub weight_grams: u32,
    pub stock: StockRule,
}

/// Why a cart line can't be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForSale {
    #[error("there is no such product")]
    UnknownProduct,
    #[error("the product has no such variant")]
    UnknownVariant,
    #[error("the product comes in variants: name one")]
    VariantRequired,
    #[error("the product has no price in this currency")]
    NoPrice,
}

impl Product {
    /// The article that a line names, at the price of one currency.
    pub fn article(&self, variant: Option<&VariantId>, currency: Currency) -> Result<Article, NotForSale> {
        // To a shopper an unpublished product doesn't exist.
        if !self.published {
            return Err(NotForSale::UnknownProduct);
        }
        let (name, prices) = match variant {
            None if self.variants.is_empty() => (self.name.clone(), &self.prices),
            None => return Err(NotForSale::VariantRequired),
            Some(id) => {
                let variant = self.variants.iter().find(|v| v.id == *id).ok_or(NotForSale::UnknownVariant)?;
                (format!("{}, {}", self.name, variant.name), &variant.prices)
            }
        };
        let price = *prices.get(&currency).ok_or(NotForSale::NoPrice)?;
        Ok(Article { name, price, weight_grams: self.weight_grams, stock: self.stock })
    }

    /// The shop's words, if the product may not go to this address.
    pub fn refusal(&self, address: &Address) -> Option<&str> {
        self.restrictions
            .iter()
            .find(|restriction| restriction.regions.iter().any(|region| region.covers(address)))
            .map(|restriction| restriction.message.as_str())
    }

    /// Every SKU of the product.
    pub fn skus(&self) -> Vec<Sku> {
        if self.variants.is_empty() {
            return vec![Sku { product: self.id.clone(), variant: None }];
        }
        self.variants.iter().map(|v| Sku { product: self.id.clone(), variant: Some(v.id.clone()) }).collect()
    }
}

/// What to read for pricing one cart.
#[derive(Clone, Debug, Default)]
pub struct TablesQuery {
    pub skus: BTreeSet<Sku>,
    pub coupon: Option<CouponCode>,
    /// Whose own uses of the coupon count.
    pub customer: Option<crate::domain::ids::Owner>,
}

/// Everything pricing needs to know of the shop, read at one time.
#[derive(Clone, Debug)]
pub struct Tables {
    pub products: BTreeMap<ProductId, Product>,
    /// Units left of each counted SKU asked for. It may be a moment old: confirm's transaction decides.
    pub stock: BTreeMap<Sku, u64>,
    pub coupon: Option<Coupon>,
    pub coupon_uses: CouponUses,
    pub shipping: ShippingRules,
    pub tax: TaxRules,
}
