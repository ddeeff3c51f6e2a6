//! Changing the cart of an open session.

use crate::{
    checkout::{
        cart::{self, CartError},
        request_context::RequestContext,
        session::{self, Edit, SessionError},
    },
    domain::{
        cart_issue::CartIssue,
        catalog::{CatalogQuery, CatalogSnapshot},
        ids::{CheckoutId, ProductId},
        priced::Line,
        session::Session,
    },
    ports::Stores,
    pricing,
};

/// The whole new cart. Lines that are the same are merged already.
#[derive(Clone, Debug)]
pub struct UpdateItems {
    pub checkout: CheckoutId,
    pub lines: Vec<Line>,
}

/// Why a cart wasn't taken. The session is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum ItemsError {
    /// The request adds what can't be bought.
    #[error(transparent)]
    Cart(#[from] CartError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Replaces the cart. All else that the session has stays: addresses, shipping method, coupons, certificate, VAT number,
/// and the prices at which its products were first shown. What no longer applies to the new cart is an issue of the
/// session, and applies again as soon as the cart allows it.
pub async fn update(
    stores: &impl Stores,
    context: &RequestContext,
    command: UpdateItems,
) -> Result<Session, ItemsError> {
    session::change(stores, context, command.checkout, &command).await
}

impl Edit for UpdateItems {
    type Refusal = ItemsError;

    fn ask(&self, query: &mut CatalogQuery) {
        query.skus = self.lines.iter().map(|line| line.sku.clone()).collect();
    }

    fn apply(&self, session: &mut Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), ItemsError> {
        session.lines.clone_from(&self.lines);
        Ok(())
    }

    /// Refuses what the request adds and can't be bought, as a new session would. What the session had before stays an
    /// issue, so that a customer can go on with the rest of the cart.
    fn check(
        &self,
        before: &Session,
        session: &Session,
        snapshot: &CatalogSnapshot,
        _: &RequestContext,
    ) -> Result<(), ItemsError> {
        let had = pricing::wanted(&before.lines, snapshot);
        let units = |product: &ProductId| -> u64 {
            let lines = before.lines.iter().filter(|line| line.sku.product == *product);
            lines.map(|line| u64::from(line.quantity)).sum()
        };
        let is_added = |issue: &CartIssue| match issue {
            CartIssue::ProductUnavailable { sku, .. } | CartIssue::NotShippable { sku, .. } => {
                !before.lines.iter().any(|line| line.sku == *sku)
            }
            CartIssue::OutOfStock { sku, requested, .. } => had.get(sku).is_none_or(|before| *requested > before.units),
            CartIssue::MinPerOrderNotReached { sku, requested, .. } => {
                let before = units(&sku.product);
                before == 0 || *requested < before
            }
            CartIssue::MaxPerOrderExceeded { sku, requested, .. } => *requested > units(&sku.product),
            _ => false,
        };
        Ok(cart::refuse(session, is_added)?)
    }
}
