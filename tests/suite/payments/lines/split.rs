//! However an order is refunded by line, all of it is exactly what was paid.

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use shared::domain::{
    lines::{LineRefund, LineUnits, RefundedLines, UnitsToRefund},
    money::Minor,
    order::{Actor, Order, OrderStatus},
    order_lines::LineRefusal,
    order_payment::{PaymentRefusal, ShippingTerms},
    payment::{Capture, RefundStatus},
    priced::PricedLine,
};

use super::{
    extras::{Extras, add, extras},
    life::{NOW, by_card, line, order_of, provider, request},
};

#[derive(Clone, Debug)]
struct Case {
    lines: Vec<PricedLine>,
    tax_included: bool,
    /// Whether everything is shipped first: otherwise the last refund cancels the order.
    shipped: bool,
    /// Which line, how many units, with their shipping, whether the provider accepts it.
    refunds: Vec<(usize, u32, bool, bool)>,
    /// The shipping alone, after so many of them, and the fee.
    shipping_after: usize,
    fee_after: usize,
    extras: Extras,
    in_cash: bool,
}

fn case() -> impl Strategy<Value = Case> {
    any::<bool>().prop_flat_map(|tax_included| {
        let refunds = prop::collection::vec((0..4_usize, 1..5_u32, any::<bool>(), prop::bool::weighted(0.8)), 0..12);
        let lines = prop::collection::vec(line(tax_included), 1..5);
        let how = (extras(), any::<bool>(), 0..12_usize);
        (lines, any::<bool>(), refunds, 0..12_usize, how).prop_map(
            move |(lines, shipped, refunds, shipping_after, (extras, in_cash, fee_after))| Case {
                lines,
                tax_included,
                shipped,
                refunds,
                shipping_after,
                fee_after,
                extras: extras.paid(in_cash),
                in_cash,
            },
        )
    })
}

fn staff() -> Actor {
    Actor::Staff("grace".parse().expect("an id"))
}

/// Refunds units, with their shipping or without; without units all that is left of shipping, or the fee.
fn refund(order: &mut Order, id: u128, units: Option<LineUnits>, shipping: bool) -> Result<bool, LineRefusal> {
    let fee = units.is_none() && !shipping;
    let items = units.into_iter().map(|units| UnitsToRefund { units, only_shipped: false }).collect();
    let wanted = LineRefund { items, shipping, payment_fee: fee, restock: false };
    let wanted_by = request(order, id, None);
    order.ask_line_refund(wanted_by, &wanted, NOW)
}

/// Only what is worth nothing, or isn't there, is refused.
fn is_fair(result: &Result<bool, LineRefusal>) -> Result<(), TestCaseError> {
    let fair = matches!(
        result,
        Ok(true)
            | Err(LineRefusal::NothingToRefund
                | LineRefusal::TooManyUnits { .. }
                | LineRefusal::NoSuchLine { .. }
                | LineRefusal::Payment(PaymentRefusal::MoreThanLeft { left: Minor::ZERO }))
    );
    prop_assert!(fair, "{:?}", result);
    Ok(())
}

fn all_goes_back(case: &Case) -> Result<(), TestCaseError> {
    let mut order = order_of(&case.lines, case.tax_included);
    add(&mut order, case.extras);
    let move_to = |order: &mut Order, status| order.move_by_hand(status, ShippingTerms::default(), staff(), None, NOW);
    if case.in_cash {
        prop_assert_eq!(move_to(&mut order, OrderStatus::Shipped), Ok(true));
        if order.status == OrderStatus::Shipped {
            prop_assert_eq!(move_to(&mut order, OrderStatus::Delivered), Ok(true));
        }
    } else {
        by_card(&mut order, Capture::Automatic);
        if case.shipped {
            prop_assert_eq!(move_to(&mut order, OrderStatus::Shipped), Ok(true));
        }
    }
    let mut ids = 100..;
    let mut next_id = || ids.next().expect("another");
    for (at, (line, quantity, shipping, accepts)) in case.refunds.iter().enumerate() {
        if at == case.shipping_after {
            is_fair(&refund(&mut order, next_id(), None, true))?;
        }
        if at == case.fee_after {
            is_fair(&refund(&mut order, next_id(), None, false))?;
        }
        let units = LineUnits { line: *line, quantity: *quantity };
        is_fair(&refund(&mut order, next_id(), Some(units), *shipping))?;
        if !case.in_cash {
            provider(&mut order, *accepts);
        }
    }
    // What is left: unit by unit, then the rest of each line, then shipping. A unit that is worth nothing waits for its
    // line's rest.
    for line in 0..order.lines.len() {
        for quantity in [1, 0] {
            let left = order.lines[line].quantity - order.line_counts()[line].refunded;
            let quantity = if quantity == 0 { left } else { quantity };
            if quantity > 0 {
                is_fair(&refund(&mut order, next_id(), Some(LineUnits { line, quantity }), false))?;
            }
        }
    }
    is_fair(&refund(&mut order, next_id(), None, true))?;
    is_fair(&refund(&mut order, next_id(), None, false))?;
    if let Some(cash) = &order.payment.cash {
        prop_assert_eq!((cash.left(), cash.refunded()), (Minor::ZERO, order.summary.total));
        return Ok(());
    }
    prop_assert_eq!(order.payment.left(), Minor::ZERO);
    let card = order.payment.card.as_ref().expect("a card");
    let standing = card.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
    let back = Minor::sum(standing.map(|refund| refund.amount));
    prop_assert_eq!(back, Ok(order.summary.total));
    // So does the tax, if each was refunded by line.
    let shares = card.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
    let by_line = shares.clone().all(|refund| refund.lines != RefundedLines::default());
    if by_line && order.line_counts().iter().all(|counts| counts.refunded == counts.ordered) {
        let tax = shares.flat_map(|refund| {
            let items = refund.lines.items.iter();
            let items = items.flat_map(|item| [Some(item.goods), item.shipping]).flatten();
            items.chain(refund.lines.shipping).chain(refund.lines.payment_fee).map(|share| share.tax_amount)
        });
        prop_assert_eq!(Minor::sum(tax), Ok(order.summary.tax));
    }
    Ok(())
}

#[test]
fn all_units_and_shipping_are_exactly_what_was_paid_in_whatever_parts() {
    let cases = std::env::var("PAYMENT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    TestRunner::new(config).run(&case(), |case| all_goes_back(&case)).unwrap_or_else(|error| panic!("{error}"));
}
