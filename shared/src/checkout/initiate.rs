//! Opening a checkout session.

use crate::{
    checkout::{
        request_context::{Caller, RequestContext},
        session::{self, SessionError},
    },
    domain::{
        address::Address,
        cart_issue::{CartIssue, CartIssues},
        ids::ShippingMethodId,
        invalid::Invalid,
        money::Currency,
        priced::{Line, Priced},
        session::{Session, SessionStatus},
        tax::TaxStatus,
    },
    ports::{Catalog as _, Saved, Sessions as _, StoredResponse, Stores},
};

/// The input of a new checkout. Lines of one SKU are merged already.
#[derive(Clone, Debug)]
pub struct Initiate {
    pub lines: Vec<Line>,
    pub currency: Currency,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub shipping_method: Option<ShippingMethodId>,
}

/// Why no checkout was opened.
#[derive(Debug, thiserror::Error)]
pub enum InitiateError {
    /// A line names a product that the shop doesn't sell, or not in this currency.
    #[error("a product isn't for sale")]
    NotForSale(Vec<Invalid>),
    #[error("not enough in stock")]
    InsufficientStock(CartIssues),
    /// The issues, and the same as faults with the place of each line.
    #[error("more of a product than one order may have")]
    TooMany(CartIssues, Vec<Invalid>),
    #[error("a product can't be shipped to the address")]
    NotShippable(CartIssues),
    #[error("another request with this idempotency key was answered first")]
    AlreadyAnswered,
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Prices the cart from the catalog and opens a session for it. `stored_response` makes the answer that is stored with the
/// session, in the same transaction.
pub async fn initiate(
    stores: &impl Stores,
    context: &RequestContext<Caller>,
    command: Initiate,
    stored_response: &(dyn Fn(&Session) -> Option<StoredResponse> + Sync),
) -> Result<Session, InitiateError> {
    let mut session = Session {
        id: context.ids.checkout,
        owner: context.who.owner.clone(),
        status: SessionStatus::Open,
        version: 1,
        currency: command.currency,
        lines: command.lines,
        shipping_address: command.shipping_address,
        billing_address: command.billing_address,
        shipping_method: command.shipping_method,
        coupons: Vec::new(),
        tax_status: TaxStatus::default(),
        priced: Priced::default(),
        placed: Vec::new(),
        created_at: context.now,
        updated_at: context.now,
        active_at: context.now,
    };
    let snapshot = stores.catalog().snapshot(&session::query(&session)).await.map_err(SessionError::Store)?;
    session::reprice(&mut session, &snapshot, context).map_err(SessionError::OutOfRange)?;
    refuse(&session)?;
    match stores
        .sessions()
        .create(&session, context.request(), stored_response(&session).as_ref(), context.deadline)
        .await
        .map_err(SessionError::Store)?
    {
        Saved::Done => Ok(session),
        Saved::AlreadyAnswered => Err(InitiateError::AlreadyAnswered),
        // The random id exists already: the client's next try gets another one.
        Saved::Conflict(_) => Err(SessionError::Contended.into()),
    }
}

/// Refuses a cart with products that can't be bought. Issues that the customer can still resolve stay in the session.
fn refuse(session: &Session) -> Result<(), InitiateError> {
    not_for_sale(&session.lines, &session.priced.issues).map_err(InitiateError::NotForSale)?;
    let of = |wanted: fn(&CartIssue) -> bool| {
        let list: Vec<_> = session.priced.issues.iter().filter(|p| wanted(p)).cloned().collect();
        (!list.is_empty()).then_some(CartIssues { currency: session.currency, list })
    };
    if let Some(short) = of(|p| matches!(p, CartIssue::OutOfStock { .. })) {
        return Err(InitiateError::InsufficientStock(short));
    }
    if let Some(many) = of(|p| matches!(p, CartIssue::MaxPerOrderExceeded { .. })) {
        let faults = many.list.iter().filter_map(|issue| {
            let product = &issue.sku()?.product;
            let index = session.lines.iter().position(|line| line.sku.product == *product)?;
            Some(Invalid::new(format!("/cartItems/{index}"), issue.detail(session.currency)))
        });
        let faults = faults.collect();
        return Err(InitiateError::TooMany(many, faults));
    }
    match of(|p| matches!(p, CartIssue::NotShippable { .. })) {
        Some(barred) => Err(InitiateError::NotShippable(barred)),
        None => Ok(()),
    }
}

/// # Errors
/// A fault for each cart item that the shop doesn't sell.
pub(super) fn not_for_sale(lines: &[Line], issues: &[CartIssue]) -> Result<(), Vec<Invalid>> {
    let faults = issues.iter().filter_map(|issue| match issue {
        CartIssue::ProductUnavailable { sku, why } => {
            let index = lines.iter().position(|line| line.sku == *sku).unwrap_or_default();
            Some(Invalid::new(format!("/cartItems/{index}"), format!("{sku}: {why}")))
        }
        _ => None,
    });
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
