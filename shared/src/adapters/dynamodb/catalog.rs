//! The table of products and rules, and the table of stock, as the functions read them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, Item, broken, failed, from_item, text},
            counter_parts::parts,
            document_text::{from_either, from_text, json},
            inventory::{USES, counter, customer_coupon_id, left, stock_id},
            parsed_rules::{Parsed, ParsedRules},
        },
        stored::catalog::{
            StoredCards, StoredCash, StoredCertificate, StoredCoupon, StoredCurrencies, StoredPaymentRule,
            StoredProduct, StoredShipping, StoredTaxRules, card_rule, payment_rules,
        },
    },
    domain::{
        availability::Stocked,
        catalog::{CatalogQuery, CatalogSnapshot, ShopRules},
        counter::Counter,
        coupon::CouponUses,
        ids::{CertificateNumber, CouponCode, ProductId, Sku},
        invalid::Invalid,
        product::Product,
    },
    ports::{Catalog, ProductPage, StoreError},
};

const OPERATION: &str = "read catalog";
pub(super) const SHIPPING_ID: &str = "rules#shipping";
/// Which countries have tax rules.
pub(super) const TAX_INDEX_ID: &str = "rules#tax";
/// The most keys of one `BatchGetItem`.
const BATCH: usize = 100;
/// The most calls for the keys that a throttled table left out.
const ROUNDS: u32 = 5;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredDocument<T> {
    pub id: String,
    pub document: T,
}

/// The shop's rules that every cart needs. They are one item, so that they cost one read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredRules {
    pub id: String,
    /// Shipping.
    pub document: StoredShipping,
    /// The automatic coupons, in the order of their codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<StoredCoupon>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currencies: Option<StoredCurrencies>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_methods: Option<Vec<StoredPaymentRule>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash_on_delivery: Option<StoredCash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cards: Option<StoredCards>,
}

impl StoredRules {
    fn rules(self) -> Result<ShopRules, Vec<Invalid>> {
        Ok(ShopRules {
            shipping: self.document.rules()?,
            promotions: self.promotions.iter().map(StoredCoupon::coupon).collect::<Result<_, _>>()?,
            currencies: self.currencies.map(|stored| stored.currencies()).transpose()?.unwrap_or_default(),
            payments: self.payment_methods.as_deref().map(payment_rules).transpose()?,
            cash_on_delivery: self.cash_on_delivery.map(|stored| stored.rule()).transpose()?.unwrap_or_default(),
            cards: card_rule(self.cards.as_ref())?,
        })
    }
}

pub(super) fn product_id(id: &ProductId) -> String {
    format!("product#{id}")
}

/// The tax rules of one country: a cart needs only its own.
pub(super) fn tax_id(country: &str) -> String {
    format!("{TAX_INDEX_ID}#{country}")
}

pub(super) fn certificate_id(number: &CertificateNumber) -> String {
    format!("certificate#{number}")
}

pub(super) fn coupon_document_id(code: &CouponCode) -> String {
    format!("coupon#{code}")
}

impl Catalog for Dynamo {
    async fn snapshot(&self, query: &CatalogQuery) -> Result<CatalogSnapshot, StoreError> {
        let mut documents: BTreeSet<String> = query.skus.iter().map(|sku| product_id(&sku.product)).collect();
        documents.insert(SHIPPING_ID.to_owned());
        documents.extend(query.countries.iter().map(|country| tax_id(country)));
        documents.extend(query.coupons.iter().map(coupon_document_id));
        documents.extend(query.certificate.as_ref().map(certificate_id));
        let mut counters: BTreeSet<String> = query.skus.iter().map(stock_id).collect();
        // Variants may share their product's counter. Which ones do is known only after the product is read, so both
        // are read.
        counters.extend(query.skus.iter().map(|sku| stock_id(&Sku { variant: None, ..sku.clone() })));
        for code in &query.coupons {
            counters.insert(Counter::Coupon(code.clone()).to_string());
            counters.extend(query.customer.as_ref().map(|customer| customer_coupon_id(code, customer)));
        }
        // Both tables are read at the same time. The stock is read consistently, so that no refusal comes from an old
        // count.
        let (documents, counters) = tokio::try_join!(
            self.batch(OPERATION, &self.tables.catalog, documents.into_iter().collect(), false),
            self.batch(OPERATION, &self.tables.inventory, counters.into_iter().collect(), true)
        )?;
        let mut snapshot = snapshot(query, documents, &counters, &self.rules)?;
        let limited = snapshot.coupons.iter().filter(|(_, (coupon, _))| coupon.total_limit.is_some());
        let limited = limited.map(|(code, _)| Counter::Coupon(code.clone()));
        let taken_from = snapshot.stock.keys().cloned().map(Counter::Stock).chain(limited);
        snapshot.parts = taken_from.filter_map(|counter| several(counter, &counters)).collect();
        if !snapshot.parts.is_empty() {
            self.look_at_parts(&mut snapshot, query, counters).await?;
        }
        let mut coupons = snapshot.coupons.values_mut();
        if let Some(customer) = &query.customer
            && coupons.any(|(coupon, _)| coupon.first_order_only)
        {
            let has_ordered = self.has_ordered(customer).await?;
            snapshot.coupons.values_mut().for_each(|(_, uses)| uses.has_ordered = has_ordered);
        }
        Ok(snapshot)
    }

    async fn page(&self, after: Option<&ProductId>, limit: u16) -> Result<ProductPage, StoreError> {
        self.product_page(after, limit).await
    }

    async fn product(&self, id: &ProductId) -> Result<Option<Stocked>, StoreError> {
        self.one_product(id).await
    }
}

/// The number of parts of a counter that has several.
fn several(of: Counter, counters: &HashMap<String, Item>) -> Option<(Counter, u8)> {
    let parts = parts(counters.get(&of.to_string())?);
    (parts > 1).then_some((of, parts))
}

fn snapshot(
    query: &CatalogQuery,
    mut documents: HashMap<String, Item>,
    counters: &HashMap<String, Item>,
    parsed: &ParsedRules,
) -> Result<CatalogSnapshot, StoreError> {
    let mut snapshot = CatalogSnapshot::default();
    for sku in &query.skus {
        if let Some(item) = documents.remove(&product_id(&sku.product)) {
            let product = product(OPERATION, item)?;
            snapshot.products.insert(product.id.clone(), product);
        }
    }
    let shipping =
        documents.remove(SHIPPING_ID).ok_or_else(|| broken(OPERATION)("no catalog has been loaded".into()))?;
    snapshot.rules = rules(&parsed.shop, SHIPPING_ID, shipping, StoredRules::rules)?;
    // A country without a document has no rule: this is an issue of the cart, not an error of the store.
    for country in &query.countries {
        if let Some(item) = documents.remove(&tax_id(country)) {
            let tax = |stored: StoredDocument<StoredTaxRules>| stored.document.rules();
            snapshot.taxes.insert(country.clone(), rules(&parsed.taxes, &tax_id(country), item, tax)?);
        }
    }
    if let Some(item) = query.certificate.as_ref().and_then(|number| documents.remove(&certificate_id(number))) {
        snapshot.certificate = Some(document::<StoredCertificate>(item)?.certificate().map_err(invalid)?);
    }
    let count = |id: &str| counters.get(id).and_then(|item| counter(item, USES)).unwrap_or_default();
    let uses = |id: String| u32::try_from(count(&id)).unwrap_or(u32::MAX);
    for code in &query.coupons {
        if let Some(item) = documents.remove(&coupon_document_id(code)) {
            let coupon = document::<StoredCoupon>(item)?.coupon().map_err(invalid)?;
            let by_customer = query.customer.as_ref().map_or(0, |owner| uses(customer_coupon_id(code, owner)));
            let total = uses(Counter::Coupon(code.clone()).to_string());
            let used_up = coupon.total_limit.is_some_and(|limit| total >= limit);
            let uses = CouponUses { used_up, by_customer, has_ordered: false };
            snapshot.coupons.insert(code.clone(), (coupon, uses));
        }
    }
    let counted = query.skus.iter().flat_map(|sku| [sku.clone(), Sku { variant: None, ..sku.clone() }]);
    snapshot.stock = counted.filter_map(|sku| Some((sku.clone(), left(counters.get(&stock_id(&sku))?)?))).collect();
    Ok(snapshot)
}

/// Rules of the table: as they were parsed last time, if they are the same text.
fn rules<S: DeserializeOwned, T>(
    parsed: &Parsed<T>,
    id: &str,
    item: Item,
    rules: impl FnOnce(S) -> Result<T, Vec<Invalid>>,
) -> Result<Arc<T>, StoreError> {
    match json(&item) {
        Some(json) => parsed.of(id, json, |json| rules(from_text(OPERATION, json)?).map_err(invalid)),
        None => Ok(Arc::new(rules(from_item(OPERATION, item)?).map_err(invalid)?)),
    }
}

/// A product of the table.
pub(super) fn product(operation: &'static str, item: Item) -> Result<Product, StoreError> {
    let stored: StoredDocument<StoredProduct> = from_either(operation, item)?;
    stored.document.product().map_err(invalid)
}

fn document<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    Ok(from_item::<StoredDocument<T>>(OPERATION, item)?.document)
}

/// The loader checks what it writes, so an invalid document was written by something else.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn invalid(faults: Vec<Invalid>) -> StoreError {
    let text: Vec<_> = faults.iter().map(ToString::to_string).collect();
    broken(OPERATION)(text.join("; ").into())
}

impl Dynamo {
    /// What is left of the counters in parts: of stock what the cart wants or all, of a coupon one use or none.
    async fn look_at_parts(
        &self,
        snapshot: &mut CatalogSnapshot,
        query: &CatalogQuery,
        counters: HashMap<String, Item>,
    ) -> Result<(), StoreError> {
        let units = i64::try_from(query.units).unwrap_or(i64::MAX);
        let enough = |counter: &Counter| if matches!(counter, Counter::Stock(_)) { units } else { 1 };
        let wanted = snapshot.parts.keys().map(|counter| (counter.clone(), enough(counter))).collect();
        for (counter, left) in self.parts_left(OPERATION, counters, &wanted, true).await? {
            let left: i64 = left.into_iter().sum();
            match counter {
                Counter::Stock(sku) => drop(snapshot.stock.insert(sku, left)),
                Counter::Coupon(code) => {
                    snapshot.coupons.entry(code).and_modify(|(_, uses)| uses.used_up = left < 1);
                }
            }
        }
        Ok(())
    }

    /// Items by id. Keys that the table left unprocessed are read again.
    pub async fn batch(
        &self,
        operation: &'static str,
        table: &str,
        ids: Vec<String>,
        consistent: bool,
    ) -> Result<HashMap<String, Item>, StoreError> {
        let keys = ids.into_iter().map(|id| Item::from([("id".to_owned(), text(id))])).collect();
        let items = self.batch_items(operation, table, keys, consistent).await?;
        let id = |item: &Item| Some(item.get("id")?.as_s().ok()?.clone());
        Ok(items.into_iter().filter_map(|item| Some((id(&item)?, item))).collect())
    }

    /// The items that there are of these keys. Keys that the table left unprocessed are read again.
    pub(super) async fn batch_items(
        &self,
        operation: &'static str,
        table: &str,
        keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for chunk in keys.chunks(BATCH) {
            let keys = KeysAndAttributes::builder().set_keys(Some(chunk.to_vec())).consistent_read(consistent).build();
            let keys = keys.map_err(|error| broken(operation)(error.into()))?;
            let mut request = HashMap::from([(table.to_owned(), keys)]);
            for round in 0.. {
                let answer = self.client.batch_get_item().set_request_items(Some(request)).send().await;
                let answer = answer.map_err(failed(operation))?;
                found.extend(answer.responses.unwrap_or_default().into_values().flatten());
                request = answer.unprocessed_keys.unwrap_or_default();
                if request.is_empty() {
                    break;
                }
                if round >= ROUNDS {
                    return Err(broken(operation)("the table is throttled".into()));
                }
                tokio::time::sleep(std::time::Duration::from_millis(20 << round)).await;
            }
        }
        Ok(found)
    }
}
