//! A session as the client sees it.

use serde::Serialize;
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::{
    domain::{
        address::Address,
        ids::{CertificateNumber, CheckoutId, OrderId},
        money::Currency,
        session::{Session, SessionStatus},
        vat::VatNumber,
    },
    http::view::{
        cart_issue::CartIssueView,
        parts::{CouponView, ExplanationView, ItemView, OfferView, OwnerView, SummaryView, TaxView},
        payment_option::PaymentOptionView,
    },
};

/// A checkout session, with its prices as of now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    checkout_id: CheckoutId,
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["open", "completed"])))]
    status: &'static str,
    version: u64,
    currency: Currency,
    items: Vec<ItemView>,
    /// Whether it needs a shipping address and a method.
    requires_shipping: bool,
    summary: SummaryView,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method: Option<OfferView>,
    /// The first of `coupons` that was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<CouponView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<CouponView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_exemption_certificate: Option<CertificateNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_number: Option<VatNumber>,
    /// Whether the shopper has agreed to mail about this cart, if they leave it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recover_by_email: bool,
    #[serde(flatten)]
    owner: OwnerView,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    problems: Vec<CartIssueView>,
    explain: Vec<ExplanationView>,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    updated_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    expires_at: OffsetDateTime,
    /// The payment methods that the catalog's rules allow. Left out if it has no such rules, if there is nothing to pay, or
    /// without an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_methods: Option<Vec<PaymentOptionView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_methods: Option<Vec<OfferView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_breakdown: Option<Vec<TaxView>>,
}

impl SessionView {
    /// `now` is the last activity; the session expires `ttl` later.
    pub fn new(session: &Session, now: OffsetDateTime, ttl: Duration) -> Self {
        let (status, order_id) = match session.status {
            SessionStatus::Open => ("open", None),
            SessionStatus::Completed { order } => ("completed", Some(order)),
        };
        let priced = &session.priced;
        let coupons = CouponView::all(&session.coupons, &priced.coupons);
        Self {
            checkout_id: session.id,
            status,
            version: session.version,
            currency: session.currency,
            items: priced.lines.iter().map(Into::into).collect(),
            requires_shipping: priced.ships(),
            summary: priced.summary.into(),
            shipping_address: session.shipping_address.clone(),
            billing_address: session.billing_address.clone(),
            shipping_method: priced.shipping.as_ref().map(Into::into),
            coupon: CouponView::first(&coupons),
            coupons,
            tax_exemption_certificate: session.tax_status.certificate.clone(),
            vat_number: session.tax_status.vat_number.clone(),
            recover_by_email: session.recover_by_email,
            owner: (&session.owner).into(),
            order_id,
            problems: CartIssueView::all(&priced.issues, session.currency),
            explain: session.explain().into_iter().map(Into::into).collect(),
            created_at: session.created_at,
            updated_at: session.updated_at,
            expires_at: now.saturating_add(ttl),
            payment_methods: session.payment_options.as_ref().map(|all| all.iter().map(Into::into).collect()),
            shipping_methods: None,
            tax_breakdown: None,
        }
    }

    /// Adds all offers, for calculate-shipping and a page that was reloaded.
    #[must_use]
    pub fn with_offers(mut self, session: &Session) -> Self {
        self.shipping_methods = Some(session.priced.offers.iter().map(Into::into).collect());
        self
    }

    /// Adds the tax of each jurisdiction, for calculate-tax and a page that was reloaded.
    #[must_use]
    pub fn with_taxes(mut self, session: &Session) -> Self {
        self.tax_breakdown = Some(session.priced.taxes.iter().map(Into::into).collect());
        self
    }
}
