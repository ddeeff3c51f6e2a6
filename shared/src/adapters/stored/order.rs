//! A stored order: the item in `DynamoDB`, what its stream carries, and the document in Redis.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::{
        SCHEMA, Unreadable, check_schema,
        parts::{
            self, StoredAddress, StoredApplied, StoredLine, StoredOffer, StoredRelief, StoredSummary, StoredTax, all,
        },
        payment::{StoredCard, due},
    },
    domain::{
        open::{AddressKey, Open},
        order::{Actor, CouponHold, Customer, Order, OrderStatus, Reserved, Step, Tracking},
        payment::{Payment, PaymentMethod, PaymentStatus},
        priced::{AppliedCoupon, Summary},
    },
    ports::ChangeId,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOrder {
    owner: String,
    order_id: String,
    schema: u32,
    pub version: u64,
    /// The change that wrote this version: see [`ChangeId`].
    pub change_id: String,
    order_number: String,
    checkout_id: String,
    status: String,
    payment_method: String,
    payment_status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card: Option<StoredCard>,
    /// With `due`, the key of the sparse index of orders whose payment somebody has to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    currency: String,
    items: Vec<StoredLine>,
    summary: StoredSummary,
    #[serde(default)]
    taxes: Vec<StoredTax>,
    shipping_address: StoredAddress,
    billing_address: StoredAddress,
    shipping: StoredOffer,
    /// Schema 1 had one at most, and its hold beside it.
    #[serde(default, skip_serializing)]
    coupon: Option<String>,
    #[serde(default, skip_serializing)]
    reserved_coupon: Option<StoredHold>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<StoredApplied>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relief: Option<StoredRelief>,
    #[serde(default)]
    reserved_stock: Vec<StoredReservation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reserved_coupons: Vec<StoredHold>,
    #[serde(default)]
    first_order: bool,
    /// Orders from before there were limits have none, and are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<StoredOpen>,
    email: String,
    first_name: String,
    last_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    history: Vec<StoredStep>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredReservation {
    product_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant_id: Option<String>,
    units: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredOpen {
    units: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address_key: Option<String>,
    at_address: bool,
}

impl From<&Open> for StoredOpen {
    fn from(open: &Open) -> Self {
        let Open { units, address, at_address } = open;
        let address_key = address.as_ref().map(|key| key.as_str().to_owned());
        Self { units: *units, address_key, at_address: *at_address }
    }
}

impl From<StoredOpen> for Open {
    fn from(stored: StoredOpen) -> Self {
        let StoredOpen { units, address_key, at_address } = stored;
        Self { units, address: address_key.map(AddressKey::restore), at_address }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredHold {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_limit: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredStep {
    status: String,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    /// `customer`, `payment` or `staff#…`.
    actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl StoredOrder {
    pub fn new(order: &Order, change: ChangeId) -> Self {
        Self {
            owner: order.owner.to_string(),
            order_id: order.id.to_string(),
            schema: SCHEMA,
            version: order.version,
            change_id: change.0.to_string(),
            order_number: order.number(),
            checkout_id: order.checkout.to_string(),
            status: order.status.name().to_owned(),
            payment_method: order.payment.method.name().to_owned(),
            payment_status: order.payment.status.name().to_owned(),
            card: order.payment.card.as_deref().map(Into::into),
            due_shard: order.payment.due().map(|_| due::shard(order.id)),
            due: order.payment.due().map(due::text),
            currency: order.currency.to_string(),
            items: order.lines.iter().map(Into::into).collect(),
            summary: order.summary.into(),
            taxes: order.taxes.iter().map(Into::into).collect(),
            shipping_address: (&order.shipping_address).into(),
            billing_address: (&order.billing_address).into(),
            shipping: (&order.shipping).into(),
            coupon: None,
            reserved_coupon: None,
            coupons: order.coupons.iter().map(Into::into).collect(),
            relief: order.relief.as_ref().map(Into::into),
            reserved_stock: order
                .reserved
                .stock
                .iter()
                .map(|(sku, units)| StoredReservation {
                    product_id: sku.product.to_string(),
                    variant_id: sku.variant.as_ref().map(ToString::to_string),
                    units: *units,
                })
                .collect(),
            reserved_coupons: order.reserved.coupons.iter().map(Into::into).collect(),
            first_order: order.reserved.first_order,
            open: order.open.as_ref().map(Into::into),
            email: order.customer.email.clone(),
            first_name: order.customer.first_name.clone(),
            last_name: order.customer.last_name.clone(),
            phone: order.customer.phone.clone(),
            notes: order.notes.clone(),
            tracking_number: order.tracking.number.clone(),
            carrier: order.tracking.carrier.clone(),
            history: order.history.iter().map(StoredStep::from).collect(),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

impl From<&CouponHold> for StoredHold {
    fn from(hold: &CouponHold) -> Self {
        let CouponHold { code, total_limit, customer_limit } = hold;
        Self { code: code.to_string(), total_limit: *total_limit, customer_limit: *customer_limit }
    }
}

impl TryFrom<StoredHold> for CouponHold {
    type Error = Unreadable;

    fn try_from(stored: StoredHold) -> Result<Self, Unreadable> {
        let StoredHold { code, total_limit, customer_limit } = stored;
        Ok(Self { code: parts::code(&code)?, total_limit, customer_limit })
    }
}

impl From<&Step> for StoredStep {
    fn from(step: &Step) -> Self {
        let actor = match &step.actor {
            Actor::Customer => "customer".to_owned(),
            Actor::Staff(user) => format!("staff#{user}"),
            Actor::Payment => "payment".to_owned(),
        };
        Self { status: step.status.name().to_owned(), at: step.at, actor, note: step.note.clone() }
    }
}

impl TryFrom<StoredStep> for Step {
    type Error = Unreadable;

    fn try_from(stored: StoredStep) -> Result<Self, Unreadable> {
        let actor = match stored.actor.split_once('#') {
            None if stored.actor == "customer" => Actor::Customer,
            None if stored.actor == "payment" => Actor::Payment,
            Some(("staff", user)) => Actor::Staff(user.parse().map_err(|e| Unreadable::new("actor", e))?),
            _ => return Err(Unreadable::new("actor", "neither customer, staff nor payment")),
        };
        Ok(Self { status: status(&stored.status)?, at: stored.at, actor, note: stored.note })
    }
}

fn status(name: &str) -> Result<OrderStatus, Unreadable> {
    name.parse().map_err(|e| Unreadable::new("order status", e))
}

impl TryFrom<StoredOrder> for Order {
    type Error = Unreadable;

    fn try_from(stored: StoredOrder) -> Result<Self, Unreadable> {
        check_schema("order", stored.schema)?;
        let fault = |e: &dyn std::fmt::Display| Unreadable::new("order", e);
        let method = PaymentMethod::named(&stored.payment_method).ok_or_else(|| fault(&"payment method"))?;
        let payment = PaymentStatus::named(&stored.payment_status).ok_or_else(|| fault(&"payment status"))?;
        let stock = stored
            .reserved_stock
            .iter()
            .map(|r| Ok((parts::sku(&r.product_id, r.variant_id.as_deref())?, r.units)))
            .collect::<Result<_, Unreadable>>()?;
        let holds = stored.reserved_coupon.into_iter().chain(stored.reserved_coupons).collect();
        let reserved = Reserved { stock, coupons: all(holds)?, first_order: stored.first_order };
        let summary: Summary = stored.summary.try_into()?;
        let due = stored.due.as_deref().map(due::parse).transpose()?;
        let card = stored.card.map(|card| card.read(due)).transpose()?;
        let mut coupons: Vec<AppliedCoupon> = all(stored.coupons)?;
        if let Some(old) = &stored.coupon {
            coupons.push(AppliedCoupon { code: parts::code(old)?, rule: String::new(), amount: summary.discount });
        }
        Ok(Self {
            id: stored.order_id.parse().map_err(|e| fault(&e))?,
            owner: stored.owner.parse().map_err(|e| fault(&e))?,
            checkout: stored.checkout_id.parse().map_err(|e| fault(&e))?,
            status: status(&stored.status)?,
            version: stored.version,
            payment: Payment { method, status: payment, card: card.map(Box::new) },
            currency: stored.currency.parse().map_err(|e| fault(&e))?,
            lines: all(stored.items)?,
            summary,
            taxes: all(stored.taxes)?,
            shipping_address: stored.shipping_address.into(),
            billing_address: stored.billing_address.into(),
            shipping: stored.shipping.try_into()?,
            coupons,
            relief: stored.relief.map(TryInto::try_into).transpose()?,
            reserved,
            open: stored.open.map(Into::into),
            customer: Customer {
                email: stored.email,
                first_name: stored.first_name,
                last_name: stored.last_name,
                phone: stored.phone,
            },
            notes: stored.notes,
            tracking: Tracking { number: stored.tracking_number, carrier: stored.carrier },
            history: all(stored.history)?,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        })
    }
}
