//! Orders as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    checkout::request_context::CallerOrStaff,
    domain::{
        address::Address,
        ids::{CertificateNumber, CheckoutId, OrderId},
        money::{Currency, Minor},
        order::{Customer, Order, OrderStatus, Step},
        payment::{PaymentMethod, PaymentStatus},
        tax::Relief,
        vat::VatNumber,
    },
    http::{
        cursor,
        view::{
            lines::{CancellationView, FulfillmentView, OrderItemView, ReturnView, amount_due, side},
            parts::{CouponView, ExplanationView, OfferView, OwnerView, SummaryView, TaxView},
            payment::PaymentView,
        },
    },
    ports::OrderPage,
};

/// One order: `{"order": {…}}`.
#[derive(Debug, Serialize)]
pub struct OrderAnswer {
    pub order: OrderView,
}

impl From<&Order> for OrderAnswer {
    fn from(order: &Order) -> Self {
        let explain = order.explain().into_iter().map(Into::into).collect();
        Self { order: OrderView { explain, ..order.into() } }
    }
}

impl OrderAnswer {
    /// For staff: without the guest's id, because it works like the guest's password.
    #[must_use]
    pub fn for_staff(mut self) -> Self {
        self.order.owner.hide_guest();
        self
    }

    /// For the owner as it is, and for staff as for staff.
    #[must_use]
    pub fn shown_to(self, who: &CallerOrStaff) -> Self {
        if who.staff.is_some() { self.for_staff() } else { self }
    }

    /// Adds what the customer's browser needs to continue the payment.
    #[must_use]
    pub fn with_client_secret(mut self, secret: Option<String>) -> Self {
        if let Some(payment) = &mut self.order.payment {
            payment.client_secret = secret;
        }
        self
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    order_id: OrderId,
    order_number: String,
    checkout_id: CheckoutId,
    status: OrderStatus,
    payment_method: PaymentMethod,
    payment_status: PaymentStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
    version: u64,
    currency: Currency,
    items: Vec<OrderItemView>,
    summary: SummaryView,
    tax_breakdown: Vec<TaxView>,
    shipping_address: Address,
    billing_address: Address,
    shipping_method: OfferView,
    /// The first of `coupons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<CouponView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<CouponView>,
    /// Why no tax was charged where one is usually due: the number of a certificate, or a VAT number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_exemption_certificate: Option<CertificateNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_number: Option<VatNumber>,
    #[serde(flatten)]
    owner: OwnerView,
    customer_info: Customer,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    /// Of an order that isn't paid yet: its total less what was cancelled or returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_due: Option<Minor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fulfillments: Vec<FulfillmentView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cancellations: Vec<CancellationView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    returns: Vec<ReturnView>,
    status_history: Vec<StepView>,
    /// Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explain: Vec<ExplanationView>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
struct StepView {
    status: OrderStatus,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    /// `customer`, `payment` or `staff`. The customer doesn't see which member of the staff.
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        Self { status: step.status, at: step.at, actor: side(&step.actor), note: step.note.clone() }
    }
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        Self {
            order_id: order.id,
            order_number: order.number(),
            checkout_id: order.checkout,
            status: order.status,
            payment_method: order.payment.method,
            payment_status: order.payment.status,
            payment: order.payment.card.as_deref().map(Into::into),
            version: order.version,
            currency: order.currency,
            items: OrderItemView::all(order),
            summary: order.summary.into(),
            tax_breakdown: order.taxes.iter().map(Into::into).collect(),
            shipping_address: order.shipping_address.clone(),
            billing_address: order.billing_address.clone(),
            shipping_method: (&order.shipping).into(),
            coupon: order.coupons.first().map(Into::into),
            coupons: order.coupons.iter().map(Into::into).collect(),
            tax_exemption_certificate: match &order.relief {
                Some(Relief::Exempt(number)) => Some(number.clone()),
                _ => None,
            },
            vat_number: match &order.relief {
                Some(Relief::ReverseCharge(number)) => Some(number.clone()),
                _ => None,
            },
            explain: Vec::new(),
            owner: (&order.owner).into(),
            customer_info: order.customer.clone(),
            notes: order.notes.clone(),
            tracking_number: order.tracking.number.clone(),
            carrier: order.tracking.carrier.clone(),
            amount_due: amount_due(order),
            fulfillments: order.fulfillments.iter().map(Into::into).collect(),
            cancellations: order.line_cancellations.iter().map(Into::into).collect(),
            returns: order.returns.iter().map(Into::into).collect(),
            status_history: order.history.iter().map(Into::into).collect(),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// A page of orders: `{"orders": […], "nextCursor": "…"}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPageView {
    orders: Vec<OrderView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl From<&OrderPage> for OrderPageView {
    fn from(page: &OrderPage) -> Self {
        let next = page.next.map(cursor::text);
        Self { orders: page.orders.iter().map(Into::into).collect(), next_cursor: next }
    }
}
