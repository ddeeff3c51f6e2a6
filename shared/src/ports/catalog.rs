//! The shop's products and rules.

use std::future::Future;

use crate::{
    domain::catalog::{CatalogQuery, CatalogSnapshot},
    ports::StoreError,
};

/// The shop's products and rules, read-only. With the database down it is an error: prices are never guessed.
pub trait Catalog: Sync {
    fn snapshot(&self, query: &CatalogQuery) -> impl Future<Output = Result<CatalogSnapshot, StoreError>> + Send;
}
