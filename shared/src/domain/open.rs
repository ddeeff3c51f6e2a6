//! Open orders: unpaid orders that hold stock. A caller and a source address may have a limited number.

use crate::domain::ids::Sku;

/// At most `orders` open orders, with at most `units` units in all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLimit {
    pub orders: u32,
    pub units: u32,
}

/// The limits of each caller and of each source address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLimits {
    pub caller: OpenLimit,
    pub address: OpenLimit,
}

/// Why a text is not such a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be ORDERS/UNITS such as 5/200, with 1 to 9999 orders and 1 to 999999 units")]
pub struct NotAnOpenLimit;

impl std::str::FromStr for OpenLimit {
    type Err = NotAnOpenLimit;

    fn from_str(text: &str) -> Result<Self, NotAnOpenLimit> {
        let (orders, units) = text.split_once('/').ok_or(NotAnOpenLimit)?;
        let orders: u32 = orders.parse().map_err(|_| NotAnOpenLimit)?;
        let units: u32 = units.parse().map_err(|_| NotAnOpenLimit)?;
        if !(1..=9_999).contains(&orders) || !(1..=999_999).contains(&units) {
            return Err(NotAnOpenLimit);
        }
        Ok(Self { orders, units })
    }
}

/// The key under which a source address is counted. It is too short to identify the address.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AddressKey(String);

impl AddressKey {
    /// Made of the first three bytes of a digest, so that each key stands for 256 IPv4 addresses.
    pub fn new([first, second, third, ..]: [u8; 32]) -> Self {
        Self(hex::encode([first, second, third]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An order's place among the open orders. It has one as long as it is counted for its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub units: u32,
    /// None: the address isn't counted, because it is trusted.
    pub address: Option<AddressKey>,
    /// Whether it is also counted for the address. An order that is paid by card is not, until the bank asks for
    /// authentication: so customers who share an address and pay at once don't contend for one counter.
    pub at_address: bool,
}

/// What a change of an order gives back, in the same transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Units by stock counter.
    pub stock: Vec<(Sku, u32)>,
    /// The uses of its coupons.
    pub coupons: bool,
    /// The session becomes open again, if there is still one.
    pub session: bool,
    /// The order's place among the open orders.
    pub open: Option<Open>,
}

impl Release {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_from_its_setting() {
        assert_eq!("5/200".parse(), Ok(OpenLimit { orders: 5, units: 200 }));
        assert_eq!("9999/999999".parse(), Ok(OpenLimit { orders: 9_999, units: 999_999 }));
        for text in ["", "5", "0/1", "1/0", "10000/1", "1/1000000", "5/200/1", "-1/5", "5/ 200"] {
            assert_eq!(text.parse::<OpenLimit>(), Err(NotAnOpenLimit), "{text}");
        }
    }
}
