//! Rate limits at the HTTP edge: who is counted, and the headers that report it.

use std::{cmp::Reverse, net::IpAddr, time::Duration};

use ipnet::IpNet;
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    config::{Config, limits::LimitsConfig},
    domain::{
        ids::CheckoutId,
        limit::{Decision, Policy},
        open::AddressKey,
    },
    http::{
        answer::Answer, body::RequestSize, credentials::Credentials, problem::Problem, route::Route,
        source::limited_address,
    },
    ports::{Limit, LimitKey, LimitKind},
};

/// The limits of a request; none at a trusted address. Coupon codes in the body of another route count at apply-coupon too,
/// so that codes can't be guessed faster there.
pub fn limits(
    config: &LimitsConfig,
    route: Route,
    credentials: Option<&Credentials>,
    address: Option<IpAddr>,
    size: RequestSize,
) -> Vec<Limit> {
    let mut limits = of_route(config, route, credentials, address, size.lines);
    if size.codes > 0 && route != Route::ApplyCoupon {
        let codes = u32::try_from(size.codes).unwrap_or(u32::MAX);
        let guesses = of_route(config, Route::ApplyCoupon, credentials, address, 0).into_iter();
        limits.extend(guesses.map(|limit| Limit { cost: codes.min(limit.policy.count), ..limit }));
    }
    limits
}

/// What a look at a route's limits asks of Redis: those that its caller has there, which it doesn't count against, and
/// last the one of looks itself. None at a trusted address.
pub fn looks(
    config: &LimitsConfig,
    route: Route,
    credentials: Option<&Credentials>,
    address: Option<IpAddr>,
) -> Vec<Limit> {
    let mut limits = looks_at(config, route, credentials, address);
    if !limits.is_empty() {
        let key = counted_as(&counted_address(address), "HEAD", route);
        limits.push(Limit { kind: LimitKind::Looks, key, policy: config.looks, cost: 1 });
    }
    limits
}

/// A look at each limit that the caller has on a route with limits of its own. None at a trusted address.
pub fn all_looks(
    config: &LimitsConfig,
    credentials: Option<&Credentials>,
    address: Option<IpAddr>,
) -> Vec<(Route, Limit)> {
    let limited = Route::ALL.into_iter().filter(|route| route.spec().policies.is_some());
    limited
        .flat_map(|route| looks_at(config, route, credentials, address).into_iter().map(move |limit| (route, limit)))
        .collect()
}

fn looks_at(
    config: &LimitsConfig,
    route: Route,
    credentials: Option<&Credentials>,
    address: Option<IpAddr>,
) -> Vec<Limit> {
    let limits = of_route(config, route, credentials, address, 0).into_iter();
    limits.map(|limit| Limit { cost: 0, ..limit }).collect()
}

fn of_route(
    config: &LimitsConfig,
    route: Route,
    credentials: Option<&Credentials>,
    address: Option<IpAddr>,
    lines: usize,
) -> Vec<Limit> {
    if address.is_some_and(|address| config.trusts(address)) {
        return Vec::new();
    }
    let address = counted_address(address);
    let by_address = config.by_address(route.function());
    let Some(policies) = route.policies(config) else {
        let limit = |policy| Limit { kind: LimitKind::Route, key: limit_key(&address, route), policy, cost: 1 };
        return by_address.map(limit).into_iter().collect();
    };
    let of_caller = |who: &str, policy| Limit {
        kind: LimitKind::Route,
        key: limit_key(who, route),
        policy,
        cost: cost(config.cart_lines, lines, policy),
    };
    match credentials {
        Some(Credentials::User(identity)) => {
            let together = |policy| Limit {
                kind: LimitKind::Address,
                key: limit_key(&signed_in_at(&address), route),
                policy,
                cost: 1,
            };
            let own = of_caller(&identity.user.to_string(), policies.signed_in);
            [Some(own), by_address.map(together)].into_iter().flatten().collect()
        }
        // A new guest id costs nothing, so guests are counted by address, and callers with a bad token too.
        Some(Credentials::Guest(_) | Credentials::Link(_) | Credentials::Nobody) | None => {
            vec![of_caller(&address, policies.anonymous)]
        }
    }
}

fn counted_address(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), limited_address)
}

/// The key under which a source address's open orders are counted; none for a trusted address. It contains this stack's
/// table name, so keys of two stacks can't be compared.
pub fn address_key(config: &Config, address: Option<IpAddr>) -> Option<AddressKey> {
    let address = address.filter(|address| !config.limits.trusts(*address))?;
    let digest = Sha256::new().chain_update(&config.dynamodb.tables.inventory).chain_update(limited_address(address));
    Some(AddressKey::new(digest.finalize().into()))
}

/// The names by which staff may have blocked this caller: address and user id. None at a trusted address.
pub fn callers(config: &LimitsConfig, credentials: Option<&Credentials>, address: Option<IpAddr>) -> Vec<String> {
    if address.is_some_and(|address| config.trusts(address)) {
        return Vec::new();
    }
    let user = match credentials {
        Some(Credentials::User(identity)) => Some(identity.user.to_string()),
        // Anyone can get a new guest id, so a block on one has no effect.
        Some(Credentials::Guest(_) | Credentials::Link(_) | Credentials::Nobody) | None => None,
    };
    address.map(limited_address).into_iter().chain(user).collect()
}

/// The answer to a blocked caller.
pub fn blocked(until: OffsetDateTime) -> Problem {
    let until = until.format(&Rfc3339).unwrap_or_default();
    let detail =
        format!("requests of this caller are blocked until {until}; contact the shop and give the X-Request-Id");
    Problem::new(403, "CALLER_BLOCKED", "The caller is blocked", detail)
}

/// The caller in a log line: the user id, or the network of the address, because logs keep no full address. It is the
/// caller that the limit counts.
pub fn logged(limit: &Limit, credentials: Option<&Credentials>, address: Option<IpAddr>) -> String {
    let user = match credentials {
        Some(Credentials::User(identity)) if limit.kind == LimitKind::Route => Some(identity.user.as_str()),
        _ => None,
    };
    let counts = |user: &&str| limit.key.0.strip_prefix(user).is_some_and(|rest| rest.starts_with(':'));
    user.filter(counts).map_or_else(|| network(address), ToOwned::to_owned)
}

/// The /24 of an IPv4 address, the /48 of an IPv6 address.
pub fn network(address: Option<IpAddr>) -> String {
    let Some(address) = address.map(|address| address.to_canonical()) else { return "unknown".to_owned() };
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).map_or_else(|_| "unknown".to_owned(), |net| net.trunc().to_string())
}

/// The limits of declined cards for a request that may try a card: of its session, its caller, and its address unless
/// that is trusted.
pub fn declines(
    config: &LimitsConfig,
    credentials: Option<&Credentials>,
    address: Option<IpAddr>,
    session: Option<CheckoutId>,
) -> Vec<Limit> {
    let Some(owner) = credentials.and_then(Credentials::owner) else { return Vec::new() };
    let address = address.filter(|address| !config.trusts(*address)).map(limited_address);
    let all = [
        session.map(|id| (format!("session:{id}"), config.declines.session)),
        Some((owner.to_string(), config.declines.caller)),
        address.map(|address| (address, config.declines.address)),
    ];
    let limit =
        |(who, policy): (String, Policy)| Limit { kind: LimitKind::Declines, key: declines_key(&who), policy, cost: 1 };
    all.into_iter().flatten().map(limit).collect()
}

/// The key under which declined cards are counted: of a session (`session:{id}`), an owner or an address.
pub fn declines_key(who: &str) -> LimitKey {
    LimitKey(format!("{who}:declines"))
}

/// The key under which a caller's requests on a route are counted. The path has no braces: a Redis cluster reads them
/// as a hash tag, and would put all such keys on one node.
pub fn limit_key(who: &str, route: Route) -> LimitKey {
    counted_as(who, route.method(), route)
}

fn counted_as(who: &str, method: &str, route: Route) -> LimitKey {
    let path = route.path().replace('{', ":").replace('}', "");
    LimitKey(format!("{who}:{method}:{path}"))
}

/// All signed-in callers of one address. They have their own count, so they don't use up the limit of its guests.
pub fn signed_in_at(address: &str) -> String {
    format!("{address}:signed-in")
}

/// The tightest limit: one that refused, else the one with the fewest requests left. Of equals, the one with the
/// longest wait.
pub fn tightest<'a>(limits: &'a [Limit], decisions: &[Decision]) -> Option<(&'a Limit, Decision)> {
    let pairs = limits.iter().zip(decisions.iter().copied());
    pairs.min_by_key(|(_, decision)| {
        (decision.allowed, if decision.allowed { decision.remaining } else { 0 }, Reverse(decision.reset_after))
    })
}

/// How many requests one request counts as: at most the whole limit, so that a large cart is never refused forever.
fn cost(per_request: usize, lines: usize, policy: Policy) -> u32 {
    if per_request == 0 {
        return 1;
    }
    u32::try_from(lines.div_ceil(per_request)).unwrap_or(u32::MAX).clamp(1, policy.count)
}

/// The answer to a request over the limit.
pub fn refusal(limit: &Limit, decision: Decision) -> Problem {
    let Limit { kind, policy, .. } = limit;
    let seconds = whole_seconds(decision.reset_after).max(1);
    let whose = match kind {
        LimitKind::Route => "on this route",
        LimitKind::Address => "on this route from one address",
        LimitKind::Declines => "with declined cards",
        LimitKind::Looks => "for looks at this route's limits",
    };
    let detail = format!(
        "at most {} requests in {} seconds are taken {whose}; try again in {seconds} seconds",
        policy.count,
        policy.window.as_secs()
    );
    Problem::new(429, "RATE_LIMITED", "Too many requests", detail).retry_after(seconds)
}

/// The headers of a limited route: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) and the
/// usual `X-RateLimit-*`, whose reset is in epoch seconds.
pub fn headers(answer: Answer, limit: &Limit, decision: Decision, now: OffsetDateTime) -> Answer {
    let (count, window) = (limit.policy.count, limit.policy.window.as_secs());
    let name = limit.kind.name();
    let reset = whole_seconds(decision.reset_after);
    let reset_at = now.unix_timestamp().saturating_add(i64::try_from(reset).unwrap_or(i64::MAX));
    answer
        .header("ratelimit-policy", format!("\"{name}\";q={count};w={window}"))
        .header("ratelimit", format!("\"{name}\";r={};t={reset}", decision.remaining))
        .header("x-ratelimit-limit", count.to_string())
        .header("x-ratelimit-remaining", decision.remaining.to_string())
        .header("x-ratelimit-reset", reset_at.to_string())
}

/// The headers of the tightest limit; at a trusted address, which has none, the one that says so.
pub fn headers_of(answer: Answer, limits: &[Limit], decisions: &[Decision], now: OffsetDateTime) -> Answer {
    match tightest(limits, decisions) {
        Some((limit, decision)) => headers(answer, limit, decision, now),
        None => answer.header("x-ratelimit-exempt", "trusted-address"),
    }
}

/// Seconds, rounded up, so that a client that waits this long is not early.
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
