//! Asking for a link to an order, by its number and its customer's e-mail address.

use subtle::ConstantTimeEq as _;
use time::Duration;

use crate::{
    checkout::request_context::RequestContext,
    domain::{order_number::OrderNumber, text::canonical_email},
    ports::{LinkError, LinkRequest, LinkRequests as _, OrderLinks, Orders as _, StoreError, Stores},
};

/// How long a link is valid.
const LIFE: Duration = Duration::minutes(15);

#[derive(Clone, Debug)]
pub struct LookUpOrder {
    pub number: OrderNumber,
    pub email: String,
}

/// Why a request isn't taken. None of it depends on an order.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks for a link. Whether there is such an order with this address, its customer learns by mail, and nobody by the
/// answer: each request makes one read and one write, and the write has one size.
///
/// # Errors
/// The same for every number and address.
pub async fn look_up<Who: Sync>(
    stores: &impl Stores,
    links: &impl OrderLinks,
    context: &RequestContext<Who>,
    command: &LookUpOrder,
) -> Result<(), LookUpError> {
    let LookUpOrder { number, email } = command;
    let email = canonical_email(email);
    let now = context.now;
    let expires_at = (now + LIFE).replace_nanosecond(0).unwrap_or(now + LIFE);
    // Before any order is looked for.
    let decoy = context.ids.order;
    links.link(decoy, expires_at)?;
    let contacts = stores.orders().contacts(number).await?;
    let is_theirs = |address: &str| bool::from(canonical_email(address).as_bytes().ct_eq(email.as_bytes()));
    let found = contacts.iter().find(|contact| is_theirs(&contact.email)).map(|contact| contact.order);
    let order = found.unwrap_or(decoy);
    let request = LinkRequest {
        number: number.clone(),
        email,
        period: now.unix_timestamp().div_euclid(LIFE.whole_seconds()),
        matches: found.is_some(),
        order,
        link: links.link(order, expires_at)?,
        expires_at,
    };
    Ok(stores.stored_responses().request_link(&request).await?)
}
