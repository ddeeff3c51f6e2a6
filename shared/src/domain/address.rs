//! Postal addresses, and the ISO 3166 places that zones, taxes and restrictions are written in.

use std::fmt;

use crate::domain::invalid::{Faults, Invalid};

/// Countries whose addresses need a state, province or region for a parcel and its tax to find their way.
const STATE_REQUIRED: [&str; 8] = ["AU", "BR", "CA", "CN", "IN", "JP", "MX", "US"];
/// Countries that use no postal codes.
const NO_POSTAL_CODE: [&str; 12] = ["AE", "AG", "BO", "BS", "BZ", "FJ", "GM", "HK", "KE", "PA", "QA", "UG"];

/// A place that a rule speaks of: a country (`US`) or a subdivision (`US-CA`), by ISO 3166 codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(String);

/// Why a text is not a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 3166 code of a country (\"US\") or a subdivision (\"US-CA\")")]
pub struct NotARegion;

impl Region {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an address lies in this region.
    pub fn covers(&self, address: &Address) -> bool {
        self.0 == address.country || address.subdivision.as_deref() == Some(&self.0)
    }

    /// How closely the region fits: a state is more specific than its country.
    pub fn specificity(&self) -> usize {
        self.0.len()
    }
}

impl std::str::FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let known = if text.len() == 2 {
            rust_iso3166::from_alpha2(text).is_some()
        } else {
            rust_iso3166::iso3166_2::from_code(text).is_some()
        };
        if known { Ok(Self(text.to_owned())) } else { Err(NotARegion) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    state: Option<String>,
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    country: String,
    /// ISO 3166-2, when the state is one that ISO knows; always there for [`STATE_REQUIRED`] countries.
    subdivision: Option<String>,
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
        let first_name = text(&mut faults, "/firstName", &raw.first_name, 100);
        let last_name = text(&mut faults, "/lastName", &raw.last_name, 100);
        let company = optional(&mut faults, "/company", raw.company, 200);
        let address_line1 = text(&mut faults, "/addressLine1", &raw.address_line1, 200);
        let address_line2 = optional(&mut faults, "/addressLine2", raw.address_line2, 200);
        let city = text(&mut faults, "/city", &raw.city, 100);
        let country = raw.country.trim().to_ascii_uppercase();
        let known = rust_iso3166::from_alpha2(&country);
        if known.is_none() {
            faults.add("/country", "must be an ISO 3166-1 alpha-2 country code such as \"US\"");
        }
        let state = optional(&mut faults, "/state", raw.state, 100);
        let subdivision = state.as_deref().and_then(|s| subdivision(&country, s));
        if known.is_some() && STATE_REQUIRED.contains(&country.as_str()) && subdivision.is_none() {
            faults.add("/state", format!("must be a state or region of {country}, by ISO 3166-2 code or name"));
        }
        let postal_code =
            optional(&mut faults, "/postalCode", raw.postal_code, 12).map(|code| code.to_ascii_uppercase());
        if known.is_some() {
            check_postal_code(&mut faults, &country, postal_code.as_deref());
        }
        let phone = optional(&mut faults, "/phone", raw.phone, 32);
        if let Some(phone) = &phone {
            faults.take("/phone", check_phone(phone));
        }
        let email = optional(&mut faults, "/email", raw.email, 254);
        if let Some(email) = &email {
            faults.take("/email", check_email(email));
        }
        // A known subdivision is kept by its short code, however it was spelled.
        let state = match &subdivision {
            Some(code) => code.split_once('-').map(|(_, short)| short.to_owned()),
            None => state,
        };
        faults.finish(Some(Self {
            first_name,
            last_name,
            company,
            address_line1,
            address_line2,
            city,
            state,
            postal_code,
            country,
            subdivision,
            phone,
            email,
        }))
    }

    /// An address that was parsed before and has been stored since.
    pub fn restore(raw: RawAddress) -> Self {
        Self {
            subdivision: raw.state.as_deref().and_then(|state| subdivision(&raw.country, state)),
            first_name: raw.first_name,
            last_name: raw.last_name,
            company: raw.company,
            address_line1: raw.address_line1,
            address_line2: raw.address_line2,
            city: raw.city,
            state: raw.state,
            postal_code: raw.postal_code,
            country: raw.country,
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
            state: self.state.clone(),
            postal_code: self.postal_code.clone(),
            country: self.country.clone(),
            phone: self.phone.clone(),
            email: self.email.clone(),
        }
    }

    pub fn country(&self) -> &str {
        &self.country
    }

    /// `US-CA` where the subdivision is known, else the country: what a message names the place by.
    pub fn place(&self) -> &str {
        self.subdivision.as_deref().unwrap_or(&self.country)
    }
}

fn subdivision(country: &str, state: &str) -> Option<String> {
    let upper = state.to_uppercase();
    let code = if upper.starts_with(&format!("{country}-")) { upper.clone() } else { format!("{country}-{upper}") };
    if rust_iso3166::iso3166_2::from_code(&code).is_some() {
        return Some(code);
    }
    rust_iso3166::from_alpha2(country)?
        .subdivisions()?
        .iter()
        .find(|s| s.name.to_uppercase() == upper)
        .map(|s| s.code.to_owned())
}

fn check_postal_code(faults: &mut Faults, country: &str, code: Option<&str>) {
    let Some(code) = code else {
        if !NO_POSTAL_CODE.contains(&country) {
            faults.add("/postalCode", "is required");
        }
        return;
    };
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    let (fits, form) = match country {
        "US" => (
            match code.split_once('-') {
                Some((zip, plus)) => digits(zip, 5) && digits(plus, 4),
                None => digits(code, 5),
            },
            "five digits, or five and four (94105 or 94105-1234)",
        ),
        "DE" | "FR" | "IT" | "ES" => (digits(code, 5), "five digits"),
        _ => (
            code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-')),
            "letters, digits, spaces and hyphens",
        ),
    };
    if !fits {
        faults.add("/postalCode", format!("must be a postal code of {country}: {form}"));
    }
}

/// # Errors
/// A text that says what a phone number looks like.
pub fn check_phone(phone: &str) -> Result<(), &'static str> {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    let allowed =
        phone.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/' | 'x'));
    if allowed && (4..=20).contains(&digits) { Ok(()) } else { Err("must be a phone number of 4 to 20 digits") }
}

/// # Errors
/// A text that says what an e-mail address looks like.
pub fn check_email(email: &str) -> Result<(), &'static str> {
    if email_address::EmailAddress::is_valid(email) { Ok(()) } else { Err("must be an e-mail address") }
}

/// A required text: trimmed, of at most `max` characters, without control characters or text-direction overrides.
pub fn text(faults: &mut Faults, pointer: &str, value: &str, max: usize) -> String {
    let value = value.trim();
    if value.is_empty() {
        faults.add(pointer, "must not be empty");
    } else if value.chars().count() > max {
        faults.add(pointer, format!("must be at most {max} characters"));
    } else if value.chars().any(hidden) {
        faults.add(pointer, "must not contain control or text-direction characters");
    }
    value.to_owned()
}

/// Like [`text`] for a text that may be missing; white space alone counts as missing.
pub fn optional(faults: &mut Faults, pointer: &str, value: Option<String>, max: usize) -> Option<String> {
    let value = value.filter(|v| !v.trim().is_empty())?;
    Some(text(faults, pointer, &value, max))
}

/// Control characters and the bidirectional controls of Unicode, which make a label say what it doesn't.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
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
            assert!("US-ID".parse::<Region>().unwrap().covers(&address), "{state}");
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
        assert_eq!(Address::parse(hong_kong).unwrap().place(), "HK");
        let germany = RawAddress {
            state: Some("Bayern".into()),
            postal_code: Some("80331".into()),
            country: "DE".into(),
            ..raw()
        };
        assert_eq!(Address::parse(germany).unwrap().place(), "DE-BY");
    }
}
