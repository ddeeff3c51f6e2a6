//! The state machine of an order's payment against a provider of a few lines: whatever happens in whatever order, no
//! illegal state, no double effect, and everything comes to its end.

mod case;
mod provider;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use shared::{
    adapters::stored::order::StoredOrder,
    domain::{
        money::Minor,
        note::Note,
        order::{Actor, Order, OrderStatus, Step},
        order_payment::ShippingTerms,
        order_refunds::RefundRequest,
        payment::{
            IntentStatus, Ledger, NextAction, Payment, PaymentStatus, ProviderRefundStatus, RefundSource, RefundStatus,
        },
    },
};
use strum::VariantArray as _;
use tests::servers::root;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use case::{Act, Case, case};
use provider::{Provider, ProviderReply};

const BEGIN: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const LIMIT: Duration = Duration::minutes(30);
const ACTION: Duration = Duration::minutes(10);
const REASON: &str = "changed my mind";

fn learn(order: &mut Order, reply: &ProviderReply, now: OffsetDateTime) -> bool {
    match reply {
        ProviderReply::Intent { intent, declined } => order.learn(intent, declined.as_deref(), now),
        ProviderReply::Nothing { declined } => order.learn_nothing_was_paid(declined.as_deref(), now),
        ProviderReply::Refund { id, refunded, ledger } => {
            let news = order.learn_refund(*id, refunded, now);
            ledger.as_ref().is_some_and(|ledger| order.learn_ledger(ledger, now)) || news
        }
        ProviderReply::Ledger(ledger) => order.learn_ledger(ledger, now),
    }
}

fn placed(case: &Case) -> Order {
    let text = include_str!("../../data/schema-1/order-confirmed.json");
    let stored: StoredOrder = serde_json::from_str(text).expect("a saved document");
    let mut order: Order = stored.try_into().expect("an order");
    let ((method, capture), token) = (case.terms(), "pm_1".parse().expect("a token"));
    order.payment = Payment::online(method, token, capture, BEGIN, LIMIT).with_action_time(ACTION);
    order.status = OrderStatus::Pending;
    order.history = vec![Step { status: OrderStatus::Pending, at: BEGIN, actor: Actor::Customer, note: None }];
    order
}

/// What may follow what in a payment. What was given up may come through all the same: it then goes back. Once captured,
/// the sums of refunds and disputes say how it stands.
fn may_follow(from: PaymentStatus, to: PaymentStatus) -> bool {
    use PaymentStatus::{Authorized, Cancelled, Declined, Paid, PartiallyPaid, Pending, Processing, RequiresAction};
    match from {
        Pending => matches!(to, RequiresAction | Processing | Authorized | Paid | PartiallyPaid | Declined | Cancelled),
        RequiresAction => matches!(to, Processing | Authorized | Paid | PartiallyPaid | Declined | Cancelled),
        Processing => matches!(to, Paid | PartiallyPaid | Declined | Cancelled),
        Authorized => matches!(to, Paid | PartiallyPaid | Cancelled),
        Declined | Cancelled => matches!(to, Authorized | Paid | PartiallyPaid),
        _ => to.is_captured(),
    }
}

fn is_legal(order: &Order, provider: &Provider, now: OffsetDateTime) -> Result<(), TestCaseError> {
    let statuses: Vec<_> = order.history.iter().map(|step| step.status).collect();
    prop_assert!(statuses.windows(2).all(|pair| pair[0].next().contains(&pair[1])), "{:?}", statuses);
    let card = order.payment.card.as_ref().expect("a card");
    let payment: Vec<_> = card.events.iter().map(|event| event.status).collect();
    prop_assert!(payment.windows(2).all(|pair| may_follow(pair[0], pair[1])), "{:?}", payment);
    prop_assert_eq!(payment.last(), Some(&order.payment.status));

    prop_assert!(card.captured.get() <= provider.captured(), "captured before it is");
    let sum = |part: fn(&shared::domain::payment::PaymentEvent) -> Option<Minor>| -> i64 {
        card.events.iter().filter_map(part).map(Minor::get).sum()
    };
    prop_assert_eq!(
        sum(|event| event.received) - sum(|event| event.paid_back),
        card.net().get(),
        "the history adds up to what the shop has"
    );
    let mut ids: Vec<_> = card.refunds.iter().map(|refund| refund.id).collect();
    ids.sort();
    ids.dedup();
    prop_assert_eq!(ids.len(), card.refunds.len(), "one id, two refunds");
    let is_bounced = card.refunds.iter().any(|refund| refund.status == RefundStatus::Failed);
    if order.status == OrderStatus::Cancelled && !is_bounced && card.disputes.is_empty() {
        prop_assert!(order.payment.left().is_zero(), "cancelled, and something was kept");
    }
    if !card.captured.is_zero() && card.given_back() >= card.captured {
        let waits = [OrderStatus::Pending, OrderStatus::Confirmed, OrderStatus::Processing];
        prop_assert!(!waits.contains(&order.status), "all goes back, and the goods may leave");
    }
    if order.payment.status == PaymentStatus::RequiresAction {
        let asked =
            card.events.iter().rfind(|event| event.status == PaymentStatus::RequiresAction).expect("it is told");
        prop_assert!(card.deadline <= asked.at + ACTION, "the customer's own time is over by then");
        prop_assert!(
            card.due.is_some_and(|due| due <= now.max(card.deadline) + Duration::minutes(3)),
            "{:?}",
            card.due
        );
    }
    let is_watched = order.is_under_way()
        || order.payment.status == PaymentStatus::Authorized
        || card.refunds.iter().any(|refund| refund.status == RefundStatus::Pending);
    prop_assert_eq!(order.payment.due().is_some(), is_watched, "somebody looks as long as something may happen");
    Ok(())
}

/// Learns it, and again: what is heard twice is no news.
fn learns(order: &mut Order, reply: &ProviderReply, now: OffsetDateTime) -> Result<(), TestCaseError> {
    learn(order, reply, now);
    let once = order.clone();
    prop_assert!(!learn(order, reply, now), "{:?} is news twice", reply);
    prop_assert_eq!(order, &once);
    Ok(())
}

fn live(case: &Case) -> Result<(), TestCaseError> {
    let mut order = placed(case);
    let mut now = BEGIN;
    let mut provider = Provider {
        card: case.card,
        capture: case.terms().1,
        kind: case.refunds,
        total: order.summary.total.get(),
        status: None,
        answered: None,
        ledger: Ledger::default(),
        keys: BTreeMap::new(),
        fails: false,
        now,
    };
    let mut told: Vec<ProviderReply> = Vec::new();
    let mut called_off = false;
    let own = order.id.uuid().as_u128();
    for act in &case.acts {
        provider.now = now;
        provider.happens(act);
        match act {
            Act::Next { lives } => {
                if let Some(next) = order.next_action(now) {
                    let reply = provider.does(&next);
                    told.push(reply.clone());
                    if *lives {
                        learns(&mut order, &reply, now)?;
                    }
                }
            }
            Act::Late(index) if !told.is_empty() => learns(&mut order, index.get(&told), now)?,
            Act::Webhook if provider.status.is_some() => {
                let reply = provider.does(&NextAction::Look("pi_1".to_owned()));
                learns(&mut order, &reply, now)?;
            }
            Act::LedgerWebhook => {
                let reply = provider.does(&NextAction::ReadLedger("pi_1".to_owned()));
                told.push(reply.clone());
                learns(&mut order, &reply, now)?;
            }
            Act::CallOff => {
                called_off |= order.call_off(Actor::Customer, Some(Note::for_customer(REASON)), now) == Ok(true);
            }
            Act::Replace => {
                let _ = order.give_up(now);
            }
            Act::Capture { amount } => {
                let _ = order.ask_capture(amount.map(|amount| Minor::new(amount).expect("an amount")), now);
            }
            Act::Refund { id, amount, by_hand } => {
                let amount = amount.map(|amount| Minor::new(amount).expect("an amount"));
                let source = if *by_hand { RefundSource::ByHand } else { RefundSource::Shop };
                let (id, actor) = (Uuid::from_u128(own.wrapping_add(*id)), Actor::Payment);
                let _ = order.ask_refund(RefundRequest { id, amount, reason: None, source, actor }, now);
            }
            Act::Move(to) => {
                let before = order.clone();
                let moved = order.move_by_hand(*to, ShippingTerms::default(), Actor::Payment, None, now);
                if moved == Ok(true) && *to == OrderStatus::Shipped {
                    prop_assert!(before.payment.status.is_captured(), "nothing leaves that isn't paid");
                    prop_assert_ne!(before.payment.status, PaymentStatus::Disputed);
                }
                called_off |= moved == Ok(true) && *to == OrderStatus::Cancelled;
            }
            Act::Wait { minutes } => now += Duration::minutes(*minutes),
            _ => {}
        }
        is_legal(&order, &provider, now)?;
    }
    comes_to_rest(order, &mut provider, now, called_off)
}

/// The reconciler goes on alone, and the provider's events come in the end.
fn comes_to_rest(
    mut order: Order,
    provider: &mut Provider,
    mut now: OffsetDateTime,
    called_off: bool,
) -> Result<(), TestCaseError> {
    for _ in 0..20 {
        now += Duration::minutes(10);
        // What is on its way arrives.
        for refund in &mut provider.ledger.refunds {
            if refund.status == ProviderRefundStatus::Pending {
                refund.status = ProviderRefundStatus::Succeeded;
            }
        }
        if provider.status == Some(IntentStatus::Processing) {
            provider.happens(&Act::Bank { success: true });
        }
        if provider.status.is_some() {
            let reply = provider.does(&NextAction::Look("pi_1".to_owned()));
            learns(&mut order, &reply, now)?;
            let reply = provider.does(&NextAction::ReadLedger("pi_1".to_owned()));
            learns(&mut order, &reply, now)?;
        }
        while let Some(next) = order.next_action(now) {
            let reply = provider.does(&next);
            let before = order.clone();
            learns(&mut order, &reply, now)?;
            is_legal(&order, provider, now)?;
            if order == before {
                break;
            }
        }
    }
    prop_assert_eq!(order.next_action(now), None);
    prop_assert_eq!(order.payment.due().is_some(), order.payment.status == PaymentStatus::Authorized);
    prop_assert_ne!(order.status, OrderStatus::Pending);
    let card = order.payment.card.as_ref().expect("a card");
    let by_hand = card.refunds.iter().filter(|refund| refund.source == RefundSource::ByHand);
    let by_hand: i64 = by_hand.map(|refund| refund.amount.get()).sum();
    let refunds = card.refunds.iter().filter(|refund| refund.status == RefundStatus::Succeeded);
    let refunds: i64 = refunds.map(|refund| refund.amount.get()).sum();
    prop_assert_eq!(refunds, provider.given_back() + by_hand, "refunds are the provider's, and those by hand");
    prop_assert_eq!(card.captured.get(), provider.captured(), "the money is the provider's");
    prop_assert_eq!(card.disputed().get(), provider.withdrawn(), "the disputes are the provider's");
    if order.status == OrderStatus::Cancelled {
        let failed = card.refunds.iter().any(|refund| refund.status == RefundStatus::Failed);
        let kept = provider.captured() - provider.given_back() - by_hand - provider.withdrawn();
        prop_assert!(kept <= 0 || failed || !card.disputes.is_empty(), "cancelled, and {} was kept", kept);
        prop_assert!(!provider.is_authorized(), "cancelled, and the amount is held");
    }
    if called_off {
        prop_assert_eq!(order.status, OrderStatus::Cancelled, "a cancellation that was accepted is done");
    }
    prop_assert_eq!(&order.cancellation, &None);
    let mine = order.history.iter().filter(|step| step.actor == Actor::Customer && step.note.is_some());
    prop_assert!(mine.into_iter().all(|step| step.note == Some(Note::for_customer(REASON))));
    Ok(())
}

#[test]
fn no_sequence_of_events_reaches_an_illegal_state_or_a_double_effect() {
    let cases = std::env::var("PAYMENT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    TestRunner::new(config).run(&case(), |case| live(&case)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_picture_in_the_document_is_of_this_machine() {
    let text = fs::read_to_string(root().join("docs/PAYMENTS.md")).expect("the document");
    let picture = text.split("```mermaid").nth(1).and_then(|rest| rest.split("```").next()).expect("a picture");
    let status = |name: &str| name.parse::<PaymentStatus>().unwrap_or_else(|_| panic!("{name}"));
    let (before, rest) = picture.split_once("state captured {").expect("the states of captured payments");
    let (inner, after) = rest.split_once('}').expect("its end");
    let captured: BTreeSet<_> = inner.split_whitespace().map(status).collect();
    let all = PaymentStatus::VARIANTS;
    assert_eq!(captured, all.iter().copied().filter(|status| status.is_captured()).collect());

    let arrows = before.lines().chain(after.lines());
    let arrows = arrows.filter_map(|line| line.trim().split(':').next()?.split_once(" --> "));
    let drawn: BTreeSet<_> = arrows
        .filter(|(from, _)| *from != "[*]")
        .flat_map(|(from, to)| match to {
            "captured" => vec![[status(from), PaymentStatus::Paid], [status(from), PaymentStatus::PartiallyPaid]],
            to => vec![[status(from), status(to)]],
        })
        .collect();
    let pairs = all.iter().flat_map(|from| all.iter().map(move |to| [*from, *to]));
    let possible: BTreeSet<_> =
        pairs.filter(|[from, to]| from != to && !from.is_captured() && may_follow(*from, *to)).collect();
    assert_eq!(drawn, possible);
}
