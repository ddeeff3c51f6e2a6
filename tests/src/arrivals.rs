//! Requests that arrive at random at a limit, and the exact account of which should have been let in.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use redis::aio::ConnectionLike;
use shared::{
    app::App,
    domain::limit::Policy,
    ports::{AdmissionRequest, ChangeId, Limit, LimitKey, LimitKind},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::seed::Dice;

/// Someone who asks again and again, through several containers.
#[derive(Clone, Debug)]
pub struct Caller {
    pub key: LimitKey,
    pub policy: Policy,
}

/// One request, as the client knows it; times in µs by the clock that this machine's servers share.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub before: u64,
    pub after: u64,
    pub cost: u32,
    /// When the server accepted it, as its own log of accepted requests says. Not known of those that a container let
    /// pass by itself.
    pub accepted_at: Option<u64>,
    pub allowed: bool,
}

fn micros() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock past 1970");
    now.as_micros().try_into().expect("not that late")
}

/// Lets requests arrive for `span`: bursts and gaps, several at once, some that cost more than one. `log` connects to the
/// server that has the log of a key.
pub async fn arrive<C>(
    containers: &[Arc<App>],
    log: impl Fn() -> C + Clone + Send + 'static,
    key_of: impl Fn(&LimitKey) -> String,
    caller: &Caller,
    seed: u64,
    span: Duration,
) -> Vec<Arrival>
where
    C: Future<Output: ConnectionLike + Send> + Send,
{
    let mut dice = Dice::of(seed);
    let end = tokio::time::Instant::now() + span;
    let name = key_of(&caller.key);
    let mut asked = JoinSet::new();
    let window_ms = usize::try_from(caller.policy.window.as_millis()).expect("short");
    while tokio::time::Instant::now() < end {
        let burst = if dice.percent(25) { 2 + dice.below(6) } else { 1 };
        for _ in 0..burst {
            let cost = if dice.percent(20) { 2 } else { 1 };
            let container = Arc::clone(dice.pick(containers));
            let (caller, name, log) = (caller.clone(), name.clone(), log.clone());
            asked.spawn(async move { ask(&container, &caller, cost, &name, log).await });
        }
        let gap = dice.below(window_ms / 4) as u64;
        tokio::time::sleep(Duration::from_millis(gap)).await;
    }
    asked.join_all().await
}

async fn ask<C>(container: &App, caller: &Caller, cost: u32, name: &str, log: impl Fn() -> C) -> Arrival
where
    C: Future<Output: ConnectionLike>,
{
    let request = ChangeId(Uuid::new_v4());
    let limit = Limit { kind: LimitKind::Route, key: caller.key.clone(), policy: caller.policy, cost };
    let asked = AdmissionRequest::of(request, vec![limit]);
    let before = micros();
    let decision = *container.admission.admit(&asked).await.decisions.first().expect("there is a limit");
    let after = micros();
    let mut accepted_at = None;
    if decision.allowed {
        let mut connection = log().await;
        let member = format!("{}:1", request.0);
        let at: Option<f64> =
            redis::cmd("ZSCORE").arg(name).arg(member).query_async(&mut connection).await.unwrap_or_default();
        accepted_at = at.map(|at| format!("{at:.0}").parse().expect("µs"));
    }
    Arrival { before, after, cost, accepted_at, allowed: decision.allowed }
}

/// The most that any window of the policy's length held, by the server's own log.
pub fn fullest_window(arrivals: &[Arrival], policy: Policy) -> u32 {
    let window = u64::try_from(policy.window.as_micros()).expect("short");
    let mut accepted: Vec<(u64, u32)> = arrivals.iter().filter_map(|a| Some((a.accepted_at?, a.cost))).collect();
    accepted.sort_unstable();
    let within =
        |end: u64| accepted.iter().filter(|(at, _)| *at <= end && end - at < window).map(|(_, cost)| cost).sum();
    accepted.iter().map(|(at, _)| within(*at)).max().unwrap_or_default()
}

/// A request that was refused, and that an exact reference would have accepted whenever the server looked at it.
pub fn refused_in_vain(arrivals: &[Arrival], policy: Policy) -> Option<Arrival> {
    let window = u64::try_from(policy.window.as_micros()).expect("short");
    let accepted: Vec<(u64, u32)> = arrivals.iter().filter_map(|a| Some((a.accepted_at?, a.cost))).collect();
    let used = |now: u64| -> u32 {
        accepted.iter().filter(|(at, _)| *at <= now && now - at < window).map(|(_, cost)| cost).sum()
    };
    let justified = |refused: &Arrival| {
        // It is as full as it gets when one has just been accepted, or at once.
        let moments = accepted.iter().map(|(at, _)| *at).filter(|at| (refused.before..=refused.after).contains(at));
        moments.chain([refused.before]).any(|now| used(now) + refused.cost > policy.count)
    };
    arrivals.iter().find(|arrival| !arrival.allowed && !justified(arrival)).copied()
}
