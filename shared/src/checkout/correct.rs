//! Correcting orders, for staff.

use crate::{
    checkout::{
        orders::{self, Moved, OrderError},
        request_context::{RequestContext, Staff},
        session::country,
    },
    domain::{
        catalog::{CatalogQuery, CatalogSnapshot},
        correction::Correction,
        ids::OrderId,
        order::{Actor, Order},
        tax::Relief,
    },
    ports::{Catalog as _, Stores},
};

/// A correction of an order.
#[derive(Clone, Debug)]
pub struct CorrectOrder {
    pub order: OrderId,
    pub correction: Correction,
}

/// Corrects an order of any owner. The rules of the catalog are read only if the place may be another; an order keeps its
/// products and its country, so they hold for whatever version the correction is made on.
pub async fn correct(
    stores: &impl Stores,
    context: &RequestContext<Staff>,
    command: CorrectOrder,
) -> Result<Moved, OrderError> {
    let rules = if command.correction.moves() {
        let order = orders::get_any(stores, context, command.order).await?;
        stores.catalog().snapshot(&query(&order)).await?
    } else {
        CatalogSnapshot::default()
    };
    let edit = |order: &mut Order| {
        let actor = Actor::Staff(context.who.user.clone());
        Ok(order.correct(&command.correction, &rules, actor, context.now)?)
    };
    orders::change_any(stores, context, command.order, edit, &|_| None).await
}

/// The rules that the order's destination was priced by.
fn query(order: &Order) -> CatalogQuery {
    let addresses = order.shipping_address.iter().chain([&order.billing_address]);
    CatalogQuery {
        skus: order.lines.iter().map(|line| line.sku.clone()).collect(),
        countries: addresses.map(country).collect(),
        certificate: match &order.relief {
            Some(Relief::Exempt(number)) => Some(number.clone()),
            Some(Relief::ReverseCharge(_)) | None => None,
        },
        ..CatalogQuery::default()
    }
}
