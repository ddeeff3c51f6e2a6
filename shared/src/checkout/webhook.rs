//! What the provider tells by itself. It is never believed in what it says, only that something has changed: the
//! provider is asked how it stands now. So late, repeated and disordered events are harmless.

use time::Duration;

use crate::{
    checkout::{payment::Finisher, request_context::Retry},
    domain::order::Order,
    ports::{AboutOrder, Orders as _, ProviderEvent, SeenEvents as _, StoreError, Stores},
};

/// How often the index is asked that doesn't know an order of this moment, or names an owner who hasn't it.
const INDEX_ATTEMPTS: u32 = 4;
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

pub async fn receive(finisher: &Finisher<'_, impl Stores>, event: &ProviderEvent) -> Result<Received, StoreError> {
    let events = finisher.stores.stored_responses();
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
fn is_young<S>(finisher: &Finisher<'_, S>, about: &AboutOrder) -> bool {
    about.order.placed_at().is_some_and(|placed_at| (finisher.now - placed_at).abs() < SETTLED)
}

/// The order of whoever placed it, or has claimed it since.
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
        // The index follows the table.
        if !retry.again().await {
            return Ok(None);
        }
    }
}
