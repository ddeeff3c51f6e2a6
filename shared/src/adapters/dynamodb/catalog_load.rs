//! Writing the catalog: the load, and what is withdrawn from sale.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::ReturnValue,
};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    adapters::{
        dynamodb::{
            catalog::{
                SHIPPING_ID, StoredDocument, StoredRules, TAX_INDEX_ID, certificate_id, coupon_document_id, product_id,
                tax_id,
            },
            client::{Dynamo, Item, failed, number, text, to_item},
            counter_parts::{Counting, parts},
            document_text::{from_either, to_text},
            inventory::{AVAILABLE, LOW_STOCK_AT, SOLD_OUT_AT, stock_id},
            products::{LISTING, PUBLISHED},
        },
        stored::catalog::{CatalogFile, OpeningStock},
    },
    domain::{
        counter::Counter,
        ids::{CertificateNumber, CouponCode, ProductId, Sku},
        invalid::Invalid,
        stock::StockMarks,
    },
    ports::StoreError,
};

const WRITE: &str = "write catalog";
/// Attempts at a change of the rules while others write them, and of a counter while an order takes from it.
const ATTEMPTS: u32 = 10;
/// An order's transaction is over by then.
const PAUSE: Duration = Duration::from_millis(50);
/// What an item may have.
const MOST_BYTES: usize = 400 * 1024;
/// How long a change of the number of a counter's parts may take, while it sells.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// One document of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatalogEntry {
    Product(ProductId),
    Coupon(CouponCode),
    Certificate(CertificateNumber),
    /// The tax rules of a country.
    Tax(String),
    /// Shipping, promotions, cash on delivery and cards.
    Rules,
    /// Which countries have tax rules.
    TaxIndex,
}

/// Why a catalog wasn't loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the catalog has {} fault(s)", .0.len())]
    Invalid(Vec<Invalid>),
    #[error("the catalog has no stock of {}: name it as productId, or as productId/variantId if each variant has its own", .0.path())]
    NoSuchStock(Sku),
    /// `DynamoDB`'s own limit of an item.
    #[error(
        "{entry}: {bytes} bytes, and DynamoDB takes at most {MOST_BYTES} in one item; ranges of postal codes take less than single ones"
    )]
    TooLarge { entry: CatalogEntry, bytes: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The countries with tax rules.
#[derive(Debug, Serialize)]
struct TaxIndex {
    countries: BTreeSet<String>,
}

impl CatalogEntry {
    /// Its key in the table.
    pub fn id(&self) -> String {
        match self {
            Self::Product(id) => product_id(id),
            Self::Coupon(code) => coupon_document_id(code),
            Self::Certificate(number) => certificate_id(number),
            Self::Tax(country) => tax_id(country),
            Self::Rules => SHIPPING_ID.to_owned(),
            Self::TaxIndex => TAX_INDEX_ID.to_owned(),
        }
    }

    /// None for what isn't the loader's.
    pub(super) fn of(id: &str) -> Option<Self> {
        if id == SHIPPING_ID {
            return Some(Self::Rules);
        }
        let rest = id.strip_prefix(TAX_INDEX_ID);
        if let Some(country) = rest {
            return Some(country.strip_prefix('#').map_or(Self::TaxIndex, |country| Self::Tax(country.to_owned())));
        }
        let (kind, name) = id.split_once('#')?;
        match kind {
            "product" => name.parse().ok().map(Self::Product),
            "coupon" => name.parse().ok().map(Self::Coupon),
            "certificate" => name.parse().ok().map(Self::Certificate),
            _ => None,
        }
    }
}

impl fmt::Display for CatalogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => write!(f, "product {id}"),
            Self::Coupon(code) => write!(f, "coupon {code}"),
            Self::Certificate(number) => write!(f, "certificate {number}"),
            Self::Tax(country) => write!(f, "tax rules of {country}"),
            Self::Rules => f.write_str("rules of shipping, promotions, currencies, cash and cards"),
            Self::TaxIndex => f.write_str("list of countries with tax rules"),
        }
    }
}

/// A file as items of the catalog's table, and its counters.
pub(super) struct Written {
    pub(super) items: BTreeMap<CatalogEntry, Item>,
    stock: BTreeMap<Sku, OpeningStock>,
    /// How the uses of each coupon that somebody can enter are counted.
    uses: BTreeMap<CouponCode, Counting>,
    /// The coupons that nobody has to enter. They are part of the rules.
    pub(super) automatic: BTreeSet<CouponCode>,
}

pub(super) fn written(file: &CatalogFile) -> Result<Written, LoadError> {
    let checked = file.check().map_err(LoadError::Invalid)?;
    let mut items = BTreeMap::new();
    let mut add = |entry: CatalogEntry, item: Result<Item, StoreError>| -> Result<(), StoreError> {
        items.insert(entry, item?);
        Ok(())
    };
    for (product, stored) in checked.products.iter().zip(&file.products) {
        let entry = CatalogEntry::Product(product.id.clone());
        let mut item = document(&entry, stored)?;
        if product.published {
            item.insert(LISTING.to_owned(), text(PUBLISHED));
        }
        add(entry, Ok(item))?;
    }
    let (mut promotions, mut uses) = (BTreeMap::new(), BTreeMap::new());
    for (coupon, stored) in checked.coupons.iter().zip(&file.coupons) {
        if coupon.automatic {
            promotions.insert(coupon.code.clone(), stored.clone());
            continue;
        }
        uses.insert(coupon.code.clone(), Counting { parts: stored.limit_parts(), limit: coupon.total_limit });
        let entry = CatalogEntry::Coupon(coupon.code.clone());
        add(entry.clone(), document(&entry, stored))?;
    }
    for (certificate, stored) in checked.certificates.iter().zip(&file.tax_exemptions) {
        let entry = CatalogEntry::Certificate(certificate.number.clone());
        add(entry.clone(), document(&entry, stored))?;
    }
    for (country, rules) in &checked.tax {
        let entry = CatalogEntry::Tax(country.clone());
        add(entry.clone(), document(&entry, rules))?;
    }
    let countries = TaxIndex { countries: checked.tax.keys().cloned().collect() };
    add(CatalogEntry::TaxIndex, document(&CatalogEntry::TaxIndex, &countries))?;
    let CatalogFile { shipping: document, currencies, payment_methods, cash_on_delivery, cards, .. } = file.clone();
    let (automatic, promotions) = promotions.into_iter().unzip();
    let id = CatalogEntry::Rules.id();
    let rules =
        StoredRules { id: id.clone(), document, promotions, currencies, payment_methods, cash_on_delivery, cards };
    add(CatalogEntry::Rules, to_text(WRITE, id, &rules))?;
    let sizes = items.iter().map(|(entry, item)| (entry, bytes(item)));
    if let Some((entry, bytes)) = sizes.max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > MOST_BYTES) {
        return Err(LoadError::TooLarge { entry: entry.clone(), bytes });
    }
    Ok(Written { items, stock: checked.stock, uses, automatic })
}

/// The size of an item as `DynamoDB` counts it, where every document that may become large is text.
fn bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.as_s().map_or(0, String::len)).sum()
}

/// The units of what is reset.
fn counts(stock: &BTreeMap<Sku, OpeningStock>, reset: &BTreeSet<Sku>) -> Result<BTreeMap<Sku, u64>, LoadError> {
    let count = |sku: &Sku| Some((sku.clone(), stock.get(sku)?.units));
    reset.iter().map(|sku| count(sku).ok_or_else(|| LoadError::NoSuchStock(sku.clone()))).collect()
}

/// What every cart needs is text. The rest is looked at in the table, a certificate by the name of its holder.
fn document(entry: &CatalogEntry, document: &impl Serialize) -> Result<Item, StoreError> {
    let stored = StoredDocument { id: entry.id(), document };
    match entry {
        CatalogEntry::Product(_) | CatalogEntry::Tax(_) | CatalogEntry::Rules => to_text(WRITE, entry.id(), &stored),
        CatalogEntry::Coupon(_) | CatalogEntry::Certificate(_) | CatalogEntry::TaxIndex => to_item(WRITE, &stored),
    }
}

impl Dynamo {
    /// The number of items that [`Dynamo::load_catalog`] writes for a file.
    ///
    /// # Errors
    /// Every fault of the file, or its largest document if that is too large for an item.
    pub fn catalog_size(file: &CatalogFile) -> Result<usize, LoadError> {
        let Written { items, stock, .. } = written(file)?;
        Ok(items.len() + stock.len())
    }

    /// The stock of the file that a load with this `reset` sets, though it is counted already.
    ///
    /// # Errors
    /// [`LoadError`] with every fault of the file, or the first name in `reset` of which the file has no stock.
    pub fn reset_stock(file: &CatalogFile, reset: &BTreeSet<Sku>) -> Result<BTreeMap<Sku, u64>, LoadError> {
        counts(&written(file)?.stock, reset)
    }

    /// Writes a whole catalog. Documents are replaced. Stock that is counted already is kept, but for the products and
    /// variants in `reset`; its marks become the file's. Repeating it changes nothing. `each` is called after each item.
    ///
    /// # Errors
    /// [`LoadError`] with every fault of the file, before anything is written, or the first write that failed.
    pub async fn load_catalog(
        &self,
        file: &CatalogFile,
        reset: &BTreeSet<Sku>,
        mut each: impl FnMut(),
    ) -> Result<(), LoadError> {
        let Written { items, stock, uses, automatic } = written(file)?;
        counts(&stock, reset)?;
        let divided = self.divided_limits(uses.keys()).await?;
        // A lower limit holds before anybody reads it, and a higher one right afterwards.
        let is_lower = |(code, counting): &(&CouponCode, &Counting)| {
            divided.get(*code).zip(counting.limit).is_some_and(|(old, new)| new < *old)
        };
        let lower = uses.iter().filter(is_lower).map(|(code, counting)| (code.clone(), *counting)).collect();
        self.divide_uses(lower).await?;
        let old = self.batch("read catalog", &self.tables.catalog, vec![TAX_INDEX_ID.to_owned()], true).await?;
        let countries = old.get(TAX_INDEX_ID).and_then(|item| item.get("document")?.as_m().ok()?.get("countries"));
        let countries: Vec<_> = countries.and_then(|list| list.as_l().ok()).into_iter().flatten().collect();
        for (entry, item) in &items {
            // The list of countries comes last: until then it names all whose rules may still be there.
            if *entry != CatalogEntry::TaxIndex {
                self.put(item.clone()).await?;
                each();
            }
        }
        for country in countries.iter().filter_map(|country| country.as_s().ok()) {
            let entry = CatalogEntry::Tax(country.clone());
            if !items.contains_key(&entry) {
                self.delete(&entry).await?;
            }
        }
        let is_counted = |(code, counting): &(CouponCode, Counting)| counting.parts > 1 || divided.contains_key(code);
        let counted = self.divide_uses(uses.into_iter().filter(is_counted).collect()).await;
        for code in automatic {
            self.delete(&CatalogEntry::Coupon(code.clone())).await?;
            self.count_in_one(code).await?;
        }
        if let Some(index) = items.get(&CatalogEntry::TaxIndex) {
            self.put(index.clone()).await?;
            each();
        }
        for (sku, opening) in &stock {
            self.open_stock(sku, *opening, reset.contains(sku)).await?;
            each();
        }
        counted
    }

    /// Takes one document or promotion out of the catalog. Open sessions see it at their next request. Returns whether it
    /// was there.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be written.
    pub async fn withdraw(&self, entry: &CatalogEntry) -> Result<bool, StoreError> {
        let deleted = self.delete(entry).await?;
        let CatalogEntry::Coupon(code) = entry else { return Ok(deleted) };
        self.count_in_one(code.clone()).await?;
        Ok(self.end_promotion(code).await? || deleted)
    }

    /// Takes a promotion out of the rules. If they are written meanwhile, tries again with the new ones.
    async fn end_promotion(&self, code: &CouponCode) -> Result<bool, StoreError> {
        for _ in 0..ATTEMPTS {
            let found = self.batch("read catalog", &self.tables.catalog, vec![SHIPPING_ID.to_owned()], true).await?;
            let Some(item) = found.into_values().next() else { return Ok(false) };
            let mut rules: StoredRules = from_either(WRITE, item.clone())?;
            let before = rules.promotions.len();
            rules.promotions.retain(|promotion| promotion.code().as_ref() != Some(code));
            if rules.promotions.len() == before {
                return Ok(false);
            }
            let request = self.client.put_item().table_name(&self.tables.catalog);
            let mut request = request.set_item(Some(to_text(WRITE, SHIPPING_ID.to_owned(), &rules)?));
            let mut unchanged = Vec::new();
            for (at, (name, value)) in item.into_iter().enumerate() {
                unchanged.push(format!("#{at} = :{at}"));
                request = request.expression_attribute_names(format!("#{at}"), name);
                request = request.expression_attribute_values(format!(":{at}"), value);
            }
            match request.condition_expression(unchanged.join(" AND ")).send().await {
                Ok(_) => return Ok(true),
                Err(error)
                    if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {}
                Err(error) => return Err(failed(WRITE)(error)),
            }
        }
        Err(StoreError::contention(WRITE))
    }

    async fn delete(&self, entry: &CatalogEntry) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.tables.catalog).key("id", text(entry.id()));
        let request = request.return_values(ReturnValue::AllOld);
        let answer = request.send().await.map_err(failed(WRITE))?;
        Ok(answer.attributes.is_some())
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.tables.catalog).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(failed(WRITE))
    }

    /// One write for the units and the marks: no load that dies leaves a counter without its marks, and nothing that is
    /// sold meanwhile is turned back. Then the number of its parts, if that is another.
    async fn open_stock(&self, sku: &Sku, opening: OpeningStock, reset: bool) -> Result<(), StoreError> {
        let counter = Counter::Stock(sku.clone());
        let divide = |parts| self.split(&counter, Counting { parts, limit: None }, Instant::now() + PATIENCE);
        if reset {
            // What is set is all of it.
            divide(1).await?;
        }
        let parts = self.write_counter(sku, opening, reset).await?;
        if parts == opening.parts { Ok(()) } else { divide(opening.parts).await }
    }

    /// Returns the number of parts that the counter has.
    async fn write_counter(&self, sku: &Sku, opening: OpeningStock, reset: bool) -> Result<u8, StoreError> {
        const WRITE: &str = "write stock";
        let OpeningStock { units, marks: StockMarks { low_stock_at, sold_out_at }, .. } = opening;
        let request = self.client.update_item().table_name(&self.tables.inventory).key("id", text(stock_id(sku)));
        let mut request = request.expression_attribute_values(":units", number(units));
        let units = if reset { ":units" } else { "if_not_exists(available, :units)" };
        let (mut set, mut remove) = (vec![format!("{AVAILABLE} = {units}")], Vec::new());
        // 0 is what a counter without it has.
        let sold_out_at = Some(sold_out_at).filter(|at| *at != 0);
        for (mark, at) in [(LOW_STOCK_AT, low_stock_at), (SOLD_OUT_AT, sold_out_at)] {
            if let Some(at) = at {
                set.push(format!("{mark} = :{mark}"));
                request = request.expression_attribute_values(format!(":{mark}"), number(at));
            } else {
                remove.push(mark);
            }
        }
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let request = request.update_expression(format!("SET {}{remove}", set.join(", ")));
        let request = request.return_values(ReturnValue::AllNew);
        for _ in 0..ATTEMPTS {
            match request.clone().send().await {
                Ok(answer) => return Ok(answer.attributes.as_ref().map_or(1, parts)),
                Err(error)
                    if error.as_service_error().is_some_and(UpdateItemError::is_transaction_conflict_exception) =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(failed(WRITE)(error)),
            }
        }
        Err(StoreError::contention(WRITE))
    }
}
