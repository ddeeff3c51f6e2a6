//! Putting a coupon on a session, and taking it off.

use crate::{
    checkout::{
        session::{self, Edit, SessionError},
        visit::Visit,
    },
    domain::{
        catalog::Tables,
        coupon::CouponRefusal,
        ids::{CheckoutId, CouponCode},
        session::Session,
    },
    ports::{Catalog, Sessions},
    pricing,
};

#[derive(Clone, Debug)]
pub struct ApplyCoupon {
    pub checkout: CheckoutId,
    pub code: CouponCode,
}

#[derive(Clone, Copy, Debug)]
pub struct RemoveCoupon {
    pub checkout: CheckoutId,
}

/// Why a coupon wasn't taken. The session is as it was, with the coupon it had.
#[derive(Debug, thiserror::Error)]
pub enum CouponError {
    #[error(transparent)]
    Refused(#[from] CouponRefusal),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Applies a coupon in the place of any other.
pub async fn apply(
    sessions: &impl Sessions,
    catalog: &impl Catalog,
    visit: &Visit,
    command: ApplyCoupon,
) -> Result<Session, CouponError> {
    session::change(sessions, catalog, visit, command.checkout, &command).await
}

/// Takes the coupon off; a session without one stays as it is.
pub async fn remove(
    sessions: &impl Sessions,
    catalog: &impl Catalog,
    visit: &Visit,
    command: RemoveCoupon,
) -> Result<Session, SessionError> {
    session::change(sessions, catalog, visit, command.checkout, &command).await
}

impl Edit for ApplyCoupon {
    type Refusal = CouponError;

    fn coupon(&self) -> Option<&CouponCode> {
        Some(&self.code)
    }

    fn apply(&self, session: &mut Session, _: &Tables, _: &Visit) -> Result<(), CouponError> {
        session.coupon = Some(self.code.clone());
        Ok(())
    }

    /// Looks again after pricing, for the reason in its own type: the lines have today's prices only now.
    fn check(&self, session: &Session, tables: &Tables, visit: &Visit) -> Result<(), CouponError> {
        let coupon = tables.coupon.as_ref().filter(|c| c.code == self.code).ok_or(CouponRefusal::Unknown)?;
        pricing::check_coupon(coupon, session.currency, tables, &session.priced.lines, visit.now)
            .map_err(SessionError::OutOfRange)??;
        Ok(())
    }
}

impl Edit for RemoveCoupon {
    type Refusal = SessionError;

    fn apply(&self, session: &mut Session, _: &Tables, _: &Visit) -> Result<(), SessionError> {
        session.coupon = None;
        Ok(())
    }
}
