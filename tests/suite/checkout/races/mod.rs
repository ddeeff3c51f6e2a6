//! Requests that meet, in several containers over real servers: what they answer, and what the tables say afterwards.

mod cancels;
mod confirms;
mod coupons;
mod initiates;
mod sessions;

use std::{fmt::Debug, future::Future, sync::Arc};

use shared::app::App;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race,
    world::World,
};

/// Containers that share the stores and nothing else. Racers are dealt out over them.
pub(in crate::checkout) struct Fleet(Vec<Arc<App>>);

impl Fleet {
    pub(in crate::checkout) fn of(world: &World, containers: usize) -> Self {
        Self((0..containers).map(|_| world.container()).collect())
    }

    pub(in crate::checkout) fn container(&self, racer: usize) -> &Arc<App> {
        &self.0[racer % self.0.len()]
    }
}

/// As [`race::at_once`], and no call to this operation reaches the database before each racer has made one: they have
/// all decided by what they read before any of them writes.
pub(in crate::checkout) async fn all_before_any<F, Fut, T>(
    world: &World,
    operation: &'static str,
    count: usize,
    make: F,
) -> Vec<T>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
    T: Debug + Send + 'static,
{
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on(operation, Fault::Hold(gate.clone())));
    let mut racing = Box::pin(race::at_once(count, make));
    let early = tokio::select! {
        results = &mut racing => Some(results),
        () = gate.arrived(count) => None,
    };
    assert!(early.is_none(), "not all of them came to {operation}: {early:#?}");
    gate.open();
    let results = racing.await;
    world.dynamodb.clear_rules();
    results
}

/// An address for each racer: no limit counts them together.
fn address(racer: usize) -> String {
    format!("203.0.113.{racer}")
}
