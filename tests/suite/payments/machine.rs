//! The state machine of an order's payment against a provider of a few lines: whatever happens in whatever order, no
//! illegal state, no double effect, and everything comes to its end.

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
        order::{Actor, Order, OrderStatus, Step},
        payment::{Capture, Intent, IntentStatus, NextAction, Payment, PaymentStatus, RefundStatus, Refunded},
    },
};
use strum::VariantArray as _;
use tests::servers::root;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const BEGIN: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const LIMIT: Duration = Duration::minutes(30);
const ACTION: Duration = Duration::minutes(10);

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody does what is to be done next; whether they live to write down what they hear.
    Next {
        lives: bool,
    },
    /// Somebody writes down what they reply long ago.
    Late(prop::sample::Index),
    /// The provider says that something has changed.
    Webhook,
    Bank {
        success: bool,
    },
    /// The bank no longer holds the amount.
    Expire,
    CallOff,
    Capture,
    Refund {
        id: u128,
        amount: Option<i64>,
    },
    Move(OrderStatus),
    Wait {
        minutes: i64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => prop::bool::weighted(0.7).prop_map(|lives| Act::Next { lives }),
        3 => any::<prop::sample::Index>().prop_map(Act::Late),
        2 => Just(Act::Webhook),
        2 => prop::bool::weighted(0.7).prop_map(|success| Act::Bank { success }),
        1 => Just(Act::Expire),
        2 => Just(Act::CallOff),
        2 => Just(Act::Capture),
        // The order's own id is what a cancellation is refunded under.
        3 => (0..4_u128, prop::option::of(1..5_000_i64)).prop_map(|(id, amount)| Act::Refund { id, amount }),
        2 => prop::sample::select(OrderStatus::VARIANTS).prop_map(Act::Move),
        2 => (0..20_i64).prop_map(|minutes| Act::Wait { minutes }),
    ]
}

#[derive(Clone, Copy, Debug)]
enum CardKind {
    Good,
    Declined,
    /// Its bank wants to see the customer.
    Secured,
    /// Refused before there is a payment.
    Unknown,
}

#[derive(Clone, Debug)]
struct Case {
    card: CardKind,
    capture: Capture,
    refunds_work: bool,
    acts: Vec<Act>,
}

fn case() -> impl Strategy<Value = Case> {
    let card = prop::sample::select(vec![CardKind::Good, CardKind::Declined, CardKind::Secured, CardKind::Unknown]);
    let capture = prop::sample::select(vec![Capture::Automatic, Capture::Manual]);
    (card, capture, prop::bool::weighted(0.8), prop::collection::vec(act(), 0..40))
        .prop_map(|(card, capture, refunds_work, acts)| Case { card, capture, refunds_work, acts })
}

/// What somebody reply from the provider.
#[derive(Clone, Debug)]
enum ProviderReply {
    Intent { intent: Intent, declined: Option<String> },
    Nothing { declined: Option<String> },
    Refund { id: Uuid, refunded: Refunded },
}

/// One payment at the provider, as Stripe documents it.
#[derive(Debug)]
struct Provider {
    card: CardKind,
    capture: Capture,
    refunds_work: bool,
    total: i64,
    /// How it stands, once it has begun.
    status: Option<IntentStatus>,
    /// What the first request was answered, and so each one with its key.
    answered: Option<IntentStatus>,
    refunds: BTreeMap<Uuid, (i64, Refunded)>,
}

impl Provider {
    fn captured(&self) -> i64 {
        match self.status {
            Some(IntentStatus::Captured(amount)) => amount.get(),
            _ => 0,
        }
    }

    fn refunded(&self) -> i64 {
        self.refunds.values().filter(|(_, how)| *how == Refunded::Succeeded).map(|(amount, _)| amount).sum()
    }

    fn paid(&self) -> IntentStatus {
        match self.capture {
            Capture::Automatic => IntentStatus::Captured(Minor::new(self.total).expect("an amount")),
            Capture::Manual => IntentStatus::Authorized,
        }
    }

    fn reply(status: IntentStatus) -> ProviderReply {
        ProviderReply::Intent { intent: Intent { id: "pi_1".to_owned(), status, client_secret: None }, declined: None }
    }

    fn now(&self) -> ProviderReply {
        Self::reply(self.status.clone().expect("it was asked for"))
    }

    fn pay(&mut self) -> ProviderReply {
        if matches!(self.card, CardKind::Unknown) {
            return ProviderReply::Nothing { declined: Some("resource_missing".to_owned()) };
        }
        let first = match self.card {
            CardKind::Good => self.paid(),
            CardKind::Secured => IntentStatus::RequiresAction,
            CardKind::Declined | CardKind::Unknown => IntentStatus::Declined("card_declined".to_owned()),
        };
        let answer = self.answered.get_or_insert(first).clone();
        let status = self.status.get_or_insert(answer.clone()).clone();
        // That the customer is asked is looked at once more.
        self.decided(if answer == IntentStatus::RequiresAction { status } else { answer })
    }

    /// Declined, it is cancelled first.
    fn decided(&mut self, status: IntentStatus) -> ProviderReply {
        let IntentStatus::Declined(code) = status else { return Self::reply(status) };
        self.cancel();
        let ProviderReply::Intent { intent, .. } = self.now() else { unreachable!("it is one") };
        ProviderReply::Intent { intent, declined: Some(code) }
    }

    fn cancel(&mut self) {
        if !matches!(self.status, None | Some(IntentStatus::Captured(_))) {
            self.status = Some(IntentStatus::Cancelled);
        }
    }

    fn does(&mut self, next: &NextAction) -> ProviderReply {
        match next {
            NextAction::Pay => self.pay(),
            NextAction::Look(_) => self.decided(self.status.clone().expect("it has a name")),
            NextAction::GiveUp(None) if self.status.is_none() => ProviderReply::Nothing { declined: None },
            NextAction::GiveUp(_) | NextAction::Void(_) => {
                self.cancel();
                self.now()
            }
            NextAction::Capture(_) => {
                if self.status == Some(IntentStatus::Authorized) {
                    self.status = Some(IntentStatus::Captured(Minor::new(self.total).expect("an amount")));
                }
                self.now()
            }
            NextAction::Refund { refund, amount, .. } => {
                let left = self.captured() - self.refunded();
                let works = self.refunds_work && amount.get() <= left;
                let how = if works { Refunded::Succeeded } else { Refunded::Failed("charge_disputed".to_owned()) };
                let (asked, refunded) = self.refunds.entry(*refund).or_insert((amount.get(), how));
                assert_eq!(*asked, amount.get(), "one key, two amounts: the provider refuses that for ever");
                ProviderReply::Refund { id: *refund, refunded: refunded.clone() }
            }
        }
    }
}

fn learn(order: &mut Order, reply: &ProviderReply, now: OffsetDateTime) -> bool {
    match reply {
        ProviderReply::Intent { intent, declined } => order.learn(intent, declined.as_deref(), now),
        ProviderReply::Nothing { declined } => order.learn_nothing_was_paid(declined.as_deref(), now),
        ProviderReply::Refund { id, refunded } => order.learn_refund(*id, refunded, now),
    }
}

fn placed(case: &Case) -> Order {
    let text = include_str!("../../data/schema-1/order-confirmed.json");
    let stored: StoredOrder = serde_json::from_str(text).expect("a saved document");
    let mut order: Order = stored.try_into().expect("an order");
    order.payment =
        Payment::by_card("pm_1".parse().expect("a token"), case.capture, BEGIN, LIMIT).with_action_time(ACTION);
    order.status = OrderStatus::Pending;
    order.history = vec![Step { status: OrderStatus::Pending, at: BEGIN, actor: Actor::Customer, note: None }];
    order
}

/// What may follow what in a payment. What was given up may come through all the same: it then goes back.
fn may_follow(from: PaymentStatus, to: PaymentStatus) -> bool {
    use PaymentStatus::{Authorized, Cancelled, Declined, Paid, PartiallyRefunded, Pending, Refunded, RequiresAction};
    match from {
        Pending => matches!(to, RequiresAction | Authorized | Paid | Declined | Cancelled),
        RequiresAction => matches!(to, Authorized | Paid | Declined | Cancelled),
        Authorized => matches!(to, Paid | Cancelled),
        Declined | Cancelled => matches!(to, Authorized | Paid),
        // A refund that failed changes nothing, and is written down.
        Paid => matches!(to, Paid | PartiallyRefunded | Refunded),
        PartiallyRefunded => matches!(to, PartiallyRefunded | Refunded),
        Refunded => to == Refunded,
    }
}

fn is_legal(order: &Order, provider: &Provider, now: OffsetDateTime) -> Result<(), TestCaseError> {
    let statuses: Vec<_> = order.history.iter().map(|step| step.status).collect();
    prop_assert!(statuses.windows(2).all(|pair| pair[0].next().contains(&pair[1])), "{:?}", statuses);
    let card = order.payment.card.as_ref().expect("a card");
    let payment: Vec<_> = card.events.iter().map(|event| event.status).collect();
    prop_assert!(payment.windows(2).all(|pair| may_follow(pair[0], pair[1])), "{:?}", payment);
    prop_assert_eq!(payment.last(), Some(&order.payment.status));

    let counted = card.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
    let counted: i64 = counted.map(|refund| refund.amount.get()).sum();
    prop_assert!(card.captured.get() <= provider.captured(), "captured before it is");
    prop_assert!(counted <= card.captured.get(), "more goes back than came in");
    let mut ids: Vec<_> = card.refunds.iter().map(|refund| refund.id).collect();
    ids.sort();
    ids.dedup();
    prop_assert_eq!(ids.len(), card.refunds.len(), "one id, two refunds");
    if order.status == OrderStatus::Cancelled && card.refunds.iter().all(|r| r.status != RefundStatus::Failed) {
        prop_assert!(order.payment.left().is_zero(), "cancelled, and something was kept");
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
    let waits = order.next_action(now).is_some() || order.payment.status.is_open();
    prop_assert_eq!(order.payment.due().is_some(), waits, "somebody looks at it as long as something is to be done");
    Ok(())
}

/// Learns it, and again: what is reply twice is no news.
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
        capture: case.capture,
        refunds_work: case.refunds_work,
        total: order.summary.total.get(),
        status: None,
        answered: None,
        refunds: BTreeMap::new(),
    };
    let mut told: Vec<ProviderReply> = Vec::new();
    let own = order.id.uuid().as_u128();
    for act in &case.acts {
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
            Act::Bank { success } if provider.status == Some(IntentStatus::RequiresAction) => {
                let failed = IntentStatus::Declined("authentication_failure".to_owned());
                provider.status = Some(if *success { provider.paid() } else { failed });
            }
            Act::Expire if provider.status == Some(IntentStatus::Authorized) => provider.cancel(),
            Act::CallOff => {
                let _ = order.call_off(Actor::Customer, None, now);
            }
            Act::Capture => {
                let _ = order.ask_capture(now);
            }
            Act::Refund { id, amount } => {
                let amount = amount.map(|amount| Minor::new(amount).expect("an amount"));
                let _ = order.ask_refund(Uuid::from_u128(own.wrapping_add(*id)), amount, None, now);
            }
            Act::Move(to) => {
                let _ = order.move_by_hand(*to, Actor::Payment, None, now);
            }
            Act::Wait { minutes } => now += Duration::minutes(*minutes),
            _ => {}
        }
        is_legal(&order, &provider, now)?;
    }
    comes_to_rest(order, &mut provider, now)
}

/// The reconciler goes on alone.
fn comes_to_rest(mut order: Order, provider: &mut Provider, mut now: OffsetDateTime) -> Result<(), TestCaseError> {
    for _ in 0..20 {
        now += Duration::minutes(10);
        if provider.status.is_some() {
            let reply = provider.does(&NextAction::Look("pi_1".to_owned()));
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
    prop_assert_eq!(order.payment.due(), None);
    prop_assert_ne!(order.status, OrderStatus::Pending);
    let card = order.payment.card.as_ref().expect("a card");
    let done = card.refunds.iter().filter(|refund| refund.status == RefundStatus::Succeeded);
    prop_assert_eq!(
        done.map(|refund| refund.amount.get()).sum::<i64>(),
        provider.refunded(),
        "refunds are the provider's"
    );
    prop_assert_eq!(card.captured.get(), provider.captured(), "the money is the provider's");
    if order.status == OrderStatus::Cancelled {
        let kept = provider.captured() - provider.refunded();
        prop_assert!(kept == 0 || !provider.refunds_work, "cancelled, and {} was kept", kept);
        prop_assert_ne!(&provider.status, &Some(IntentStatus::Authorized), "cancelled, and the amount is held");
    }
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
    let arrows = picture.lines().filter_map(|line| line.trim().split(':').next()?.split_once(" --> "));
    let drawn: BTreeSet<_> = arrows
        .filter(|(from, _)| *from != "[*]")
        .map(|(from, to)| [from, to].map(|name| name.parse::<PaymentStatus>().unwrap_or_else(|_| panic!("{name}"))))
        .collect();
    let all = PaymentStatus::VARIANTS;
    let pairs = all.iter().flat_map(|from| all.iter().map(move |to| [*from, *to]));
    let possible: BTreeSet<_> = pairs.filter(|[from, to]| from != to && may_follow(*from, *to)).collect();
    assert_eq!(drawn, possible);
}
