//! Finishing what nobody else has finished: every minute, and safe to run twice at once.

use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    checkout::payment::Finisher,
    crash,
    domain::ids::{OrderId, Owner},
    ports::{DueOrder, DueOrders, OrderCache, Orders, Payments, Sessions, StoreError},
};

/// Orders that one run looks at. What is left is the next one's.
const BATCH: u16 = 100;

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Orders that nobody has to look at any more, or not now.
    pub settled: u32,
    /// Orders whose end the provider doesn't tell yet.
    pub open: u32,
    /// Orders that could not be looked at; the log says why.
    pub failed: u32,
}

/// Looks at the orders that are due, the longest waiting first. One that fails is put off, and doesn't stop the rest.
pub async fn reconcile<S, O, K, P>(
    due: &impl DueOrders,
    finisher: Finisher<'_, S, O, K, P>,
) -> Result<Reconciled, StoreError>
where
    S: Sessions,
    O: Orders,
    K: OrderCache,
    P: Payments,
{
    let mut done = Reconciled::default();
    for DueOrder { owner, id, .. } in due.due(finisher.now, BATCH).await? {
        if Instant::now() >= finisher.deadline {
            break;
        }
        crash::point("reconcile: about to look").await;
        // Each order's changes have names of their own.
        let request = Uuid::from_u128(finisher.request.as_u128() ^ id.uuid().as_u128());
        let finisher = Finisher { request, ..finisher };
        match one(&finisher, &owner, id).await {
            Ok(true) => done.settled += 1,
            Ok(false) => done.open += 1,
            Err(error) => {
                done.failed += 1;
                tracing::error!(order = %id, error = %error.source, operation = error.operation, "order not reconciled");
            }
        }
    }
    Ok(done)
}

async fn one<S, O, K, P>(finisher: &Finisher<'_, S, O, K, P>, owner: &Owner, id: OrderId) -> Result<bool, StoreError>
where
    S: Sessions,
    O: Orders,
    K: OrderCache,
    P: Payments,
{
    // Claimed, and the index is behind: the next run finds it under its new owner.
    let Some(order) = finisher.orders.get(owner, id).await? else { return Ok(true) };
    let done = finisher.finish(order, None).await?;
    let settled = done.order.payment.due().is_none_or(|due| due > finisher.now);
    if !settled {
        // It lets others go before it.
        finisher.put_off(done.order).await?;
    }
    Ok(settled)
}
