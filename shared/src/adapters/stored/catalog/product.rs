//! A product in a catalog file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::catalog::{
        parts::{StoredAmounts, StoredPlace, amounts, parsed, period, places, schedule},
        stock::{OpeningStock, StoredBackorder, StoredStock, backorder, check_low_stock, check_stock_parts},
    },
    domain::{
        calendar::Period,
        ids::{ProductId, Sku, TaxCode},
        invalid::{Faults, Invalid},
        money::Amounts,
        product::{Backorder, Prices, Product, Restriction, StockRule, Variant},
        stock::StockMarks,
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredProduct {
    product_id: String,
    name: String,
    published: bool,
    /// May be empty if every variant has its own prices.
    #[serde(default)]
    prices: StoredAmounts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scheduled_prices: Vec<StoredPrices>,
    /// A download, a ticket, a gift card: nothing of it is shipped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    digital: bool,
    /// Required, unless it is digital.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    /// `standard` if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_code: Option<String>,
    /// Opening stock, or `"unlimited"`. A product with variants has either one stock for all of them, or one for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<StoredStock>,
    /// What may be sold beyond `stock`. Where each variant has its own, each has its own of this too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backorder: Option<StoredBackorder>,
    /// The shop is told when so many are left of `stock`, or fewer. Where each variant has its own, each has its own of
    /// this too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low_stock_at: Option<i64>,
    /// In how many parts `stock` is counted, so that as many can be sold at once. Where each variant has its own, each has
    /// its own of this too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock_parts: Option<i64>,
    /// The least units that an order with any of it must have, of all variants together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_per_order: Option<u32>,
    /// The most units that one order may have, of all variants together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_per_order: Option<u32>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scheduled_prices: Vec<StoredPrices>,
    /// Set if it differs from the product's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<StoredStock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backorder: Option<StoredBackorder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low_stock_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock_parts: Option<i64>,
}

/// Prices for a period.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredPrices {
    prices: StoredAmounts,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    starts_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    ends_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredRestriction {
    /// Regions, or parts of them.
    regions: Vec<StoredPlace>,
    message: String,
}

const EACH_ITS_OWN: &str = "must be left out: each variant has its own stock, so each has its own of this";
const THE_PRODUCTS: &str = "must be left out: the product has one stock for all its variants, so this is its own";
const NOT_SHIPPED: &str = "must be left out: nothing of a digital product is shipped";

impl StoredProduct {
    pub fn id(&self) -> &str {
        &self.product_id
    }

    /// The tax code in the file; none for the default.
    pub(super) fn tax_code(&self) -> Option<&str> {
        self.tax_code.as_deref()
    }

    /// # Errors
    /// Every fault, with its JSON pointer in the product.
    pub fn product(&self) -> Result<Product, Vec<Invalid>> {
        let mut faults = Faults::default();
        let id: Option<ProductId> = faults.take("/productId", self.product_id.parse());
        if self.name.trim().is_empty() {
            faults.add("/name", "must not be empty");
        }
        self.check_shipped(&mut faults);
        let elsewhere = if self.variants.is_empty() { "must be beside a stock" } else { EACH_ITS_OWN };
        check_low_stock(&mut faults, "", self.low_stock_at, self.stock, elsewhere);
        check_stock_parts(&mut faults, "", self.stock_parts, (self.stock, self.backorder), elsewhere);
        let prices = prices(&mut faults, "", &self.prices, &self.scheduled_prices);
        if self.variants.is_empty() && self.prices.is_empty() && self.scheduled_prices.is_empty() {
            faults.add("/prices", "must have at least one price");
        }
        if self.max_per_order == Some(0) {
            faults.add("/maxPerOrder", "must be 1 or more; to sell none, set published to false");
        }
        if self.min_per_order == Some(0) {
            faults.add("/minPerOrder", "must be 1 or more; leave it out to sell single units");
        }
        let most = self.max_per_order.filter(|most| *most > 0);
        if self.min_per_order.zip(most).is_some_and(|(least, most)| least > most) {
            faults.add("/minPerOrder", "must not be more than maxPerOrder: no order could have any of it");
        }
        let variants = self.variants(&mut faults);
        let tax_code = match &self.tax_code {
            Some(code) => faults.take("/taxCode", code.parse()),
            None => Some(TaxCode::default()),
        };
        let product = id.zip(tax_code).map(|(id, tax_code)| Product {
            id,
            name: self.name.clone(),
            published: self.published,
            prices,
            digital: self.digital,
            weight_grams: self.weight_grams.unwrap_or_default(),
            categories: parsed(&mut faults, &"/categories", &self.categories),
            tax_code,
            stock: self.stock_rule(&mut faults),
            backorder: self.backorder(&mut faults),
            min_per_order: self.min_per_order,
            max_per_order: self.max_per_order,
            variants,
            restrictions: self.restrictions(&mut faults),
        });
        faults.finish(product)
    }

    /// A digital product has nothing that only parcels have.
    fn check_shipped(&self, faults: &mut Faults) {
        match self.weight_grams {
            Some(_) if self.digital => faults.add("/weightGrams", NOT_SHIPPED),
            Some(weight) => check_weight(faults, "/weightGrams", weight),
            None if self.digital => {}
            None => faults.add("/weightGrams", "must be there, unless the product is digital"),
        }
        if self.digital && !self.not_shippable_to.is_empty() {
            faults.add("/notShippableTo", NOT_SHIPPED);
        }
    }

    fn variants(&self, faults: &mut Faults) -> Vec<Variant> {
        let mut variants: Vec<Variant> = Vec::new();
        for (index, stored) in self.variants.iter().enumerate() {
            let prefix = format!("/variants/{index}");
            let prices = prices(faults, &prefix, &stored.prices, &stored.scheduled_prices);
            if stored.prices.is_empty() && stored.scheduled_prices.is_empty() {
                faults.add(format!("{prefix}/prices"), "must have at least one price");
            }
            match stored.weight_grams {
                Some(_) if self.digital => faults.add(format!("{prefix}/weightGrams"), NOT_SHIPPED),
                Some(weight) => check_weight(faults, &format!("{prefix}/weightGrams"), weight),
                None => {}
            }
            let stock = match (self.stock, stored.stock) {
                (None, Some(stock)) => stock.rule(),
                (Some(StoredStock::Counted(_)), None) => StockRule::Shared,
                (Some(StoredStock::Unlimited(_)), None) => StockRule::Unlimited,
                (None, None) => {
                    faults.add(format!("{prefix}/stock"), "must be a number of units, or \"unlimited\"");
                    StockRule::Counted
                }
                (Some(_), Some(_)) => {
                    let detail = "must be left out: the product has one stock for all its variants";
                    faults.add(format!("{prefix}/stock"), detail);
                    StockRule::Counted
                }
            };
            let Some(id) = faults.take(format_args!("{prefix}/variantId"), stored.variant_id.parse()) else { continue };
            if variants.iter().any(|v| v.id == id) {
                faults.add(format!("{prefix}/variantId"), format!("{id} is there twice"));
            }
            let backorder = match stored.stock {
                Some(own) => backorder(faults, &prefix, own, stored.backorder),
                None if stored.backorder.is_some() => {
                    faults.add(format!("{prefix}/backorder"), THE_PRODUCTS);
                    None
                }
                None => None,
            };
            check_low_stock(faults, &prefix, stored.low_stock_at, stored.stock, THE_PRODUCTS);
            check_stock_parts(faults, &prefix, stored.stock_parts, (stored.stock, stored.backorder), THE_PRODUCTS);
            let (name, weight_grams) = (stored.name.clone(), stored.weight_grams);
            variants.push(Variant { id, name, prices, weight_grams, stock, backorder });
        }
        variants
    }

    /// For a product with variants, this stock applies only if the variants share it.
    fn stock_rule(&self, faults: &mut Faults) -> StockRule {
        if self.stock.is_none() && self.variants.is_empty() {
            faults.add("/stock", "must be a number of units, or \"unlimited\"");
        }
        self.stock.map_or(StockRule::Counted, StoredStock::rule)
    }

    fn backorder(&self, faults: &mut Faults) -> Option<Backorder> {
        if let Some(stock) = self.stock {
            return backorder(faults, "", stock, self.backorder);
        }
        if self.backorder.is_some() && !self.variants.is_empty() {
            faults.add("/backorder", EACH_ITS_OWN);
        }
        None
    }

    fn restrictions(&self, faults: &mut Faults) -> Vec<Restriction> {
        let mut restrictions = Vec::new();
        for (index, stored) in self.not_shippable_to.iter().enumerate() {
            let prefix = format!("/notShippableTo/{index}");
            let at = format!("{prefix}/regions");
            if stored.regions.is_empty() {
                faults.add(&at, "must name at least one region");
            }
            let places = places(faults, &at, &stored.regions);
            if stored.message.trim().is_empty() {
                faults.add(format!("{prefix}/message"), "must tell the customer why");
            }
            restrictions.push(Restriction { places, message: stored.message.clone() });
        }
        restrictions
    }

    /// The opening stock of each counter.
    pub fn opening_stock(&self, product: &Product) -> BTreeMap<Sku, OpeningStock> {
        let counter =
            |variant, stock: Option<StoredStock>, low_stock_at, parts: Option<i64>, backorder: Option<Backorder>| {
                let sold_out_at = backorder.map_or(0, |backorder| -i64::from(backorder.limit));
                let parts = parts.and_then(|parts| u8::try_from(parts).ok()).unwrap_or(1);
                let opening =
                    OpeningStock { units: stock?.units()?, marks: StockMarks { low_stock_at, sold_out_at }, parts };
                Some((Sku { product: product.id.clone(), variant }, opening))
            };
        let own = counter(None, self.stock, self.low_stock_at, self.stock_parts, product.backorder);
        let variants = product.variants.iter().zip(&self.variants).filter_map(|(variant, stored)| {
            let id = Some(variant.id.clone());
            counter(id, stored.stock, stored.low_stock_at, stored.stock_parts, variant.backorder)
        });
        own.into_iter().chain(variants).collect()
    }
}

fn check_weight(faults: &mut Faults, pointer: &str, grams: u32) {
    if !(1..=1_000_000).contains(&grams) {
        faults.add(pointer, "must be 1 to 1000000 grams");
    }
}

fn prices(faults: &mut Faults, prefix: &str, usual: &StoredAmounts, stored: &[StoredPrices]) -> Prices {
    let mut scheduled: Vec<(Period, Amounts)> = Vec::new();
    for (index, entry) in stored.iter().enumerate() {
        let at = format!("{prefix}/scheduledPrices/{index}");
        let period = period(faults, &at, entry.starts_at, entry.ends_at);
        let amounts = amounts(faults, &format_args!("{at}/prices"), &entry.prices);
        let clash = "overlaps an earlier entry with a price in the same currency";
        schedule(faults, &at, &mut scheduled, (period, amounts), clash);
    }
    Prices { usual: amounts(faults, &format_args!("{prefix}/prices"), usual), scheduled }
}
