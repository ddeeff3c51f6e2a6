//! A stored session: the item in `DynamoDB` and the document in Redis.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::{
        SCHEMA, Unreadable,
        cart_issue::StoredCartIssue,
        check_schema,
        parts::{
            StoredAddress, StoredApplied, StoredLine, StoredOffer, StoredRelief, StoredSummary, StoredTax, all, code,
        },
    },
    domain::{
        priced::{AppliedCoupon, Line, Priced, PricedLine, Summary},
        session::{ACTIVITY_GRAIN, Session, SessionStatus},
        tax::TaxStatus,
    },
    ports::ChangeId,
};

/// How long a session that became an order stays readable, so that a late retry of confirm finds its order.
const COMPLETED_LIFE: Duration = Duration::hours(24);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSession {
    pub checkout_id: String,
    pub schema: u32,
    pub version: u64,
    /// The change that wrote this version: see [`ChangeId`].
    pub change_id: String,
    /// When `DynamoDB` may delete it, in epoch seconds. The code doesn't rely on it.
    pub ttl: i64,
    owner: String,
    /// `open` or `completed`.
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    currency: String,
    items: Vec<StoredLine>,
    summary: StoredSummary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_address: Option<StoredAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billing_address: Option<StoredAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_method_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping: Option<StoredOffer>,
    #[serde(default)]
    offers: Vec<StoredOffer>,
    #[serde(default)]
    taxes: Vec<StoredTax>,
    #[serde(default)]
    #[serde(rename = "problems")]
    issues: Vec<StoredCartIssue>,
    /// Schema 1 had one at most.
    #[serde(default, skip_serializing)]
    coupon: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    applied: Vec<StoredApplied>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vat_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relief: Option<StoredRelief>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    active_at: OffsetDateTime,
}

pub const OPEN: &str = "open";
pub const COMPLETED: &str = "completed";

impl StoredSession {
    /// `ttl` is the life of an open session from its last activity.
    pub fn new(session: &Session, change: ChangeId, ttl: Duration) -> Self {
        let (status, order_id, life) = match session.status {
            SessionStatus::Open => (OPEN, None, ttl + ACTIVITY_GRAIN),
            SessionStatus::Completed { order } => (COMPLETED, Some(order.to_string()), COMPLETED_LIFE),
        };
        let priced = &session.priced;
        Self {
            checkout_id: session.id.to_string(),
            schema: SCHEMA,
            version: session.version,
            change_id: change.0.to_string(),
            ttl: delete_at(session.active_at, life),
            owner: session.owner.to_string(),
            status: status.to_owned(),
            order_id,
            currency: session.currency.to_string(),
            items: priced.lines.iter().map(Into::into).collect(),
            summary: priced.summary.into(),
            shipping_address: session.shipping_address.as_ref().map(Into::into),
            billing_address: session.billing_address.as_ref().map(Into::into),
            shipping_method_id: session.shipping_method.as_ref().map(ToString::to_string),
            shipping: priced.shipping.as_ref().map(Into::into),
            offers: priced.offers.iter().map(Into::into).collect(),
            taxes: priced.taxes.iter().map(Into::into).collect(),
            issues: priced.issues.iter().map(Into::into).collect(),
            coupon: None,
            coupons: session.coupons.iter().map(ToString::to_string).collect(),
            applied: priced.coupons.iter().map(Into::into).collect(),
            certificate: session.tax_status.certificate.as_ref().map(ToString::to_string),
            vat_number: session.tax_status.vat_number.as_ref().map(ToString::to_string),
            relief: priced.relief.as_ref().map(Into::into),
            created_at: session.created_at,
            updated_at: session.updated_at,
            active_at: session.active_at,
        }
    }
}

/// Epoch seconds at which an item that was active then may go.
pub fn delete_at(active_at: OffsetDateTime, life: Duration) -> i64 {
    active_at.saturating_add(life).unix_timestamp()
}

impl TryFrom<StoredSession> for Session {
    type Error = Unreadable;

    fn try_from(stored: StoredSession) -> Result<Self, Unreadable> {
        check_schema("session", stored.schema)?;
        let fault = |e: &dyn std::fmt::Display| Unreadable::new("session", e);
        let lines: Vec<PricedLine> = all(stored.items)?;
        let status = match (stored.status.as_str(), stored.order_id) {
            (OPEN, None) => SessionStatus::Open,
            (COMPLETED, Some(order)) => SessionStatus::Completed { order: order.parse().map_err(|e| fault(&e))? },
            (other, _) => return Err(fault(&format!("status {other}"))),
        };
        let summary: Summary = stored.summary.try_into()?;
        let mut applied: Vec<AppliedCoupon> = all(stored.applied)?;
        if let Some(old) = stored.coupon.as_ref().filter(|_| !summary.discount.is_zero()) {
            applied.push(AppliedCoupon { code: code(old)?, rule: String::new(), amount: summary.discount });
        }
        Ok(Self {
            id: stored.checkout_id.parse().map_err(|e| fault(&e))?,
            owner: stored.owner.parse().map_err(|e| fault(&e))?,
            status,
            version: stored.version,
            currency: stored.currency.parse().map_err(|e| fault(&e))?,
            lines: lines.iter().map(Line::from).collect(),
            shipping_address: stored.shipping_address.map(Into::into),
            billing_address: stored.billing_address.map(Into::into),
            shipping_method: stored.shipping_method_id.map(|m| m.parse()).transpose().map_err(|e| fault(&e))?,
            coupons: stored.coupons.iter().chain(&stored.coupon).map(|c| code(c)).collect::<Result<_, _>>()?,
            tax_status: TaxStatus {
                certificate: stored.certificate.map(|c| c.parse()).transpose().map_err(|e| fault(&e))?,
                vat_number: stored.vat_number.map(|v| v.parse()).transpose().map_err(|e| fault(&e))?,
            },
            priced: Priced {
                lines,
                summary,
                coupons: applied,
                relief: stored.relief.map(TryInto::try_into).transpose()?,
                offers: all(stored.offers)?,
                shipping: stored.shipping.map(TryInto::try_into).transpose()?,
                taxes: all(stored.taxes)?,
                issues: all(stored.issues)?,
            },
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            active_at: stored.active_at,
        })
    }
}
