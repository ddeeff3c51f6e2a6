//! What staff correct of an order, and what is kept of each correction.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::domain::{actor::Actor, address::RawAddress};

/// The most corrections of one order. They are a part of its document, which must stay small enough to be stored.
pub const MAX_CORRECTIONS: usize = 50;

/// What becomes of one member, as a JSON merge patch (RFC 7396) says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Merge<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<T: Clone + Default> Merge<T> {
    /// For a member that is always there: without it, it is empty, which its check refuses.
    fn required(&self, current: T) -> T {
        self.optional(Some(current)).unwrap_or_default()
    }

    /// For a member that may be missing.
    pub fn optional(&self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Remove => None,
            Self::Set(value) => Some(value.clone()),
        }
    }
}

/// The members of an address that change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPatch {
    pub first_name: Merge<String>,
    pub last_name: Merge<String>,
    pub company: Merge<String>,
    pub address_line1: Merge<String>,
    pub address_line2: Merge<String>,
    pub city: Merge<String>,
    pub state: Merge<String>,
    pub county: Merge<String>,
    pub postal_code: Merge<String>,
    pub country: Merge<String>,
    pub phone: Merge<String>,
    pub email: Merge<String>,
}

impl AddressPatch {
    /// The address with these members, not checked yet.
    pub fn on(&self, current: RawAddress) -> RawAddress {
        RawAddress {
            first_name: self.first_name.required(current.first_name),
            last_name: self.last_name.optional(current.last_name),
            company: self.company.optional(current.company),
            address_line1: self.address_line1.required(current.address_line1),
            address_line2: self.address_line2.optional(current.address_line2),
            city: self.city.required(current.city),
            state: self.state.optional(current.state),
            county: self.county.optional(current.county),
            postal_code: self.postal_code.optional(current.postal_code),
            country: self.country.required(current.country),
            phone: self.phone.optional(current.phone),
            email: self.email.optional(current.email),
        }
    }

    /// Whether zones, restrictions and taxes may be others afterwards.
    pub fn moves(&self) -> bool {
        let parts = [&self.state, &self.county, &self.postal_code, &self.country];
        parts.into_iter().any(|part| *part != Merge::Keep)
    }
}

/// A correction by staff, not checked yet: what is right depends on the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    pub shipping_address: Option<AddressPatch>,
    pub billing_address: Option<AddressPatch>,
    pub email: Merge<String>,
    pub phone: Merge<String>,
    /// Why. Only staff read it.
    pub reason: String,
    /// The version of the order that it is meant for; none for whichever there is.
    pub expected_version: Option<u64>,
}

impl Correction {
    /// Whether zones, restrictions and taxes may be others afterwards.
    pub fn moves(&self) -> bool {
        [&self.shipping_address, &self.billing_address].into_iter().flatten().any(AddressPatch::moves)
    }
}

/// A correction that was made: who, when, why, and of what. What stood there before isn't kept, so that nothing of a
/// person is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Corrected {
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    pub actor: Actor,
    /// None once the person is erased: people write anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// JSON pointers into the order as it is shown, such as `/shippingAddress/city`.
    pub members: Vec<String>,
}
