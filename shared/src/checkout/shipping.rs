//! Shipping offers, and choosing one.

use crate::{
    checkout::{
        cart,
        request_context::RequestContext,
        session::{self, Edit, SessionError},
    },
    domain::{
        cart_issue::CartIssues,
        catalog::CatalogSnapshot,
        ids::{CheckoutId, ShippingMethodId},
        session::Session,
    },
    ports::Stores,
};

/// Asks for the offers. With a method, it chooses it.
#[derive(Clone, Debug)]
pub struct CalculateShipping {
    pub checkout: CheckoutId,
    pub method: Option<ShippingMethodId>,
}

/// Why there are no offers, or why the method wasn't chosen.
#[derive(Debug, thiserror::Error)]
pub enum ShippingError {
    #[error("the session has no shipping address yet")]
    AddressRequired,
    #[error("there is no shipping there, or not in this currency")]
    NoShipping(CartIssues),
    #[error("{method} isn't offered for this address; choose one of: {offered}")]
    NotOffered { method: ShippingMethodId, offered: String },
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// The session with its offers and, if one was chosen, its method.
pub async fn calculate(
    stores: &impl Stores,
    context: &RequestContext,
    command: CalculateShipping,
) -> Result<Session, ShippingError> {
    session::change(stores, context, command.checkout, &command).await
}

impl Edit for CalculateShipping {
    type Refusal = ShippingError;

    fn states_a_value(&self) -> bool {
        self.method.is_some()
    }

    fn apply(&self, session: &mut Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), ShippingError> {
        if let Some(method) = &self.method {
            session.shipping_method = Some(method.clone());
        }
        Ok(())
    }

    fn check(
        &self,
        _: &Session,
        session: &Session,
        _: &CatalogSnapshot,
        _: &RequestContext,
    ) -> Result<(), ShippingError> {
        // A cart of which nothing is shipped has no offers, and needs none.
        if !session.priced.ships() {
            return Ok(());
        }
        if session.shipping_address.is_none() {
            return Err(ShippingError::AddressRequired);
        }
        if let Some(issues) = cart::no_offer(&session.priced.issues, session.currency) {
            return Err(ShippingError::NoShipping(issues));
        }
        match &self.method {
            Some(method) if session.priced.shipping.is_none() => Err(ShippingError::NotOffered {
                method: method.clone(),
                offered: session.priced.offers.iter().map(|o| o.method.as_str()).collect::<Vec<_>>().join(", "),
            }),
            _ => Ok(()),
        }
    }
}
