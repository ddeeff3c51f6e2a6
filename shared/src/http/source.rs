//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::Ipv6Net;
use lambda_http::{Request, RequestExt as _, http::HeaderValue, request::RequestContext as GatewayContext};
use subtle::ConstantTimeEq as _;

use crate::config::{Secret, limits::ProxyConfig};

/// How a proxy says that a request comes through it.
const PROXY_SECRET: &str = "x-proxy-secret";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that the request came from: what API Gateway saw; or, on a request that is known to come through the
/// shop's proxies, what these add to `X-Forwarded-For`.
pub fn address(request: &Request, proxies: &ProxyConfig) -> Option<IpAddr> {
    let seen = match request.request_context_ref() {
        Some(GatewayContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
        _ => None,
    };
    let seen = seen.and_then(|ip| ip.trim().parse().ok()).map(|ip: IpAddr| ip.to_canonical());
    if proxies.hops == 0 || !came_through(request, proxies) {
        return seen;
    }
    // The header grows to the right: each proxy appends whom it heard from, and API Gateway does so too. No more of it
    // is read than the proxies wrote: what stands before that is the client's own word.
    let values: Vec<&[u8]> = request.headers().get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
    let mut from_the_right =
        values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')).map(parsed).peekable();
    // API Gateway's own entry.
    from_the_right.next_if(|last| last.is_some() && *last == seen);
    from_the_right.nth(proxies.hops - 1).flatten().or(seen)
}

/// Whether nobody but the proxies can have sent it.
fn came_through(request: &Request, proxies: &ProxyConfig) -> bool {
    if proxies.only_way {
        return true;
    }
    let mut sent = request.headers().get_all(PROXY_SECRET).iter();
    // A second one can't come from a proxy that sets the header.
    let (Some(sent), None) = (sent.next(), sent.next()) else { return false };
    let matches = |secret: &Secret| bool::from(sent.as_bytes().ct_eq(secret.expose().as_bytes()));
    proxies.secrets.iter().fold(false, |found, secret| found | matches(secret))
}

/// An entry as proxies write it: an address, with a port or without, IPv6 in brackets or not.
fn parsed(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address: IpAddr = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

/// What an address is limited by: an IPv4 address, or the /64 network that one IPv6 customer has to themselves.
pub fn limited_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Net::new(ip, 64).map_or(Ipv6Addr::UNSPECIFIED, |net| net.network()).to_string(),
    }
}
