//! Why a cart can't be taken as it is: what `initiate`, `PUT /items` and the shipping preview refuse of it.

use crate::domain::{
    cart_issue::{CartIssue, CartIssues},
    invalid::Invalid,
    money::Currency,
    priced::Line,
    session::Session,
};

/// Products that can't be bought like this.
#[derive(Debug, thiserror::Error)]
pub enum CartError {
    /// A line names a product that the shop doesn't sell, or not in this currency.
    #[error("a product isn't for sale")]
    NotForSale(Vec<Invalid>),
    #[error("not enough in stock")]
    InsufficientStock(CartIssues),
    /// The issues, and the same as faults with the place of each line.
    #[error("fewer of a product than an order must have")]
    TooFew(CartIssues, Vec<Invalid>),
    #[error("more of a product than one order may have")]
    TooMany(CartIssues, Vec<Invalid>),
    #[error("a product can't be shipped to the address")]
    NotShippable(CartIssues),
}

/// Refuses a cart with products that can't be bought, of those issues that `counts` says are the request's. All others
/// stay in the session, where the customer can resolve them.
pub(super) fn refuse(session: &Session, counts: impl Fn(&CartIssue) -> bool) -> Result<(), CartError> {
    let issues: Vec<CartIssue> = session.priced.issues.iter().filter(|issue| counts(issue)).cloned().collect();
    not_for_sale(&session.lines, &issues).map_err(CartError::NotForSale)?;
    if let Some(short) = those(&issues, session.currency, |issue| matches!(issue, CartIssue::OutOfStock { .. })) {
        return Err(CartError::InsufficientStock(short));
    }
    let too_few = |issue: &CartIssue| matches!(issue, CartIssue::MinPerOrderNotReached { .. });
    if let Some(few) = those(&issues, session.currency, too_few) {
        let faults = at_their_lines(&few, session);
        return Err(CartError::TooFew(few, faults));
    }
    let too_many = |issue: &CartIssue| matches!(issue, CartIssue::MaxPerOrderExceeded { .. });
    if let Some(many) = those(&issues, session.currency, too_many) {
        let faults = at_their_lines(&many, session);
        return Err(CartError::TooMany(many, faults));
    }
    match not_shippable(&issues, session.currency) {
        Some(barred) => Err(CartError::NotShippable(barred)),
        None => Ok(()),
    }
}

/// Each issue at the first line of its product.
fn at_their_lines(issues: &CartIssues, session: &Session) -> Vec<Invalid> {
    let faults = issues.list.iter().filter_map(|issue| {
        let product = &issue.sku()?.product;
        let index = session.lines.iter().position(|line| line.sku.product == *product)?;
        Some(Invalid::new(format!("/cartItems/{index}"), issue.detail(session.currency)))
    });
    faults.collect()
}

/// The products that can't be shipped to the address; none if there are none.
pub(super) fn not_shippable(issues: &[CartIssue], currency: Currency) -> Option<CartIssues> {
    those(issues, currency, |issue| matches!(issue, CartIssue::NotShippable { .. }))
}

/// Why nothing can be shipped to the address; none if something can.
pub(super) fn no_offer(issues: &[CartIssue], currency: Currency) -> Option<CartIssues> {
    those(issues, currency, CartIssue::leaves_no_offer)
}

fn those(issues: &[CartIssue], currency: Currency, wanted: impl Fn(&CartIssue) -> bool) -> Option<CartIssues> {
    let list: Vec<CartIssue> = issues.iter().filter(|issue| wanted(issue)).cloned().collect();
    (!list.is_empty()).then_some(CartIssues { currency, list })
}

/// # Errors
/// A fault for each cart item that the shop doesn't sell.
pub(super) fn not_for_sale(lines: &[Line], issues: &[CartIssue]) -> Result<(), Vec<Invalid>> {
    let faults = issues.iter().filter_map(|issue| match issue {
        CartIssue::ProductUnavailable { sku, why } => {
            let index = lines.iter().position(|line| line.sku == *sku).unwrap_or_default();
            Some(Invalid::new(format!("/cartItems/{index}"), format!("{}: {why}", sku.path())))
        }
        _ => None,
    });
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
