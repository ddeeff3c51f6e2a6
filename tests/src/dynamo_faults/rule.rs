//! Which calls fail, how, and how often.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::gate::Gate;

/// What a call that matches gets instead of an answer from the engine alone.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Another transaction has one of the items: a `TransactionCanceledException` whose last reason is
    /// `TransactionConflict`, or a `TransactionConflictException` for a call on a single item.
    TransactionConflict,
    /// A `TransactionCanceledException` whose last reason has this code: `ThrottlingError`, say.
    TransactionCanceled(&'static str),
    TransactionInProgress,
    Throttling,
    ProvisionedThroughputExceeded,
    RequestLimitExceeded,
    InternalServerError,
    /// A service error of any other name: status, name without its namespace.
    Error(u16, &'static str),
    /// Every error above is answered without asking the engine. After these three, the engine has done what was
    /// asked, and the caller does not learn it: the connection is closed,
    AnswerLost,
    /// … the answer is an internal error,
    DoneButInternalServerError,
    /// … no answer ever comes.
    DoneButHangs,
    /// Nothing is done and no answer ever comes.
    Hang,
    /// The engine is asked this much later.
    Delay(Duration),
    /// The engine is asked when the gate opens.
    Hold(Gate),
    /// The engine is asked at once, and its answer waits for the gate.
    HoldAnswer(Gate),
    /// An index that is behind: the query finds nothing.
    NothingFound,
    /// A batch read answers for the first key of each table and reports the others as unprocessed; a batch of writes does
    /// the first of each table.
    Unprocessed,
}

/// A fault for some calls. Matches every call to one operation until narrowed, and never wears out until told.
#[derive(Debug)]
pub struct Rule {
    operation: &'static str,
    containing: Vec<String>,
    skips: usize,
    times: usize,
    pub(super) fault: Fault,
    seen: AtomicUsize,
    hits: Arc<AtomicUsize>,
}

/// Tells how often a rule was applied.
#[derive(Clone, Debug)]
pub struct Hits(Arc<AtomicUsize>);

impl Hits {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Rule {
    /// A rule for one operation, named as the API names it: `TransactWriteItems`; `*` is any.
    pub fn on(operation: &'static str, fault: Fault) -> Self {
        Self {
            operation,
            containing: Vec::new(),
            skips: 0,
            times: usize::MAX,
            fault,
            seen: AtomicUsize::default(),
            hits: Arc::default(),
        }
    }

    /// Only calls whose body contains `text`: a key, an expression, a table's name.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.containing.push(text.into());
        self
    }

    /// Only calls that name this table.
    #[must_use]
    pub fn table(self, name: &str) -> Self {
        self.containing(format!("\"{name}\""))
    }

    /// Lets the first `count` matching calls through.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Self {
        self.skips = count;
        self
    }

    /// Applies to `count` calls, then no more.
    #[must_use]
    pub fn times(mut self, count: usize) -> Self {
        self.times = count;
        self
    }

    pub(super) fn is_worn_out(&self) -> bool {
        self.hits.load(Ordering::SeqCst) >= self.times
    }

    pub(super) fn hits(&self) -> Hits {
        Hits(Arc::clone(&self.hits))
    }

    /// Whether it applies to this call, which it then counts.
    pub(super) fn takes(&self, operation: &str, body: &str) -> bool {
        let matches = (self.operation == "*" || self.operation == operation)
            && self.containing.iter().all(|text| body.contains(text));
        if !matches {
            return false;
        }
        let nth = self.seen.fetch_add(1, Ordering::SeqCst);
        let takes = nth >= self.skips && nth - self.skips < self.times;
        if takes {
            self.hits.fetch_add(1, Ordering::SeqCst);
        }
        takes
    }
}
