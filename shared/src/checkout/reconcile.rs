//! The reconciler: finishes open payments every minute. Two runs at the same time are safe.

use std::{collections::VecDeque, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    checkout::payment::Finisher,
    crash,
    domain::{
        cause,
        ids::{OrderId, Owner},
        retry,
    },
    ports::{ChangeId, DueOrder, DueOrders, DueRun, Orders as _, StoreError, Stores},
};

/// Orders that are reconciled in parallel. A call to the provider takes about 300 ms, so these make about 50 calls a
/// second: half of what Stripe allows a live account. The checkout itself needs the other half.
const AT_ONCE: usize = 16;
/// The time for one order: enough for three calls to the provider that reach their timeout.
const ORDER_TIME: Duration = Duration::from_secs(20);
/// The longest pause for an order that the provider has no result for yet: the order's deadline must not pass within
/// one pause.
const LONGEST_WAIT: Duration = Duration::from_mins(4);
/// The longest pause for an order of which something is only looked at: a refund that is on its way, or an authorization
/// that has ended.
const LONGEST_LOOK: Duration = Duration::from_hours(12);
/// The longest pause for an order that can't be reconciled.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Orders that are not due any more.
    pub settled: u32,
    /// Orders that the provider has no result for yet, or for which the run had no time.
    pub open: u32,
    /// Orders that could not be reconciled; the log says why.
    pub failed: u32,
}

/// The result for one order.
enum Looked {
    Settled,
    /// Something is to be done soon.
    Open,
    /// Only the bank or the provider can go on.
    Waits,
    /// The run's time is over.
    OutOfTime,
    Failed(StoreError),
}

/// Reconciles all due orders, the longest waiting first, several in parallel. Each has its own time limit. An order
/// that fails doesn't stop the rest: it is put off by a separate write, longer each time.
///
/// # Errors
/// When no shard of the index of due orders can be read.
pub async fn reconcile(finisher: Finisher<'_, impl Stores>) -> Result<Reconciled, StoreError> {
    let index = finisher.stores.orders();
    let mut unread = Vec::new();
    let mut done = Reconciled::default();
    let mut at_work = FuturesUnordered::new();
    let mut reading = Box::pin(Queue::of(index, finisher.now).advance());
    let mut is_read = false;
    loop {
        let has_room = at_work.len() < AT_ONCE && Instant::now() < finisher.deadline;
        tokio::select! {
            read = &mut reading, if has_room && !is_read => match read {
                None => is_read = true,
                Some((next, queue)) => {
                    reading = Box::pin(queue.advance());
                    match next {
                        Ok(order) => at_work.push(look(&finisher, order)),
                        Err(error) => unread.push(error),
                    }
                }
            },
            Some(looked) = at_work.next() => match looked {
                Looked::Settled => done.settled += 1,
                Looked::Open | Looked::Waits | Looked::OutOfTime => done.open += 1,
                Looked::Failed(_) => done.failed += 1,
            },
            else => break,
        }
    }
    let has_run = unread.len() < usize::from(index.shards());
    index.note(DueRun { has_run, is_whole: unread.is_empty(), failed: done.failed });
    if !has_run {
        return Err(unread.swap_remove(0));
    }
    for error in unread {
        tracing::error!(error = cause::chain(&error), "A part of the index of due orders could not be read");
    }
    Ok(done)
}

/// Reconciles one order within its time limit, and puts it off if it is still due.
async fn look(finisher: &Finisher<'_, impl Stores>, entry: DueOrder) -> Looked {
    crash::point("reconcile: about to look").await;
    let end_of_run = finisher.deadline;
    let deadline = end_of_run.min(Instant::now() + ORDER_TIME);
    // Each order's changes need ids of their own.
    let id: u128 = entry.id.parse().map_or(0, |id: OrderId| id.uuid().as_u128());
    let request = ChangeId(Uuid::from_u128(finisher.request.0.as_u128() ^ id));
    let finisher = Finisher { deadline, request, ..*finisher };
    let looked = tokio::time::timeout_at(deadline, finish(&finisher, &entry)).await;
    let looked = match looked {
        Ok(Ok(Looked::Settled)) => return Looked::Settled,
        Ok(Ok(looked)) => looked,
        Ok(Err(error)) => Looked::Failed(error),
        // The order didn't fail, so it isn't put off: the next run takes it first.
        Err(_) if deadline == end_of_run => return Looked::OutOfTime,
        Err(_) => {
            Looked::Failed(StoreError { operation: "finish order", source: "the time for this order is over".into() })
        }
    };
    let longest = match looked {
        Looked::Open => LONGEST_WAIT,
        Looked::Waits => LONGEST_LOOK,
        _ => LONGEST_PAUSE,
    };
    let until = |failures| finisher.now + retry::pause(request.0, failures, longest);
    let put_off = finisher.stores.orders().put_off(&entry, until).await;
    if let Looked::Failed(error) = &looked {
        let failures = put_off.as_ref().ok().copied().flatten();
        tracing::error!(
            order = entry.id,
            failures,
            error = cause::chain(error),
            "The order could not be reconciled; it is tried again later"
        );
    }
    if let Err(error) = put_off {
        tracing::error!(order = entry.id, error = cause::chain(&error), "The order could not be put off");
    }
    looked
}

/// Finishes an order's payment.
async fn finish(finisher: &Finisher<'_, impl Stores>, entry: &DueOrder) -> Result<Looked, StoreError> {
    let damaged = |error| StoreError { operation: "read the key of a due order", source: Box::new(error) };
    let owner: Owner = entry.owner.parse().map_err(damaged)?;
    let id: OrderId = entry.id.parse().map_err(damaged)?;
    // The order has been claimed and the index is behind: the next run finds it under its new owner.
    let Some(order) = finisher.stores.orders().get(&owner, id).await? else {
        return Ok(Looked::Settled);
    };
    let done = finisher.finish(order, None).await?;
    Ok(match done.order.payment.due() {
        Some(due) if due <= finisher.now && done.order.is_acted_on() => Looked::Open,
        Some(due) if due <= finisher.now => Looked::Waits,
        _ => Looked::Settled,
    })
}

/// The due orders of all shards, the longest waiting first.
struct Queue<'a, D> {
    index: &'a D,
    now: OffsetDateTime,
    shards: Vec<Shard>,
    /// Errors of shards that could not be read further.
    unread: Vec<StoreError>,
}

/// The reading state of one shard.
struct Shard {
    number: u8,
    read: VecDeque<DueOrder>,
    rest: Rest,
}

/// The part of a shard that is still to be read.
enum Rest {
    All,
    After(DueOrder),
    Nothing,
}

impl<'a, D: DueOrders> Queue<'a, D> {
    fn of(index: &'a D, now: OffsetDateTime) -> Self {
        let shards = (0..index.shards()).map(|number| Shard { number, read: VecDeque::new(), rest: Rest::All });
        Self { index, now, shards: shards.collect(), unread: Vec::new() }
    }

    /// Takes the next order off the queue.
    async fn advance(mut self) -> Option<(Result<DueOrder, StoreError>, Self)> {
        let next = self.next().await?;
        Some((next, self))
    }

    /// The next order, or the error of a shard, which is skipped from then on. None at the end.
    async fn next(&mut self) -> Option<Result<DueOrder, StoreError>> {
        let first = self.shards.iter().all(|shard| matches!(shard.rest, Rest::All));
        let (index, now) = (self.index, self.now);
        let read = join_all(self.shards.iter_mut().map(|shard| shard.fill(index, now))).await;
        if first {
            self.measure();
        }
        self.unread.extend(read.into_iter().filter_map(Result::err));
        if let Some(error) = self.unread.pop() {
            return Some(Err(error));
        }
        let shards = self.shards.iter_mut().filter(|shard| !shard.read.is_empty());
        let oldest = shards.min_by(|a, b| a.due().cmp(&b.due()))?;
        oldest.read.pop_front().map(Ok)
    }

    /// Records how long the oldest order has been due.
    fn measure(&self) {
        let due = self.shards.iter().filter_map(|shard| OffsetDateTime::parse(shard.due()?, &Rfc3339).ok());
        if let Some(oldest) = due.min() {
            self.index.note_oldest(self.now - oldest);
        }
    }
}

impl Shard {
    fn due(&self) -> Option<&str> {
        self.read.front().map(|order| order.due.as_str())
    }

    /// Reads the next page if no read order is left.
    async fn fill(&mut self, index: &impl DueOrders, now: OffsetDateTime) -> Result<(), StoreError> {
        while self.read.is_empty() {
            let after = match std::mem::replace(&mut self.rest, Rest::Nothing) {
                Rest::All => None,
                Rest::After(order) => Some(order),
                Rest::Nothing => break,
            };
            let page = index.due(self.number, now, after).await?;
            self.read.extend(page.orders);
            self.rest = page.next.map_or(Rest::Nothing, Rest::After);
        }
        Ok(())
    }
}
