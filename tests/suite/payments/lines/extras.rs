//! What a payment method adds to the lines of an order: a fee, and the rounding of cash.

use proptest::prelude::*;
use shared::domain::{cash_rounding, money::Minor, order::Order, payment_fee::PaymentFee};

/// What the payment method adds to the lines.
#[derive(Clone, Copy, Debug)]
pub struct Extras {
    /// A fee, and the percentage of its tax.
    fee: Option<(i64, i64)>,
    /// Whether it is paid in Swiss francs, in cash.
    coins: bool,
}

impl Extras {
    /// Only cash is rounded.
    pub const fn paid(self, in_cash: bool) -> Self {
        Self { coins: self.coins && in_cash, ..self }
    }
}

pub fn extras() -> impl Strategy<Value = Extras> {
    (prop::option::of((1..900_i64, 0..25_i64)), any::<bool>()).prop_map(|(fee, coins)| Extras { fee, coins })
}

/// Adds to the order what its payment method adds.
pub fn add(order: &mut Order, extras: Extras) {
    let mut total = order.summary.total;
    if let Some((amount, rate)) = extras.fee {
        let included = order.summary.tax_included;
        let tax = minor(if included { amount * rate / (100 + rate) } else { amount * rate / 100 });
        let owed = if included { Minor::ZERO } else { tax };
        let all = minor(amount).plus(owed).expect("an amount");
        order.payment_fee =
            Some(PaymentFee { amount: minor(amount), taxes: Vec::new(), tax, relief: Minor::ZERO, total: all });
        order.summary.payment_fee = minor(amount);
        order.summary.tax = order.summary.tax.plus(tax).expect("an amount");
        total = total.plus(all).expect("an amount");
    }
    if extras.coins {
        order.currency = "CHF".parse().expect("a currency");
        let rounded = cash_rounding::rounded(total, order.currency).expect("an amount");
        order.summary.cash_rounding = Some(rounded.get() - total.get());
        total = rounded;
    }
    order.summary.total = total;
}

pub fn minor(amount: i64) -> Minor {
    Minor::new(amount).expect("an amount")
}
