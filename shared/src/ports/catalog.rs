//! The shop's products and rules.

use std::future::Future;

use crate::{
    domain::{
        availability::Stocked,
        catalog::{CatalogQuery, CatalogSnapshot},
        ids::ProductId,
    },
    ports::StoreError,
};

/// The shop's products and rules, read-only. With the database down it is an error: prices are never guessed.
pub trait Catalog: Sync {
    /// What pricing needs of it for one cart.
    fn snapshot(&self, query: &CatalogQuery) -> impl Future<Output = Result<CatalogSnapshot, StoreError>> + Send;

    /// Up to `limit` published products, in the order of their ids.
    fn page(
        &self,
        after: Option<&ProductId>,
        limit: u16,
    ) -> impl Future<Output = Result<ProductPage, StoreError>> + Send;

    /// A product, published or not.
    fn product(&self, id: &ProductId) -> impl Future<Output = Result<Option<Stocked>, StoreError>> + Send;
}

/// A page of products.
#[derive(Clone, Debug)]
pub struct ProductPage {
    pub products: Vec<Stocked>,
    /// The last of them, if there may be more.
    pub next: Option<ProductId>,
}
