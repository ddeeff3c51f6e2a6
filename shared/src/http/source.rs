//! The source address of a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::Ipv6Net;
use lambda_http::{Request, RequestExt as _, http::HeaderValue, request::RequestContext as GatewayContext};
use subtle::ConstantTimeEq as _;

use crate::config::{Secret, limits::ProxyConfig};

/// The header by which a proxy proves that a request comes through it.
const PROXY_SECRET: &str = "x-proxy-secret";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The source address: the one that API Gateway saw or, if the request is known to come through the shop's proxies, the
/// one that they added to `X-Forwarded-For`.
pub fn address(request: &Request, proxies: &ProxyConfig) -> Option<IpAddr> {
    let seen = match request.request_context_ref() {
        Some(GatewayContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
        _ => None,
    };
    let seen = seen.and_then(|ip| ip.trim().parse().ok()).map(|ip: IpAddr| ip.to_canonical());
    if proxies.hops == 0 || !came_through(request, proxies) {
        return seen;
    }
    // The header grows to the right: each proxy, and API Gateway too, appends the address that called it. Only the
    // proxies' entries are read, because the client may have written the ones before.
    let values: Vec<&[u8]> = request.headers().get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
    let mut from_the_right =
        values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')).map(parsed).peekable();
    // API Gateway's own entry.
    from_the_right.next_if(|last| last.is_some() && *last == seen);
    from_the_right.nth(proxies.hops - 1).flatten().or(seen)
}

/// Whether only the shop's proxies can have sent the request.
fn came_through(request: &Request, proxies: &ProxyConfig) -> bool {
    if proxies.only_way {
        return true;
    }
    let mut sent = request.headers().get_all(PROXY_SECRET).iter();
    // A proxy that sets the header leaves one value, so two values are a forgery.
    let (Some(sent), None) = (sent.next(), sent.next()) else { return false };
    let matches = |secret: &Secret| bool::from(sent.as_bytes().ct_eq(secret.expose().as_bytes()));
    proxies.secrets.iter().fold(false, |found, secret| found | matches(secret))
}

/// An entry as proxies write it: an address, perhaps with a port, and for IPv6 perhaps in brackets.
fn parsed(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address: IpAddr = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

/// The part of an address that limits count: an IPv4 address, or the /64 network, because one IPv6 customer has a whole
/// one.
pub fn limited_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Net::new(ip, 64).map_or(Ipv6Addr::UNSPECIFIED, |net| net.network()).to_string(),
    }
}
