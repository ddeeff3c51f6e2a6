//! Random lives: after each step, numbers, money, stock and status are true.

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use shared::{
    adapters::stored::order::StoredOrder,
    domain::{
        attributes::Attributes,
        ids::Sku,
        lines::{LineRefund, LineUnits, Tracking, UnitsToRefund},
        money::Minor,
        order::{Actor, Order, OrderStatus, Step},
        order_lines::{LineRefusal, Receipt, ReturnDecision},
        order_payment::ShippingTerms,
        order_refunds::RefundRequest,
        payment::{
            Capture, Intent, IntentStatus, NextAction, Payment, ProviderRefund, ProviderRefundStatus, RefundSource,
            Refunded,
        },
        price_limit::{TaxedAbove, Untaxed},
        priced::{LineTax, PricedLine},
    },
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{
    extras::{Extras, add, extras, minor},
    shown::{counted, money_adds_up, shown, status_is_true},
};

pub const NOW: OffsetDateTime = datetime!(2026-11-26 12:00 UTC);

const TERMS: ShippingTerms = ShippingTerms { uncaptured: true, despite_dispute: false };

#[derive(Clone, Debug)]
enum Act {
    Ship(u128, Units),
    ShipRest,
    Cancel(u128, Units),
    RefundLines {
        id: u128,
        units: Units,
        shipping: bool,
        fee: bool,
        restock: bool,
        only_shipped: bool,
    },
    RefundAmount(u128, i64),
    AskReturn(u128, Units, bool),
    Decide(u128, ReturnDecision),
    Deliver,
    CallOff,
    /// The provider does the next action; whether it accepts a refund.
    Provider {
        accepts: bool,
    },
}

/// Units by line: the first line's, the second's, …
type Units = Vec<u32>;

fn units() -> impl Strategy<Value = Units> {
    prop::collection::vec(prop_oneof![3 => Just(0_u32), 5 => 1..4_u32], 1..4)
}

fn act() -> impl Strategy<Value = Act> {
    let id = 1..6_u128;
    let decision = (0..3_u8, any::<[bool; 3]>()).prop_map(|(kind, [restock, refund, shipping])| match kind {
        0 => ReturnDecision::Approve,
        1 => ReturnDecision::Refuse,
        _ => ReturnDecision::Receive(Receipt { restock, refund, shipping }),
    });
    prop_oneof![
        4 => (id.clone(), units()).prop_map(|(id, units)| Act::Ship(id, units)),
        1 => Just(Act::ShipRest),
        4 => (id.clone(), units()).prop_map(|(id, units)| Act::Cancel(id, units)),
        5 => (id.clone(), units(), any::<[bool; 4]>()).prop_map(|(id, units, [shipping, fee, restock, only_shipped])| {
            Act::RefundLines { id, units, shipping, fee, restock, only_shipped }
        }),
        1 => (id.clone(), 1..3_000_i64).prop_map(|(id, amount)| Act::RefundAmount(id, amount)),
        4 => (id.clone(), units(), any::<bool>()).prop_map(|(id, units, staff)| Act::AskReturn(id, units, staff)),
        4 => (id, decision).prop_map(|(id, decision)| Act::Decide(id, decision)),
        1 => Just(Act::Deliver),
        1 => Just(Act::CallOff),
        5 => prop::bool::weighted(0.8).prop_map(|accepts| Act::Provider { accepts }),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Paid {
    Card,
    /// The bank holds the amount; it is captured at some time.
    Held,
    Cash,
}

#[derive(Clone, Debug)]
struct Case {
    lines: Vec<PricedLine>,
    tax_included: bool,
    paid: Paid,
    extras: Extras,
    acts: Vec<Act>,
}

/// A line whose tax may be on its shipping too, and whose included tax may not be owed.
pub fn line(tax_included: bool) -> impl Strategy<Value = PricedLine> {
    let amounts = (1..5_u32, 0..4_000_i64, 0..100_i64, 0..900_i64, 0..25_i64, any::<[bool; 3]>());
    (amounts, prop::bool::weighted(0.3)).prop_map(move |(amounts, digital)| {
        let (quantity, price, discount, shipping, rate, [on_shipping, relieved, free]) = amounts;
        let shipping = if digital { 0 } else { shipping };
        let subtotal = price * i64::from(quantity);
        let discount = subtotal * discount / 100;
        let net = subtotal - discount;
        // A part of the goods may be free because of its price.
        let free = if free && !tax_included { net / 3 } else { 0 };
        let untaxed = (free > 0).then(|| Untaxed { amount: minor(free), each: minor(free), taxed: TaxedAbove::Excess });
        let taxable = if on_shipping { net - free + shipping } else { net - free };
        let tax = if tax_included { taxable * rate / (100 + rate) } else { taxable * rate / 100 };
        let relief = if relieved && tax_included { tax } else { 0 };
        let tax = if relieved { 0 } else { tax };
        let owed = if tax_included { 0 } else { tax };
        PricedLine {
            sku: Sku { product: "beans".parse().expect("an id"), variant: None },
            attributes: Attributes::default(),
            quantity,
            digital,
            backorder: None,
            name: "Beans".to_owned(),
            unit_price: minor(price),
            quoted_price: minor(price),
            subtotal: minor(subtotal),
            discounts: Vec::new(),
            discount: minor(discount),
            shipping: minor(shipping),
            taxes: vec![LineTax { part: 0, taxable: minor(taxable), amount: minor(tax), unknown: None, untaxed }],
            tax: minor(tax),
            relief: minor(relief),
            total: minor(net + shipping + owed - relief),
        }
    })
}

fn case() -> impl Strategy<Value = Case> {
    let paid = prop::sample::select(vec![Paid::Card, Paid::Card, Paid::Held, Paid::Cash]);
    any::<bool>().prop_flat_map(move |tax_included| {
        let lines = prop::collection::vec(line(tax_included), 1..4);
        (lines, paid.clone(), extras(), prop::collection::vec(act(), 0..30))
            .prop_map(move |(lines, paid, extras, acts)| Case { lines, tax_included, paid, extras, acts })
    })
}

/// An order of these lines. The first two are of one product with different texts; all others have a stock counter of
/// their own.
pub fn order_of(lines: &[PricedLine], tax_included: bool) -> Order {
    let text = include_str!("../../../data/schema-1/order-confirmed.json");
    let stored: StoredOrder = serde_json::from_str(text).expect("a saved document");
    let mut order: Order = stored.try_into().expect("an order");
    order.lines = lines.to_vec();
    for (at, line) in order.lines.iter_mut().enumerate() {
        line.sku.product = format!("beans-{}", at.max(1)).parse().expect("an id");
        line.attributes = Attributes::parse(vec![("text".to_owned(), at.to_string())]).expect("attributes");
    }
    let mut taken: BTreeMap<Sku, u32> = BTreeMap::new();
    for line in &order.lines {
        *taken.entry(line.sku.clone()).or_default() += line.quantity;
    }
    order.reserved.stock = taken.into_iter().collect();
    let sum = |of: &dyn Fn(&PricedLine) -> Minor| Minor::sum(lines.iter().map(of)).expect("a sum");
    order.summary.total = sum(&|line| line.total);
    order.summary.tax = sum(&|line| line.tax);
    order.summary.tax_included = tax_included;
    order.history = vec![Step { status: OrderStatus::Confirmed, at: NOW, actor: Actor::Customer, note: None }];
    order
}

/// Paid by card: captured, or held by the bank.
pub fn by_card(order: &mut Order, capture: Capture) {
    let token = "pm_1".parse().expect("a token");
    order.payment = Payment::by_card(token, capture, NOW, Duration::minutes(30));
    order.status = OrderStatus::Pending;
    order.history = vec![Step { status: OrderStatus::Pending, at: NOW, actor: Actor::Customer, note: None }];
    let status = match capture {
        Capture::Automatic => IntentStatus::Captured(order.summary.total),
        Capture::Manual => IntentStatus::Authorized { until: None },
    };
    assert!(order.learn(&Intent { id: "pi_1".to_owned(), status, action: None }, None, NOW));
}

fn named(units: &[u32], lines: usize) -> Vec<LineUnits> {
    let units = units.iter().enumerate().map(|(line, quantity)| LineUnits { line, quantity: *quantity });
    units.filter(|units| units.quantity > 0 && units.line < lines).collect()
}

fn staff() -> Actor {
    Actor::Staff("grace".parse().expect("an id"))
}

/// Does it. Returns whether it is new, or why not.
fn act_on(order: &mut Order, act: &Act) -> Result<bool, LineRefusal> {
    let lines = order.lines.len();
    let id = |id: &u128| Uuid::from_u128(*id);
    match act {
        Act::Ship(own, units) | Act::Cancel(own, units) | Act::AskReturn(own, units, _)
            if named(units, lines).is_empty() =>
        {
            // Nothing to name: the edge refuses that.
            let _ = own;
            Ok(false)
        }
        Act::Ship(own, units) => order.fulfill(id(own), named(units, lines), Tracking::default(), TERMS, &staff(), NOW),
        Act::ShipRest => Ok(order.move_by_hand(OrderStatus::Shipped, TERMS, staff(), None, NOW)?),
        Act::Cancel(own, units) => order.cancel_lines(id(own), named(units, lines), None, &Actor::Customer, NOW),
        Act::RefundLines { id: own, units, shipping, fee, restock, only_shipped } => {
            let items = named(units, lines).into_iter();
            let items: Vec<_> = items.map(|units| UnitsToRefund { units, only_shipped: *only_shipped }).collect();
            let wanted = LineRefund {
                shipping: *shipping || (items.is_empty() && !fee),
                payment_fee: *fee,
                restock: *restock,
                items,
            };
            order.ask_line_refund(request(order, *own, None), &wanted, NOW)
        }
        Act::RefundAmount(own, amount) => {
            let wanted = request(order, *own, Some(minor(*amount)));
            Ok(order.ask_refund(wanted, NOW)?)
        }
        Act::AskReturn(own, units, by_staff) => {
            let actor = if *by_staff { staff() } else { Actor::Customer };
            order.ask_return(id(own), named(units, lines), None, actor, NOW)
        }
        Act::Decide(own, decision) => order.decide_return(id(own), *decision, None, &staff(), NOW),
        Act::Deliver => Ok(order.move_by_hand(OrderStatus::Delivered, TERMS, staff(), None, NOW)?),
        Act::CallOff => Ok(order.call_off(staff(), None, NOW)?),
        Act::Provider { accepts } => {
            provider(order, *accepts);
            Ok(true)
        }
    }
}

/// What staff ask for; of an order in cash it is paid back by hand.
pub fn request(order: &Order, id: u128, amount: Option<Minor>) -> RefundRequest {
    let source = if order.payment.card.is_some() { RefundSource::Shop } else { RefundSource::ByHand };
    RefundRequest { id: Uuid::from_u128(id), amount, reason: None, source, actor: staff() }
}

/// The provider does the next action.
pub fn provider(order: &mut Order, accepts: bool) {
    let intent = |status| Intent { id: "pi_1".to_owned(), status, action: None };
    match order.next_action(NOW) {
        Some(NextAction::Refund { refund, .. }) => {
            let amount = order.payment.refund(refund).expect("it is asked for").amount;
            let status = ProviderRefundStatus::Succeeded;
            let made = ProviderRefund { id: format!("re_{refund}"), ours: Some(refund), amount, status, at: NOW };
            let refused = || Refunded::Refused("expired_or_canceled_card".to_owned());
            order.learn_refund(refund, &if accepts { Refunded::Made(made) } else { refused() }, NOW);
        }
        Some(NextAction::Capture { amount, .. }) => {
            order.learn(&intent(IntentStatus::Captured(amount.unwrap_or(order.summary.total))), None, NOW);
        }
        Some(NextAction::Void(_)) => {
            order.learn(&intent(IntentStatus::Cancelled), None, NOW);
        }
        _ => {
            // Staff capture what the bank holds.
            let _ = order.ask_capture(None, NOW);
        }
    }
}

/// What the shop has in stock of an order's lines, given what its changes have given back.
struct Stock(BTreeMap<Sku, i64>);

impl Stock {
    fn of(order: &Order) -> Self {
        Self(order.reserved.stock.iter().map(|(sku, units)| (sku.clone(), -i64::from(*units))).collect())
    }

    /// A change is written: what it gives back is given back.
    fn take_back(&mut self, after: &mut Order, before: &Order) {
        for (sku, units) in after.follow(before).stock {
            *self.0.get_mut(&sku).expect("a counter of the order") += i64::from(units);
        }
    }
}

fn is_true(order: &Order, stock: &Stock) -> Result<(), TestCaseError> {
    let view = shown(order);
    let lines = counted(&view)?;
    money_adds_up(&view)?;
    status_is_true(&view, &lines)?;
    for (sku, change) in &stock.0 {
        let of_it = order.lines.iter().zip(&lines).filter(|(priced, _)| priced.sku == *sku);
        let out: u64 = of_it.map(|(_, line)| line.ordered - line.restocked).sum();
        prop_assert_eq!(-change, i64::try_from(out).expect("few"), "{:?}", sku);
    }
    let statuses: Vec<_> = order.history.iter().map(|step| step.status).collect();
    prop_assert!(statuses.windows(2).all(|pair| pair[0].next().contains(&pair[1])), "{:?}", statuses);
    // It is stored and read as it is.
    let stored = StoredOrder::new(order, shared::ports::ChangeId(Uuid::nil()));
    let text = serde_json::to_string(&stored).expect("JSON");
    let again: Order = serde_json::from_str::<StoredOrder>(&text).expect("JSON").try_into().expect("an order");
    prop_assert_eq!(&again, order);
    Ok(())
}

/// How often each kind of act was done.
type Done = BTreeMap<&'static str, usize>;

const fn kind(act: &Act) -> &'static str {
    match act {
        Act::Ship(..) => "ship",
        Act::ShipRest => "ship rest",
        Act::Cancel(..) => "cancel",
        Act::RefundLines { .. } => "refund lines",
        Act::RefundAmount(..) => "refund amount",
        Act::AskReturn(..) => "ask return",
        Act::Decide(_, ReturnDecision::Receive(_)) => "receive",
        Act::Decide(..) => "decide",
        Act::Deliver => "deliver",
        Act::CallOff => "call off",
        Act::Provider { .. } => "provider",
    }
}

fn live(case: &Case, done: &RefCell<Done>) -> Result<(), TestCaseError> {
    let mut order = order_of(&case.lines, case.tax_included);
    add(&mut order, case.extras.paid(matches!(case.paid, Paid::Cash)));
    match case.paid {
        Paid::Card => by_card(&mut order, Capture::Automatic),
        Paid::Held => by_card(&mut order, Capture::Manual),
        Paid::Cash => {}
    }
    let mut stock = Stock::of(&order);
    is_true(&order, &stock)?;
    for act in &case.acts {
        let before = order.clone();
        let mut next = order.clone();
        match act_on(&mut next, act) {
            Ok(true) => {
                *done.borrow_mut().entry(kind(act)).or_default() += 1;
                stock.take_back(&mut next, &before);
                order = next;
                // A repeated command is the same command. The provider and a refund that failed go on.
                if !matches!(act, Act::Provider { .. } | Act::ShipRest) {
                    let mut again = order.clone();
                    prop_assert_eq!(act_on(&mut again, act), Ok(false), "{:?}", act);
                    prop_assert_eq!(&again, &order, "{:?} twice", act);
                }
            }
            Ok(false) => prop_assert_eq!(&next, &order, "{:?}", act),
            // What is refused is not written.
            Err(_) => {}
        }
        is_true(&order, &stock)?;
    }
    Ok(())
}

#[test]
fn whatever_becomes_of_the_units_every_number_is_true() {
    let cases = std::env::var("PAYMENT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let done = RefCell::new(Done::new());
    TestRunner::new(config).run(&case(), |case| live(&case, &done)).unwrap_or_else(|error| panic!("{error}"));
    let done = done.into_inner();
    let least = usize::try_from(cases / 300).expect("a few");
    assert!(done.len() == 11 && done.values().all(|times| *times >= least), "too little was tried: {done:?}");
}
