//! The table of products and rules, and the stock beside it. The functions only read it; the loader writes it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, Item, broken, failed, from_item, number, text, to_item},
            inventory::{AVAILABLE, USES, counter, coupon_id, customer_coupon_id, stock_id},
        },
        stored::catalog::{CatalogFile, StoredCoupon, StoredProduct, StoredShipping, StoredTaxRules},
    },
    domain::{
        catalog::{Tables, TablesQuery},
        coupon::CouponUses,
        ids::{CouponCode, ProductId, Sku},
        invalid::Invalid,
    },
    ports::{Catalog, StoreError},
};

const OPERATION: &str = "read catalog";
const SHIPPING_ID: &str = "rules#shipping";
const TAX_ID: &str = "rules#tax";
/// Keys that one `BatchGetItem` takes.
const BATCH: usize = 100;
/// Rounds of asking for the keys that a throttled table left out.
const ROUNDS: u32 = 5;

#[derive(Debug, Serialize, Deserialize)]
struct StoredDocument<T> {
    id: String,
    document: T,
}

fn product_id(id: &ProductId) -> String {
    format!("product#{id}")
}

fn coupon_document_id(code: &CouponCode) -> String {
    format!("coupon#{code}")
}

impl Catalog for Dynamo {
    async fn tables(&self, query: &TablesQuery) -> Result<Tables, StoreError> {
        let mut documents: Vec<String> = query.skus.iter().map(|sku| product_id(&sku.product)).collect();
        documents.dedup();
        documents.extend([SHIPPING_ID.to_owned(), TAX_ID.to_owned()]);
        documents.extend(query.coupon.as_ref().map(coupon_document_id));
        let mut counters: Vec<String> = query.skus.iter().map(stock_id).collect();
        if let Some(code) = &query.coupon {
            counters.push(coupon_id(code));
            counters.extend(query.customer.as_ref().map(|customer| customer_coupon_id(code, customer)));
        }
        // The two tables are asked at the same time. A refusal for want of stock must not rest on an old count.
        let (documents, counters) = tokio::try_join!(
            self.batch(&self.tables.catalog, documents, false),
            self.batch(&self.tables.inventory, counters, true)
        )?;
        tables(query, documents, &counters)
    }
}

fn tables(
    query: &TablesQuery,
    mut documents: HashMap<String, Item>,
    counters: &HashMap<String, Item>,
) -> Result<Tables, StoreError> {
    let mut products = std::collections::BTreeMap::new();
    for sku in &query.skus {
        if let Some(item) = documents.remove(&product_id(&sku.product)) {
            let product = document::<StoredProduct>(item)?.product().map_err(invalid)?;
            products.insert(product.id.clone(), product);
        }
    }
    let rules = |item: Option<Item>| item.ok_or_else(|| broken(OPERATION)("no catalog has been loaded".into()));
    let shipping = document::<StoredShipping>(rules(documents.remove(SHIPPING_ID))?)?.rules().map_err(invalid)?;
    let tax = document::<StoredTaxRules>(rules(documents.remove(TAX_ID))?)?.rules().map_err(invalid)?;
    let coupon = query.coupon.as_ref().and_then(|code| documents.remove(&coupon_document_id(code)));
    let coupon = coupon.map(|item| document::<StoredCoupon>(item)?.coupon().map_err(invalid)).transpose()?;
    let count = |id: &str, attribute| counters.get(id).and_then(|item| counter(item, attribute));
    let uses = |id: String| u32::try_from(count(&id, USES).unwrap_or_default()).unwrap_or(u32::MAX);
    let coupon_uses = query.coupon.as_ref().map(|code| CouponUses {
        total: uses(coupon_id(code)),
        by_customer: query.customer.as_ref().map_or(0, |owner| uses(customer_coupon_id(code, owner))),
    });
    let stock = query.skus.iter().filter_map(|sku| Some((sku.clone(), count(&stock_id(sku), AVAILABLE)?))).collect();
    Ok(Tables { products, stock, coupon, coupon_uses: coupon_uses.unwrap_or_default(), shipping, tax })
}

fn document<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    Ok(from_item::<StoredDocument<T>>(OPERATION, item)?.document)
}

/// The loader checks what it writes: an invalid document was written by something else.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn invalid(faults: Vec<Invalid>) -> StoreError {
    let text: Vec<_> = faults.iter().map(ToString::to_string).collect();
    broken(OPERATION)(text.join("; ").into())
}

impl Dynamo {
    /// Items by id. Keys that the store left unprocessed are asked for again.
    async fn batch(
        &self,
        table: &str,
        ids: Vec<String>,
        consistent: bool,
    ) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(BATCH) {
            let keys: Vec<Item> = chunk.iter().map(|id| Item::from([("id".to_owned(), text(id.clone()))])).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent).build();
            let keys = keys.map_err(|error| broken(OPERATION)(error.into()))?;
            let mut request = HashMap::from([(table.to_owned(), keys)]);
            for round in 0.. {
                let answer = self.client.batch_get_item().set_request_items(Some(request)).send().await;
                let answer = answer.map_err(failed(OPERATION))?;
                for item in answer.responses.unwrap_or_default().into_values().flatten() {
                    if let Some(id) = item.get("id").and_then(|id| id.as_s().ok()) {
                        found.insert(id.clone(), item);
                    }
                }
                request = answer.unprocessed_keys.unwrap_or_default();
                if request.is_empty() {
                    break;
                }
                if round >= ROUNDS {
                    return Err(broken(OPERATION)("the table is throttled".into()));
                }
                tokio::time::sleep(std::time::Duration::from_millis(20 << round)).await;
            }
        }
        Ok(found)
    }

    /// How many items [`Dynamo::load_catalog`] writes for a file.
    pub fn catalog_size(file: &CatalogFile) -> Result<usize, Vec<Invalid>> {
        let checked = file.check()?;
        Ok(checked.products.len() + checked.coupons.len() + 2 + checked.stock.len())
    }

    /// Writes a whole catalog. Documents are replaced; live stock is left alone unless `reset_stock`. Doing it again
    /// changes nothing. `written` is called after each item.
    ///
    /// # Errors
    /// [`LoadError`] with every fault of the file, before anything is written, or the first write that failed.
    pub async fn load_catalog(
        &self,
        file: &CatalogFile,
        reset_stock: bool,
        mut written: impl FnMut(),
    ) -> Result<(), LoadError> {
        let checked = file.check().map_err(LoadError::Invalid)?;
        for product in &file.products {
            self.put_document(&format!("product#{}", product.id()), product).await?;
            written();
        }
        for (coupon, stored) in checked.coupons.iter().zip(&file.coupons) {
            self.put_document(&coupon_document_id(&coupon.code), stored).await?;
            written();
        }
        self.put_document(SHIPPING_ID, &file.shipping).await?;
        written();
        self.put_document(TAX_ID, &file.tax).await?;
        written();
        for (sku, units) in &checked.stock {
            self.open_stock(sku, *units, reset_stock).await?;
            written();
        }
        Ok(())
    }

    async fn put_document<T: Serialize>(&self, id: &str, document: &T) -> Result<(), StoreError> {
        let item = to_item("write catalog", &StoredDocument { id: id.to_owned(), document })?;
        let request = self.client.put_item().table_name(&self.tables.catalog).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(failed("write catalog"))
    }

    async fn open_stock(&self, sku: &Sku, units: u64, reset: bool) -> Result<(), StoreError> {
        let item = [("id".to_owned(), text(stock_id(sku))), (AVAILABLE.to_owned(), number(units))];
        let request = self.client.put_item().table_name(&self.tables.inventory);
        let request = request.set_item(Some(HashMap::<String, AttributeValue>::from(item)));
        let request = if reset { request } else { request.condition_expression("attribute_not_exists(id)") };
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::put_item::PutItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(failed("write stock")(error)),
        }
    }
}

/// Why a catalog wasn't loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the catalog has {} fault(s)", .0.len())]
    Invalid(Vec<Invalid>),
    #[error(transparent)]
    Store(#[from] StoreError),
}
