//! The catalog as a file and as items: what the shop's people write, checked on the way in.

mod cash;
mod coupon;
mod product;
mod shipping;
mod tax;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::domain::{
    calendar::Period,
    coupon::Coupon,
    ids::Sku,
    invalid::{Faults, Invalid},
    money::{Amounts, Minor},
    place::{County, Place, Region},
    product::Product,
    scope::Scope,
    tax::Certificate,
};

pub use cash::StoredCash;
pub use coupon::StoredCoupon;
pub use product::StoredProduct;
pub use shipping::StoredShipping;
pub use tax::{StoredCertificate, StoredTax, StoredTaxRules};

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
    pub tax: StoredTax,
    /// Certificates on file, each by its number.
    #[serde(default)]
    pub tax_exemptions: Vec<StoredCertificate>,
    /// Without a rule nothing can be paid at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash_on_delivery: Option<StoredCash>,
}

/// A catalog file that has been found right.
#[derive(Clone, Debug)]
pub struct CheckedCatalog {
    pub products: Vec<Product>,
    pub coupons: Vec<Coupon>,
    /// The tax rules by country.
    pub tax: BTreeMap<String, StoredTaxRules>,
    pub certificates: Vec<Certificate>,
    /// The opening stock of every counter.
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
                stored.check_products(&mut faults, &prefix, &ids);
                coupons.push(coupon);
            }
        }
        faults.nest("/shipping", self.shipping.rules());
        if let Some(cash) = &self.cash_on_delivery {
            faults.nest("/cashOnDelivery", cash.rule());
        }
        let tax = faults.nest("/tax", self.tax.by_country());
        if let Some(tax) = &tax {
            self.check_tax_codes(&mut faults, tax);
        }
        let mut certificates: Vec<Certificate> = Vec::new();
        for (index, stored) in self.tax_exemptions.iter().enumerate() {
            let prefix = format!("/taxExemptions/{index}");
            let Some(certificate) = faults.nest(&prefix, stored.certificate()) else { continue };
            if certificates.iter().any(|c| c.number == certificate.number) {
                faults.add(format!("{prefix}/certificateNumber"), "stands in the file twice");
            }
            certificates.push(certificate);
        }
        faults.finish(Some(CheckedCatalog { products, coupons, tax: tax.unwrap_or_default(), certificates, stock }))
    }
}

impl CatalogFile {
    /// A tax code that no jurisdiction has a rate for is a slip: the product could be sold nowhere. Without any
    /// jurisdiction that is true of all products, and no slip of theirs.
    fn check_tax_codes(&self, faults: &mut Faults, tax: &BTreeMap<String, StoredTaxRules>) {
        let known: BTreeSet<&str> = tax.values().flat_map(StoredTaxRules::codes).collect();
        if known.is_empty() {
            return;
        }
        for (index, code) in self.products.iter().enumerate().filter_map(|(i, p)| Some((i, p.tax_code()?))) {
            if !known.contains(code) {
                faults.add(format!("/products/{index}/taxCode"), format!("no jurisdiction has a rate for {code}"));
            }
        }
    }
}

/// From when until when, as the rules write it.
fn period(
    faults: &mut Faults,
    prefix: &str,
    starts_at: Option<OffsetDateTime>,
    ends_at: Option<OffsetDateTime>,
) -> Period {
    if starts_at.zip(ends_at).is_some_and(|(start, end)| end <= start) {
        faults.add(format!("{prefix}/endsAt"), "must be after startsAt");
    }
    Period { starts_at, ends_at }
}

/// Products, categories or both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredScope {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    products: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
}

impl StoredScope {
    fn is_empty(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty()
    }

    fn scope(&self, faults: &mut Faults, prefix: &str) -> Scope {
        Scope {
            products: parsed(faults, &format!("{prefix}/products"), &self.products),
            categories: parsed(faults, &format!("{prefix}/categories"), &self.categories),
        }
    }
}

/// Each text of a list, parsed; those that can't be are faults.
fn parsed<T: Ord + FromStr<Err: Display>>(faults: &mut Faults, pointer: &str, texts: &[String]) -> BTreeSet<T> {
    let texts = texts.iter().enumerate();
    texts.filter_map(|(i, text)| faults.take(&format!("{pointer}/{i}"), text.parse())).collect()
}

/// A place: an ISO 3166 code, or a part of such a region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "an ISO 3166 code, or an object with region, county and postalCodes")]
enum StoredPlace {
    Region(String),
    Part(StoredPart),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredPart {
    region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    county: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    postal_codes: Vec<String>,
}

fn places(faults: &mut Faults, pointer: &str, stored: &[StoredPlace]) -> Vec<Place> {
    let mut places = Vec::new();
    for (index, stored) in stored.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        let place = match stored {
            StoredPlace::Region(code) => {
                let region = faults.take(&at, code.parse());
                region.map(|region| Place { region, county: None, postal_codes: Vec::new() })
            }
            StoredPlace::Part(part) => {
                let codes = part.postal_codes.iter().enumerate();
                let postal_codes =
                    codes.filter_map(|(i, text)| faults.take(&format!("{at}/postalCodes/{i}"), text.parse())).collect();
                let county = part.county.as_deref().map(County::new);
                faults.take(&format!("{at}/region"), part.region.parse()).map(|region| Place {
                    region,
                    county,
                    postal_codes,
                })
            }
        };
        places.extend(place);
    }
    places
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
