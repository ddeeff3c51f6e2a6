//! Putting coupons on a session, and taking them off.

use crate::{
    checkout::{
        request_context::RequestContext,
        session::{self, Edit, SessionError},
    },
    domain::{
        cart_issue::CartIssue,
        catalog::{CatalogQuery, CatalogSnapshot},
        coupon::{CouponRefusal, MAX_COUPONS},
        ids::{CheckoutId, CouponCode},
        money::Currency,
        session::Session,
    },
    ports::Stores,
};

#[derive(Clone, Debug)]
pub struct ApplyCoupon {
    pub checkout: CheckoutId,
    pub code: CouponCode,
}

#[derive(Clone, Debug)]
pub struct RemoveCoupon {
    pub checkout: CheckoutId,
    /// Which one; else all.
    pub code: Option<CouponCode>,
}

/// Why a coupon wasn't taken. The session is as it was, with the coupons it had.
#[derive(Debug, thiserror::Error)]
pub enum CouponError {
    #[error("the coupon doesn't apply")]
    Refused { reason: CouponRefusal, currency: Currency },
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Applies a coupon beside those that are on, if they may be combined. One that doesn't apply any more gives way.
pub async fn apply(
    stores: &impl Stores,
    context: &RequestContext,
    command: ApplyCoupon,
) -> Result<Session, CouponError> {
    session::change(stores, context, command.checkout, &command).await
}

/// Takes a coupon off, or all; a session without it stays as it is.
pub async fn remove(
    stores: &impl Stores,
    context: &RequestContext,
    command: RemoveCoupon,
) -> Result<Session, SessionError> {
    session::change(stores, context, command.checkout, &command).await
}

impl Edit for ApplyCoupon {
    type Refusal = CouponError;

    fn ask(&self, query: &mut CatalogQuery) {
        query.coupons.insert(self.code.clone());
    }

    fn apply(&self, session: &mut Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), CouponError> {
        let dead: Vec<CouponCode> = refusals(session).map(|(code, _)| code.clone()).collect();
        session.coupons.retain(|code| !dead.contains(code));
        // One that is on keeps its place.
        if !session.coupons.contains(&self.code) {
            session.coupons.push(self.code.clone());
        }
        if session.coupons.len() > MAX_COUPONS {
            return Err(CouponError::Refused { reason: CouponRefusal::NotCombinable, currency: session.currency });
        }
        Ok(())
    }

    /// Refuses what the new coupon is refused for, and what it would do to another.
    fn check(&self, session: &Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), CouponError> {
        let mut refusals =
            refusals(session).filter(|(code, reason)| **code == self.code || *reason == CouponRefusal::NotCombinable);
        match refusals.next() {
            Some((_, reason)) => Err(CouponError::Refused { reason, currency: session.currency }),
            None => Ok(()),
        }
    }
}

/// The coupons that don't apply to the session as priced, and why.
pub(super) fn refusals(session: &Session) -> impl Iterator<Item = (&CouponCode, CouponRefusal)> {
    session.priced.issues.iter().filter_map(|issue| match issue {
        CartIssue::CouponNoLongerValid { coupon, reason } => Some((coupon, *reason)),
        _ => None,
    })
}

impl Edit for RemoveCoupon {
    type Refusal = SessionError;

    fn apply(&self, session: &mut Session, _: &CatalogSnapshot, _: &RequestContext) -> Result<(), SessionError> {
        session.coupons.retain(|code| self.code.as_ref().is_some_and(|gone| gone != code));
        Ok(())
    }
}
