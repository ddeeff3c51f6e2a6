//! A stored payment by card, within its order.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::{
    adapters::stored::{Unreadable, parts::all},
    domain::{
        money::Minor,
        payment::{Capture, CardPayment, PaymentEvent, PaymentStatus, Refund, RefundStatus},
    },
};

/// The key of the index of due orders.
pub mod due {
    use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

    use crate::{adapters::stored::Unreadable, domain::ids::OrderId};

    /// In how many parts the index is: one part takes a thousand writes a second.
    pub const SHARDS: u8 = 8;

    /// By the random part of the order's id.
    pub fn shard(order: OrderId) -> String {
        let [.., last] = order.uuid().into_bytes();
        (last % SHARDS).to_string()
    }

    /// In UTC with just three decimals, so that texts sort as times do.
    pub fn text(at: OffsetDateTime) -> String {
        let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        at.to_offset(UtcOffset::UTC).format(form).unwrap_or_default()
    }

    pub fn parse(text: &str) -> Result<OffsetDateTime, Unreadable> {
        OffsetDateTime::parse(text, &Rfc3339).map_err(|e| Unreadable::new("due time", e))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredCard {
    /// Of payments whose provider was told who placed the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payer: Option<String>,
    token: String,
    /// `automatic` or `manual`.
    capture: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<String>,
    #[serde(with = "rfc3339")]
    #[serde(rename = "limit")]
    deadline: OffsetDateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action_seconds: Option<i64>,
    #[serde(default)]
    capture_asked: bool,
    captured: i64,
    #[serde(default)]
    refunds: Vec<StoredRefund>,
    events: Vec<StoredEvent>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRefund {
    refund_id: Uuid,
    amount: i64,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredEvent {
    status: String,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

const AUTOMATIC: &str = "automatic";
const MANUAL: &str = "manual";

impl From<&CardPayment> for StoredCard {
    fn from(card: &CardPayment) -> Self {
        let capture = match card.capture {
            Capture::Automatic => AUTOMATIC,
            Capture::Manual => MANUAL,
        };
        Self {
            payer: card.payer.as_ref().map(ToString::to_string),
            token: card.token.to_string(),
            capture: capture.to_owned(),
            intent: card.intent.clone(),
            deadline: card.deadline,
            action_seconds: card.action_time.map(Duration::whole_seconds),
            capture_asked: card.capture_asked,
            captured: card.captured.get(),
            refunds: card.refunds.iter().map(Into::into).collect(),
            events: card.events.iter().map(Into::into).collect(),
        }
    }
}

impl StoredCard {
    /// `due` stands beside it, because an index can't look inside.
    pub fn read(self, due: Option<OffsetDateTime>) -> Result<CardPayment, Unreadable> {
        let fault = |e: &dyn std::fmt::Display| Unreadable::new("card payment", e);
        let capture = match self.capture.as_str() {
            AUTOMATIC => Capture::Automatic,
            MANUAL => Capture::Manual,
            other => return Err(fault(&other)),
        };
        Ok(CardPayment {
            payer: self.payer.map(|payer| payer.parse()).transpose().map_err(|e| fault(&e))?,
            token: self.token.parse().map_err(|e| fault(&e))?,
            capture,
            intent: self.intent,
            deadline: self.deadline,
            action_time: self.action_seconds.map(Duration::seconds),
            due,
            capture_asked: self.capture_asked,
            captured: Minor::new(self.captured).map_err(|e| fault(&e))?,
            refunds: all(self.refunds)?,
            events: all(self.events)?,
        })
    }
}

impl From<&Refund> for StoredRefund {
    fn from(refund: &Refund) -> Self {
        let Refund { id, amount, status, reason, at } = refund;
        let status = status.name().to_owned();
        Self { refund_id: *id, amount: amount.get(), status, reason: reason.clone(), at: *at }
    }
}

impl TryFrom<StoredRefund> for Refund {
    type Error = Unreadable;

    fn try_from(stored: StoredRefund) -> Result<Self, Unreadable> {
        let StoredRefund { refund_id, amount, status, reason, at } = stored;
        let amount = Minor::new(amount).map_err(|e| Unreadable::new("refund", e))?;
        let status = RefundStatus::named(&status).ok_or_else(|| Unreadable::new("refund status", status))?;
        Ok(Self { id: refund_id, amount, status, reason, at })
    }
}

impl From<&PaymentEvent> for StoredEvent {
    fn from(event: &PaymentEvent) -> Self {
        let PaymentEvent { status, at, code } = event;
        Self { status: status.name().to_owned(), at: *at, code: code.clone() }
    }
}

impl TryFrom<StoredEvent> for PaymentEvent {
    type Error = Unreadable;

    fn try_from(stored: StoredEvent) -> Result<Self, Unreadable> {
        let StoredEvent { status, at, code } = stored;
        let status = PaymentStatus::named(&status).ok_or_else(|| Unreadable::new("payment status", status))?;
        Ok(Self { status, at, code })
    }
}
