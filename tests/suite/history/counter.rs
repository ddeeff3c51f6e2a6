//! What was done to one counter, whatever it counts, and whether those who were refused were told the truth.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::json;
use shared::http::route::Route;
use tests::{
    dynamo_faults::Fault,
    world::{Answer, Shopper, World, california, cart},
};
use tokio::task::JoinSet;

use super::faults::{beside, trouble};

/// What an operation did to the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Took,
    GaveBack,
    Delivered,
    /// There weren't as many.
    WasRefused,
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    did: Did,
    units: i64,
    began: Instant,
    ended: Instant,
}

impl Operation {
    const fn change(&self) -> i64 {
        match self.did {
            Did::Took => -self.units,
            Did::GaveBack | Did::Delivered => self.units,
            Did::WasRefused => 0,
        }
    }
}

#[derive(Debug, Default)]
pub struct Record(Mutex<Vec<Operation>>);

impl Record {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// By how much what was delivered has changed the counter, or everything else.
    pub fn change(&self, delivered: bool) -> i64 {
        let all = self.0.lock().unwrap();
        all.iter().filter(|of| (of.did == Did::Delivered) == delivered).map(Operation::change).sum()
    }

    pub fn note(&self, did: Did, units: u32, began: Instant) {
        let operation = Operation { did, units: units.into(), began, ended: Instant::now() };
        self.0.lock().unwrap().push(operation);
    }

    /// That for each refusal there may have been a moment at which there was too little: everything counts as sold that
    /// somebody had begun to buy, and nothing as given back that wasn't over.
    pub fn refusals_are_true(&self, opened: i64) -> Result<(), String> {
        let all = self.0.lock().unwrap();
        for refused in all.iter().filter(|of| of.did == Did::WasRefused) {
            let counts = |of: &&Operation| match of.did {
                Did::Took => of.began < refused.ended,
                Did::GaveBack | Did::Delivered => of.ended < refused.began,
                Did::WasRefused => false,
            };
            let left = opened + all.iter().filter(counts).map(Operation::change).sum::<i64>();
            if left >= refused.units {
                return Err(format!("{left} were left, at least, and {refused:?}"));
            }
        }
        Ok(())
    }
}

/// The clients to their end, and beside them, by its seed, the trouble that befalls whoever writes counters: until so many
/// operations are recorded. Says what it did.
pub async fn to_the_end(
    world: &Arc<World>,
    clients: JoinSet<()>,
    record: &Record,
    (with_faults, seed, enough): (bool, u64, usize),
) -> Vec<String> {
    let faults = [
        ("TransactWriteItems", Fault::AnswerLost),
        ("TransactWriteItems", Fault::DoneButInternalServerError),
        ("TransactWriteItems", Fault::TransactionConflict),
        ("BatchGetItem", Fault::InternalServerError),
    ];
    let trouble = with_faults.then(|| trouble(Arc::clone(world), || record.len(), seed, enough, &faults));
    beside(clients, trouble).await
}

/// An answer while stores fail: of those there is another one later.
fn is_down(answer: &Answer) -> bool {
    answer.status() == 503
}

pub async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(25)).await;
}

/// Asks until a store answers. The answer, and when it was asked for.
pub async fn until_known<F, Fut>(ask: F) -> (Answer, Instant)
where
    F: Fn() -> Fut + Send,
    Fut: Future<Output = Answer> + Send,
{
    for _ in 0..400 {
        let began = Instant::now();
        let answer = ask().await;
        if !is_down(&answer) {
            return (answer, began);
        }
        a_moment().await;
    }
    panic!("no store answers any more");
}

/// A session of one line, or why there is none, and when it was asked for.
pub async fn opened(guest: &Shopper, product: &str, units: u32) -> (Answer, Instant) {
    let body = json!({
        "cartItems": cart(&[(product, units)]), "shippingAddress": california(), "shippingMethodId": "us-standard"
    });
    until_known(|| {
        let (guest, body) = (guest.clone(), body.clone());
        async move { guest.post(Route::Initiate, &body).await }
    })
    .await
}
