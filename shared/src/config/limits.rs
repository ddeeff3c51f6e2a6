//! Rate limits, and who they apply to.

use std::{collections::BTreeMap, net::IpAddr, str::FromStr, time::Duration};

use ipnet::IpNet;

use crate::{
    config::{secret::Secret, vars::Vars},
    domain::{
        limit::Policy,
        open::{OpenLimit, OpenLimits},
    },
};

#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// `RATE_LIMIT_INITIATE` (10/300), and so on, each with `…_SIGNED_IN` for signed-in callers (default: the same).
    pub initiate: Policies,
    pub calculate_shipping: Policies,
    pub calculate_tax: Policies,
    pub apply_coupon: Policies,
    pub confirm_order: Policies,
    pub claim: Policies,
    pub calculate_shipping_preview: Policies,
    pub update_items: Policies,
    pub lookup_order: Policies,
    /// `RATE_LIMIT_OTHERS` (240/60) and `RATE_LIMITS` (`health=600/60,get-session=…`): the limit of one address on
    /// routes without their own limit, and on some routes with one, of all its signed-in callers together.
    by_address: BTreeMap<&'static str, Policy>,
    /// `RATE_LIMIT_OTHERS`: how often an address may look at the limit of a route, which doesn't count there.
    pub looks: Policy,
    /// `RATE_LIMIT_CART_LINES` (0: off): a request with a cart counts once for each started group of this many lines,
    /// because it reads as many products.
    pub cart_lines: usize,
    /// `OPEN_ORDERS_CALLER` (5/200) and `OPEN_ORDERS_ADDRESS` (20/500): how many open orders a caller and a source
    /// address may have, and how many units in all of them.
    pub open_orders: OpenLimits,
    /// `DECLINE_LIMITS` (5/10/30): how many cards a session, a caller and a source address may have declined in an hour.
    pub declines: DeclineLimits,
    /// `RATE_LIMIT_TRUSTED_CIDRS`: addresses without limits, such as the shop's own servers.
    pub trusted: Vec<IpNet>,
    /// The proxies that are trusted to name a request's source address.
    pub proxies: ProxyConfig,
}

/// The proxies in front of the API. `X-Forwarded-For` counts only on requests that came through them: anyone can send
/// the header, and anyone who knows the API's own address can bypass the proxies.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// `TRUSTED_PROXY_HOPS` (0): how many there are, each appending to `X-Forwarded-For`.
    pub hops: usize,
    /// `TRUSTED_PROXY_SECRET`: what the proxy sends as `X-Proxy-Secret`; two, separated by a comma, during a rotation.
    pub secrets: Vec<Secret>,
    /// `API_ENDPOINT_DISABLED` (false): the API can be called only through them.
    pub only_way: bool,
}

/// Shorter secrets can be guessed.
const SHORTEST_SECRET: usize = 32;

impl ProxyConfig {
    fn read(vars: &mut Vars) -> Self {
        let text = vars.get("TRUSTED_PROXY_SECRET").unwrap_or_default();
        let texts: Vec<&str> = text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
        if texts.len() > 2 || texts.iter().any(|text| text.len() < SHORTEST_SECRET) {
            vars.fault(format!(
                "TRUSTED_PROXY_SECRET must be one secret, or two with a comma between, of at least {SHORTEST_SECRET} \
                 characters each"
            ));
        }
        Self {
            hops: vars.count("TRUSTED_PROXY_HOPS", 0, 0..=10),
            secrets: texts.into_iter().map(Secret::new).collect(),
            only_way: vars.parse_or("API_ENDPOINT_DISABLED", "true or false", false),
        }
    }

    /// Whether proxies are set but no request can prove that it came through them: then their headers are ignored.
    pub fn is_ignored(&self) -> bool {
        self.hops > 0 && self.secrets.is_empty() && !self.only_way
    }
}

/// The policies of one route.
#[derive(Clone, Copy, Debug)]
pub struct Policies {
    pub anonymous: Policy,
    pub signed_in: Policy,
}

/// The most declined cards in an hour.
#[derive(Clone, Copy, Debug)]
pub struct DeclineLimits {
    pub session: Policy,
    pub caller: Policy,
    pub address: Policy,
}

impl DeclineLimits {
    fn of(counts: [u32; 3]) -> Self {
        let [session, caller, address] = counts.map(|count| Policy { count, window: Duration::from_secs(3600) });
        Self { session, caller, address }
    }
}

impl FromStr for DeclineLimits {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let counts: Result<Vec<u32>, _> = text.split('/').map(str::parse).collect();
        let counts: [u32; 3] = counts.map_err(drop)?.try_into().map_err(drop)?;
        if counts.iter().all(|count| (1..=10_000).contains(count)) { Ok(Self::of(counts)) } else { Err(()) }
    }
}

impl LimitsConfig {
    /// Notes every fault.
    pub fn read(vars: &mut Vars) -> Self {
        let others = vars.parse_or("RATE_LIMIT_OTHERS", FORM, policy((240, 60)));
        Self {
            by_address: by_address(vars, others),
            looks: others,
            initiate: policies(vars, "RATE_LIMIT_INITIATE", 10, 300),
            calculate_shipping: policies(vars, "RATE_LIMIT_CALCULATE_SHIPPING", 20, 60),
            calculate_tax: policies(vars, "RATE_LIMIT_CALCULATE_TAX", 20, 60),
            apply_coupon: policies(vars, "RATE_LIMIT_APPLY_COUPON", 10, 60),
            confirm_order: policies(vars, "RATE_LIMIT_CONFIRM_ORDER", 5, 300),
            claim: policies(vars, "RATE_LIMIT_CLAIM", 10, 300),
            calculate_shipping_preview: policies(vars, "RATE_LIMIT_CALCULATE_SHIPPING_PREVIEW", 20, 60),
            update_items: policies(vars, "RATE_LIMIT_UPDATE_ITEMS", 30, 60),
            lookup_order: policies(vars, "RATE_LIMIT_LOOKUP_ORDER", 10, 300),
            cart_lines: vars.count("RATE_LIMIT_CART_LINES", 0, 0..=1000),
            open_orders: OpenLimits {
                caller: open_limit(vars, "OPEN_ORDERS_CALLER", 5, 200),
                address: open_limit(vars, "OPEN_ORDERS_ADDRESS", 20, 500),
            },
            declines: vars.parse_or(
                "DECLINE_LIMITS",
                "SESSION/CALLER/ADDRESS such as 5/10/30 (each at most 10000)",
                DeclineLimits::of([5, 10, 30]),
            ),
            trusted: trusted(vars),
            proxies: ProxyConfig::read(vars),
        }
    }

    /// The limit of one address on a route, by its function's name: of all its callers or, on a route with its own
    /// limit, of its signed-in callers.
    pub fn by_address(&self, function: &str) -> Option<Policy> {
        self.by_address.get(function).copied()
    }

    /// Whether an address has no limits. An IPv4-mapped IPv6 address counts as its IPv4 address.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

const FORM: &str = "COUNT/SECONDS such as 10/300 (at most 10000/86400)";

/// The routes that are limited by address, by their functions' names. Each has its own default, or none for the default
/// of `RATE_LIMIT_OTHERS`.
pub const BY_ADDRESS: &[(&str, Option<(u32, u64)>)] = &[
    ("get-session", None),
    ("update-address", None),
    ("remove-coupon", None),
    ("list-orders", None),
    ("get-order", None),
    ("cancel-order", None),
    ("update-order-status", None),
    ("refund-order", None),
    ("capture-order", None),
    ("create-fulfillment", None),
    ("create-return", None),
    ("update-return", None),
    ("list-payment-methods", None),
    ("remove-payment-method", None),
    ("search-orders", None),
    ("correct-order", None),
    ("receive-stock", None),
    // It looks at all limits of its caller.
    ("list-limits", Some((60, 60))),
    ("list-regions", None),
    ("list-products", None),
    ("get-product", None),
    // Stripe sends many events at once from few addresses.
    ("payment-webhook", Some((3000, 60))),
    ("health", Some((120, 60))),
    // Limits all signed-in callers of an address, so that many accounts at one address don't help.
    ("apply-coupon", Some((100, 60))),
    ("confirm-order", Some((50, 300))),
];

const fn policy((count, seconds): (u32, u64)) -> Policy {
    Policy { count, window: Duration::from_secs(seconds) }
}

fn by_address(vars: &mut Vars, others: Policy) -> BTreeMap<&'static str, Policy> {
    let mut limits: BTreeMap<_, _> =
        BY_ADDRESS.iter().map(|(name, default)| (*name, default.map_or(others, policy))).collect();
    let text = vars.get("RATE_LIMITS").unwrap_or_default();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let (name, value) = (name.trim(), value.trim().parse());
        let Some(limit) = limits.get_mut(name) else {
            let names: Vec<_> = BY_ADDRESS.iter().map(|(name, _)| *name).collect();
            vars.fault(format!("RATE_LIMITS: {name} is not one of {}", names.join(", ")));
            continue;
        };
        match value {
            Ok(policy) => *limit = policy,
            Err(_) => vars.fault(format!("RATE_LIMITS: {name} must be {FORM}")),
        }
    }
    limits
}

fn policies(vars: &mut Vars, name: &str, count: u32, seconds: u64) -> Policies {
    let anonymous = vars.parse_or(name, FORM, policy((count, seconds)));
    let signed_in = vars.parse_or(&format!("{name}_SIGNED_IN"), FORM, anonymous);
    Policies { anonymous, signed_in }
}

fn open_limit(vars: &mut Vars, name: &str, orders: u32, units: u32) -> OpenLimit {
    vars.parse_or(name, "ORDERS/UNITS such as 5/200 (at most 9999/999999)", OpenLimit { orders, units })
}

fn trusted(vars: &mut Vars) -> Vec<IpNet> {
    let text = vars.get("RATE_LIMIT_TRUSTED_CIDRS").unwrap_or_default();
    let mut nets = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match entry.parse::<IpNet>().or_else(|error| entry.parse::<IpAddr>().map(IpNet::from).map_err(|_| error)) {
            Ok(net) => nets.push(net),
            Err(_) => vars.fault(format!("RATE_LIMIT_TRUSTED_CIDRS: {entry} is not an address or a CIDR block")),
        }
    }
    nets
}
