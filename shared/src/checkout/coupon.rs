//! Adding coupons to a session, and removing them.

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
    /// The coupon to remove; none for all.
    pub code: Option<CouponCode>,
}

/// Why a coupon was refused. The session and its coupons are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CouponError {
    #[error("the coupon doesn't apply")]
    Refused { reason: CouponRefusal, currency: Currency },
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Adds a coupon to those of the session, if they may be combined. Coupons that no longer apply are removed.
pub async fn apply(
    stores: &impl Stores,
    context: &RequestContext,
    command: ApplyCoupon,
) -> Result<Session, CouponError> {
    session::change(stores, context, command.checkout, &command).await
}

/// Removes one coupon, or all. A session without it stays unchanged.
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
        // A coupon that the session has already keeps its place.
        if !session.coupons.contains(&self.code) {
            session.coupons.push(self.code.clone());
        }
        if session.coupons.len() > MAX_COUPONS {
            return Err(CouponError::Refused { reason: CouponRefusal::NotCombinable, currency: session.currency });
        }
        Ok(())
    }

    /// Refuses if the new coupon doesn't apply, or if two coupons can't be combined.
    fn check(
        &self,
        _: &Session,
        session: &Session,
        _: &CatalogSnapshot,
        _: &RequestContext,
    ) -> Result<(), CouponError> {
        let mut refusals =
            refusals(session).filter(|(code, reason)| **code == self.code || *reason == CouponRefusal::NotCombinable);
        match refusals.next() {
            Some((_, reason)) => Err(CouponError::Refused { reason, currency: session.currency }),
            None => Ok(()),
        }
    }
}

/// The session's coupons that don't apply, with the reason.
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
