//! Events of the payment provider. An event is only a hint that something has changed: its content isn't used, and the
//! provider is asked for the current state, unless the order knows the last one that there can be. So late, repeated and
//! reordered events are harmless.

use time::Duration;

use crate::{
    checkout::{payment::Finisher, request_context::Retry},
    domain::{cause, order::Order, payment::NextAction},
    ports::{AboutOrder, EventSubject, Orders as _, Payments as _, ProviderEvent, SeenEvents as _, StoreError, Stores},
};

/// Attempts while the index doesn't have a new order yet, or names an earlier owner.
const INDEX_ATTEMPTS: u32 = 4;
/// An order that is older than this is in the index, if it exists.
const SETTLED: Duration = Duration::minutes(15);

/// The result of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The order agrees with the provider.
    Done,
    /// The event was received before.
    Again,
    /// The event isn't about an order of this shop.
    Ignored,
    /// About an order that was placed a moment ago and can't be found yet: the provider should send the event again.
    TooEarly,
    /// About an order that doesn't exist, or a payment that isn't the order's: stored, with an alarm.
    Unknown,
    /// The provider didn't answer when it was asked: it should send the event again.
    Unanswered,
}

impl Received {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again => "again",
            Self::Ignored => "ignored",
            Self::TooEarly => "too_early",
            Self::Unknown => "unknown",
            Self::Unanswered => "unanswered",
        }
    }
}

pub async fn receive(finisher: &Finisher<'_, impl Stores>, event: &ProviderEvent) -> Result<Received, StoreError> {
    let events = finisher.stores.stored_responses();
    if event.about == EventSubject::Other {
        return Ok(Received::Ignored);
    }
    if events.seen(&event.id, finisher.now).await? {
        return Ok(Received::Again);
    }
    let (about, hint) = match &event.about {
        EventSubject::Payment(about) => (about.clone(), NextAction::Look(about.intent.clone())),
        EventSubject::Ledger { intent } => match finisher.stores.payments().order_of(intent).await {
            Ok(Some(about)) => (about, NextAction::ReadLedger(intent.clone())),
            // Of another system in the same account.
            Ok(None) => return Ok(Received::Ignored),
            Err(error) => {
                tracing::warn!(error = cause::chain(&error), "The payment of an event could not be read");
                return Ok(Received::Unanswered);
            }
        },
        EventSubject::Other => return Ok(Received::Ignored),
    };
    let order = load(finisher, &about).await?;
    if order.is_none() && is_young(finisher, &about) {
        return Ok(Received::TooEarly);
    }
    let ours = order.filter(|order| {
        let intent = order.payment.card.as_ref().map(|card| card.intent.as_deref());
        intent.is_some_and(|intent| intent.is_none_or(|intent| intent == about.intent))
    });
    let received = if let Some(order) = ours {
        // What is captured stays captured, so its payment has no news. Whatever else is wanted of it, the reconciler does.
        if matches!(hint, NextAction::Look(_)) && order.payment.status.is_captured() {
            events.note(&event.id, finisher.now).await?;
            return Ok(Received::Done);
        }
        let done = finisher.finish(order, Some(hint.clone())).await?;
        // The capture that a refund or a dispute is of may be heard of only now: then it is read again.
        let is_behind = matches!(hint, NextAction::ReadLedger(_)) && !done.order.payment.status.is_captured();
        if done.unanswered || is_behind && done.order.is_under_way() {
            return Ok(Received::Unanswered);
        }
        Received::Done
    } else {
        events.note_unknown(event, &about, finisher.now).await?;
        Received::Unknown
    };
    events.note(&event.id, finisher.now).await?;
    Ok(received)
}

/// Whether the order is so new that the index may not have it yet.
fn is_young<S>(finisher: &Finisher<'_, S>, about: &AboutOrder) -> bool {
    about.order.placed_at().is_some_and(|placed_at| (finisher.now - placed_at).abs() < SETTLED)
}

/// The order, under the owner who placed it or who has claimed it since.
async fn load(finisher: &Finisher<'_, impl Stores>, about: &AboutOrder) -> Result<Option<Order>, StoreError> {
    let orders = finisher.stores.orders();
    if let Some(owner) = &about.owner
        && let Some(order) = orders.get(owner, about.order).await?
    {
        return Ok(Some(order));
    }
    let mut retry = Retry::new(finisher.request, INDEX_ATTEMPTS, finisher.deadline);
    loop {
        let owner = orders.owner_of(about.order).await?;
        if owner.is_none() && !is_young(finisher, about) {
            return Ok(None);
        }
        if let Some(owner) = owner
            && let Some(order) = orders.get(&owner, about.order).await?
        {
            return Ok(Some(order));
        }
        // The index is eventually consistent.
        if !retry.again().await {
            return Ok(None);
        }
    }
}
