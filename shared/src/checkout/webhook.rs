//! What the provider tells by itself. It is never believed in what it says, only that something has changed: the
//! provider is asked how it stands now. So late, repeated and disordered events are harmless.

use time::Duration;

use crate::{
    checkout::payment::Finisher,
    domain::order::Order,
    ports::{AboutOrder, OrderCache, OrderIndex, Orders, Payments, ProviderEvent, SeenEvents, Sessions, StoreError},
};

/// How often the index is asked again that doesn't know an order of this moment, or names an owner who hasn't it.
const INDEX_LAG: u32 = 4;
/// An order that was placed this long ago is in the index, if there is one.
const SETTLED: Duration = Duration::minutes(15);

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The order says what the provider says.
    Done,
    /// It came before.
    Again,
    /// Not about an order of ours.
    Ignored,
    /// About an order that was placed in this moment, and that can't be found yet: it should be told once more.
    TooEarly,
    /// About an order that isn't there, or a payment that isn't the order's: written down, and alarmed.
    Unknown,
    /// The provider gave no answer when it was asked: it should tell us once more.
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

pub async fn receive<S, O, K, P>(
    events: &impl SeenEvents,
    finisher: &Finisher<'_, S, O, K, P>,
    event: &ProviderEvent,
) -> Result<Received, StoreError>
where
    S: Sessions,
    O: Orders + OrderIndex,
    K: OrderCache,
    P: Payments,
{
    let Some(about) = &event.about else { return Ok(Received::Ignored) };
    if events.seen(&event.id, finisher.now).await? {
        return Ok(Received::Again);
    }
    let order = load(finisher, about).await?;
    if order.is_none() && is_young(finisher, about) {
        return Ok(Received::TooEarly);
    }
    let ours = order.filter(|order| {
        let intent = order.payment.card.as_ref().map(|card| card.intent.as_deref());
        intent.is_some_and(|intent| intent.is_none_or(|intent| intent == about.intent))
    });
    let received = if let Some(order) = ours {
        if finisher.finish(order, Some(&about.intent)).await?.unanswered {
            return Ok(Received::Unanswered);
        }
        Received::Done
    } else {
        events.note_unknown(event, about, finisher.now).await?;
        Received::Unknown
    };
    events.note(&event.id, finisher.now).await?;
    Ok(received)
}

/// Whether the index may not know the order yet.
fn is_young<S, O, K, P>(finisher: &Finisher<'_, S, O, K, P>, about: &AboutOrder) -> bool {
    about.order.placed_at().is_some_and(|placed_at| (finisher.now - placed_at).abs() < SETTLED)
}

/// The order of whoever placed it, or has claimed it since.
async fn load<S, O, K, P>(finisher: &Finisher<'_, S, O, K, P>, about: &AboutOrder) -> Result<Option<Order>, StoreError>
where
    S: Sessions,
    O: Orders + OrderIndex,
    K: OrderCache,
    P: Payments,
{
    if let Some(owner) = &about.owner
        && let Some(order) = finisher.orders.get(owner, about.order).await?
    {
        return Ok(Some(order));
    }
    for attempt in 0..INDEX_LAG {
        let owner = finisher.orders.owner_of(about.order).await?;
        if owner.is_none() && !is_young(finisher, about) {
            break;
        }
        if let Some(owner) = owner
            && let Some(order) = finisher.orders.get(&owner, about.order).await?
        {
            return Ok(Some(order));
        }
        // The index follows the table.
        if !finisher.pause(attempt).await {
            break;
        }
    }
    Ok(None)
}
