//! Giving the session an address.

use crate::{
    checkout::{
        session::{self, Edit, SessionError},
        visit::Visit,
    },
    domain::{
        address::Address,
        catalog::{Tables, TablesQuery},
        ids::CheckoutId,
        problem::{Problem, Problems},
        session::Session,
    },
    ports::{Catalog, Sessions},
};

/// At least one of the two addresses is there.
#[derive(Clone, Debug)]
pub struct UpdateAddress {
    pub checkout: CheckoutId,
    pub shipping: Option<Address>,
    pub billing: Option<Address>,
}

/// Why an address wasn't taken. The session is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Something in the cart may not go there.
    #[error("a product can't be shipped to the address")]
    NotShippable(Problems),
    /// No shipping zone covers it.
    #[error("{0}")]
    NoShipping(String),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Sets the addresses and prices the cart for the new place.
pub async fn update(
    sessions: &impl Sessions,
    catalog: &impl Catalog,
    visit: &Visit,
    command: UpdateAddress,
) -> Result<Session, AddressError> {
    session::change(sessions, catalog, visit, command.checkout, &command).await
}

impl Edit for UpdateAddress {
    type Refusal = AddressError;

    fn ask(&self, query: &mut TablesQuery) {
        if let Some(shipping) = &self.shipping {
            query.country = Some(shipping.destination().country().to_owned());
        }
    }

    fn apply(&self, session: &mut Session, _: &Tables, _: &Visit) -> Result<(), AddressError> {
        if let Some(shipping) = &self.shipping {
            session.shipping_address = Some(shipping.clone());
        }
        if let Some(billing) = &self.billing {
            session.billing_address = Some(billing.clone());
        }
        Ok(())
    }

    fn check(&self, session: &Session, _: &Tables, _: &Visit) -> Result<(), AddressError> {
        if self.shipping.is_none() {
            return Ok(());
        }
        let problems = &session.priced.problems;
        let barred = problems.iter().filter(|p| matches!(p, Problem::NotShippable { .. })).cloned();
        let barred = Problems { currency: session.currency, list: barred.collect() };
        if !barred.list.is_empty() {
            return Err(AddressError::NotShippable(barred));
        }
        match problems.iter().find(|p| matches!(p, Problem::ShippingUnavailable { .. })) {
            Some(problem) => Err(AddressError::NoShipping(problem.detail(session.currency))),
            None => Ok(()),
        }
    }
}
