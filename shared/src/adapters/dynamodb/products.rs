//! The published products, as a shop's pages list them.

use std::collections::BTreeMap;

use crate::{
    adapters::dynamodb::{
        catalog::{product, product_id},
        client::{Dynamo, failed, text},
        inventory::stock_id,
    },
    domain::{
        availability::Stocked,
        counter::Counter,
        ids::{ProductId, Sku},
        product::Product,
    },
    ports::{ProductPage, StoreError},
};

const LIST: &str = "list products";
const SHOW: &str = "show product";
/// The index that has the published products only, and the value of its partition key.
const INDEX: &str = "by-listing";
pub(super) const LISTING: &str = "listing";
pub(super) const PUBLISHED: &str = "published";

impl Dynamo {
    pub(super) async fn product_page(&self, after: Option<&ProductId>, limit: u16) -> Result<ProductPage, StoreError> {
        let mut request = self
            .client
            .query()
            .table_name(&self.tables.catalog)
            .index_name(INDEX)
            .key_condition_expression(format!("{LISTING} = :published"))
            .expression_attribute_values(":published", text(PUBLISHED))
            .limit(i32::from(limit));
        if let Some(after) = after {
            request = request
                .exclusive_start_key("id", text(product_id(after)))
                .exclusive_start_key(LISTING, text(PUBLISHED));
        }
        let answer = request.send().await.map_err(failed(LIST))?;
        let products = answer.items.unwrap_or_default().into_iter().map(|item| product(LIST, item));
        let products = products.collect::<Result<Vec<_>, _>>()?;
        let next = answer.last_evaluated_key.and_then(|_| products.last().map(|product| product.id.clone()));
        Ok(ProductPage { products: self.stocked(LIST, products).await?, next })
    }

    pub(super) async fn one_product(&self, id: &ProductId) -> Result<Option<Stocked>, StoreError> {
        let found = self.batch(SHOW, &self.tables.catalog, vec![product_id(id)], false).await?;
        let products = found.into_values().map(|item| product(SHOW, item)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.stocked(SHOW, products).await?.pop())
    }

    /// With what is left of them. It is for show only: it costs half a read of what a confirmation pays. Of a counter in
    /// parts it is at least one unit, or all.
    async fn stocked(&self, operation: &'static str, products: Vec<Product>) -> Result<Vec<Stocked>, StoreError> {
        let skus: Vec<Sku> = products.iter().flat_map(Product::counters).collect();
        let counters = skus.iter().map(stock_id).collect();
        let counters = self.batch(operation, &self.tables.inventory, counters, false).await?;
        let one: BTreeMap<_, _> = skus.into_iter().map(|sku| (Counter::Stock(sku), 1)).collect();
        let left = self.parts_left(operation, counters, &one, false).await?;
        let stocked = products.into_iter().map(|product| {
            let units = |sku: Sku| Some((sku.clone(), left.get(&Counter::Stock(sku))?.iter().sum()));
            Stocked { left: product.counters().into_iter().filter_map(units).collect(), product }
        });
        Ok(stocked.collect())
    }
}
