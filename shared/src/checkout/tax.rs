//! The tax of a session, and the certificates and VAT numbers that change it.

use crate::{
    checkout::{
        request_context::RequestContext,
        session::{self, Edit, SessionError},
    },
    domain::{
        cart_issue::CartIssue,
        catalog::{CatalogQuery, CatalogSnapshot},
        ids::{CertificateNumber, CheckoutId},
        session::Session,
        vat::VatNumber,
    },
    ports::Stores,
};

/// Asks for the tax, and may change the session's certificate or VAT number.
#[derive(Clone, Debug)]
pub struct CalculateTax {
    pub checkout: CheckoutId,
    pub certificate: Change<CertificateNumber>,
    pub vat_number: Change<VatNumber>,
}

/// A change of an optional value of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    Keep,
    Clear,
    Set(T),
}

impl<T: Clone> Change<T> {
    fn apply(&self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new.clone()),
        }
    }
}

/// Why there is no tax to show.
#[derive(Debug, thiserror::Error)]
pub enum TaxError {
    #[error("the session has no shipping address yet")]
    AddressRequired,
    /// Nothing is shipped, so only the buyer's own address says which tax is due.
    #[error("the session has no billing address yet")]
    BillingAddressRequired,
    /// The shop has no tax rule for the destination. A rate is never guessed.
    #[error("{0}")]
    NoRule(String),
    /// The certificate is not valid. The session is unchanged.
    #[error("{0}")]
    BadCertificate(String),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// The session with its tax by line and jurisdiction. It is written only if it has changed.
pub async fn calculate(
    stores: &impl Stores,
    context: &RequestContext,
    command: CalculateTax,
) -> Result<Session, TaxError> {
    session::change(stores, context, command.checkout, &command).await
}

impl Edit for CalculateTax {
    type Refusal = TaxError;

    fn ask(&self, query: &mut CatalogQuery) {
        self.certificate.apply(&mut query.certificate);
    }

    fn states_a_value(&self) -> bool {
        self.certificate != Change::Keep || self.vat_number != Change::Keep
    }

    fn apply(&self, session: &mut Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), TaxError> {
        self.certificate.apply(&mut session.tax_status.certificate);
        self.vat_number.apply(&mut session.tax_status.vat_number);
        Ok(())
    }

    fn check(&self, _: &Session, session: &Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), TaxError> {
        match session.tax_address() {
            None if session.priced.ships() => return Err(TaxError::AddressRequired),
            None => return Err(TaxError::BillingAddressRequired),
            Some(_) => {}
        }
        for issue in &session.priced.issues {
            match issue {
                CartIssue::TaxUnavailable { reason } => return Err(TaxError::NoRule(reason.clone())),
                CartIssue::TaxExemptionInvalid { .. } if self.certificate != Change::Keep => {
                    return Err(TaxError::BadCertificate(issue.detail(session.currency)));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
