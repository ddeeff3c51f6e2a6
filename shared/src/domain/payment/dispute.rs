//! Disputes: a customer objects to a payment at their bank, which takes the amount back until the dispute is decided.

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantArray};
use time::{OffsetDateTime, serde::rfc3339};

use crate::domain::{as_text::as_text, money::Minor};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Dispute {
    /// The provider's id.
    #[serde(rename = "disputeId")]
    pub id: String,
    pub amount: Minor,
    pub status: DisputeStatus,
    /// How often the amount has moved because of it: 1 when the bank has taken it back, 2 when the shop has it again.
    #[serde(default)]
    pub moves: u8,
    /// The bank's reason, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was opened.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    pub at: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks for information. It has not taken the amount back.
    Inquiry,
    /// The bank has taken the amount back, until the dispute is decided.
    Open,
    /// The shop has the amount again.
    Won,
    /// The customer keeps the amount.
    Lost,
    /// It ended without the amount being taken back.
    Closed,
}

as_text! {
    DisputeStatus: "dispute status",
}

impl DisputeStatus {
    /// Whether it isn't decided yet.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Inquiry | Self::Open)
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Inquiry => 0,
            Self::Open => 1,
            Self::Won | Self::Lost | Self::Closed => 2,
        }
    }
}

impl Dispute {
    /// What the bank has taken back because of it.
    pub const fn withdrawn(&self) -> Minor {
        if self.moves % 2 == 1 { self.amount } else { Minor::ZERO }
    }

    /// Whether this is a later state than `known`. A lost dispute may still be won, and then the amount moves again.
    pub fn is_after(&self, known: &Self) -> bool {
        (self.moves, self.status.rank()) > (known.moves, known.status.rank())
    }
}
