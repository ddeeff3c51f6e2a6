//! A stored session: the item in `DynamoDB` and the document in Redis.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, serde::rfc3339};

use uuid::Uuid;

use crate::{
    adapters::stored::{
        SCHEMA, Unreadable, abandonment,
        cart_issue::StoredCartIssue,
        check_schema,
        parts::{StoredApplied, StoredLine, StoredOffer, StoredSummary, StoredTax, all, each},
        payment_option::StoredPaymentOption,
    },
    domain::{
        address::Address,
        ids::{CertificateNumber, CheckoutId, CouponCode, OrderId, Owner, ShippingMethodId},
        money::Currency,
        priced::{AppliedCoupon, Line, Priced, PricedLine, Summary},
        session::{PlacedOrder, Session, SessionLife, SessionStatus},
        tax::{Relief, TaxStatus},
        vat::VatNumber,
    },
    ports::ChangeId,
};

/// How long a session that became an order is stored, so that a late retry of confirm finds its order.
const COMPLETED_LIFE: Duration = Duration::hours(24);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSession {
    pub checkout_id: CheckoutId,
    pub schema: u32,
    pub version: u64,
    /// The change that wrote this version: see [`ChangeId`].
    pub change_id: Uuid,
    /// When `DynamoDB` may delete it, in epoch seconds. The code doesn't rely on it.
    pub ttl: i64,
    owner: Owner,
    /// `open` or `completed`.
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    currency: Currency,
    items: Vec<StoredLine>,
    summary: StoredSummary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billing_address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_method_id: Option<ShippingMethodId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping: Option<StoredOffer>,
    #[serde(default)]
    offers: Vec<StoredOffer>,
    #[serde(default)]
    taxes: Vec<StoredTax>,
    /// None also in documents from before there were rules for payment methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_options: Option<Vec<StoredPaymentOption>>,
    #[serde(default)]
    #[serde(rename = "problems")]
    issues: Vec<StoredCartIssue>,
    /// Schema 1 had one coupon at most.
    #[serde(default, skip_serializing)]
    coupon: Option<CouponCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<CouponCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    applied: Vec<StoredApplied>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vat_number: Option<VatNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relief: Option<Relief>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    placed: Vec<PlacedOrder>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    active_at: OffsetDateTime,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    recover_by_email: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    abandoned_at: Option<OffsetDateTime>,
    /// With `abandonAt`, the key of the sparse index of sessions that will be abandoned. A completed session keeps the
    /// shard only: `reopen` needs no more than a time to put it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abandon_shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abandon_at: Option<String>,
}

pub const OPEN: &str = "open";
pub const COMPLETED: &str = "completed";

impl StoredSession {
    pub fn new(session: &Session, change: ChangeId, life: SessionLife) -> Self {
        let (status, order_id, kept) = match session.status {
            SessionStatus::Open => (OPEN, None, abandonment::kept(life)),
            SessionStatus::Completed { order } => (COMPLETED, Some(order), COMPLETED_LIFE),
        };
        let untold = life.abandoned_after.is_some() && session.abandoned_at.is_none();
        let abandon_at = abandonment::at(session.active_at, life).filter(|_| untold && status == OPEN);
        let priced = &session.priced;
        Self {
            checkout_id: session.id,
            schema: SCHEMA,
            version: session.version,
            change_id: change.0,
            ttl: delete_at(session.active_at, kept),
            owner: session.owner.clone(),
            status: status.to_owned(),
            order_id,
            currency: session.currency,
            items: each(&priced.lines),
            summary: (&priced.summary).into(),
            shipping_address: session.shipping_address.clone(),
            billing_address: session.billing_address.clone(),
            shipping_method_id: session.shipping_method.clone(),
            shipping: priced.shipping.as_ref().map(Into::into),
            offers: each(&priced.offers),
            taxes: each(&priced.taxes),
            payment_options: session.payment_options.as_ref().map(each),
            issues: each(&priced.issues),
            coupon: None,
            coupons: session.coupons.clone(),
            applied: each(&priced.coupons),
            certificate: session.tax_status.certificate.clone(),
            vat_number: session.tax_status.vat_number.clone(),
            relief: priced.relief.clone(),
            placed: session.placed.clone(),
            created_at: session.created_at,
            updated_at: session.updated_at,
            active_at: session.active_at,
            recover_by_email: session.recover_by_email,
            abandoned_at: session.abandoned_at,
            abandon_shard: untold.then(|| abandonment::shard(session.id)),
            abandon_at,
        }
    }
}

/// Epoch seconds at which an item with this last activity may be deleted.
pub fn delete_at(active_at: OffsetDateTime, life: Duration) -> i64 {
    active_at.saturating_add(life).unix_timestamp()
}

impl TryFrom<StoredSession> for Session {
    type Error = Unreadable;

    fn try_from(stored: StoredSession) -> Result<Self, Unreadable> {
        check_schema("session", stored.schema)?;
        let lines: Vec<PricedLine> = each(stored.items);
        let status = match (stored.status.as_str(), stored.order_id) {
            (OPEN, None) => SessionStatus::Open,
            (COMPLETED, Some(order)) => SessionStatus::Completed { order },
            (other, _) => return Err(Unreadable::new("session", format!("status {other}"))),
        };
        let summary: Summary = stored.summary.into();
        let mut applied: Vec<AppliedCoupon> = each(stored.applied);
        if let Some(code) = stored.coupon.clone().filter(|_| !summary.discount.is_zero()) {
            applied.push(AppliedCoupon { code, rule: String::new(), amount: summary.discount, automatic: false });
        }
        Ok(Self {
            id: stored.checkout_id,
            owner: stored.owner,
            status,
            version: stored.version,
            currency: stored.currency,
            lines: lines.iter().map(Line::from).collect(),
            shipping_address: stored.shipping_address,
            billing_address: stored.billing_address,
            shipping_method: stored.shipping_method_id,
            coupons: stored.coupons.into_iter().chain(stored.coupon).collect(),
            tax_status: TaxStatus { certificate: stored.certificate, vat_number: stored.vat_number },
            recover_by_email: stored.recover_by_email,
            priced: Priced {
                lines,
                summary,
                coupons: applied,
                relief: stored.relief,
                offers: each(stored.offers),
                shipping: stored.shipping.map(Into::into),
                taxes: each(stored.taxes),
                issues: all(stored.issues)?,
            },
            payment_options: stored.payment_options.map(each),
            placed: stored.placed,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            active_at: stored.active_at,
            abandoned_at: stored.abandoned_at,
        })
    }
}
