//! Postal addresses.

use crate::domain::{
    invalid::{Faults, Invalid},
    place::{Destination, RawDestination},
    text::{check_email, check_phone, name, optional, text},
};

/// An address as it came in, before anything is known of it. See [`Address::parse`].
#[derive(Clone, Debug, Default)]
pub struct RawAddress {
    pub first_name: String,
    pub last_name: String,
    pub company: Option<String>,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub county: Option<String>,
    pub postal_code: Option<String>,
    pub country: String,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// An address that a parcel can be sent to and a tax rule be found for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    first_name: String,
    last_name: String,
    company: Option<String>,
    address_line1: String,
    address_line2: Option<String>,
    city: String,
    county: Option<String>,
    destination: Destination,
    phone: Option<String>,
    email: Option<String>,
}

impl Address {
    /// Trims, checks and normalizes. The state may be a code (`ca`, `US-CA`) or a name (`California`).
    ///
    /// # Errors
    /// Every fault, at pointers such as `/state`.
    pub fn parse(raw: RawAddress) -> Result<Self, Vec<Invalid>> {
        let mut faults = Faults::default();
        let first_name = name(&mut faults, "/firstName", &raw.first_name, 100);
        let last_name = name(&mut faults, "/lastName", &raw.last_name, 100);
        let company = optional(&mut faults, "/company", raw.company, 200);
        let address_line1 = text(&mut faults, "/addressLine1", &raw.address_line1, 200);
        let address_line2 = optional(&mut faults, "/addressLine2", raw.address_line2, 200);
        let city = text(&mut faults, "/city", &raw.city, 100);
        let county = optional(&mut faults, "/county", raw.county, 100);
        let state = optional(&mut faults, "/state", raw.state, 100);
        let postal_code = raw.postal_code;
        let destination = Destination::parse(
            &mut faults,
            &RawDestination { country: raw.country, state, county: county.clone(), postal_code },
        );
        let phone = optional(&mut faults, "/phone", raw.phone, 40);
        if let Some(phone) = &phone {
            faults.take("/phone", check_phone(phone));
        }
        let email = optional(&mut faults, "/email", raw.email, 254);
        if let Some(email) = &email {
            faults.take("/email", check_email(email));
        }
        faults.finish(destination.map(|destination| Self {
            first_name,
            last_name,
            company,
            address_line1,
            address_line2,
            city,
            county,
            destination,
            phone,
            email,
        }))
    }

    /// An address that was parsed before and has been stored since.
    pub fn restore(raw: RawAddress) -> Self {
        let RawAddress { country, state, county, postal_code, .. } = raw;
        Self {
            destination: Destination::restore(&RawDestination { country, state, county: county.clone(), postal_code }),
            first_name: raw.first_name,
            last_name: raw.last_name,
            company: raw.company,
            address_line1: raw.address_line1,
            address_line2: raw.address_line2,
            city: raw.city,
            county,
            phone: raw.phone,
            email: raw.email,
        }
    }

    /// The address in its normalized spelling; parsing it again gives the same address.
    pub fn to_raw(&self) -> RawAddress {
        RawAddress {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            company: self.company.clone(),
            address_line1: self.address_line1.clone(),
            address_line2: self.address_line2.clone(),
            city: self.city.clone(),
            state: self.destination.state().map(ToOwned::to_owned),
            county: self.county.clone(),
            postal_code: self.destination.postal_code().map(ToOwned::to_owned),
            country: self.destination.country().to_owned(),
            phone: self.phone.clone(),
            email: self.email.clone(),
        }
    }

    /// What zones, taxes and restrictions look at.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawAddress {
        RawAddress {
            first_name: "Ada".into(),
            last_name: "Lovelace".into(),
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
            city: "Evil\u{202E}City".into(),
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
