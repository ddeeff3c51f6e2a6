//! Reading orders, and changing their status.

use uuid::Uuid;

use crate::{
    checkout::request_context::{CallerOrStaff, RequestContext, Staff},
    crash,
    domain::{
        ids::{OrderId, Owner},
        lines::{LineRefund, LineUnits},
        money::Minor,
        order::{Actor, Order, OrderStatus, Tracking},
        order_lines::LineRefusal,
        order_payment::PaymentRefusal,
    },
    ports::{OrderFilter, OrderPage, Orders as _, Saved, StoreError, StoredResponse, Stores},
};

/// Attempts at one change before the client is asked to try again.
const ATTEMPTS: u32 = 12;

/// Attempts while the index still names an earlier owner of the order.
const INDEX_ATTEMPTS: u32 = 5;

/// Why an order can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such order, or it is someone else's: a caller can't tell the difference.
    #[error("there is no such order")]
    NotFound,
    #[error(transparent)]
    Payment(#[from] PaymentRefusal),
    #[error(transparent)]
    Lines(#[from] LineRefusal),
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
pub async fn get(stores: &impl Stores, context: &RequestContext, id: OrderId) -> Result<Order, OrderError> {
    let found = stores.orders().shown(&context.who.owner, id, context.request(), context.looked.as_ref()).await?;
    found.ok_or(OrderError::NotFound)
}

/// A page of the caller's orders, newest first.
pub async fn list(
    stores: &impl Stores,
    context: &RequestContext,
    filter: &OrderFilter,
) -> Result<OrderPage, OrderError> {
    Ok(stores.orders().page_shown(&context.who.owner, filter, context.request(), context.looked.as_ref()).await?)
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
    /// Only these units.
    pub lines: Option<CancelLines>,
}

/// Units to cancel.
#[derive(Clone, Debug)]
pub struct CancelLines {
    /// The client makes the id. One id is one cancellation.
    pub id: Uuid,
    pub items: Vec<LineUnits>,
}

/// Cancels an order, or units of it, for its owner or for staff. Stock and coupon uses are given back, once. A repeated cancellation returns the same
/// order. A card payment must be finished next: see [`crate::checkout::payment`].
pub async fn cancel(
    stores: &impl Stores,
    context: &RequestContext<CallerOrStaff>,
    command: Cancel,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    let edit = |order: &mut Order| {
        let lines = command.lines.clone();
        let is_known = |lines: &CancelLines| order.line_cancellations.iter().any(|known| known.id == lines.id);
        let again = order.status == OrderStatus::Cancelled || lines.as_ref().is_some_and(is_known);
        if !again && context.who.staff.is_none() && !order.status.is_cancellable_by_customer() {
            return Err(OrderError::TooLateToCancel(order.status));
        }
        let (actor, reason) = (context.who.actor(), command.reason.clone());
        match lines {
            Some(CancelLines { id, items }) => Ok(order.cancel_lines(id, items, reason, actor, context.now)?),
            None => Ok(order.call_off(actor, reason, context.now)?),
        }
    };
    change_own_or_any(stores, context, command.order, edit, stored_response).await
}

#[derive(Clone, Debug)]
pub struct SetStatus {
    pub order: OrderId,
    pub status: OrderStatus,
    pub note: Option<String>,
    pub tracking: Tracking,
}

/// Sets the status of any order, for staff. Cancelling gives stock and coupon uses back, once.
pub async fn set_status(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: SetStatus,
) -> Result<Order, OrderError> {
    let edit = |order: &mut Order| {
        let tracked = command.tracking != Tracking::default();
        if tracked && command.status != OrderStatus::Shipped {
            return Err(OrderError::TrackingOutOfPlace);
        }
        let actor = Actor::Staff(context.who.user.clone());
        if command.status == OrderStatus::Shipped {
            return Ok(order.ship_rest(&command.tracking, actor, command.note.clone(), context.now)?);
        }
        Ok(order.move_by_hand(command.status, actor, command.note.clone(), context.now)?)
    };
    Ok(change_any(stores, context, command.order, edit, &|_| None).await?.order)
}

/// A refund by staff: of units, of an amount that was paid by card, or of all that is left of it.
#[derive(Clone, Debug)]
pub struct Refund {
    pub order: OrderId,
    /// The client makes the id. One id is refunded once.
    pub id: Uuid,
    pub amount: Option<Minor>,
    /// Units, or shipping, instead of an amount.
    pub lines: Option<LineRefund>,
    pub reason: Option<String>,
}

/// Records a refund in the order. The payment must be finished next.
pub async fn refund(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: Refund,
) -> Result<Order, OrderError> {
    let edit = |order: &mut Order| {
        let Refund { id, amount, lines, reason, .. } = command.clone();
        match lines {
            Some(lines) => {
                let actor = Actor::Staff(context.who.user.clone());
                Ok(order.ask_line_refund(id, &lines, reason, actor, context.now)?)
            }
            None => Ok(order.ask_refund(id, amount, reason, context.now)?),
        }
    };
    Ok(change_any(stores, context, command.order, edit, &|_| None).await?.order)
}

/// Records in the order that its authorized amount is to be captured. The payment must be finished next.
pub async fn capture(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    order: OrderId,
) -> Result<Order, OrderError> {
    Ok(change_any(stores, context, order, |order| Ok(order.ask_capture(context.now)?), &|_| None).await?.order)
}

/// Changes an order of the caller, or of any owner for staff.
pub(super) async fn change_own_or_any(
    stores: &impl Stores,
    context: &RequestContext<CallerOrStaff>,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    match change(stores, context, &context.who.owner, id, &edit, stored_response).await {
        Err(OrderError::NotFound) if context.who.staff.is_some() => {
            change_any(stores, context, id, edit, stored_response).await
        }
        result => result,
    }
}

/// Changes an order of any owner.
pub(super) async fn change_any<Who: Sync>(
    stores: &impl Stores,
    context: &RequestContext<Who>,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    let mut retry = context.retry(INDEX_ATTEMPTS);
    loop {
        let owner = stores.orders().owner_of(id).await?.ok_or(OrderError::NotFound)?;
        match change(stores, context, &owner, id, &edit, stored_response).await {
            // The index is eventually consistent: it may still name the guest whose order has just been claimed.
            Err(OrderError::NotFound) if retry.again().await => {}
            result => return result,
        }
    }
}

/// Loads, edits, and writes if nobody else wrote meanwhile; else tries again. `edit` returns whether it changed
/// anything.
async fn change<Who: Sync>(
    stores: &impl Stores,
    context: &RequestContext<Who>,
    owner: &Owner,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    let orders = stores.orders();
    let mut current = orders.get(owner, id).await?.ok_or(OrderError::NotFound)?;
    let mut retry = context.retry(ATTEMPTS);
    loop {
        let mut next = current.clone();
        if !edit(&mut next)? {
            orders.drop_copies(owner, id, context.request(), None).await;
            return Ok(Moved { order: current, moved: false });
        }
        next.version = next.version.saturating_add(1);
        let stored_response = stored_response(&next);
        let release = next.release(&current);
        crash::point("order: nothing changed").await;
        match orders.save(&next, release, stored_response.as_ref(), context.attempt(retry.change())).await? {
            Saved::Done => return Ok(Moved { order: next, moved: true }),
            Saved::AlreadyAnswered => return Err(OrderError::AlreadyAnswered),
            Saved::Conflict(_) if !retry.again().await => return Err(OrderError::Contended),
            Saved::Conflict(Some(order)) => current = *order,
            Saved::Conflict(None) => current = orders.get(owner, id).await?.ok_or(OrderError::NotFound)?,
        }
    }
}
