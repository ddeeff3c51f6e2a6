//! What units of a line are worth: their share of the line's total, to the cent.
//!
//! The first `k` of `n` units are worth `k/n` of the line, rounded down. What has gone back already is subtracted from
//! that. So in whatever order and in however many parts the units go back, all of them are worth exactly the line's
//! total.

use serde::{Deserialize, Serialize};

use crate::domain::{money::Minor, priced::PricedLine};

/// An amount, and the tax in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Share {
    pub amount: Minor,
    pub tax_amount: Minor,
}

/// What units of one line are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LineShare {
    pub line: usize,
    pub quantity: u32,
    /// How many of these units were shipped.
    pub shipped: u32,
    /// The goods, after discounts, with their tax.
    #[serde(flatten)]
    pub goods: Share,
    /// Their share of shipping, if it goes back too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Share>,
}

/// The lines of a refund. Empty for a refund of an amount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefundedLines {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<LineShare>,
    /// All that was left of shipping, of a refund without units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Share>,
    /// What was left of the payment method's fee, if it goes back too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_fee: Option<Share>,
    /// Of cash: what of the rounding goes back with the last of the order, so that no more and no less than what was
    /// received does. Negative if the total was rounded down.
    #[serde(rename = "cashRoundingAmount", default, skip_serializing_if = "Option::is_none")]
    pub cash_rounding: Option<i64>,
    /// Whether the units are in stock again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restock: bool,
}

/// The two parts of a line's total, which add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineParts {
    pub goods: Share,
    pub shipping: Share,
}

impl RefundedLines {
    /// Of a refund of an amount.
    pub const fn new() -> Self {
        Self { items: Vec::new(), shipping: None, payment_fee: None, cash_rounding: None, restock: false }
    }
}

impl Share {
    /// The first `units` of `quantity` units.
    fn first(self, units: u32, quantity: u32) -> Self {
        let of = |amount: Minor| amount.share(units.into(), quantity.into());
        Self { amount: of(self.amount), tax_amount: of(self.tax_amount) }
    }

    /// The difference; nothing where it would be negative.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self { amount: self.amount.less(other.amount), tax_amount: self.tax_amount.less(other.tax_amount) }
    }

    /// The sum.
    #[must_use]
    pub fn more(self, other: Self) -> Self {
        let sum = |a: Minor, b: Minor| a.plus(b).unwrap_or(Minor::MAX);
        Self { amount: sum(self.amount, other.amount), tax_amount: sum(self.tax_amount, other.tax_amount) }
    }

    /// At most `most` of it, with as much less tax.
    #[must_use]
    pub fn at_most(self, most: Minor) -> Self {
        if self.amount <= most {
            return self;
        }
        Self { amount: most, tax_amount: self.tax_amount.share(positive(most), positive(self.amount)) }
    }
}

impl LineParts {
    /// Splits a line's total. A tax that is calculated on goods and shipping is split as these are.
    pub fn of(line: &PricedLine, tax_included: bool) -> Self {
        let net = line.subtotal.less(line.discount);
        let mut tax = Minor::ZERO;
        let mut largest = net;
        for part in &line.taxes {
            let goods = net.less(part.untaxed.map_or(Minor::ZERO, |untaxed| untaxed.amount));
            let of_goods = part.amount.share(positive(goods), positive(part.taxable));
            tax = tax.plus(of_goods).unwrap_or(Minor::MAX);
            largest = largest.max(part.taxable);
        }
        // Old lines have their tax only as a sum, and no shipping.
        let tax = if line.taxes.is_empty() { line.tax } else { tax };
        let relief = line.relief.share(positive(net), positive(largest));
        let owed = if tax_included { Minor::ZERO } else { tax };
        let goods = net.plus(owed).unwrap_or(Minor::MAX).less(relief).min(line.total);
        Self {
            goods: Share { amount: goods, tax_amount: tax },
            shipping: Share { amount: line.total.less(goods), tax_amount: line.tax.less(tax) },
        }
    }
}

impl LineShare {
    /// What `cancelled` and `shipped` units are worth, after `settled`: the units of this line whose money has gone
    /// back before.
    pub fn of<'a>(
        line: usize,
        priced: &PricedLine,
        tax_included: bool,
        [cancelled, shipped]: [u32; 2],
        shipping: bool,
        settled: impl Iterator<Item = &'a Self>,
    ) -> Self {
        let parts = LineParts::of(priced, tax_included);
        let quantity = cancelled.saturating_add(shipped);
        let (mut units, mut goods) = (quantity, Share::default());
        let (mut units_with_shipping, mut paid_shipping) = (quantity, Share::default());
        for before in settled.filter(|before| before.line == line) {
            units = units.saturating_add(before.quantity);
            goods = goods.more(before.goods);
            if let Some(share) = before.shipping {
                units_with_shipping = units_with_shipping.saturating_add(before.quantity);
                paid_shipping = paid_shipping.more(share);
            }
        }
        let n = priced.quantity;
        let with_shipping = || parts.shipping.first(units_with_shipping, n).less(paid_shipping);
        Self {
            line,
            quantity,
            shipped,
            goods: parts.goods.first(units, n).less(goods),
            shipping: shipping.then(with_shipping),
        }
    }

    /// Goods and shipping.
    pub fn amount(&self) -> Minor {
        let shipping = self.shipping.unwrap_or_default();
        self.goods.amount.plus(shipping.amount).unwrap_or(Minor::MAX)
    }
}

/// The amount of all shares.
pub fn total_of<'a>(shares: impl IntoIterator<Item = &'a LineShare>) -> Minor {
    Minor::sum(shares.into_iter().map(LineShare::amount)).unwrap_or(Minor::MAX)
}

/// Cuts the shares so that all together are `most` at most: the last ones get less.
pub fn cut(shares: &mut [LineShare], mut most: Minor) {
    for share in shares {
        share.goods = share.goods.at_most(most);
        most = most.less(share.goods.amount);
        if let Some(shipping) = &mut share.shipping {
            *shipping = shipping.at_most(most);
            most = most.less(shipping.amount);
        }
    }
}

fn positive(amount: Minor) -> u64 {
    amount.get().unsigned_abs()
}
