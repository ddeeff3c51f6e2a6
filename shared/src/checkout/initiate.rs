//! Opening a checkout session.

use crate::{
    checkout::{
        cart::{self, CartError},
        coupon,
        request_context::{Caller, RequestContext},
        session::{self, SessionError},
    },
    domain::{
        address::Address,
        cart_issue::CartIssue,
        coupon::CouponRefusal,
        ids::{CouponCode, ShippingMethodId},
        invalid::Invalid,
        money::Currency,
        priced::{Line, Priced},
        session::{Session, SessionStatus},
        tax::TaxStatus,
    },
    ports::{Catalog as _, Saved, Sessions as _, StoredResponse, Stores},
};

/// The input of a new checkout. Lines that are the same are merged already.
#[derive(Clone, Debug)]
pub struct Initiate {
    pub lines: Vec<Line>,
    /// None for the usual one: of the country that the parcel goes to, or the shop's.
    pub currency: Option<Currency>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub shipping_method: Option<ShippingMethodId>,
    /// Each once, in the order in which they are applied.
    pub coupons: Vec<CouponCode>,
    pub tax_status: TaxStatus,
    /// Whether the shopper has agreed to mail about this cart, if they leave it.
    pub recover_by_email: bool,
}

/// Why no checkout was opened.
#[derive(Debug, thiserror::Error)]
pub enum InitiateError {
    #[error(transparent)]
    Cart(#[from] CartError),
    /// A coupon doesn't apply, or not beside the others. `reason` is that of the first, `places` has all of them.
    #[error("a coupon doesn't apply")]
    Coupon { reason: CouponRefusal, currency: Currency, places: Vec<Invalid> },
    /// The certificate isn't valid for the address.
    #[error("{0}")]
    BadCertificate(String),
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
        currency: command.currency.unwrap_or(Currency::USD),
        lines: command.lines,
        shipping_address: command.shipping_address,
        billing_address: command.billing_address,
        shipping_method: command.shipping_method,
        coupons: command.coupons,
        tax_status: command.tax_status,
        recover_by_email: command.recover_by_email,
        priced: Priced::default(),
        payment_options: None,
        placed: Vec::new(),
        created_at: context.now,
        updated_at: context.now,
        active_at: context.now,
        abandoned_at: None,
    };
    let snapshot = stores.catalog().snapshot(&session::query(&session)).await.map_err(SessionError::Store)?;
    if command.currency.is_none() {
        let country = session.shipping_address.as_ref().map(session::country);
        session.currency = snapshot.rules.currencies.usual(country.as_deref());
    }
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

/// Refuses what can't be bought, and a coupon or a certificate that doesn't apply. Issues that the customer can still
/// resolve stay in the session.
fn refuse(session: &Session) -> Result<(), InitiateError> {
    cart::refuse(session, |_| true)?;
    let place = |code: &CouponCode| session.coupons.iter().position(|given| given == code).unwrap_or_default();
    let mut refused: Vec<_> = coupon::refusals(session).map(|(code, reason)| (place(code), reason)).collect();
    refused.sort_by_key(|(place, _)| *place);
    if let Some((_, reason)) = refused.first() {
        let detail = |(place, reason): &(usize, CouponRefusal)| {
            Invalid::new(format!("/couponCodes/{place}"), reason.detail(session.currency))
        };
        let places = refused.iter().map(detail).collect();
        return Err(InitiateError::Coupon { reason: *reason, currency: session.currency, places });
    }
    match session.priced.issues.iter().find(|issue| matches!(issue, CartIssue::TaxExemptionInvalid { .. })) {
        Some(issue) => Err(InitiateError::BadCertificate(issue.detail(session.currency))),
        None => Ok(()),
    }
}
