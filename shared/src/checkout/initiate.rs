//! Opening a checkout.

use crate::{
    checkout::{
        session::{self, SessionError},
        visit::{Caller, Visit},
    },
    domain::{
        address::Address,
        ids::ShippingMethodId,
        invalid::Invalid,
        money::Currency,
        priced::{Line, Priced},
        problem::{Problem, Problems},
        session::{Session, SessionStatus},
        tax::TaxStatus,
    },
    ports::{Catalog, Receipt, Saved, Sessions},
};

/// What to open a checkout with. Lines of one SKU have been merged.
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
    /// A line names something that the shop doesn't sell, or not in this currency.
    #[error("a product isn't for sale")]
    NotForSale(Vec<Invalid>),
    #[error("not enough in stock")]
    InsufficientStock(Problems),
    /// With the line that each is about.
    #[error("more of a product than one order may have")]
    TooMany(Problems, Vec<Invalid>),
    #[error("a product can't be shipped to the address")]
    NotShippable(Problems),
    #[error("another request with this idempotency key was answered first")]
    AlreadyAnswered,
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Prices the cart from the catalog and opens a session for it. `receipt` makes the answer that is stored with the
/// session, in the same transaction.
pub async fn initiate(
    sessions: &impl Sessions,
    catalog: &impl Catalog,
    visit: &Visit<Caller>,
    command: Initiate,
    receipt: impl Fn(&Session) -> Option<Receipt>,
) -> Result<Session, InitiateError> {
    let mut session = Session {
        id: visit.ids.checkout,
        owner: visit.who.owner.clone(),
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
        created_at: visit.now,
        updated_at: visit.now,
        active_at: visit.now,
    };
    let tables = catalog.tables(&session::query(&session)).await.map_err(SessionError::Store)?;
    session::reprice(&mut session, &tables, visit).map_err(SessionError::OutOfRange)?;
    refuse(&session)?;
    match sessions
        .create(&session, visit.change(0), receipt(&session).as_ref(), visit.deadline)
        .await
        .map_err(SessionError::Store)?
    {
        Saved::Done => Ok(session),
        Saved::AlreadyAnswered => Err(InitiateError::AlreadyAnswered),
        // A random id that exists already: the client's next try gets another.
        Saved::Conflict(_) => Err(SessionError::Contended.into()),
    }
}

/// A checkout is not opened with what can't be bought; problems that the customer can still mend stay in the session.
fn refuse(session: &Session) -> Result<(), InitiateError> {
    not_for_sale(&session.lines, &session.priced.problems).map_err(InitiateError::NotForSale)?;
    let of = |wanted: fn(&Problem) -> bool| {
        let list: Vec<_> = session.priced.problems.iter().filter(|p| wanted(p)).cloned().collect();
        (!list.is_empty()).then_some(Problems { currency: session.currency, list })
    };
    if let Some(short) = of(|p| matches!(p, Problem::OutOfStock { .. })) {
        return Err(InitiateError::InsufficientStock(short));
    }
    if let Some(many) = of(|p| matches!(p, Problem::MaxPerOrderExceeded { .. })) {
        let faults = many.list.iter().filter_map(|problem| {
            let product = &problem.sku()?.product;
            let index = session.lines.iter().position(|line| line.sku.product == *product)?;
            Some(Invalid::new(format!("/cartItems/{index}"), problem.detail(session.currency)))
        });
        let faults = faults.collect();
        return Err(InitiateError::TooMany(many, faults));
    }
    match of(|p| matches!(p, Problem::NotShippable { .. })) {
        Some(barred) => Err(InitiateError::NotShippable(barred)),
        None => Ok(()),
    }
}

/// # Errors
/// A fault for each cart item that the shop doesn't sell.
pub(super) fn not_for_sale(lines: &[Line], problems: &[Problem]) -> Result<(), Vec<Invalid>> {
    let faults = problems.iter().filter_map(|problem| match problem {
        Problem::ProductUnavailable { sku, why } => {
            let index = lines.iter().position(|line| line.sku == *sku).unwrap_or_default();
            Some(Invalid::new(format!("/cartItems/{index}"), format!("{sku}: {why}")))
        }
        _ => None,
    });
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
