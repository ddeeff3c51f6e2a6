//! How addresses of a country are written: which parts they have and in which order, and the states that they name.

use crate::domain::{place::STATE_REQUIRED, postal_code};

/// The heads of the files name their source.
const FORMS: &str = include_str!("address_forms.tsv");
const STATES: &str = include_str!("address_states.tsv");
/// Where the file has none: name, organization, street, city, state, postal code.
const USUAL: &str = "NOACSZ";

/// A part of an address, by the name of its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "camelCase")]
pub enum Part {
    FirstName,
    LastName,
    Company,
    AddressLine1,
    AddressLine2,
    City,
    State,
    County,
    PostalCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub part: Part,
    pub required: bool,
    /// What people call it there, such as `prefecture` or `zip`.
    pub kind: Option<&'static str>,
}

/// A state of a country, by its ISO 3166-2 code without the country's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub code: &'static str,
    pub name: &'static str,
}

/// The form of a country's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressForm {
    /// In the order in which they are written there.
    pub fields: Vec<Field>,
    /// In the order of their names. Empty where addresses name none.
    pub states: Vec<State>,
}

impl AddressForm {
    pub fn of(country: &str) -> Self {
        let row = FORMS.lines().filter_map(|line| line.split_once('\t')).find(|(code, _)| *code == country);
        let mut columns = row.map(|(_, rest)| rest.split('\t')).into_iter().flatten();
        let (order, state, postal) = (columns.next().unwrap_or(USUAL), columns.next(), columns.next());
        let field = |part, required| Field { part, required, kind: None };
        let mut fields = Vec::new();
        for letter in order.chars() {
            match letter {
                'N' => fields.extend([field(Part::FirstName, true), field(Part::LastName, false)]),
                'O' => fields.push(field(Part::Company, false)),
                'A' => fields.extend([field(Part::AddressLine1, true), field(Part::AddressLine2, false)]),
                'C' => fields.push(field(Part::City, true)),
                'S' => {
                    let required = STATE_REQUIRED.contains(&country);
                    fields.push(Field { kind: state, ..field(Part::State, required) });
                }
                _ => {
                    let required = postal_code::is_required(country);
                    fields.push(Field { kind: postal, ..field(Part::PostalCode, required) });
                }
            }
        }
        let of_country = |line: &&str| line.get(..2) == Some(country) && line.get(2..3) == Some("-");
        let states = STATES.lines().filter(of_country).filter_map(|line| {
            let (code, name) = line.get(3..)?.split_once('\t')?;
            Some(State { code, name })
        });
        Self { fields, states: states.collect() }
    }
}

/// The English name of a country, by ISO 3166-1.
pub fn country_name(code: &str) -> Option<&'static str> {
    rust_iso3166::from_alpha2(code).map(|country| country.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        address::{Address, RawAddress},
        subdivision,
    };

    fn every_country() -> impl Iterator<Item = &'static str> {
        FORMS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.get(..2))
    }

    /// An address with what its form requires, and no more.
    fn least(country: &str, form: &AddressForm, state: Option<&str>) -> RawAddress {
        let is_required = |part| form.fields.iter().any(|field| field.part == part && field.required);
        let postal = postal_code::format(country).filter(|_| is_required(Part::PostalCode));
        RawAddress {
            first_name: "Ada".to_owned(),
            address_line1: "1 Main St".to_owned(),
            city: "Town".to_owned(),
            state: state.map(ToOwned::to_owned),
            postal_code: postal.map(|(example, _)| example.to_owned()),
            country: country.to_owned(),
            ..RawAddress::default()
        }
    }

    #[test]
    fn an_address_with_what_its_form_requires_is_taken() {
        assert!(every_country().count() > 240);
        // Puerto Rico and others like it are states here.
        let is_one = |country: &&str| subdivision::by_code(country).is_some_and(|known| known.code == *country);
        for country in every_country().filter(is_one) {
            let form = AddressForm::of(country);
            let needs_state = form.fields.iter().any(|field| field.part == Part::State && field.required);
            let state = form.states.first().filter(|_| needs_state).map(|state| state.code);
            assert!(!needs_state || state.is_some(), "{country} has no states to choose from");
            assert!(Address::parse(least(country, &form, state)).is_ok(), "{country}");
        }
    }

    #[test]
    fn each_state_is_one_that_an_address_may_name() {
        let mut count = 0;
        for country in every_country() {
            let form = AddressForm::of(country);
            for State { code, name } in &form.states {
                let address = Address::parse(least(country, &form, Some(code))).unwrap();
                assert_eq!(address.destination().label(), format!("{country}-{code}"), "{name}");
                count += 1;
            }
            let has_state = form.fields.iter().any(|field| field.part == Part::State);
            assert!(form.states.is_empty() || has_state, "{country}");
        }
        assert_eq!(count, STATES.lines().filter(|line| !line.starts_with('#')).count());
    }

    #[test]
    fn a_country_that_needs_a_state_or_a_code_asks_for_it() {
        for country in STATE_REQUIRED {
            let form = AddressForm::of(country);
            assert!(form.fields.iter().any(|field| field.part == Part::State && field.required), "{country}");
        }
        for country in every_country().filter(|country| postal_code::is_required(country)) {
            let form = AddressForm::of(country);
            assert!(form.fields.iter().any(|field| field.part == Part::PostalCode), "{country}");
        }
    }

    #[test]
    fn the_parts_stand_in_the_countrys_own_order() {
        let order = |country| {
            let parts = AddressForm::of(country).fields.into_iter().map(|field| field.part.to_string());
            parts.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order("US"), "firstName lastName company addressLine1 addressLine2 city state postalCode");
        assert_eq!(order("DE"), "firstName lastName company addressLine1 addressLine2 postalCode city");
        assert_eq!(order("HK"), "firstName lastName company addressLine1 addressLine2 city state");
        let kinds = AddressForm::of("JP").fields.into_iter().filter_map(|field| field.kind).collect::<Vec<_>>();
        assert_eq!(kinds, ["prefecture", "postal"]);
    }
}
