//! Reading a session, and the one way to change it.

use crate::{
    checkout::request_context::RequestContext,
    domain::{
        address::Address,
        catalog::{CatalogQuery, CatalogSnapshot},
        ids::{CheckoutId, OrderId},
        money::OutOfRange,
        session::{Session, SessionStatus},
    },
    ports::{Catalog as _, Loaded, Saved, Sessions as _, StoreError, Stores},
    pricing::{self, Cart},
};

/// Attempts at one change before the client is asked to try again.
const ATTEMPTS: u32 = 40;

/// Why a session can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no such session, or it is someone else's: a caller can't tell the difference.
    #[error("there is no such session")]
    NotFound,
    #[error("the session has expired")]
    Expired,
    #[error("the session has become order {0}")]
    Completed(OrderId),
    #[error("the session is being changed by too many requests at once")]
    Contended,
    #[error("an amount is too large")]
    OutOfRange(#[from] OutOfRange),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The session, to show it. Counts as activity.
pub async fn show(stores: &impl Stores, context: &RequestContext, id: CheckoutId) -> Result<Session, SessionError> {
    let loaded = load(stores, context, id).await?;
    Ok(stores.sessions().touch(loaded, context.now).await)
}

/// A change of a session. It can be repeated on a newer version, and may refuse with its own error.
pub trait Edit: Sync {
    type Refusal: From<SessionError>;

    /// Adds to the catalog query what the edit needs besides what the session needs.
    fn ask(&self, _query: &mut CatalogQuery) {}

    /// Whether the request sets a value. It must then replace a newer value that the copy may not have, so only the
    /// database can decide that nothing changes. A calculation sets none.
    fn states_a_value(&self) -> bool {
        true
    }

    /// Changes the session. Prices are calculated afterwards.
    fn apply(
        &self,
        session: &mut Session,
        snapshot: &CatalogSnapshot,
        context: &RequestContext,
    ) -> Result<(), Self::Refusal>;

    /// Checks the session with its new prices against the one before, and may refuse it.
    fn check(
        &self,
        _before: &Session,
        _session: &Session,
        _snapshot: &CatalogSnapshot,
        _context: &RequestContext,
    ) -> Result<(), Self::Refusal> {
        Ok(())
    }
}

/// Makes a change: loads, edits, prices, and writes if nobody else wrote meanwhile; else tries again on the new
/// version. Of two simultaneous changes none is lost. A change without an effect writes nothing, and counts as
/// activity.
pub async fn change<E: Edit>(
    stores: &impl Stores,
    context: &RequestContext,
    id: CheckoutId,
    edit: &E,
) -> Result<Session, E::Refusal> {
    let mut loaded = load(stores, context, id).await?;
    let mut retry = context.retry(ATTEMPTS);
    loop {
        if loaded.from_cache && must_be_open(&loaded.session).is_err() {
            loaded = load_fresh(stores, context, id).await?;
        }
        must_be_open(&loaded.session)?;
        let mut query = query(&loaded.session);
        edit.ask(&mut query);
        let snapshot = stores.catalog().snapshot(&query).await.map_err(SessionError::Store)?;
        let mut next = match edited(edit, &loaded.session, &snapshot, context) {
            Ok(next) => next,
            Err(refusal) if loaded.from_cache => {
                // The copy may be outdated, so the refusal counts only if the database has the same version.
                let fresh = load_fresh(stores, context, id).await?;
                if fresh.session.version == loaded.session.version {
                    return Err(refusal);
                }
                loaded = fresh;
                continue;
            }
            Err(refusal) => return Err(refusal),
        };
        if next == loaded.session {
            if loaded.from_cache && edit.states_a_value() {
                let version = loaded.session.version;
                loaded = load_fresh(stores, context, id).await?;
                if loaded.session.version != version {
                    continue;
                }
                must_be_open(&loaded.session)?;
            }
            return Ok(stores.sessions().touch(loaded, context.now).await);
        }
        advance(&mut next, context);
        match stores.sessions().save(&next, retry.change()).await.map_err(SessionError::Store)? {
            Saved::Done => return Ok(next),
            Saved::Conflict(_) | Saved::AlreadyAnswered if !retry.again().await => {
                return Err(SessionError::Contended.into());
            }
            Saved::Conflict(Some(session)) => loaded = Loaded { session: *session, from_cache: false },
            Saved::Conflict(None) | Saved::AlreadyAnswered => loaded = load_fresh(stores, context, id).await?,
        }
    }
}

/// The session with the change made and priced, or the change's refusal.
fn edited<E: Edit>(
    edit: &E,
    session: &Session,
    snapshot: &CatalogSnapshot,
    context: &RequestContext,
) -> Result<Session, E::Refusal> {
    let mut next = session.clone();
    edit.apply(&mut next, snapshot, context)?;
    reprice(&mut next, snapshot, context).map_err(SessionError::OutOfRange)?;
    edit.check(session, &next, snapshot, context)?;
    Ok(next)
}

/// The caller's own live session, perhaps from the cached copy.
pub async fn load(stores: &impl Stores, context: &RequestContext, id: CheckoutId) -> Result<Loaded, SessionError> {
    let cached = context.cached.clone().filter(|cached| cached.session.id == id);
    let loaded = stores.sessions().load(id, cached, context.now).await?;
    // A copy may be outdated, so only the database can refuse.
    let from_cache = loaded.as_ref().is_some_and(|loaded| loaded.from_cache);
    match own(loaded, context) {
        Err(_) if from_cache => load_fresh(stores, context, id).await,
        result => result,
    }
}

/// The caller's own live session, from the database.
pub async fn load_fresh(
    stores: &impl Stores,
    context: &RequestContext,
    id: CheckoutId,
) -> Result<Loaded, SessionError> {
    own(stores.sessions().load(id, None, context.now).await?, context)
}

fn own(loaded: Option<Loaded>, context: &RequestContext) -> Result<Loaded, SessionError> {
    let loaded = loaded.filter(|l| l.session.owner == context.who.owner).ok_or(SessionError::NotFound)?;
    if loaded.session.is_live(context.now, context.session_ttl) { Ok(loaded) } else { Err(SessionError::Expired) }
}

fn must_be_open(session: &Session) -> Result<(), SessionError> {
    match session.status {
        // Another container has told the shop, by a clock that is ahead.
        SessionStatus::Open if session.abandoned_at.is_some() => Err(SessionError::Expired),
        SessionStatus::Open => Ok(()),
        SessionStatus::Completed { order } => Err(SessionError::Completed(order)),
    }
}

/// What pricing this session needs of the catalog.
pub fn query(session: &Session) -> CatalogQuery {
    CatalogQuery {
        skus: session.lines.iter().map(|line| line.sku.clone()).collect(),
        units: session.lines.iter().map(|line| u64::from(line.quantity)).sum(),
        coupons: session.coupons.iter().cloned().collect(),
        customer: Some(session.owner.clone()),
        countries: [&session.shipping_address, &session.billing_address].into_iter().flatten().map(country).collect(),
        certificate: session.tax_status.certificate.clone(),
    }
}

/// The country whose taxes may be due.
pub(super) fn country(address: &Address) -> String {
    address.destination().country().to_owned()
}

/// Prices the session again.
pub fn reprice<Who>(
    session: &mut Session,
    snapshot: &CatalogSnapshot,
    context: &RequestContext<Who>,
) -> Result<(), OutOfRange> {
    let cart = Cart::from(&*session);
    let priced = pricing::price(cart, snapshot, context.now)?;
    session.payment_options = pricing::payment_options(cart, snapshot, &priced, context.now)?;
    session.priced = priced;
    Ok(())
}

/// Makes the session its next version, changed and active now.
pub fn advance<Who>(session: &mut Session, context: &RequestContext<Who>) {
    session.version = session.version.saturating_add(1);
    session.updated_at = context.now;
    session.active_at = context.now;
}
