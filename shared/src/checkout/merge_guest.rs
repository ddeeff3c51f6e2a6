//! Signing in after having shopped as a guest: the guest's sessions and orders move to the account.

use time::Duration;
use tokio::time::Instant;

use crate::{
    checkout::request_context::{RequestContext, SignedIn},
    domain::{
        ids::{CheckoutId, GuestId, OrderId, Owner},
        order::Order,
    },
    ports::{OrderFilter, Orders as _, Saved, Sessions as _, StoreError, StoredResponses as _, Stores, Transfer},
};

/// Attempts at moving one session or order that keeps changing.
const ATTEMPTS: u32 = 12;
/// Orders that are read at once.
const PAGE: u16 = 25;
/// The most by which the clocks of two containers may differ.
const SKEW: Duration = Duration::seconds(1);

#[derive(Clone, Copy, Debug)]
pub struct MergeGuest {
    /// The guest's id is its only secret: a caller who knows it may claim.
    pub guest: GuestId,
    /// How long stored responses of the guest are kept.
    pub answers_kept: Duration,
}

/// What moved. A repeated claim finds nothing left to move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    pub sessions: Vec<CheckoutId>,
    pub orders: Vec<OrderId>,
}

/// Why not everything moved. What has moved stays moved; a repeated claim moves the rest.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("the guest's sessions or orders are being changed by too many requests at once")]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves everything, sessions first. A simultaneous confirmation by the guest has then either stored its order, which
/// the second step finds, or it finds that the session is no longer the guest's. Before the first move a note ends the
/// guest's right to stored responses, including those of requests that are still under way.
pub async fn merge_guest(
    stores: &impl Stores,
    context: &RequestContext<SignedIn>,
    command: MergeGuest,
) -> Result<Claimed, ClaimError> {
    let (from, to) = (Owner::Guest(command.guest), Owner::User(context.who.user.clone()));
    let mut claimed = Claimed::default();
    // Each write of this request has its own number.
    let mut change = 0;
    let mut is_noted = false;
    let mut note = async || {
        if !std::mem::replace(&mut is_noted, true) {
            let rest = context.deadline.saturating_duration_since(Instant::now());
            let until = context.now + rest + SKEW;
            let (user, expires_at) = (&context.who.user, until + command.answers_kept);
            stores.stored_responses().claimed(command.guest, user, until, expires_at).await?;
        }
        Ok::<_, StoreError>(())
    };
    for id in stores.sessions().owned_by(&from).await? {
        note().await?;
        if move_session(stores, context, id, &from, &to, &mut change).await? {
            claimed.sessions.push(id);
        }
    }
    loop {
        let page = stores.orders().list(&from, &OrderFilter { status: None, limit: PAGE, after: None }).await?;
        if page.orders.is_empty() {
            return Ok(claimed);
        }
        note().await?;
        claimed.orders.extend(move_orders(stores, context, page.orders, &to, &mut change).await?);
    }
}

/// False if there is nothing left to move.
async fn move_session(
    stores: &impl Stores,
    context: &RequestContext<SignedIn>,
    id: CheckoutId,
    from: &Owner,
    to: &Owner,
    change: &mut u32,
) -> Result<bool, ClaimError> {
    let mut retry = context.retry(ATTEMPTS);
    loop {
        let Some(loaded) = stores.sessions().load(id, None, context.now).await? else { return Ok(false) };
        let mut session = loaded.session;
        if session.owner != *from || !session.is_live(context.now, context.session_ttl) {
            return Ok(false);
        }
        session.owner = to.clone();
        session.version = session.version.saturating_add(1);
        *change += 1;
        match stores.sessions().transfer(&session, context.request().attempt(*change)).await? {
            Saved::Done => return Ok(true),
            Saved::Conflict(_) | Saved::AlreadyAnswered if !retry.again().await => return Err(ClaimError::Contended),
            Saved::Conflict(_) | Saved::AlreadyAnswered => {}
        }
    }
}

/// Moves orders, and tries again with those that others changed meanwhile. Returns the ids of the moved orders.
async fn move_orders(
    stores: &impl Stores,
    context: &RequestContext<SignedIn>,
    mut orders: Vec<Order>,
    to: &Owner,
    change: &mut u32,
) -> Result<Vec<OrderId>, ClaimError> {
    let mut moved = Vec::new();
    let mut retry = context.retry(ATTEMPTS);
    loop {
        let transfers: Vec<Transfer> = orders
            .into_iter()
            .map(|order| {
                *change += 1;
                let from = order.owner.clone();
                let version = order.version.saturating_add(1);
                let mut moved = Order { owner: to.clone(), version, updated_at: context.now, ..order.clone() };
                moved.note_changes(Some(&order));
                Transfer { order: moved, from, change: context.request().attempt(*change) }
            })
            .collect();
        let attempt = context.attempt(context.request());
        let saved = stores.orders().transfer(&transfers, attempt).await?;
        orders = Vec::new();
        for (Transfer { order, from, .. }, saved) in transfers.into_iter().zip(saved) {
            if matches!(saved, Saved::Done) {
                moved.push(order.id);
            } else {
                // None if another claim has moved it.
                orders.extend(stores.orders().get(&from, order.id).await?);
            }
        }
        if orders.is_empty() {
            return Ok(moved);
        }
        if !retry.again().await {
            return Err(ClaimError::Contended);
        }
    }
}
