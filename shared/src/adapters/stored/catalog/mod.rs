//! The catalog as a file and as items: what the shop's people write, checked on the way in.

mod coupon;
mod product;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{
    address::Region,
    catalog::Product,
    coupon::Coupon,
    ids::Sku,
    invalid::{Faults, Invalid},
    money::{Amounts, Minor},
};

pub use coupon::StoredCoupon;
pub use product::StoredProduct;
pub use rules::{StoredShipping, StoredTaxRules};

/// Amounts in minor units by ISO 4217 code: `{"USD": 1999}`.
type StoredAmounts = BTreeMap<String, i64>;

/// A whole catalog file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogFile {
    pub products: Vec<StoredProduct>,
    #[serde(default)]
    pub coupons: Vec<StoredCoupon>,
    pub shipping: StoredShipping,
    pub tax: StoredTaxRules,
}

/// A catalog file that has been found right.
#[derive(Clone, Debug)]
pub struct CheckedCatalog {
    pub products: Vec<Product>,
    pub coupons: Vec<Coupon>,
    /// The opening stock of every counted SKU.
    pub stock: BTreeMap<Sku, u64>,
}

impl CatalogFile {
    /// Checks everything a store would trip over later.
    ///
    /// # Errors
    /// Every fault, at its JSON pointer in the file.
    pub fn check(&self) -> Result<CheckedCatalog, Vec<Invalid>> {
        let mut faults = Faults::default();
        let mut products = Vec::new();
        let mut stock = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for (index, stored) in self.products.iter().enumerate() {
            let prefix = format!("/products/{index}");
            if let Some(product) = faults.nest(&prefix, stored.product()) {
                if !ids.insert(product.id.clone()) {
                    faults.add(format!("{prefix}/productId"), format!("{} stands in the file twice", product.id));
                }
                stock.extend(stored.opening_stock(&product));
                products.push(product);
            }
        }
        let mut coupons: Vec<Coupon> = Vec::new();
        for (index, stored) in self.coupons.iter().enumerate() {
            let prefix = format!("/coupons/{index}");
            if let Some(coupon) = faults.nest(&prefix, stored.coupon()) {
                if coupons.iter().any(|c| c.code == coupon.code) {
                    faults.add(format!("{prefix}/code"), format!("{} stands in the file twice", coupon.code));
                }
                for (at, product) in coupon.products.iter().enumerate().filter(|(_, id)| !ids.contains(*id)) {
                    faults.add(format!("{prefix}/products/{at}"), format!("there is no product {product}"));
                }
                coupons.push(coupon);
            }
        }
        faults.nest("/shipping", self.shipping.rules());
        faults.nest("/tax", self.tax.rules());
        faults.finish(Some(CheckedCatalog { products, coupons, stock }))
    }
}

fn amounts(faults: &mut Faults, pointer: &str, stored: &StoredAmounts) -> Amounts {
    let mut amounts = Amounts::new();
    for (code, amount) in stored {
        let at = format!("{pointer}/{code}");
        let currency = faults.take(&at, code.parse());
        let amount =
            faults.take(&at, Minor::new(*amount).map_err(|_| "must be a whole number of minor units, 0 or more"));
        amounts.extend(currency.zip(amount));
    }
    amounts
}

fn regions(faults: &mut Faults, pointer: &str, stored: &[String]) -> Vec<Region> {
    if stored.is_empty() {
        faults.add(pointer, "must name at least one region");
    }
    stored.iter().enumerate().filter_map(|(i, code)| faults.take(&format!("{pointer}/{i}"), code.parse())).collect()
}
