//! Requests that are under way at the same time.

use std::{future::Future, sync::Arc};

use tokio::{sync::Barrier, task::JoinSet};

/// Runs `count` of these at once: none begins before all stand at the barrier. The results come in order of their
/// numbers. Truly parallel on a `multi_thread` runtime only.
pub async fn at_once<F, Fut, T>(count: usize, make: F) -> Vec<T>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for index in 0..count {
        let barrier = Arc::clone(&barrier);
        let work = make(index);
        tasks.spawn(async move {
            barrier.wait().await;
            (index, work.await)
        });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
