//! What a shop's pages show before there is a session: the published products, and where the shop ships to.

use time::OffsetDateTime;

use crate::{
    domain::{
        availability::Stocked,
        catalog::CatalogQuery,
        ids::ProductId,
        money::Currency,
        shipped_country::{ShippedCountry, shipped_countries},
    },
    ports::{Catalog as _, ProductPage, StoreError, Stores},
};

/// A page of products.
#[derive(Clone, Debug)]
pub struct ListProducts {
    /// None for the shop's own.
    pub currency: Option<Currency>,
    /// The last of the page before.
    pub after: Option<ProductId>,
    /// The most products that are looked at.
    pub limit: u16,
}

/// One product.
#[derive(Clone, Debug)]
pub struct ShowProduct {
    pub product: ProductId,
    /// None for the shop's own.
    pub currency: Option<Currency>,
}

/// Products that can be bought in a currency.
#[derive(Clone, Debug)]
pub struct Offered {
    pub currency: Currency,
    pub products: Vec<Stocked>,
    /// Where the next page goes on, if there may be one.
    pub next: Option<ProductId>,
}

/// Why a product isn't shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowProductError {
    #[error("there is no such product")]
    NotFound,
    #[error("the product has no price in {0}")]
    NoPrice(Currency),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where the shop ships to, in the order of the countries' codes.
pub async fn regions(stores: &impl Stores) -> Result<Vec<ShippedCountry>, StoreError> {
    let snapshot = stores.catalog().snapshot(&CatalogQuery::default()).await?;
    Ok(shipped_countries(&snapshot.rules.shipping, &snapshot.rules.currencies))
}

/// The products of a page that have a price in the currency, in the order of their ids. A page may have fewer than its
/// limit, and others after it.
pub async fn products(
    stores: &impl Stores,
    command: &ListProducts,
    now: OffsetDateTime,
) -> Result<Offered, StoreError> {
    let page = stores.catalog().page(command.after.as_ref(), command.limit);
    let (currency, ProductPage { mut products, next }) = tokio::try_join!(currency(stores, command.currency), page)?;
    products.retain(|product| is_offered(product, currency, now));
    Ok(Offered { currency, products, next })
}

/// A published product with a price in the currency, and that currency.
pub async fn product(
    stores: &impl Stores,
    command: &ShowProduct,
    now: OffsetDateTime,
) -> Result<(Currency, Stocked), ShowProductError> {
    let (currency, found) =
        tokio::try_join!(currency(stores, command.currency), stores.catalog().product(&command.product))?;
    let product = found.filter(|found| found.product.published).ok_or(ShowProductError::NotFound)?;
    if !is_offered(&product, currency, now) {
        return Err(ShowProductError::NoPrice(currency));
    }
    Ok((currency, product))
}

async fn currency(stores: &impl Stores, named: Option<Currency>) -> Result<Currency, StoreError> {
    match named {
        Some(currency) => Ok(currency),
        None => Ok(stores.catalog().snapshot(&CatalogQuery::default()).await?.rules.currencies.default),
    }
}

/// Whether it, or one of its variants, has a price.
fn is_offered(Stocked { product, .. }: &Stocked, currency: Currency, now: OffsetDateTime) -> bool {
    let has_price = product.variants.iter().any(|variant| variant.prices.at(now, currency).is_some());
    has_price || product.variants.is_empty() && product.prices.at(now, currency).is_some()
}
