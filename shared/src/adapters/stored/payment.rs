//! A stored payment, by card or in cash, as a part of its order.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::domain::{
    ids::Owner,
    money::Minor,
    payment::{
        Capture, CardPayment, CardToken, CashPayment, Dispute, PaymentCustomer, PaymentEvent, PaymentMethod,
        PaymentStatus, Refund, ReturnUrl,
    },
};

/// The key of the index of due orders.
pub mod due {
    use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

    use crate::{adapters::stored::Unreadable, domain::ids::OrderId};

    /// The number of shards of the index: each accepts a thousand writes a second.
    pub const SHARDS: u8 = 8;

    /// Chosen by the random part of the order's id.
    pub fn shard(order: OrderId) -> String {
        let [.., last] = order.uuid().into_bytes();
        (last % SHARDS).to_string()
    }

    /// In UTC with exactly three decimals, so that texts sort by time.
    pub fn text(at: OffsetDateTime) -> String {
        let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        at.to_offset(UtcOffset::UTC).format(form).unwrap_or_default()
    }

    pub fn parse(text: &str) -> Result<OffsetDateTime, Unreadable> {
        OffsetDateTime::parse(text, &Rfc3339).map_err(|e| Unreadable::new("due time", e))
    }
}

/// Stored cash, as a part of its order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredCash {
    received: Minor,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<Refund>,
}

impl From<&CashPayment> for StoredCash {
    fn from(cash: &CashPayment) -> Self {
        Self { received: cash.received, refunds: cash.refunds.clone() }
    }
}

impl StoredCash {
    /// Older orders store nothing of their cash but that it is paid: then all of it was.
    pub fn read(
        stored: Option<Self>,
        method: PaymentMethod,
        status: PaymentStatus,
        total: Minor,
    ) -> Option<Box<CashPayment>> {
        let paid = method == PaymentMethod::CashOnDelivery && status == PaymentStatus::Paid;
        let cash = stored.map(|Self { received, refunds }| CashPayment { received, refunds });
        cash.or_else(|| paid.then(|| CashPayment::new(total))).map(Box::new)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredCard {
    /// Set for older payments, whose provider was told who placed the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payer: Option<Owner>,
    token: CardToken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    return_url: Option<ReturnUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<PaymentCustomer>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    saves: bool,
    capture: Capture,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<String>,
    #[serde(with = "rfc3339")]
    #[serde(rename = "limit")]
    deadline: OffsetDateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action_seconds: Option<i64>,
    #[serde(default)]
    capture_asked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capture_amount: Option<Minor>,
    #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    capture_before: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    end_reported: bool,
    captured: Minor,
    #[serde(default)]
    refunds: Vec<Refund>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<Dispute>,
    events: Vec<PaymentEvent>,
}

impl From<&CardPayment> for StoredCard {
    fn from(card: &CardPayment) -> Self {
        Self {
            payer: card.payer.clone(),
            token: card.token.clone(),
            return_url: card.return_url.clone(),
            customer: card.customer.clone(),
            saves: card.saves,
            capture: card.capture,
            intent: card.intent.clone(),
            deadline: card.deadline,
            action_seconds: card.action_time.map(Duration::whole_seconds),
            capture_asked: card.capture_asked,
            capture_amount: card.capture_amount,
            capture_before: card.capture_before,
            end_reported: card.end_reported,
            captured: card.captured,
            refunds: card.refunds.clone(),
            disputes: card.disputes.clone(),
            events: card.events.clone(),
        }
    }
}

impl StoredCard {
    /// `due` is stored outside of it, because an index can't read nested members.
    pub fn read(self, due: Option<OffsetDateTime>) -> CardPayment {
        CardPayment {
            payer: self.payer,
            token: self.token,
            return_url: self.return_url,
            customer: self.customer,
            saves: self.saves,
            capture: self.capture,
            intent: self.intent,
            deadline: self.deadline,
            action_time: self.action_seconds.map(Duration::seconds),
            due,
            capture_asked: self.capture_asked,
            capture_amount: self.capture_amount,
            capture_before: self.capture_before,
            end_reported: self.end_reported,
            captured: self.captured,
            refunds: self.refunds,
            disputes: self.disputes,
            events: self.events,
        }
    }
}
