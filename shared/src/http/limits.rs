//! Rate limits on the wire: who is counted, and the headers that tell.

use std::{net::IpAddr, time::Duration};

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::{
    config::{Config, limits::LimitsConfig},
    domain::{
        limit::{Decision, Policy},
        open::AddressKey,
    },
    http::{
        admit::{Claim, limited_address},
        answer::Answer,
        problem::Problem,
        route::Route,
    },
    ports::{Limit, LimitKey},
};

/// The limit that a request falls under: none on an unlimited route, or from a trusted address. `lines` is how many
/// there are in its cart.
pub fn limit(
    config: &LimitsConfig,
    route: Route,
    claim: Option<&Claim>,
    address: Option<IpAddr>,
    lines: usize,
) -> Option<Limit> {
    let policies = route.policies(config)?;
    if address.is_some_and(|address| config.trusts(address)) {
        return None;
    }
    let (who, policy) = match claim {
        Some(Claim::User(identity)) => (identity.user.to_string(), policies.signed_in),
        // A guest id is free to have: guests are counted by where they call from. So is whoever sent a bad token.
        Some(Claim::Guest(_) | Claim::Nobody) | None => {
            (address.map_or_else(|| "unknown".to_owned(), limited_address), policies.anonymous)
        }
    };
    Some(Limit { key: limit_key(&who, route), policy, cost: cost(config.cart_lines, lines, policy) })
}

/// What a source address's open orders are counted under; none of a trusted address. The name of a table is this
/// stack's own: the keys of another say nothing here.
pub fn address_key(config: &Config, address: Option<IpAddr>) -> Option<AddressKey> {
    let address = address.filter(|address| !config.limits.trusts(*address))?;
    let digest = Sha256::new().chain_update(&config.dynamodb.tables.inventory).chain_update(limited_address(address));
    Some(AddressKey::new(digest.finalize().into()))
}

/// What a caller's requests on a route are counted under.
pub fn limit_key(who: &str, route: Route) -> LimitKey {
    LimitKey(format!("{who}:{}:{}", route.method(), route.path()))
}

/// As how many requests one counts. One that would never fit takes all that there is.
fn cost(per_request: usize, lines: usize, policy: Policy) -> u32 {
    if per_request == 0 {
        return 1;
    }
    u32::try_from(lines.div_ceil(per_request)).unwrap_or(u32::MAX).clamp(1, policy.count)
}

/// The answer to one request too many.
pub fn refusal(policy: Policy, decision: Decision) -> Problem {
    let seconds = whole_seconds(decision.reset_after).max(1);
    let detail = format!(
        "at most {} requests in {} seconds are taken here; try again in {seconds} seconds",
        policy.count,
        policy.window.as_secs()
    );
    Problem::new(429, "RATE_LIMITED", "Too many requests", detail).retry_after(seconds)
}

/// The headers of a limited route: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) and
/// the customary `X-RateLimit-*`, whose reset is in epoch seconds.
pub fn headers(answer: Answer, policy: Policy, decision: Decision, now: OffsetDateTime) -> Answer {
    let (count, window) = (policy.count, policy.window.as_secs());
    let reset = whole_seconds(decision.reset_after);
    let reset_at = now.unix_timestamp().saturating_add(i64::try_from(reset).unwrap_or(i64::MAX));
    answer
        .header("ratelimit-policy", format!("\"default\";q={count};w={window}"))
        .header("ratelimit", format!("\"default\";r={};t={reset}", decision.remaining))
        .header("x-ratelimit-limit", count.to_string())
        .header("x-ratelimit-remaining", decision.remaining.to_string())
        .header("x-ratelimit-reset", reset_at.to_string())
}

/// Rounded up: whoever waits that long is not early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
