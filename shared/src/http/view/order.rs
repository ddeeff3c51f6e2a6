//! Orders as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    domain::{
        order::{Actor, Order, Step},
        tax::Relief,
    },
    http::{
        cursor,
        view::{
            parts::{AddressView, CouponView, ExplanationView, ItemView, OfferView, OwnerView, SummaryView, TaxView},
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
    /// As staff see it: without the guest's id, which is as good as the guest's password.
    #[must_use]
    pub fn for_staff(mut self) -> Self {
        self.order.owner.hide_guest();
        self
    }

    /// With what the customer's browser needs to go on with the payment.
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
    order_id: String,
    order_number: String,
    checkout_id: String,
    status: &'static str,
    payment_method: &'static str,
    payment_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
    version: u64,
    currency: &'static str,
    items: Vec<ItemView>,
    summary: SummaryView,
    tax_breakdown: Vec<TaxView>,
    shipping_address: AddressView,
    billing_address: AddressView,
    shipping_method: OfferView,
    /// The first of `coupons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<CouponView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<CouponView>,
    /// Why no tax was charged where one would be due: the number of a certificate, or a VAT number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_exemption_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_number: Option<String>,
    #[serde(flatten)]
    owner: OwnerView,
    customer_info: CustomerView,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
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
#[serde(rename_all = "camelCase")]
struct CustomerView {
    email: String,
    first_name: String,
    last_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

#[derive(Debug, Serialize)]
struct StepView {
    status: &'static str,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    /// `customer`, `payment` or `staff`: which member of the staff is not the customer's business.
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        let actor = match step.actor {
            Actor::Customer => "customer",
            Actor::Staff(_) => "staff",
            Actor::Payment => "payment",
        };
        Self { status: step.status.name(), at: step.at, actor, note: step.note.clone() }
    }
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        Self {
            order_id: order.id.to_string(),
            order_number: order.number(),
            checkout_id: order.checkout.to_string(),
            status: order.status.name(),
            payment_method: order.payment.method.name(),
            payment_status: order.payment.status.name(),
            payment: order.payment.card.as_deref().map(Into::into),
            version: order.version,
            currency: order.currency.code(),
            items: order.lines.iter().map(Into::into).collect(),
            summary: order.summary.into(),
            tax_breakdown: order.taxes.iter().map(Into::into).collect(),
            shipping_address: (&order.shipping_address).into(),
            billing_address: (&order.billing_address).into(),
            shipping_method: (&order.shipping).into(),
            coupon: order.coupons.first().map(Into::into),
            coupons: order.coupons.iter().map(Into::into).collect(),
            tax_exemption_certificate: match &order.relief {
                Some(Relief::Exempt(number)) => Some(number.to_string()),
                _ => None,
            },
            vat_number: match &order.relief {
                Some(Relief::ReverseCharge(number)) => Some(number.to_string()),
                _ => None,
            },
            explain: Vec::new(),
            owner: (&order.owner).into(),
            customer_info: CustomerView {
                email: order.customer.email.clone(),
                first_name: order.customer.first_name.clone(),
                last_name: order.customer.last_name.clone(),
                phone: order.customer.phone.clone(),
            },
            notes: order.notes.clone(),
            tracking_number: order.tracking.number.clone(),
            carrier: order.tracking.carrier.clone(),
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
