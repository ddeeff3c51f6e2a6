//! Reading orders, and moving them on.

use uuid::Uuid;

use crate::{
    checkout::request_context::{RequestContext, Staff},
    crash,
    domain::{
        ids::{OrderId, Owner},
        money::Minor,
        order::{Actor, Order, OrderStatus, Tracking},
        order_payment::PaymentRefusal,
    },
    ports::{OrderCache, OrderFilter, OrderIndex, OrderPage, OrderViews, Orders, Saved, StoreError, StoredResponse},
};

/// Attempts at one change before the client is asked to try again.
const ATTEMPTS: u32 = 12;

/// How often an index is asked again that names an owner who hasn't the order.
const INDEX_LAG: u32 = 4;

/// Why an order can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is none, or it is someone else's: the two look the same.
    #[error("there is no such order")]
    NotFound,
    #[error(transparent)]
    Payment(#[from] PaymentRefusal),
    #[error("an order that is {0} can't be cancelled any more")]
    TooLateToCancel(OrderStatus),
    #[error("tracking can only be given when the order is shipped")]
    TrackingOutOfPlace,
    #[error("the order is being changed by too many requests at once")]
    Contended,
    #[error("another request with this idempotency key was answered first")]
    AlreadyAnswered,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One of the caller's orders.
pub async fn get(orders: &impl OrderViews, context: &RequestContext, id: OrderId) -> Result<Order, OrderError> {
    let found = orders.order(&context.who.owner, id, context.request(), context.looked.clone()).await?;
    found.ok_or(OrderError::NotFound)
}

/// A page of the caller's orders, newest first.
pub async fn list(
    orders: &impl OrderViews,
    context: &RequestContext,
    filter: &OrderFilter,
) -> Result<OrderPage, OrderError> {
    Ok(orders.orders(&context.who.owner, filter, context.request(), context.looked.clone()).await?)
}

/// An order, and whether this request changed it.
#[derive(Clone, Debug)]
pub struct Moved {
    pub order: Order,
    pub moved: bool,
}

#[derive(Clone, Debug)]
pub struct Cancel {
    pub order: OrderId,
    pub reason: Option<String>,
}

/// Calls an order off for its owner; stock and coupon use go back, once. Cancelling again gives the same order. With a
/// card the payment is to be finished next: see [`crate::checkout::payment`].
pub async fn cancel(
    orders: &impl Orders,
    cache: &impl OrderCache,
    context: &RequestContext,
    command: Cancel,
    stored_response: impl Fn(&Order) -> Option<StoredResponse>,
) -> Result<Moved, OrderError> {
    let owner = &context.who.owner;
    let edit = |order: &mut Order| {
        if order.status != OrderStatus::Cancelled && !order.status.is_cancellable_by_customer() {
            return Err(OrderError::TooLateToCancel(order.status));
        }
        Ok(order.call_off(Actor::Customer, command.reason.clone(), context.now)?)
    };
    change(orders, cache, context, owner, command.order, edit, stored_response).await
}

#[derive(Clone, Debug)]
pub struct SetStatus {
    pub order: OrderId,
    pub status: OrderStatus,
    pub note: Option<String>,
    pub tracking: Tracking,
}

/// Moves any order on, for staff. Cancelling gives stock and coupon use back, once.
pub async fn set_status(
    orders: &(impl Orders + OrderIndex),
    cache: &impl OrderCache,
    context: &RequestContext<Staff>,
    command: SetStatus,
) -> Result<Order, OrderError> {
    let edit = |order: &mut Order| {
        let tracked = command.tracking != Tracking::default();
        if tracked && command.status != OrderStatus::Shipped {
            return Err(OrderError::TrackingOutOfPlace);
        }
        let actor = Actor::Staff(context.who.user.clone());
        let mut changed = order.move_by_hand(command.status, actor, command.note.clone(), context.now)?;
        if tracked && order.tracking != command.tracking {
            order.tracking = command.tracking.clone();
            order.updated_at = context.now;
            changed = true;
        }
        Ok(changed)
    };
    change_any(orders, cache, context, command.order, edit).await
}

/// For staff: gives back an amount that was paid by card, or all that is left of it.
#[derive(Clone, Debug)]
pub struct Refund {
    pub order: OrderId,
    /// Made by whoever asks; one id is refunded once.
    pub id: Uuid,
    pub amount: Option<Minor>,
    pub reason: Option<String>,
}

/// Writes a refund down, which is to be finished next.
pub async fn refund(
    orders: &(impl Orders + OrderIndex),
    cache: &impl OrderCache,
    context: &RequestContext<Staff>,
    command: Refund,
) -> Result<Order, OrderError> {
    let edit =
        |order: &mut Order| Ok(order.ask_refund(command.id, command.amount, command.reason.clone(), context.now)?);
    change_any(orders, cache, context, command.order, edit).await
}

/// Writes down that the amount that the bank holds is to be taken, which is to be finished next.
pub async fn capture(
    orders: &(impl Orders + OrderIndex),
    cache: &impl OrderCache,
    context: &RequestContext<Staff>,
    order: OrderId,
) -> Result<Order, OrderError> {
    change_any(orders, cache, context, order, |order| Ok(order.ask_capture(context.now)?)).await
}

/// Changes an order whoever has it.
async fn change_any(
    orders: &(impl Orders + OrderIndex),
    cache: &impl OrderCache,
    context: &RequestContext<Staff>,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
) -> Result<Order, OrderError> {
    for attempt in 0.. {
        let owner = orders.owner_of(id).await?.ok_or(OrderError::NotFound)?;
        match change(orders, cache, context, &owner, id, &edit, |_| None).await {
            // The index follows the table: it may still name the guest whose order has just been claimed.
            Err(OrderError::NotFound) if attempt < INDEX_LAG && context.pause(attempt).await => {}
            result => return Ok(result?.order),
        }
    }
    Err(OrderError::NotFound)
}

/// Load, edit, write if nobody else wrote meanwhile, else again. `edit` says whether it changed anything.
async fn change<Who: Sync>(
    orders: &impl Orders,
    cache: &impl OrderCache,
    context: &RequestContext<Who>,
    owner: &Owner,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
    stored_response: impl Fn(&Order) -> Option<StoredResponse>,
) -> Result<Moved, OrderError> {
    let mut current = orders.get(owner, id).await?.ok_or(OrderError::NotFound)?;
    for attempt in 0..ATTEMPTS {
        let mut next = current.clone();
        if !edit(&mut next)? {
            // This may be the retry of a change whose request died before it could tell the cache.
            cache.changed(&[owner], &[id], context.request(), &[]).await;
            return Ok(Moved { order: current, moved: false });
        }
        if attempt == 0 {
            cache.changing(&[owner], &[id], context.request()).await;
        }
        next.version = next.version.saturating_add(1);
        let stored_response = stored_response(&next);
        let release = next.release(&current);
        crash::point("order: nothing changed").await;
        let saved =
            orders.save(&next, context.change(attempt), release, stored_response.as_ref(), context.deadline).await;
        if saved.is_err() {
            // It may have been written all the same, or still be.
            cache.changing(&[owner], &[id], context.request()).await;
        }
        match saved? {
            Saved::Done => {
                crash::point("order: changed, the cache not told").await;
                cache.changed(&[owner], &[id], context.request(), &[]).await;
                return Ok(Moved { order: next, moved: true });
            }
            Saved::AlreadyAnswered => return Err(OrderError::AlreadyAnswered),
            Saved::Conflict(_) if !context.pause(attempt).await => break,
            Saved::Conflict(Some(order)) => current = *order,
            Saved::Conflict(None) => current = orders.get(owner, id).await?.ok_or(OrderError::NotFound)?,
        }
    }
    Err(OrderError::Contended)
}
