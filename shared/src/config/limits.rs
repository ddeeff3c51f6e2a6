//! Who may ask how often.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    config::vars::Vars,
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
    /// `RATE_LIMIT_CART_LINES` (0, never): a request with a cart counts once for every so many lines begun, because it
    /// reads as many products.
    pub cart_lines: usize,
    /// `OPEN_ORDERS_CALLER` (5/200) and `OPEN_ORDERS_ADDRESS` (20/500): how many orders that nobody has paid a caller
    /// and a source address may have at once, and units in all of them.
    pub open_orders: OpenLimits,
    /// `RATE_LIMIT_TRUSTED_CIDRS`: addresses that pass unlimited, such as the shop's own servers.
    pub trusted: Vec<IpNet>,
    /// `TRUSTED_PROXY_HOPS` (0): how many proxies in front of the API append to `X-Forwarded-For`. With 0 the header
    /// is ignored, because anyone can send it.
    pub proxy_hops: usize,
}

/// The policies of one route.
#[derive(Clone, Copy, Debug)]
pub struct Policies {
    pub anonymous: Policy,
    pub signed_in: Policy,
}

impl LimitsConfig {
    /// Notes every fault.
    pub fn read(vars: &mut Vars) -> Self {
        Self {
            initiate: policies(vars, "RATE_LIMIT_INITIATE", 10, 300),
            calculate_shipping: policies(vars, "RATE_LIMIT_CALCULATE_SHIPPING", 20, 60),
            calculate_tax: policies(vars, "RATE_LIMIT_CALCULATE_TAX", 20, 60),
            apply_coupon: policies(vars, "RATE_LIMIT_APPLY_COUPON", 10, 60),
            confirm_order: policies(vars, "RATE_LIMIT_CONFIRM_ORDER", 5, 300),
            claim: policies(vars, "RATE_LIMIT_CLAIM", 10, 300),
            calculate_shipping_preview: policies(vars, "RATE_LIMIT_CALCULATE_SHIPPING_PREVIEW", 20, 60),
            cart_lines: vars.count("RATE_LIMIT_CART_LINES", 0, 0..=1000),
            open_orders: OpenLimits {
                caller: open_limit(vars, "OPEN_ORDERS_CALLER", 5, 200),
                address: open_limit(vars, "OPEN_ORDERS_ADDRESS", 20, 500),
            },
            trusted: trusted(vars),
            proxy_hops: vars.count("TRUSTED_PROXY_HOPS", 0, 0..=10),
        }
    }

    /// An IPv4 address is the same in IPv6 clothes.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

fn policies(vars: &mut Vars, name: &str, count: u32, seconds: u64) -> Policies {
    const FORM: &str = "COUNT/SECONDS such as 10/300 (at most 10000/86400)";
    let default = Policy { count, window: std::time::Duration::from_secs(seconds) };
    let anonymous = vars.parse_or(name, FORM, default);
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
