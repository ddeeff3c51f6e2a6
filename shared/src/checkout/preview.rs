//! What shipping would cost, without a session.

use crate::{
    checkout::{
        cart::{no_offer, not_for_sale, not_shippable},
        request_context::RequestContext,
        session::SessionError,
    },
    domain::{
        cart_issue::CartIssues, catalog::CatalogQuery, invalid::Invalid, money::Currency, place::Destination,
        priced::Line, shipping::Offer, tax::TaxStatus,
    },
    ports::{Catalog as _, Stores},
    pricing::{self, Cart},
};

#[derive(Clone, Debug)]
pub struct PreviewShipping {
    pub lines: Vec<Line>,
    /// None for the usual one of the country.
    pub currency: Option<Currency>,
    pub destination: Destination,
}

/// Why there are no offers.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error("a product isn't for sale")]
    NotForSale(Vec<Invalid>),
    #[error("a product can't be shipped there")]
    NotShippable(CartIssues),
    #[error("there is no shipping there, or not in this currency")]
    NoShipping(CartIssues),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// All offers, cheapest first, and their currency; no offer for a cart of which nothing is shipped. Only reads the
/// catalog.
pub async fn preview<Who: Sync>(
    stores: &impl Stores,
    context: &RequestContext<Who>,
    command: &PreviewShipping,
) -> Result<(Currency, Vec<Offer>), PreviewError> {
    let query = CatalogQuery {
        skus: command.lines.iter().map(|line| line.sku.clone()).collect(),
        units: command.lines.iter().map(|line| u64::from(line.quantity)).sum(),
        countries: [command.destination.country().to_owned()].into(),
        ..CatalogQuery::default()
    };
    let snapshot = stores.catalog().snapshot(&query).await.map_err(SessionError::Store)?;
    let usual = || snapshot.rules.currencies.usual(Some(command.destination.country()));
    let currency = command.currency.unwrap_or_else(usual);
    let cart = Cart {
        currency,
        lines: &command.lines,
        destination: Some(&command.destination),
        billing: None,
        method: None,
        coupons: &[],
        tax_status: &TaxStatus::default(),
        customer: None,
        previous: &[],
    };
    let priced = pricing::price(cart, &snapshot, context.now).map_err(SessionError::OutOfRange)?;
    not_for_sale(&command.lines, &priced.issues).map_err(PreviewError::NotForSale)?;
    if let Some(barred) = not_shippable(&priced.issues, currency) {
        return Err(PreviewError::NotShippable(barred));
    }
    match no_offer(&priced.issues, currency) {
        Some(issues) => Err(PreviewError::NoShipping(issues)),
        None => Ok((currency, priced.offers)),
    }
}
