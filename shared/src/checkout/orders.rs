//! Reading orders, and changing their status.

use uuid::Uuid;

use crate::{
    checkout::request_context::{CallerOrLink, CallerOrStaff, RequestContext, Retry, Staff},
    crash,
    domain::{
        ids::{OrderId, Owner, UserId},
        lines::{LineRefund, LineUnits},
        money::Minor,
        note::{Note, TooManyNotes},
        order::{Actor, Order, OrderStatus, Tracking},
        order_correction::CorrectionRefusal,
        order_lines::LineRefusal,
        order_payment::{PaymentRefusal, ShippingTerms},
        order_refunds::RefundRequest,
        payment::{CustomerAction, PaymentMethod, PaymentStatus, RefundSource},
    },
    ports::{
        Attempt, ChangeId, DeclinePlaces, OrderFilter, OrderPage, Orders as _, Payments as _, Saved, StoreError,
        StoredResponse, Stores,
    },
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
    #[error(transparent)]
    Correction(#[from] CorrectionRefusal),
    #[error(transparent)]
    TooManyNotes(#[from] TooManyNotes),
    #[error("the order is being changed by too many requests at once")]
    Contended,
    #[error("another request with this idempotency key was answered first")]
    AlreadyAnswered,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One of the caller's orders. For staff any order, which is never shown from the cache unless it is their own. For the
/// bearer of a link its order, whoever owns it by now.
pub async fn get(
    stores: &impl Stores,
    context: &RequestContext<CallerOrLink>,
    id: OrderId,
) -> Result<Order, OrderError> {
    let who = match &context.who {
        CallerOrLink::Caller(who) => who,
        CallerOrLink::Link(order) if *order == id => {
            let order = get_any(stores, context, id).await?;
            // Its person is erased, and so is the mail's.
            let is_erased = matches!(order.owner, Owner::Erased(_));
            return if is_erased { Err(OrderError::NotFound) } else { Ok(order) };
        }
        CallerOrLink::Link(_) => return Err(OrderError::NotFound),
    };
    let own = stores.orders().shown(&who.owner, id, context.request(), context.looked.as_ref()).await?;
    let Some(staff) = &who.staff else { return own.ok_or(OrderError::NotFound) };
    let order = match own {
        Some(order) => order,
        None => get_any(stores, context, id).await?,
    };
    note_seen(staff, &order);
    Ok(order)
}

/// An order of any owner, strongly consistent.
pub(super) async fn get_any<Who: Sync>(
    stores: &impl Stores,
    context: &RequestContext<Who>,
    id: OrderId,
) -> Result<Order, OrderError> {
    let mut retry = context.retry(INDEX_ATTEMPTS);
    loop {
        let owner = stores.orders().owner_of(id).await?.ok_or(OrderError::NotFound)?;
        // The index may still name the guest whose order has just been claimed.
        match stores.orders().get(&owner, id).await? {
            Some(order) => return Ok(order),
            None if retry.again().await => {}
            None => return Err(OrderError::NotFound),
        }
    }
}

/// Logs who of the staff has seen a customer's order.
pub fn note_seen(staff: &UserId, order: &Order) {
    tracing::info!(%staff, order = %order.id, "Order seen by staff");
}

/// With what its customer's browser goes on, while the customer must act. None also if the provider doesn't answer: the
/// order is shown all the same.
/// Only their own customer gets it.
pub async fn customer_action<Who: Sync>(
    stores: &impl Stores,
    context: &RequestContext<Who>,
    who: &CallerOrStaff,
    order: &Order,
) -> Option<CustomerAction> {
    if who.owner != order.owner {
        return None;
    }
    let card = order.payment.card.as_ref().filter(|card| context.now < card.deadline)?;
    let intent = card.intent.as_ref().filter(|_| order.payment.status == PaymentStatus::RequiresAction)?;
    let look = tokio::time::timeout_at(context.deadline, stores.payments().look(intent));
    match look.await {
        Ok(Ok(intent)) => intent.action,
        // The adapter has counted and logged it.
        Ok(Err(_)) | Err(_) => None,
    }
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

/// Cancels an order, or units of it, for its owner, for the bearer of its link or for staff. Stock and coupon uses are
/// given back, once. A repeated cancellation returns the same order. A card payment must be finished next: see
/// [`crate::checkout::payment`].
pub async fn cancel(
    stores: &impl Stores,
    context: &RequestContext<CallerOrLink>,
    command: Cancel,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    let actor = match &context.who {
        CallerOrLink::Caller(who) => who.actor(),
        CallerOrLink::Link(_) => Actor::Customer,
    };
    let edit = |order: &mut Order| {
        let lines = command.lines.clone();
        let is_known = |lines: &CancelLines| order.line_cancellations.iter().any(|known| known.id == lines.id);
        let again = order.status == OrderStatus::Cancelled || lines.as_ref().is_some_and(is_known);
        if !again && actor == Actor::Customer && !order.status.is_cancellable_by_customer() {
            return Err(OrderError::TooLateToCancel(order.status));
        }
        let (actor, reason) = (actor.clone(), command.reason.clone());
        match lines {
            Some(CancelLines { id, items }) => Ok(order.cancel_lines(id, items, reason, &actor, context.now)?),
            None => Ok(order.call_off(actor, reason.map(Note::for_customer), context.now)?),
        }
    };
    match &context.who {
        CallerOrLink::Caller(who) => {
            change_own_or_any(stores, context, who, command.order, edit, stored_response).await
        }
        CallerOrLink::Link(order) if *order == command.order => {
            let of_a_person = |order: &mut Order| match order.owner {
                Owner::Erased(_) => Err(OrderError::NotFound),
                Owner::User(_) | Owner::Guest(_) => edit(order),
            };
            change_any(stores, context, command.order, of_a_person, stored_response).await
        }
        CallerOrLink::Link(_) => Err(OrderError::NotFound),
    }
}

#[derive(Clone, Debug)]
pub struct SetStatus {
    pub order: OrderId,
    pub status: OrderStatus,
    pub note: Option<Note>,
    pub tracking: Tracking,
    /// Ship it although the customer disputes the payment.
    pub despite_dispute: bool,
}

/// Ends the waiting payment of the caller's order, because the customer pays in another way. The payment must be
/// finished next. If it has been paid meanwhile, the order stands. `request` names the change.
pub(super) async fn give_up(
    stores: &impl Stores,
    context: &RequestContext,
    order: OrderId,
    request: ChangeId,
    places: &DeclinePlaces,
) -> Result<Order, OrderError> {
    let owner = &context.who.owner;
    let mut current = stores.orders().get(owner, order).await?.ok_or(OrderError::NotFound)?;
    let mut retry = Retry::new(request, ATTEMPTS, context.deadline);
    loop {
        let mut next = current.clone();
        if !next.give_up(context.now)? {
            return Ok(current);
        }
        let release = next.follow(&current);
        let attempt = Attempt { places, ..context.attempt(retry.change()) };
        match stores.orders().save(&next, release, None, attempt).await? {
            Saved::Done => return Ok(next),
            Saved::Conflict(Some(order)) if retry.again().await => current = *order,
            _ => return Err(OrderError::Contended),
        }
    }
}

/// Sets the status of any order, for staff. Cancelling gives stock and coupon uses back, once. If the order has the
/// status already, a new note is kept all the same.
pub async fn set_status(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: SetStatus,
    terms: ShippingTerms,
) -> Result<Order, OrderError> {
    let terms = ShippingTerms { despite_dispute: command.despite_dispute, ..terms };
    let edit = |order: &mut Order| {
        let tracked = command.tracking != Tracking::default();
        if tracked && command.status != OrderStatus::Shipped {
            return Err(OrderError::TrackingOutOfPlace);
        }
        let actor = Actor::Staff(context.who.user.clone());
        let mut changed =
            order.move_by_hand(command.status, terms, actor.clone(), command.note.clone(), context.now)?;
        if !changed
            && order.status == command.status
            && let Some(note) = command.note.clone()
        {
            changed = order.add_note(actor, note, context.now)?;
        }
        if tracked {
            changed |= order.correct_tracking(&command.tracking, context.now);
        }
        Ok(changed)
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
    /// Units, shipping or the fee, instead of an amount.
    pub lines: Option<LineRefund>,
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
        let Refund { id, amount, lines, reason, by_hand, .. } = command.clone();
        let actor = Actor::Staff(context.who.user.clone());
        let source = if by_hand { RefundSource::ByHand } else { RefundSource::Shop };
        let request = RefundRequest { id, amount, reason, source, actor };
        if let Some(lines) = lines {
            return Ok(order.ask_line_refund(request, &lines, context.now)?);
        }
        if order.payment.method == PaymentMethod::CashOnDelivery && by_hand {
            let RefundRequest { id, amount, reason, actor, .. } = request;
            return Ok(order.pay_back_cash(id, amount, reason, None, actor, context.now)?);
        }
        Ok(order.ask_refund(request, context.now)?)
    };
    Ok(change_any(stores, context, command.order, edit, &|_| None).await?.order)
}

/// The capture of an authorized amount, by staff.
#[derive(Clone, Copy, Debug)]
pub struct CaptureOrder {
    pub order: OrderId,
    /// None: all that the bank holds.
    pub amount: Option<Minor>,
}

/// Records in the order that its authorized amount, or a part of it, is to be captured. The payment must be finished
/// next.
pub async fn capture(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: CaptureOrder,
) -> Result<Order, OrderError> {
    let edit = |order: &mut Order| Ok(order.ask_capture(command.amount, context.now)?);
    Ok(change_any(stores, context, command.order, edit, &|_| None).await?.order)
}

/// Changes an order of the caller, or of any owner for staff.
pub(super) async fn change_own_or_any<Who: Sync>(
    stores: &impl Stores,
    context: &RequestContext<Who>,
    who: &CallerOrStaff,
    id: OrderId,
    edit: impl Fn(&mut Order) -> Result<bool, OrderError>,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Moved, OrderError> {
    match change(stores, context, &who.owner, id, &edit, stored_response).await {
        Err(OrderError::NotFound) if who.staff.is_some() => {
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
