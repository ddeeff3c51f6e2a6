//! Opening a checkout.

use crate::{
    checkout::{
        session::{self, SessionError},
        visit::{Caller, Visit},
    },
    domain::{
        address::Address,
        catalog::TablesQuery,
        ids::{ShippingMethodId, Sku},
        invalid::Invalid,
        money::Currency,
        priced::{Line, Priced, Problem, ProblemKind},
        session::{Session, SessionStatus},
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
    InsufficientStock(Vec<Problem>),
    #[error("a product can't be shipped to the address")]
    NotShippable(Vec<Problem>),
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
    let skus = command.lines.iter().map(|line| line.sku.clone()).collect();
    let query = TablesQuery { skus, coupon: None, customer: None };
    let tables = catalog.tables(&query).await.map_err(SessionError::Store)?;
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
        coupon: None,
        priced: Priced::default(),
        created_at: visit.now,
        updated_at: visit.now,
        active_at: visit.now,
    };
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
    let of = |kind: ProblemKind| -> Vec<Problem> {
        session.priced.problems.iter().filter(|p| p.kind == kind).cloned().collect()
    };
    let unavailable = of(ProblemKind::ProductUnavailable);
    if !unavailable.is_empty() {
        let faults = unavailable.into_iter().map(|problem| {
            let index = session.lines.iter().position(|line| problem.sku.as_ref() == Some(&line.sku));
            Invalid::new(format!("/cartItems/{}", index.unwrap_or_default()), sku_detail(&problem))
        });
        return Err(InitiateError::NotForSale(faults.collect()));
    }
    let short = of(ProblemKind::OutOfStock);
    if !short.is_empty() {
        return Err(InitiateError::InsufficientStock(short));
    }
    let barred = of(ProblemKind::NotShippable);
    if barred.is_empty() { Ok(()) } else { Err(InitiateError::NotShippable(barred)) }
}

fn sku_detail(problem: &Problem) -> String {
    problem.sku.as_ref().map_or_else(|| problem.detail.clone(), |sku: &Sku| format!("{sku}: {}", problem.detail))
}
