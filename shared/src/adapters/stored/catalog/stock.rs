//! The stock of a product in a catalog file: how much there is, what may be sold beyond it, and how it is counted.

use serde::{Deserialize, Serialize};

use crate::domain::{
    counter::MOST_PARTS,
    invalid::Faults,
    product::{Backorder, StockRule},
    stock::{MOST_STOCK, StockMarks},
};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredBackorder {
    /// The most units that may be sold and not be there.
    limit: u32,
    /// Business days until the shop has them.
    available_in_days: u16,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of units, or \"unlimited\"")]
pub(super) enum StoredStock {
    Counted(u64),
    Unlimited(Unlimited),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Unlimited {
    Unlimited,
}

/// The most units on backorder, and the most business days until the shop has them.
const MOST_BACKORDERED: u32 = 1_000_000;
const LONGEST_WAIT: u16 = 365;
const NEVER_BEYOND: &str = "must be left out beside a backorder: a stock in parts is never sold beyond what is there";
const UNCOUNTED: &str = "must be left out: the stock isn't counted";

/// What a counter of the file opens with.
#[derive(Clone, Copy, Debug)]
pub struct OpeningStock {
    pub units: u64,
    pub marks: StockMarks,
    /// In how many parts it is counted.
    pub parts: u8,
}

impl StoredStock {
    pub(super) const fn rule(self) -> StockRule {
        match self {
            Self::Counted(_) => StockRule::Counted,
            Self::Unlimited(_) => StockRule::Unlimited,
        }
    }

    pub(super) const fn units(self) -> Option<u64> {
        match self {
            Self::Counted(units) => Some(units),
            Self::Unlimited(_) => None,
        }
    }
}

/// What may be sold beyond this stock.
pub(super) fn backorder(
    faults: &mut Faults,
    prefix: &str,
    stock: StoredStock,
    stored: Option<StoredBackorder>,
) -> Option<Backorder> {
    let StoredBackorder { limit, available_in_days } = stored?;
    let at = format!("{prefix}/backorder");
    if stock.units().is_none() {
        faults.add(&at, UNCOUNTED);
    }
    if !(1..=MOST_BACKORDERED).contains(&limit) {
        faults.add(format!("{at}/limit"), format!("must be 1 to {MOST_BACKORDERED} units"));
    }
    if !(1..=LONGEST_WAIT).contains(&available_in_days) {
        faults.add(format!("{at}/availableInDays"), format!("must be 1 to {LONGEST_WAIT} business days"));
    }
    Some(Backorder { limit, available_in_days })
}

/// It stands beside a stock that is counted. `elsewhere` is the fault without one.
pub(super) fn check_low_stock(
    faults: &mut Faults,
    prefix: &str,
    low_stock_at: Option<i64>,
    stock: Option<StoredStock>,
    elsewhere: &str,
) {
    let Some(units) = low_stock_at else { return };
    let at = format!("{prefix}/lowStockAt");
    if stands_beside_a_count(faults, &at, stock, elsewhere) && !(1..=MOST_STOCK.cast_signed()).contains(&units) {
        faults.add(at, format!("must be 1 to {MOST_STOCK} units"));
    }
}

/// Whether the stock beside it is counted. If not, that is its fault.
fn stands_beside_a_count(faults: &mut Faults, at: &str, stock: Option<StoredStock>, elsewhere: &str) -> bool {
    match stock {
        Some(StoredStock::Counted(_)) => return true,
        Some(StoredStock::Unlimited(_)) => faults.add(at, UNCOUNTED),
        None => faults.add(at, elsewhere),
    }
    false
}

/// It stands beside a stock that is counted and never sold beyond what is there. `elsewhere` is the fault without one.
pub(super) fn check_stock_parts(
    faults: &mut Faults,
    prefix: &str,
    parts: Option<i64>,
    (stock, backorder): (Option<StoredStock>, Option<StoredBackorder>),
    elsewhere: &str,
) {
    let Some(parts) = parts else { return };
    let at = format!("{prefix}/stockParts");
    if !stands_beside_a_count(faults, &at, stock, elsewhere) {
        return;
    }
    if check_parts(faults, &at, parts) && backorder.is_some() {
        faults.add(at, NEVER_BEYOND);
    }
}

/// Whether a counter may have so many parts. If not, that is a fault.
pub(super) fn check_parts(faults: &mut Faults, at: &str, parts: i64) -> bool {
    let may_be = (1..=i64::from(MOST_PARTS)).contains(&parts);
    if !may_be {
        faults.add(at, format!("must be 1 to {MOST_PARTS} parts"));
    }
    may_be
}
