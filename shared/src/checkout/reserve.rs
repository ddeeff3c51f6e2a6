//! What an order reserves.

use crate::{
    checkout::session::SessionError,
    domain::{
        catalog::CatalogSnapshot,
        ids::CouponCode,
        mailbox::Mailbox,
        money::OutOfRange,
        order::{CouponHold, Reserved},
        session::Session,
    },
    pricing,
};

/// What the order takes from the counters: stock of counted products, and uses of coupons with limits. One customer's
/// own uses are counted for the session's owner and for the mailbox of `email`.
pub(super) fn reserved(session: &Session, snapshot: &CatalogSnapshot, email: &str) -> Result<Reserved, SessionError> {
    let mut reserved = Reserved::default();
    for (sku, wanted) in pricing::wanted(&session.lines, snapshot) {
        let units = u32::try_from(wanted.units).map_err(|_| SessionError::OutOfRange(OutOfRange))?;
        reserved.stock.push((sku, units));
    }
    // One that takes nothing off, for example off shipping that is free already, isn't used up.
    let offer = session.priced.shipping.as_ref();
    let reduces = |code: &CouponCode| offer.is_some_and(|offer| offer.reduced_by.contains(code));
    let used = session.priced.coupons.iter().filter(|applied| !applied.amount.is_zero() || reduces(&applied.code));
    let applied = used.filter_map(|applied| snapshot.coupons.get(&applied.code));
    for (coupon, _) in applied {
        reserved.first_order |= coupon.first_order_only;
        if coupon.total_limit.is_some() || coupon.customer_limit.is_some() {
            reserved.coupons.push(CouponHold {
                code: coupon.code.clone(),
                total_limit: coupon.total_limit,
                customer_limit: coupon.customer_limit,
            });
        }
    }
    let is_counted = reserved.first_order || reserved.coupons.iter().any(|hold| hold.customer_limit.is_some());
    reserved.mailbox = is_counted.then(|| Mailbox::of(email));
    Ok(reserved)
}
