//! A stored order: the item in `DynamoDB` and in its stream, and the document in Redis.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use uuid::Uuid;

use crate::{
    adapters::stored::{
        SCHEMA, Unreadable, check_schema,
        parts::{StoredApplied, StoredLine, StoredOffer, StoredSummary, StoredTax, each},
        payment::{StoredCard, StoredCash, due},
        same_members,
    },
    domain::{
        address::Address,
        correction::Corrected,
        counter::{Counter, PartUnits},
        ids::{CheckoutId, CouponCode, OrderId, Owner, Sku},
        lines::{Fulfillment, LineCancellation, Return},
        mailbox::Mailbox,
        money::Currency,
        note::{Note, NoteVisibility},
        open::{AddressKey, Open},
        order::{
            Actor, Cancellation, CouponHold, Customer, Order, OrderStatus, OrderVersion, Reserved, Step, Tracking,
        },
        order_change::OrderChange,
        payment::{Payment, PaymentMethod, PaymentStatus},
        payment_fee::PaymentFee,
        priced::{AppliedCoupon, Summary},
        tax::Relief,
    },
    ports::ChangeId,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOrder {
    owner: Owner,
    order_id: OrderId,
    schema: u32,
    pub version: u64,
    /// The change that wrote this version: see [`ChangeId`].
    pub change_id: Uuid,
    /// What this version changed. A set in `DynamoDB`, because the event takes it from the stream as a list of texts.
    /// Older orders have none until their next change.
    #[serde(with = "serde_dynamo::string_set", default, skip_serializing_if = "BTreeSet::is_empty")]
    changes: BTreeSet<OrderChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    versions: Vec<OrderVersion>,
    order_number: String,
    checkout_id: CheckoutId,
    status: OrderStatus,
    payment_method: PaymentMethod,
    payment_status: PaymentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card: Option<StoredCard>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancellation: Option<StoredCancellation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cash: Option<StoredCash>,
    /// With `due`, the key of the sparse index of due orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    currency: Currency,
    items: Vec<StoredLine>,
    summary: StoredSummary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_fee: Option<PaymentFee>,
    #[serde(default)]
    taxes: Vec<StoredTax>,
    /// None, as `shipping`, if nothing of it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    billing_address: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping: Option<StoredOffer>,
    /// Schema 1 had one coupon at most, with its hold in another member.
    #[serde(default, skip_serializing)]
    coupon: Option<CouponCode>,
    #[serde(default, skip_serializing)]
    reserved_coupon: Option<StoredHold>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<StoredApplied>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relief: Option<Relief>,
    #[serde(default)]
    reserved_stock: Vec<StoredReservation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reserved_coupons: Vec<StoredHold>,
    #[serde(default)]
    first_order: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mailbox: Option<Mailbox>,
    /// Older orders have none and are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<StoredOpen>,
    #[serde(flatten)]
    customer: Customer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fulfillments: Vec<Fulfillment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cancellations: Vec<LineCancellation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    returns: Vec<Return>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<Corrected>,
    history: Vec<StoredStep>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredReservation {
    #[serde(flatten)]
    sku: Sku,
    units: u32,
    /// From which parts of the counter, if it had several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<StoredPart>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredPart {
    part: u8,
    units: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredOpen {
    units: u32,
    #[serde(rename = "addressKey", default, skip_serializing_if = "Option::is_none")]
    address: Option<AddressKey>,
    at_address: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredHold {
    code: CouponCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_limit: Option<u32>,
    /// Of which part of the coupon's counter the use was taken, if it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_limit: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredStep {
    status: OrderStatus,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Set if there is a note. Older orders have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note_visibility: Option<NoteVisibility>,
}

impl From<&Step> for StoredStep {
    fn from(step: &Step) -> Self {
        let note = step.note.as_ref();
        Self {
            status: step.status,
            at: step.at,
            actor: step.actor.clone(),
            note: note.map(|note| note.text.clone()),
            note_visibility: note.map(|note| note.visibility),
        }
    }
}

impl From<StoredStep> for Step {
    fn from(StoredStep { status, at, actor, note, note_visibility }: StoredStep) -> Self {
        // When older notes were written, customers could read them; staff may not have known. So they are hidden now.
        let unsaid = || match actor {
            Actor::Staff(_) => NoteVisibility::Staff,
            Actor::Customer | Actor::Payment => NoteVisibility::Customer,
        };
        let visibility = note_visibility.unwrap_or_else(unsaid);
        Self { status, at, actor, note: note.map(|text| Note { text, visibility }) }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredCancellation {
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason_visibility: Option<NoteVisibility>,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
}

impl From<&Cancellation> for StoredCancellation {
    fn from(Cancellation { actor, reason, at }: &Cancellation) -> Self {
        Self {
            actor: actor.clone(),
            reason: reason.as_ref().map(|reason| reason.text.clone()),
            reason_visibility: reason.as_ref().map(|reason| reason.visibility),
            at: *at,
        }
    }
}

impl From<StoredCancellation> for Cancellation {
    fn from(StoredCancellation { actor, reason, reason_visibility, at }: StoredCancellation) -> Self {
        let visibility = reason_visibility.unwrap_or(NoteVisibility::Staff);
        Self { actor, reason: reason.map(|text| Note { text, visibility }), at }
    }
}

impl StoredOrder {
    pub fn new(order: &Order, change: ChangeId) -> Self {
        let reservation = |(sku, units): &(Sku, u32)| {
            let parts = order.reserved.taken(&Counter::Stock(sku.clone()));
            StoredReservation { sku: sku.clone(), units: *units, parts: each(parts) }
        };
        let hold = |hold: &CouponHold| {
            let CouponHold { code, total_limit, customer_limit } = hold.clone();
            let part = order.reserved.taken(&Counter::Coupon(code.clone())).first().map(|taken| taken.part);
            StoredHold { code, total_limit, part, customer_limit }
        };
        Self {
            owner: order.owner.clone(),
            order_id: order.id,
            schema: SCHEMA,
            version: order.version,
            change_id: change.0,
            changes: order.changes.clone(),
            versions: order.versions.clone(),
            order_number: order.number(),
            checkout_id: order.checkout,
            status: order.status,
            payment_method: order.payment.method,
            payment_status: order.payment.status,
            card: order.payment.card.as_deref().map(Into::into),
            cancellation: order.cancellation.as_ref().map(Into::into),
            cash: order.payment.cash.as_deref().map(Into::into),
            due_shard: order.payment.due().map(|_| due::shard(order.id)),
            due: order.payment.due().map(due::text),
            currency: order.currency,
            items: each(&order.lines),
            summary: (&order.summary).into(),
            payment_fee: order.payment_fee.clone(),
            taxes: each(&order.taxes),
            shipping_address: order.shipping_address.clone(),
            billing_address: order.billing_address.clone(),
            shipping: order.shipping.as_ref().map(Into::into),
            coupon: None,
            reserved_coupon: None,
            coupons: each(&order.coupons),
            relief: order.relief.clone(),
            reserved_stock: order.reserved.stock.iter().map(reservation).collect(),
            reserved_coupons: order.reserved.coupons.iter().map(hold).collect(),
            first_order: order.reserved.first_order,
            mailbox: order.reserved.mailbox.clone(),
            open: order.open.as_ref().map(Into::into),
            customer: order.customer.clone(),
            notes: order.notes.clone(),
            tracking_number: order.tracking.number.clone(),
            carrier: order.tracking.carrier.clone(),
            fulfillments: order.fulfillments.clone(),
            cancellations: order.line_cancellations.clone(),
            returns: order.returns.clone(),
            corrections: order.corrections.clone(),
            history: each(&order.history),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// What was taken from the parts of counters that have several.
fn taken(stock: &[StoredReservation], coupons: &[StoredHold]) -> BTreeMap<Counter, Vec<PartUnits>> {
    let stock = stock.iter().filter(|reserved| !reserved.parts.is_empty());
    let stock = stock.map(|reserved| (Counter::Stock(reserved.sku.clone()), each(reserved.parts.clone())));
    let one =
        |hold: &StoredHold| Some((Counter::Coupon(hold.code.clone()), vec![PartUnits { part: hold.part?, units: 1 }]));
    stock.chain(coupons.iter().filter_map(one)).collect()
}

impl From<StoredHold> for CouponHold {
    fn from(StoredHold { code, total_limit, part: _, customer_limit }: StoredHold) -> Self {
        Self { code, total_limit, customer_limit }
    }
}

same_members! {
    StoredPart = PartUnits { part, units }
    StoredOpen = Open { units, address, at_address }
}

impl TryFrom<StoredOrder> for Order {
    type Error = Unreadable;

    fn try_from(stored: StoredOrder) -> Result<Self, Unreadable> {
        check_schema("order", stored.schema)?;
        let due = stored.due.as_deref().map(due::parse).transpose()?;
        let summary: Summary = stored.summary.into();
        let old = stored.coupon.map(|code| AppliedCoupon {
            code,
            rule: String::new(),
            amount: summary.discount,
            automatic: false,
        });
        let mut order = Self {
            id: stored.order_id,
            owner: stored.owner,
            checkout: stored.checkout_id,
            status: stored.status,
            version: stored.version,
            changes: stored.changes,
            versions: stored.versions,
            payment: Payment {
                method: stored.payment_method,
                status: stored.payment_status,
                card: stored.card.map(|card| Box::new(card.read(due))),
                cash: StoredCash::read(stored.cash, stored.payment_method, stored.payment_status, summary.total),
            },
            cancellation: stored.cancellation.map(Into::into),
            currency: stored.currency,
            lines: each(stored.items),
            summary,
            payment_fee: stored.payment_fee,
            taxes: each(stored.taxes),
            shipping_address: stored.shipping_address,
            billing_address: stored.billing_address,
            shipping: stored.shipping.map(Into::into),
            coupons: stored.coupons.into_iter().map(Into::into).chain(old).collect(),
            relief: stored.relief,
            reserved: Reserved {
                parts: taken(&stored.reserved_stock, &stored.reserved_coupons),
                stock: stored.reserved_stock.into_iter().map(|reserved| (reserved.sku, reserved.units)).collect(),
                coupons: each(stored.reserved_coupon.into_iter().chain(stored.reserved_coupons)),
                first_order: stored.first_order,
                mailbox: stored.mailbox,
            },
            open: stored.open.map(Into::into),
            customer: stored.customer,
            notes: stored.notes,
            tracking: Tracking { number: stored.tracking_number, carrier: stored.carrier },
            fulfillments: stored.fulfillments,
            line_cancellations: stored.cancellations,
            returns: stored.returns,
            corrections: stored.corrections,
            history: each(stored.history),
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        };
        order.complete_line_records();
        Ok(order)
    }
}
