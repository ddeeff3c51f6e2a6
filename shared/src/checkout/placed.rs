//! A confirmation of a session that has an order already: the same order, or another payment in place of one that waits.

use crate::{
    checkout::{
        confirmation::{Confirm, ConfirmError, Confirmed, PaymentInput},
        orders::{self, OrderError},
        payment::Finisher,
        request_context::RequestContext,
        session::SessionError,
    },
    domain::{
        ids::OrderId,
        order::{Order, OrderStatus},
        order_payment::PaymentRefusal,
        payment::{PaymentMethod, PaymentStatus},
    },
    ports::{DeclinePlaces, Orders as _, Stores},
};

/// Does the next actions of a card payment, whatever its state is. A declined order is an error: it does not count as
/// an order.
pub(super) async fn finish(
    stores: &impl Stores,
    context: &RequestContext,
    order: Order,
    created: bool,
) -> Result<Confirmed, ConfirmError> {
    let done = Finisher::of(stores, context).finish(order, None).await?;
    let last = done.order.payment.card.as_ref().and_then(|card| card.events.last()?.code.clone());
    match (done.order.payment.status, done.too_many_open, last) {
        (PaymentStatus::Declined, _, code) => Err(ConfirmError::Declined { code }),
        (PaymentStatus::Cancelled, Some(limit), _) => Err(ConfirmError::TooManyOpenOrders(limit)),
        (PaymentStatus::Cancelled, None, Some(code)) => Err(ConfirmError::AmountRefused { code }),
        _ if done.order.status == OrderStatus::Cancelled => Err(ConfirmError::OrderCancelled { order: done.order.id }),
        _ => Ok(Confirmed { order: done.order, created, action: done.action }),
    }
}

/// Whether the order is what the request asks for.
pub(super) fn is_for(order: &Order, command: &Confirm) -> bool {
    let is_paid_so = match (&order.payment.card, &command.payment) {
        (Some(card), Some(PaymentInput::Online { token, .. })) => card.token == *token,
        _ => is_by_same_method(order, command.payment.as_ref()),
    };
    is_paid_so && has_same_content(order, command)
}

fn is_by_same_method(order: &Order, payment: Option<&PaymentInput>) -> bool {
    // It costs nothing: the request's method doesn't matter.
    order.payment.method == PaymentMethod::Free || payment.is_some_and(|input| input.method() == order.payment.method)
}

fn has_same_content(order: &Order, command: &Confirm) -> bool {
    order.summary.total == command.expected_total && order.customer == command.customer && order.notes == command.notes
}

/// What becomes of a request for a session that has an order already. None if the order's payment was ended: then the
/// session must be read again, because it is open if nothing was paid. `is_agreed` says whether the request's total is what
/// the session costs with the request's payment method, which may have another fee than the order's.
pub(super) async fn stand_by(
    stores: &impl Stores,
    context: &RequestContext,
    order: Order,
    command: &Confirm,
    is_agreed: bool,
    nth: u32,
) -> Result<Option<Confirmed>, ConfirmError> {
    if is_for(&order, command) {
        return finish(stores, context, order, false).await.map(Some);
    }
    let is_the_same = is_by_same_method(&order, command.payment.as_ref()) && has_same_content(&order, command);
    // The customer has paid already, and the bank takes days.
    let is_processing = order.payment.status == PaymentStatus::Processing;
    let is_waiting = order.payment.card.is_some() && order.payment.status.is_open();
    // Who agreed to another total has not seen this order: the payment that waits isn't theirs to end.
    let may_replace = (is_agreed || order.summary.total == command.expected_total) && !(is_processing && is_the_same);
    if is_waiting && may_replace {
        replace(stores, context, order, nth).await?;
        return Ok(None);
    }
    if order.status == OrderStatus::Cancelled {
        return Err(ConfirmError::OrderCancelled { order: order.id });
    }
    // A page that makes a new token for each click asks for the same all the same.
    if is_the_same {
        return finish(stores, context, order, false).await.map(Some);
    }
    Err(ConfirmError::AlreadyPlaced { order: order.id })
}

/// Ends the payment of an order whose customer pays in another way: at the provider first, so that nothing can be paid
/// for it any more. If it has been paid meanwhile, the order stands.
async fn replace(stores: &impl Stores, context: &RequestContext, order: Order, nth: u32) -> Result<(), ConfirmError> {
    // The request's own places are for the card that it tries.
    let places = DeclinePlaces::default();
    let id = |step: u32| context.request().replacement(3 * nth + step);
    let finisher = |step: u32| Finisher { places: &places, request: id(step), ..Finisher::of(stores, context) };
    // Perhaps it is decided: for example, the customer failed to authenticate.
    let mut done = finisher(0).finish(order, None).await?;
    if done.order.payment.status == PaymentStatus::Processing {
        return Err(ConfirmError::PaymentInProgress);
    }
    if done.order.payment.status.is_open() {
        let order = match orders::give_up(stores, context, done.order.id, id(1), &places).await {
            Ok(order) => order,
            Err(OrderError::Payment(PaymentRefusal::UnderWay)) => return Err(ConfirmError::PaymentInProgress),
            Err(OrderError::Store(error)) => return Err(error.into()),
            // It is being changed by others, or was claimed.
            Err(_) => return Err(SessionError::Contended.into()),
        };
        done = finisher(2).finish(order, None).await?;
    }
    if done.order.payment.status.is_open() { Err(ConfirmError::PaymentInProgress) } else { Ok(()) }
}

/// The order that the session has already become.
pub(super) async fn completed(
    stores: &impl Stores,
    context: &RequestContext,
    id: OrderId,
) -> Result<Order, ConfirmError> {
    let owner = &context.who.owner;
    let order = stores.orders().get(owner, id).await?;
    // Of an open or cancelled order nothing is known yet: a card may be tried next.
    let over =
        order.as_ref().is_none_or(|order| !order.payment.status.is_open() && order.status != OrderStatus::Cancelled);
    let places = over.then_some(context.places.as_ref());
    stores.orders().drop_copies(owner, id, context.request(), places).await;
    // The session and its order were written in one transaction. So if the caller has no such order, it belongs to
    // someone else.
    order.ok_or(ConfirmError::Session(SessionError::NotFound))
}
