//! What a load of the catalog will change.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    adapters::{
        dynamodb::{
            catalog::{StoredDocument, StoredRules},
            catalog_load::{CatalogEntry, LoadError, Written, written},
            client::Item,
            document_text::from_either,
            products::LISTING,
        },
        stored::catalog::{CatalogFile, StoredCertificate, StoredCoupon, StoredProduct, StoredTaxRules},
    },
    domain::{
        ids::Sku,
        money::{Currency, Minor},
        product::Product,
    },
};

const READ: &str = "read catalog";

/// What a load does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadPlan {
    pub added: BTreeSet<CatalogEntry>,
    pub changed: BTreeSet<CatalogEntry>,
    pub unchanged: BTreeSet<CatalogEntry>,
    /// Products, coupons and certificates in the table that the file doesn't name. They stay unless they are withdrawn.
    pub left: BTreeSet<CatalogEntry>,
    /// Tax rules of countries that the file has none for, and coupons that are automatic now. A load takes them away, so
    /// that no old rule stays in force.
    pub ended: BTreeSet<CatalogEntry>,
    /// Prices that more than double, or fall to less than half.
    pub steep: Vec<PriceChange>,
}

/// A usual price in the table, and the one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceChange {
    pub sku: Sku,
    pub currency: Currency,
    pub old: Minor,
    pub new: Minor,
}

impl PriceChange {
    /// Whether it looks like a slip: a price of nothing is one too.
    const fn is_steep(&self) -> bool {
        let (old, new) = (self.old.get(), self.new.get());
        new > old.saturating_mul(2) || old > new.saturating_mul(2)
    }
}

impl fmt::Display for PriceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sku, currency, old, new } = self;
        write!(f, "the price of {} moves from {} to {}", sku.path(), currency.format(*old), currency.format(*new))
    }
}

impl LoadPlan {
    /// What [`Dynamo::load_catalog`] will do with this file, given everything that is in the catalog's table.
    ///
    /// # Errors
    /// [`LoadError`] with every fault of the file.
    pub fn of(file: &CatalogFile, table: Vec<Item>) -> Result<Self, LoadError> {
        let Written { items: new, automatic, .. } = written(file)?;
        let entry = |item: &Item| CatalogEntry::of(item.get("id")?.as_s().ok()?);
        let old: BTreeMap<_, _> = table.into_iter().filter_map(|item| Some((entry(&item)?, item))).collect();
        let mut plan = Self::default();
        for (entry, item) in &new {
            let list = match old.get(entry) {
                None => &mut plan.added,
                Some(known) if says_the_same(entry, known, item) => &mut plan.unchanged,
                Some(known) => {
                    plan.steep.extend(price_changes(known, item).into_iter().filter(PriceChange::is_steep));
                    &mut plan.changed
                }
            };
            list.insert(entry.clone());
        }
        for entry in old.keys().filter(|entry| !new.contains_key(*entry)) {
            let ends = match entry {
                CatalogEntry::Tax(_) => true,
                CatalogEntry::Coupon(code) => automatic.contains(code),
                _ => false,
            };
            if ends { &mut plan.ended } else { &mut plan.left }.insert(entry.clone());
        }
        Ok(plan)
    }
}

/// Whether two items of one entry are the same document. Earlier releases wrote it as attributes, and more of what goes without
/// saying.
fn says_the_same(entry: &CatalogEntry, one: &Item, other: &Item) -> bool {
    let content = match entry {
        CatalogEntry::Product(_) => written_now::<StoredDocument<StoredProduct>>,
        CatalogEntry::Coupon(_) => written_now::<StoredDocument<StoredCoupon>>,
        CatalogEntry::Certificate(_) => written_now::<StoredDocument<StoredCertificate>>,
        CatalogEntry::Tax(_) => written_now::<StoredDocument<StoredTaxRules>>,
        CatalogEntry::Rules => written_now::<StoredRules>,
        CatalogEntry::TaxIndex => return one == other,
    };
    one.get(LISTING) == other.get(LISTING)
        && content(one).is_some_and(|content_of_one| Some(content_of_one) == content(other))
}

/// A document as this release would write it, if it can read it.
fn written_now<T: DeserializeOwned + Serialize>(item: &Item) -> Option<String> {
    let stored: T = from_either(READ, item.clone()).ok()?;
    serde_json::to_string(&stored).ok()
}

/// The usual prices that differ between two documents of one product. Of what isn't a product, or can't be read any
/// more, there are none.
fn price_changes(old: &Item, new: &Item) -> Vec<PriceChange> {
    let product = |item: &Item| {
        let stored: StoredDocument<StoredProduct> = from_either(READ, item.clone()).ok()?;
        stored.document.product().ok()
    };
    let Some((old, new)) = product(old).zip(product(new)) else { return Vec::new() };
    let prices = |product: &Product| -> BTreeMap<(Sku, Currency), Minor> {
        let own = (None, &product.prices);
        let variants = product.variants.iter().map(|variant| (Some(variant.id.clone()), &variant.prices));
        let all = std::iter::once(own).chain(variants);
        all.flat_map(|(variant, prices)| {
            let sku = Sku { product: product.id.clone(), variant };
            prices.usual.iter().map(move |(currency, price)| ((sku.clone(), *currency), *price))
        })
        .collect()
    };
    let before = prices(&old);
    let changes = prices(&new).into_iter().filter_map(|((sku, currency), new)| {
        let old = *before.get(&(sku.clone(), currency))?;
        (old != new).then_some(PriceChange { sku, currency, old, new })
    });
    changes.collect()
}
