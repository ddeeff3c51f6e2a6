//! Signing in after having shopped as a guest: the guest's sessions and orders move to the account.

use time::Duration;
use tokio::time::Instant;

use crate::{
    checkout::request_context::{RequestContext, SignedIn},
    domain::{
        ids::{CheckoutId, GuestId, OrderId, Owner},
        order::Order,
    },
    ports::{OrderCache, OrderFilter, Orders, Saved, Sessions, StoreError, StoredResponses},
};

/// Attempts at moving one session or order that keeps changing.
const ATTEMPTS: u32 = 12;
/// Orders that are read at once.
const PAGE: u16 = 25;
/// By how much the clocks of two containers may differ.
const SKEW: Duration = Duration::seconds(1);

#[derive(Clone, Copy, Debug)]
pub struct MergeGuest {
    /// Knowing it proves being it, as everywhere.
    pub guest: GuestId,
    /// How long an answer to a request of the guest is kept.
    pub answers_kept: Duration,
}

/// What moved. Repeated, nothing is left to move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    pub sessions: Vec<CheckoutId>,
    pub orders: Vec<OrderId>,
}

/// Why not everything moved. What did stays moved, and a repeated claim goes on with the rest.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("they are being changed by too many requests at once")]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves everything. Sessions go first: a confirmation by the guest either has its order in the table by then, where
/// the second step finds it, or finds that the session is the guest's no longer. Before anything moves, it is noted that
/// answers which were stored for the guest are given to the guest no more, those of requests included that are under way.
pub async fn merge_guest(
    sessions: &impl Sessions,
    orders: &impl Orders,
    cache: &impl OrderCache,
    stored_responses: &impl StoredResponses,
    context: &RequestContext<SignedIn>,
    command: MergeGuest,
) -> Result<Claimed, ClaimError> {
    let (from, to) = (Owner::Guest(command.guest), Owner::User(context.who.user.clone()));
    let mut claimed = Claimed::default();
    // Each write of this request has a number of its own.
    let mut change = 0;
    let mut is_noted = false;
    let mut note = async || {
        if !std::mem::replace(&mut is_noted, true) {
            let rest = context.deadline.saturating_duration_since(Instant::now());
            let until = context.now + rest + SKEW;
            stored_responses.claimed(command.guest, until, until + command.answers_kept).await?;
        }
        Ok::<_, StoreError>(())
    };
    for id in sessions.owned_by(&from).await? {
        note().await?;
        if move_session(sessions, context, id, &from, &to, &mut change).await? {
            claimed.sessions.push(id);
        }
    }
    loop {
        let page = orders.list(&from, &OrderFilter { status: None, limit: PAGE, after: None }).await?;
        if page.orders.is_empty() {
            return Ok(claimed);
        }
        note().await?;
        let ids: Vec<_> = page.orders.iter().map(|order| order.id).collect();
        cache.changing(&[&from, &to], &ids, context.request()).await;
        for order in page.orders {
            let id = order.id;
            if move_order(orders, context, order, &to, &mut change).await? {
                claimed.orders.push(id);
            }
        }
        cache.changed(&[&from, &to], &ids, context.request(), &[]).await;
    }
}

/// False if there is nothing to move any more.
async fn move_session(
    sessions: &impl Sessions,
    context: &RequestContext<SignedIn>,
    id: CheckoutId,
    from: &Owner,
    to: &Owner,
    change: &mut u32,
) -> Result<bool, ClaimError> {
    for attempt in 0..ATTEMPTS {
        let Some(loaded) = sessions.load(id, None, context.now).await? else { return Ok(false) };
        let mut session = loaded.session;
        if session.owner != *from || !session.is_live(context.now, context.session_ttl) {
            return Ok(false);
        }
        session.owner = to.clone();
        session.version = session.version.saturating_add(1);
        *change += 1;
        match sessions.transfer(&session, context.change(*change)).await? {
            Saved::Done => return Ok(true),
            Saved::Conflict(_) | Saved::AlreadyAnswered if !context.pause(attempt).await => break,
            Saved::Conflict(_) | Saved::AlreadyAnswered => {}
        }
    }
    Err(ClaimError::Contended)
}

/// False if it was moved meanwhile.
async fn move_order(
    orders: &impl Orders,
    context: &RequestContext<SignedIn>,
    mut order: Order,
    to: &Owner,
    change: &mut u32,
) -> Result<bool, ClaimError> {
    for attempt in 0..ATTEMPTS {
        let from = order.owner.clone();
        let mut moved = order.clone();
        moved.owner = to.clone();
        moved.version = moved.version.saturating_add(1);
        moved.updated_at = context.now;
        *change += 1;
        match orders.transfer(&moved, &from, context.change(*change), context.deadline).await? {
            Saved::Done => return Ok(true),
            Saved::Conflict(_) | Saved::AlreadyAnswered if !context.pause(attempt).await => break,
            Saved::Conflict(_) | Saved::AlreadyAnswered => match orders.get(&from, moved.id).await? {
                Some(fresh) => order = fresh,
                None => return Ok(false),
            },
        }
    }
    Err(ClaimError::Contended)
}
