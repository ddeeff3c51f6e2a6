//! What clients asked, and what they were told.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What was asked of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Set { field: &'static str, value: String },
    Read,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The document: its version, and its fields.
    Document { version: u64, fields: Vec<(&'static str, String)> },
    /// The change may have been made, or not; the client knows only that it doesn't know.
    Nothing,
}

/// One operation. Of two, the first was over before the second began where `answered < called`.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "who it was is for whoever reads a failure")]
pub struct Operation {
    pub client: usize,
    pub document: usize,
    pub ask: Ask,
    pub told: Told,
    pub called: u64,
    pub answered: u64,
    /// Since the record began.
    pub began: Duration,
    pub ended: Duration,
}

impl Operation {
    pub fn version(&self) -> Option<u64> {
        match self.told {
            Told::Document { version, .. } => Some(version),
            Told::Nothing => None,
        }
    }

    pub fn is_change(&self) -> bool {
        matches!(self.ask, Ask::Set { .. })
    }
}

#[derive(Debug)]
pub struct Record {
    start: Instant,
    clock: AtomicU64,
    operations: Mutex<Vec<Operation>>,
}

impl Record {
    pub fn new() -> Self {
        Self { start: Instant::now(), clock: AtomicU64::new(1), operations: Mutex::default() }
    }

    /// Writes down one operation.
    pub async fn note(&self, client: usize, document: usize, ask: Ask, work: impl Future<Output = Told>) {
        let (called, began) = (self.tick(), self.start.elapsed());
        let told = work.await;
        let (ended, answered) = (self.start.elapsed(), self.tick());
        let operation = Operation { client, document, ask, told, called, answered, began, ended };
        self.operations.lock().unwrap().push(operation);
    }

    /// How many there are by now.
    pub fn len(&self) -> usize {
        self.operations.lock().unwrap().len()
    }

    /// In the order in which they began.
    pub fn operations(&self) -> Vec<Operation> {
        let mut all = self.operations.lock().unwrap().clone();
        all.sort_by_key(|operation| operation.called);
        all
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}
