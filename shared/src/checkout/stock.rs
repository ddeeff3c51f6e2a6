//! Deliveries and counts of stock, for staff and operators. Each is exact while the shop sells, and made once for its
//! reference.

use tokio::time::Instant;

use crate::{
    checkout::request_context::{RequestContext, Retry, Staff},
    crash,
    domain::{
        ids::Sku,
        stock::{StockChange, StockDecision, StockOrder, StockRefusal, StockWish},
    },
    ports::{Stock, StoreError, Stores},
};

/// Attempts at one change of a product that is being sold, or that others change.
pub const ATTEMPTS: u32 = 40;

/// Why stock isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    #[error(
        "no stock is counted of {0}: name what the catalog file gives a \"stock\" (PRODUCT, or PRODUCT/VARIANT if each \
         variant has its own; what is \"unlimited\" has none), and load that file first"
    )]
    NotCounted(String),
    #[error(transparent)]
    Refused(StockRefusal),
    #[error(
        "it sells too fast for a count: take it off sale (checkout product off), count, and load it again; or add instead"
    )]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A delivery, as staff report it.
#[derive(Clone, Debug)]
pub struct ReceiveStock {
    pub sku: Sku,
    /// 1 to [`MOST_STOCK`](crate::domain::stock::MOST_STOCK).
    pub units: u64,
    pub reference: String,
    pub reason: String,
}

/// A change, and what is left after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockChanged {
    pub sku: Sku,
    pub change: StockChange,
    /// Whether this request made it. Else it was made before, under its reference.
    pub made: bool,
    /// What is left to sell by now, with everything that was sold meanwhile.
    pub left: i64,
}

/// Adds a delivery, for staff.
///
/// # Errors
/// [`StockError`].
pub async fn receive(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: ReceiveStock,
) -> Result<StockChanged, StockError> {
    let ReceiveStock { sku, units, reference, reason } = command;
    let by = context.who.user.to_string();
    let order = StockOrder { wish: StockWish::Add(units), reference, reason, by, at: context.now };
    change(stores.stock(), sku, order, context.retry(ATTEMPTS), context.deadline).await
}

/// Makes a change, unless it was made before. A lost answer is no harm: the same reference again is the same change.
///
/// # Errors
/// [`StockError`] if nothing was changed; if the store fails, that isn't known.
pub async fn change(
    stock: &impl Stock,
    sku: Sku,
    order: StockOrder,
    mut retry: Retry,
    deadline: Instant,
) -> Result<StockChanged, StockError> {
    let (change, made) = loop {
        let mut counter = stock.counter(&sku).await?;
        let decided = counter.change(order.clone()).map_err(|refusal| match refusal {
            StockRefusal::NotCounted => StockError::NotCounted(sku.path()),
            other => StockError::Refused(other),
        })?;
        let change = match decided {
            StockDecision::Known(change) => break (change, false),
            StockDecision::Make(change) => change,
        };
        crash::point("stock: nothing changed").await;
        if stock.write(&sku, &change, &counter, retry.change(), deadline).await? {
            crash::point("stock: changed").await;
            break (change, true);
        }
        if !retry.again().await {
            return Err(StockError::Contended);
        }
    };
    let left = stock.left(std::slice::from_ref(&sku)).await?.pop().flatten();
    let left = left.ok_or_else(|| StockError::NotCounted(sku.path()))?;
    Ok(StockChanged { sku, change, made, left })
}
