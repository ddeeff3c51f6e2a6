//! What becomes of the units of an order's lines, as the order records it: fulfillments, cancellations and returns, and
//! what each unit is worth.

mod records;
mod shares;

pub use records::{Fulfillment, LONGEST_TRACKING, LineCancellation, Return, ReturnStatus, ReturnStep, Tracking};
pub use shares::{LineParts, LineShare, RefundedLines, Share, cut, total_of};

use serde::{Deserialize, Serialize};

/// Units of one line. `line` is its position in the order's `items`, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LineUnits {
    pub line: usize,
    pub quantity: u32,
}

/// Units of one line that are to be refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitsToRefund {
    pub units: LineUnits,
    /// Only of those that were shipped. Otherwise units that aren't shipped come first.
    pub only_shipped: bool,
}

/// A refund by line, as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineRefund {
    /// At most one for each line. Without any, only shipping or the fee is refunded.
    pub items: Vec<UnitsToRefund>,
    /// With the units' share of shipping; without units, all that is left of shipping.
    pub shipping: bool,
    /// With all that is left of the payment method's fee.
    pub payment_fee: bool,
    /// Whether the units are in stock again.
    pub restock: bool,
}

/// Where the units of one line are. Each unit of `ordered` is open, cancelled or shipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    pub ordered: u32,
    pub cancelled: u32,
    pub shipped: u32,
    /// Of those that were shipped: have come back.
    pub returned: u32,
    /// Of those that were shipped: are to come back.
    pub returning: u32,
    /// Were refunded by line, and the refund hasn't failed.
    pub refunded: u32,
    /// Of those that were cancelled: were refunded, or are no longer due.
    pub settled_cancelled: u32,
    /// Of those that were shipped: were refunded, or are no longer due.
    pub settled_shipped: u32,
}

impl LineCounts {
    /// Can still be shipped or cancelled.
    pub const fn open(self) -> u32 {
        self.ordered.saturating_sub(self.cancelled).saturating_sub(self.shipped)
    }

    /// Whether a unit of it was shipped or can still be.
    pub const fn stands(self) -> bool {
        self.cancelled < self.ordered
    }

    /// Are with the customer, and no return of them is asked for.
    pub const fn returnable(self) -> u32 {
        self.shipped.saturating_sub(self.returned).saturating_sub(self.returning)
    }

    /// Were cancelled, and their money hasn't gone back.
    pub const fn owed(self) -> u32 {
        self.cancelled.saturating_sub(self.settled_cancelled)
    }

    /// Were shipped, and their money hasn't gone back.
    pub const fn unsettled_shipped(self) -> u32 {
        self.shipped.saturating_sub(self.settled_shipped)
    }
}
