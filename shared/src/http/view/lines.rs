//! The units of an order's lines as the client sees them: parcels, cancellations and returns.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::{
    domain::{
        attributes::Attributes,
        lines::{Fulfillment, LineCancellation, LineCounts, LineShare, LineUnits, Return, ReturnStatus, Tracking},
        money::Minor,
        order::{Actor, Order},
        payment::PaymentMethod,
    },
    http::view::parts::ItemView,
};

/// An item of an order. `quantity` is what was ordered; the counts say what became of it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderItemView {
    /// What requests call this item.
    line: usize,
    #[serde(flatten)]
    item: ItemView,
    shipped_quantity: u32,
    cancelled_quantity: u32,
    /// By refunds of this line that haven't failed.
    refunded_quantity: u32,
    returned_quantity: u32,
}

impl OrderItemView {
    pub fn all(order: &Order) -> Vec<Self> {
        let counted = order.lines.iter().zip(order.line_counts()).enumerate();
        let view = |(line, (priced, counts)): (usize, (&_, LineCounts))| Self {
            line,
            item: ItemView::from(priced),
            shipped_quantity: counts.shipped,
            cancelled_quantity: counts.cancelled,
            refunded_quantity: counts.refunded,
            returned_quantity: counts.returned,
        };
        counted.map(view).collect()
    }
}

/// `customer`, `payment` or `staff`. The customer doesn't see which member of the staff.
pub const fn side(actor: &Actor) -> &'static str {
    match actor {
        Actor::Customer => "customer",
        Actor::Staff(_) => "staff",
        Actor::Payment => "payment",
    }
}

/// A parcel, or digital units that were handed over.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FulfillmentView {
    fulfillment_id: Uuid,
    items: Vec<FulfilledView>,
    #[serde(flatten)]
    tracking: Tracking,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    at: OffsetDateTime,
}

/// Units in a parcel, with what the shopper typed for them: who packs them needs it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct FulfilledView {
    #[serde(flatten)]
    units: LineUnits,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
}

impl FulfillmentView {
    /// The parcels of an order.
    pub fn all(order: &Order) -> Vec<Self> {
        let typed = |line: usize| order.lines.get(line).map(|line| line.attributes.clone()).unwrap_or_default();
        let view = |Fulfillment { id, items, tracking, at, actor: _ }: Fulfillment| Self {
            fulfillment_id: id,
            items: items.into_iter().map(|units| FulfilledView { units, attributes: typed(units.line) }).collect(),
            tracking,
            at,
        };
        order.fulfillments.iter().cloned().map(view).collect()
    }
}

/// Units that will not be shipped.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CancellationView {
    cancellation_id: Uuid,
    items: Vec<LineUnits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    restocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<LineShare>,
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["customer", "payment", "staff"])))]
    actor: &'static str,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    at: OffsetDateTime,
}

impl From<&LineCancellation> for CancellationView {
    fn from(cancellation: &LineCancellation) -> Self {
        let LineCancellation { id, items, reason, restocked, refund_id, credits, actor, at } = cancellation.clone();
        Self { cancellation_id: id, items, reason, restocked, refund_id, credits, actor: side(&actor), at }
    }
}

/// Units that come back, or are to.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReturnView {
    return_id: Uuid,
    items: Vec<LineUnits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    status: ReturnStatus,
    restocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<LineShare>,
    history: Vec<ReturnStepView>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct ReturnStepView {
    status: ReturnStatus,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    at: OffsetDateTime,
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["customer", "payment", "staff"])))]
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<&Return> for ReturnView {
    fn from(of: &Return) -> Self {
        let Return { id, items, reason, status, restocked, refund_id, credits, history } = of.clone();
        let step = history.into_iter().map(|step| ReturnStepView {
            status: step.status,
            at: step.at,
            actor: side(&step.actor),
            note: step.note,
        });
        Self { return_id: id, items, reason, status, restocked, refund_id, credits, history: step.collect() }
    }
}

/// What is still to be paid, of an order that is paid at the door or that the bank holds an amount for.
pub fn amount_due(order: &Order) -> Option<Minor> {
    let due = order.amount_due();
    (order.payment.method == PaymentMethod::CashOnDelivery || !due.is_zero()).then_some(due)
}
