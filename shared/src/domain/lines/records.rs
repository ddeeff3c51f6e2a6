//! The records that an order keeps of its fulfillments, cancellations and returns.

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantArray};
use time::{OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::domain::{
    actor::Actor,
    as_text::as_text,
    lines::{LineShare, LineUnits},
};

/// The longest tracking number, and name of a carrier, in characters.
pub const LONGEST_TRACKING: usize = 100;

/// How a parcel is found at its carrier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Tracking {
    #[serde(rename = "trackingNumber", default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
}

impl Tracking {
    pub const fn is_empty(&self) -> bool {
        self.number.is_none() && self.carrier.is_none()
    }
}

/// Units that left in one parcel, or digital units that were handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfillment {
    /// The client makes the id. One id is shipped once. Units that `PUT …/status` ships have the order's own id.
    #[serde(rename = "fulfillmentId")]
    pub id: Uuid,
    pub items: Vec<LineUnits>,
    #[serde(flatten)]
    pub tracking: Tracking,
    pub actor: Actor,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// Units that will not be shipped. They were cancelled alone, or with the whole order, or by a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineCancellation {
    /// The client makes the id; after a refund by line it is the refund's, and of the whole order the order's own.
    #[serde(rename = "cancellationId")]
    pub id: Uuid,
    pub items: Vec<LineUnits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the units are in stock again.
    pub restocked: bool,
    /// The refund that pays them back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<Uuid>,
    /// What the customer needn't pay because of it, if it wasn't paid yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<LineShare>,
    pub actor: Actor,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// Units that the customer sends back, or wants to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Return {
    /// The client makes the id. One id is one return. After a refund by line it is the refund's.
    #[serde(rename = "returnId")]
    pub id: Uuid,
    pub items: Vec<LineUnits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub status: ReturnStatus,
    /// Whether the units are in stock again.
    pub restocked: bool,
    /// The refund that pays them back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<Uuid>,
    /// What the customer needn't pay because of it, if it wasn't paid yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<LineShare>,
    /// Oldest first.
    pub history: Vec<ReturnStep>,
}

/// One entry of a return's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnStep {
    pub status: ReturnStatus,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    pub actor: Actor,
    /// The customer reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case", parse_err_ty = NotAReturnStatus, parse_err_fn = not_a_return_status)]
pub enum ReturnStatus {
    /// The customer asked for it.
    Requested,
    /// The customer may send the units.
    Approved,
    /// The units stay with the customer, and another return of them may be asked for.
    Refused,
    /// The units have come back.
    Received,
}

as_text! { ReturnStatus: "return status" }

/// Why a text is not such a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of requested, approved, refused, received")]
pub struct NotAReturnStatus;

fn not_a_return_status(_: &str) -> NotAReturnStatus {
    NotAReturnStatus
}

impl ReturnStatus {
    /// The states that may follow this one. Goods may arrive before anybody has approved them.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Requested => &[Self::Approved, Self::Refused, Self::Received],
            Self::Approved => &[Self::Refused, Self::Received],
            Self::Refused | Self::Received => &[],
        }
    }

    /// Whether the units are to come back.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Approved)
    }
}

impl Return {
    /// A return without a history.
    pub const fn new(id: Uuid, items: Vec<LineUnits>, reason: Option<String>) -> Self {
        let status = ReturnStatus::Requested;
        Self { id, items, reason, status, restocked: false, refund_id: None, credits: Vec::new(), history: Vec::new() }
    }

    /// Sets the status, and adds it to the history.
    pub fn become_status(&mut self, status: ReturnStatus, actor: Actor, note: Option<String>, at: OffsetDateTime) {
        self.status = status;
        self.history.push(ReturnStep { status, at, actor, note });
    }
}
