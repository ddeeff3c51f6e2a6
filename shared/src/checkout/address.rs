//! Setting the addresses of a session.

use crate::{
    checkout::{
        cart,
        request_context::RequestContext,
        session::{self, Edit, SessionError},
    },
    domain::{
        address::Address,
        cart_issue::CartIssues,
        catalog::{CatalogQuery, CatalogSnapshot},
        ids::CheckoutId,
        session::Session,
    },
    ports::Stores,
};

/// At least one of its members beside the session is set.
#[derive(Clone, Debug)]
pub struct UpdateAddress {
    pub checkout: CheckoutId,
    pub shipping: Option<Address>,
    pub billing: Option<Address>,
    /// Whether the shopper agrees to mail about this cart, if they leave it. None leaves it as it is.
    pub recover_by_email: Option<bool>,
}

/// Why an address was refused. The session is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// A product in the cart can't be shipped there.
    #[error("a product can't be shipped to the address")]
    NotShippable(CartIssues),
    /// No shipping zone covers the address, or none of its methods has the currency.
    #[error("there is no shipping there, or not in this currency")]
    NoShipping(CartIssues),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Sets the addresses and prices the cart for the new destination.
pub async fn update(
    stores: &impl Stores,
    context: &RequestContext,
    command: UpdateAddress,
) -> Result<Session, AddressError> {
    session::change(stores, context, command.checkout, &command).await
}

impl Edit for UpdateAddress {
    type Refusal = AddressError;

    fn ask(&self, query: &mut CatalogQuery) {
        query.countries.extend([&self.shipping, &self.billing].into_iter().flatten().map(session::country));
    }

    fn apply(&self, session: &mut Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), AddressError> {
        if let Some(shipping) = &self.shipping {
            session.shipping_address = Some(shipping.clone());
        }
        if let Some(billing) = &self.billing {
            session.billing_address = Some(billing.clone());
        }
        if let Some(agreed) = self.recover_by_email {
            session.recover_by_email = agreed;
        }
        Ok(())
    }

    fn check(
        &self,
        _: &Session,
        session: &Session,
        _: &CatalogSnapshot,
        _: &RequestContext,
    ) -> Result<(), AddressError> {
        if self.shipping.is_none() {
            return Ok(());
        }
        let (issues, currency) = (&session.priced.issues, session.currency);
        if let Some(barred) = cart::not_shippable(issues, currency) {
            return Err(AddressError::NotShippable(barred));
        }
        cart::no_offer(issues, currency).map_or(Ok(()), |issues| Err(AddressError::NoShipping(issues)))
    }
}
