//! Postal addresses.

use serde::{Deserialize, Serialize};

use crate::domain::{
    invalid::{Faults, Invalid},
    place::{Destination, RawDestination},
    text::{email, name, optional, optional_name, phone, text},
};

/// The longest name of a person, a city, a state or a county, in characters.
pub const LONGEST_NAME: usize = 100;
/// The longest line of an address, and name of a company.
pub const LONGEST_LINE: usize = 200;

/// An address as it is sent and stored, not checked yet. See [`Address::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RawAddress {
    pub first_name: String,
    /// Missing for people with one name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    pub address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<String>,
    pub city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    pub country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A checked address: it is complete enough for a parcel and for tax rules. A stored one is read without a new check,
/// so that it stays readable when the rules change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawAddress", into = "RawAddress")]
pub struct Address {
    raw: RawAddress,
    destination: Destination,
}

impl Address {
    /// Trims, checks and normalizes. The state may be a code (`ca`, `US-CA`) or a name (`California`).
    ///
    /// # Errors
    /// Every fault, with a JSON pointer such as `/state`.
    pub fn parse(raw: RawAddress) -> Result<Self, Vec<Invalid>> {
        let mut faults = Faults::default();
        let mut raw = RawAddress {
            first_name: name(&mut faults, "/firstName", &raw.first_name, LONGEST_NAME),
            last_name: optional_name(&mut faults, "/lastName", raw.last_name, LONGEST_NAME),
            company: optional(&mut faults, "/company", raw.company, LONGEST_LINE),
            address_line1: text(&mut faults, "/addressLine1", &raw.address_line1, LONGEST_LINE),
            address_line2: optional(&mut faults, "/addressLine2", raw.address_line2, LONGEST_LINE),
            city: text(&mut faults, "/city", &raw.city, LONGEST_NAME),
            county: optional(&mut faults, "/county", raw.county, LONGEST_NAME),
            state: optional(&mut faults, "/state", raw.state, LONGEST_NAME),
            ..raw
        };
        let destination = Destination::parse(&mut faults, &raw.destination());
        raw.phone = phone(&mut faults, "/phone", raw.phone);
        let given = raw.email.filter(|email| !email.trim().is_empty());
        raw.email = given.map(|given| email(&mut faults, "/email", &given));
        faults.finish(destination.map(|destination| Self::at(destination, raw)))
    }

    /// An address from a store, which was checked before it was stored.
    pub fn restore(raw: RawAddress) -> Self {
        Self::at(Destination::restore(&raw.destination()), raw)
    }

    fn at(destination: Destination, raw: RawAddress) -> Self {
        let raw = RawAddress {
            state: destination.state().map(ToOwned::to_owned),
            postal_code: destination.postal_code().map(ToOwned::to_owned),
            country: destination.country().to_owned(),
            ..raw
        };
        Self { raw, destination }
    }

    /// The address in its normalized spelling. Parsing it again gives the same address.
    pub fn to_raw(&self) -> RawAddress {
        self.raw.clone()
    }

    /// Country and state alone, as tax authorities need them. A state that ISO 3166-2 doesn't know may be any text, so
    /// it goes too.
    #[must_use]
    pub fn without_person(self) -> Self {
        let is_known = self.destination.label() != self.destination.country();
        let RawAddress { country, state, .. } = self.raw;
        let state = state.filter(|_| is_known);
        Self::restore(RawAddress { state, country, ..RawAddress::default() })
    }

    /// The part that zones, taxes and restrictions depend on.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }
}

impl RawAddress {
    fn destination(&self) -> RawDestination {
        let Self { country, state, county, postal_code, .. } = self.clone();
        RawDestination { country, state, county, postal_code }
    }
}

impl From<RawAddress> for Address {
    fn from(raw: RawAddress) -> Self {
        Self::restore(raw)
    }
}

impl From<Address> for RawAddress {
    fn from(address: Address) -> Self {
        address.raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawAddress {
        RawAddress {
            first_name: "Ada".into(),
            last_name: Some("Lovelace".into()),
            address_line1: "1 Market St".into(),
            city: "San Francisco".into(),
            state: Some("CA".into()),
            postal_code: Some("94105".into()),
            country: "US".into(),
            ..RawAddress::default()
        }
    }

    #[test]
    fn a_state_is_known_by_code_and_by_name_in_any_case() {
        for state in ["ID", "id", "Idaho ", "US-ID", " idaho"] {
            let address = Address::parse(RawAddress { state: Some(state.into()), ..raw() }).unwrap();
            assert_eq!(address.destination().label(), "US-ID", "{state}");
            assert_eq!(address.to_raw().state.as_deref(), Some("ID"));
        }
    }

    #[test]
    fn every_fault_is_reported_at_its_place() {
        let faults = Address::parse(RawAddress {
            first_name: " ".into(),
            city: "Evil\u{7}City".into(),
            state: Some("Atlantis".into()),
            postal_code: Some("9410".into()),
            email: Some("nobody".into()),
            phone: Some("call me".into()),
            ..raw()
        })
        .unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/firstName", "/city", "/state", "/postalCode", "/phone", "/email"]);
    }

    #[test]
    fn one_name_is_a_name() {
        for last_name in [None, Some(" ".to_owned())] {
            let address = Address::parse(RawAddress { last_name, ..raw() }).unwrap().to_raw();
            assert_eq!(address.last_name, None);
            assert!(!serde_json::to_string(&address).unwrap().contains("lastName"));
        }
    }

    #[test]
    fn a_normalized_address_parses_to_itself() {
        let address = Address::parse(raw()).unwrap();
        assert_eq!(Address::parse(address.to_raw()).unwrap(), address);
        assert_eq!(Address::restore(address.to_raw()), address);
    }

    #[test]
    fn countries_without_states_or_postal_codes_do_without() {
        let hong_kong = RawAddress { state: None, postal_code: None, country: "hk".into(), ..raw() };
        assert_eq!(Address::parse(hong_kong).unwrap().destination().label(), "HK");
        let germany = RawAddress {
            state: Some("Bayern".into()),
            postal_code: Some("80331".into()),
            country: "DE".into(),
            ..raw()
        };
        assert_eq!(Address::parse(germany).unwrap().destination().label(), "DE-BY");
    }
}
