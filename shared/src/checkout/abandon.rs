//! Telling the shop of abandoned checkouts, every minute. Two runs at the same time are safe.

use futures_util::future::join_all;
use time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    checkout::request_context::RequestContext,
    crash,
    domain::{cause, ids::CheckoutId},
    ports::{AbandonedCheckouts, AbandonedRun, ChangeId, EndingSession, StoreError},
};

/// How long a session waits that could not be read or written.
const PAUSE: Duration = Duration::HOUR;

/// What became of an entry of the index.
enum Looked {
    Told,
    /// It was used since, or has changed at the same moment.
    Postponed,
    /// It became an order, or another run has told it: the index is behind.
    Gone,
}

/// Tells all that are due, the shards of the index in parallel, until the run's time is over: the next run goes on. A
/// session that fails doesn't stop the rest: it is put off.
///
/// # Errors
/// When no shard of the index can be read.
pub async fn tell(
    checkouts: &impl AbandonedCheckouts,
    context: &RequestContext<()>,
) -> Result<AbandonedRun, StoreError> {
    let runs = join_all((0..checkouts.shards()).map(|shard| tell_shard(checkouts, context, shard))).await;
    let (mut all, mut unread) = (AbandonedRun::default(), Vec::new());
    for (run, error) in runs {
        all.told += run.told;
        all.postponed += run.postponed;
        all.failed += run.failed;
        unread.extend(error);
    }
    let unread_shards = u32::try_from(unread.len()).unwrap_or(u32::MAX);
    all.failed = all.failed.saturating_add(unread_shards);
    checkouts.note_abandoned(all);
    if !unread.is_empty() && unread.len() == usize::from(checkouts.shards()) {
        return Err(unread.swap_remove(0));
    }
    for error in unread {
        tracing::error!(error = cause::chain(&error), "A part of the index of abandoned checkouts could not be read");
    }
    Ok(all)
}

/// What was done of one shard, and why it could not be read further.
async fn tell_shard(
    checkouts: &impl AbandonedCheckouts,
    context: &RequestContext<()>,
    shard: u8,
) -> (AbandonedRun, Option<StoreError>) {
    let (mut run, mut after) = (AbandonedRun::default(), None);
    while Instant::now() < context.deadline {
        let page = match checkouts.ending(shard, context.now, after).await {
            Ok(page) => page,
            Err(error) => return (run, Some(error)),
        };
        for entry in page.sessions {
            if Instant::now() >= context.deadline {
                return (run, None);
            }
            match look(checkouts, context, &entry).await {
                Ok(Looked::Told) => run.told += 1,
                Ok(Looked::Postponed) => run.postponed += 1,
                Ok(Looked::Gone) => {}
                Err(error) => {
                    run.failed += 1;
                    tracing::error!(
                        session = entry.id,
                        error = cause::chain(&error),
                        "The abandoned checkout could not be told; it is tried again later"
                    );
                    if let Err(error) = checkouts.put_off(&entry, context.now.saturating_add(PAUSE)).await {
                        tracing::error!(
                            session = entry.id,
                            error = cause::chain(&error),
                            "The abandoned checkout could not be put off"
                        );
                    }
                }
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    (run, None)
}

async fn look(
    checkouts: &impl AbandonedCheckouts,
    context: &RequestContext<()>,
    entry: &EndingSession,
) -> Result<Looked, StoreError> {
    let damaged = |error| StoreError { operation: "read the key of a session", source: Box::new(error) };
    let id: CheckoutId = entry.id.parse().map_err(damaged)?;
    let Some(session) = checkouts.session(id).await? else { return Ok(Looked::Gone) };
    if !checkouts.is_abandoned(&session, context.now) {
        // One that became an order has no entry: then this writes nothing.
        checkouts.postpone(entry, &session).await?;
        return Ok(Looked::Postponed);
    }
    crash::point("abandon: about to tell").await;
    // Each session's change needs an id of its own.
    let change = ChangeId(Uuid::from_u128(context.request().0.as_u128() ^ id.uuid().as_u128()));
    let told = checkouts.tell(&session, context.now, change, context.deadline).await?;
    crash::point("abandon: told").await;
    Ok(if told { Looked::Told } else { Looked::Gone })
}
