//! What is done with the units of an order's lines: parcels and returns. Cancellations and refunds of units are with
//! those of whole orders, in [`crate::checkout::orders`].

use uuid::Uuid;

use crate::{
    checkout::{
        orders::{Moved, OrderError, change_any, change_own_or_any},
        request_context::{CallerOrStaff, RequestContext, Staff},
    },
    domain::{
        ids::OrderId,
        lines::{LineUnits, Tracking},
        order::{Actor, Order},
        order_lines::ReturnDecision,
        order_payment::ShippingTerms,
    },
    ports::Stores,
};

/// A parcel with units of an order.
#[derive(Clone, Debug)]
pub struct Fulfill {
    pub order: OrderId,
    /// The client makes the id. One id is shipped once.
    pub id: Uuid,
    pub items: Vec<LineUnits>,
    pub tracking: Tracking,
    /// Ship it although the customer disputes the payment.
    pub despite_dispute: bool,
}

/// Records a parcel, for staff.
pub async fn fulfill(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: Fulfill,
    terms: ShippingTerms,
) -> Result<Moved, OrderError> {
    let terms = ShippingTerms { despite_dispute: command.despite_dispute, ..terms };
    let edit = |order: &mut Order| {
        let Fulfill { id, items, tracking, .. } = command.clone();
        Ok(order.fulfill(id, items, tracking, terms, &Actor::Staff(context.who.user.clone()), context.now)?)
    };
    change_any(stores, context, command.order, edit, &|_| None).await
}

/// A return of units that were shipped.
#[derive(Clone, Debug)]
pub struct AskReturn {
    pub order: OrderId,
    /// The client makes the id. One id is one return.
    pub id: Uuid,
    pub items: Vec<LineUnits>,
    pub reason: Option<String>,
}

/// Asks for a return: the owner of the order, or staff, whose own is approved at once.
pub async fn ask_return(
    stores: &impl Stores,
    context: &RequestContext<CallerOrStaff>,
    command: AskReturn,
) -> Result<Moved, OrderError> {
    let edit = |order: &mut Order| {
        let AskReturn { id, items, reason, .. } = command.clone();
        Ok(order.ask_return(id, items, reason, context.who.actor(), context.now)?)
    };
    change_own_or_any(stores, context, &context.who, command.order, edit, &|_| None).await
}

/// A decision of staff about a return.
#[derive(Clone, Debug)]
pub struct DecideReturn {
    pub order: OrderId,
    pub id: Uuid,
    pub decision: ReturnDecision,
    /// The customer reads it.
    pub note: Option<String>,
}

/// Decides about a return. The payment must be finished next: what was paid for received units goes back.
pub async fn decide_return(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: DecideReturn,
) -> Result<Moved, OrderError> {
    let edit = |order: &mut Order| {
        let actor = Actor::Staff(context.who.user.clone());
        Ok(order.decide_return(command.id, command.decision, command.note.clone(), &actor, context.now)?)
    };
    change_any(stores, context, command.order, edit, &|_| None).await
}
