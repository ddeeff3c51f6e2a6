//! Reading orders, and changing their status.

use uuid::Uuid;

use crate::{
    checkout::request_context::{RequestContext, Staff},
    crash,
    domain::{
        ids::{OrderId, Owner},
        money::Minor,
        note::{Note, TooManyNotes},
        order::{Actor, Order, OrderStatus, Tracking},
        order_payment::PaymentRefusal,
        payment::PaymentMethod,
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
    #[error("an order that is {0} can't be cancelled any more")]
    TooLateToCancel(OrderStatus),
    #[error("only the whole authorized amount of {authorized} can be captured: leave the amount out")]
    PartOfCapture { authorized: Minor },
    #[error("what was paid by card is refunded by card: leave byHand out")]
    ByHandIsForCash,
    #[error("tracking can only be given when the order is shipped")]
    TrackingOutOfPlace,
    #[error(transparent)]
    TooManyNotes(#[from] TooManyNotes),
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
    /// The customer's own words.
    pub reason: Option<String>,
}

/// Cancels an order for its owner. Stock and coupon uses are given back, once. A repeated cancellation returns the same
/// order. A card payment must be finished next: see [`crate::checkout::payment`].
pub async fn cancel(
    stores: &impl Stores,
    context: &RequestContext,
    command: Cancel,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    let owner = &context.who.owner;
    let edit = |order: &mut Order| {
        if order.status != OrderStatus::Cancelled && !order.status.is_cancellable_by_customer() {
            return Err(OrderError::TooLateToCancel(order.status));
        }
        let reason = command.reason.clone().map(Note::for_customer);
        Ok(order.call_off(Actor::Customer, reason, context.now)?)
    };
    change(stores, context, owner, command.order, edit, stored_response).await
}

#[derive(Clone, Debug)]
pub struct SetStatus {
    pub order: OrderId,
    pub status: OrderStatus,
    pub note: Option<Note>,
    pub tracking: Tracking,
}

/// Sets the status of any order, for staff. Cancelling gives stock and coupon uses back, once. If the order has the
/// status already, a new note is kept all the same.
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
        let mut changed = order.move_by_hand(command.status, actor.clone(), command.note.clone(), context.now)?;
        if !changed
            && order.status == command.status
            && let Some(note) = command.note.clone()
        {
            changed = order.add_note(actor, note, context.now)?;
        }
        if tracked && order.tracking != command.tracking {
            order.tracking = command.tracking.clone();
            order.updated_at = context.now;
            changed = true;
        }
        Ok(changed)
    };
    change_any(stores, context, command.order, edit).await
}

/// A refund by staff: of an amount that was paid by card, or of all that is left of it.
#[derive(Clone, Debug)]
pub struct Refund {
    pub order: OrderId,
    /// The client makes the id. One id is refunded once.
    pub id: Uuid,
    pub amount: Option<Minor>,
    pub reason: Option<String>,
    /// It was paid back in another way, and is only recorded.
    pub by_hand: bool,
}

/// Records a refund in the order. The payment must be finished next.
pub async fn refund(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: Refund,
) -> Result<Order, OrderError> {
    let edit = |order: &mut Order| {
        let Refund { id, amount, reason, by_hand, .. } = command.clone();
        if order.payment.card.is_some() && by_hand {
            return Err(OrderError::ByHandIsForCash);
        }
        if order.payment.method == PaymentMethod::CashOnDelivery && by_hand {
            let actor = Actor::Staff(context.who.user.clone());
            return Ok(order.pay_back_cash(id, amount, reason, None, actor, context.now)?);
        }
        Ok(order.ask_refund(id, amount, reason, context.now)?)
    };
    change_any(stores, context, command.order, edit).await
}

/// The capture of an authorized amount, by staff.
#[derive(Clone, Copy, Debug)]
pub struct CaptureOrder {
    pub order: OrderId,
    /// None: all that the bank holds.
    pub amount: Option<Minor>,
}

/// Records in the order that its authorized amount is to be captured. The payment must be finished next.
pub async fn capture(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: CaptureOrder,
) -> Result<Order, OrderError> {
    let edit = |order: &mut Order| {
        let changed = order.ask_capture(context.now)?;
        let authorized = order.summary.total;
        if command.amount.is_some_and(|amount| amount != authorized) {
            return Err(OrderError::PartOfCapture { authorized });
        }
        Ok(changed)
    };
    change_any(stores, context, command.order, edit).await
}

/// Changes an order of any owner.
async fn change_any(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
) -> Result<Order, OrderError> {
    let mut retry = context.retry(INDEX_ATTEMPTS);
    loop {
        let owner = stores.orders().owner_of(id).await?.ok_or(OrderError::NotFound)?;
        match change(stores, context, &owner, id, &edit, &|_| None).await {
            // The index is eventually consistent: it may still name the guest whose order has just been claimed.
            Err(OrderError::NotFound) if retry.again().await => {}
            result => return Ok(result?.order),
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
        let release = next.follow(&current);
        let stored_response = stored_response(&next);
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
