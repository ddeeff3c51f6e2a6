//! The tax of a session.

use crate::{
    checkout::{
        session::{self, Edit, SessionError},
        visit::Visit,
    },
    domain::{catalog::Tables, ids::CheckoutId, priced::ProblemKind, session::Session},
    ports::{Catalog, Sessions},
};

#[derive(Clone, Copy, Debug)]
pub struct CalculateTax {
    pub checkout: CheckoutId,
}

/// Why there is no tax to show.
#[derive(Debug, thiserror::Error)]
pub enum TaxError {
    #[error("the session has no shipping address yet")]
    AddressRequired,
    /// The shop has no rule for the place; a rate is never guessed.
    #[error("{0}")]
    NoRule(String),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// The session with its tax by line and jurisdiction, written only if it has changed.
pub async fn calculate(
    sessions: &impl Sessions,
    catalog: &impl Catalog,
    visit: &Visit,
    command: CalculateTax,
) -> Result<Session, TaxError> {
    session::change(sessions, catalog, visit, command.checkout, &command).await
}

impl Edit for CalculateTax {
    type Refusal = TaxError;

    fn must_write(&self) -> bool {
        false
    }

    fn apply(&self, session: &mut Session, _: &Tables, _: &Visit) -> Result<(), TaxError> {
        if session.shipping_address.is_some() { Ok(()) } else { Err(TaxError::AddressRequired) }
    }

    fn check(&self, session: &Session, _: &Tables, _: &Visit) -> Result<(), TaxError> {
        match session.priced.problems.iter().find(|p| p.kind == ProblemKind::TaxUnavailable) {
            Some(problem) => Err(TaxError::NoRule(problem.detail.clone())),
            None => Ok(()),
        }
    }
}
