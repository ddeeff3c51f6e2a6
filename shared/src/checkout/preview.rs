//! What shipping would cost, without a session.

use crate::{
    checkout::{initiate::not_for_sale, session::SessionError, visit::Visit},
    domain::{
        catalog::TablesQuery,
        invalid::Invalid,
        money::Currency,
        place::Destination,
        priced::Line,
        problem::{Problem, Problems},
        shipping::Offer,
        tax::TaxStatus,
    },
    ports::Catalog,
    pricing::{self, Cart},
};

#[derive(Clone, Debug)]
pub struct PreviewShipping {
    pub lines: Vec<Line>,
    pub currency: Currency,
    pub destination: Destination,
}

/// Why there are no offers.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error("a product isn't for sale")]
    NotForSale(Vec<Invalid>),
    #[error("a product can't be shipped there")]
    NotShippable(Problems),
    #[error("{0}")]
    NoShipping(String),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// All offers, cheapest first. Reads the catalog, and writes nothing.
pub async fn preview<Who: Sync>(
    catalog: &impl Catalog,
    visit: &Visit<Who>,
    command: &PreviewShipping,
) -> Result<Vec<Offer>, PreviewError> {
    let query = TablesQuery {
        skus: command.lines.iter().map(|line| line.sku.clone()).collect(),
        country: Some(command.destination.country().to_owned()),
        ..TablesQuery::default()
    };
    let tables = catalog.tables(&query).await.map_err(SessionError::Store)?;
    let cart = Cart {
        currency: command.currency,
        lines: &command.lines,
        destination: Some(&command.destination),
        method: None,
        coupons: &[],
        tax_status: &TaxStatus::default(),
        customer: None,
        previous: &[],
    };
    let priced = pricing::price(cart, &tables, visit.now).map_err(SessionError::OutOfRange)?;
    not_for_sale(&command.lines, &priced.problems).map_err(PreviewError::NotForSale)?;
    let barred = priced.problems.iter().filter(|p| matches!(p, Problem::NotShippable { .. })).cloned();
    let barred = Problems { currency: command.currency, list: barred.collect() };
    if !barred.list.is_empty() {
        return Err(PreviewError::NotShippable(barred));
    }
    match priced.problems.iter().find(|p| matches!(p, Problem::ShippingUnavailable { .. })) {
        Some(problem) => Err(PreviewError::NoShipping(problem.detail(command.currency))),
        None => Ok(priced.offers),
    }
}
