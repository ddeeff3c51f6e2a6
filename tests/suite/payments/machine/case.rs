//! A life of a payment: what pays, and who does what, in whatever order.

use proptest::prelude::*;
use shared::domain::{
    order::OrderStatus,
    payment::{Capture, PaymentMethod},
};
use strum::VariantArray as _;

use super::provider::{CardKind, RefundKind};

#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Somebody does what is to be done next; whether they live to write down what they hear.
    Next {
        lives: bool,
    },
    /// Somebody writes down what they heard long ago.
    Late(prop::sample::Index),
    /// The provider says that something has changed in the payment.
    Webhook,
    /// The same of its refunds and disputes.
    LedgerWebhook,
    Bank {
        success: bool,
    },
    /// The bank no longer holds the amount.
    Expire,
    CallOff,
    /// The customer pays in another way.
    Replace,
    Capture {
        amount: Option<i64>,
    },
    Refund {
        id: u128,
        amount: Option<i64>,
        by_hand: bool,
    },
    /// The provider answers the next new refund with a failure of its own, and saves that.
    Fails,
    /// A refund that is on its way arrives, or comes back, even after it had arrived.
    Arrives(prop::sample::Index),
    Bounces(prop::sample::Index),
    /// Somebody refunds in the Dashboard.
    Dashboard {
        amount: i64,
    },
    /// The customer objects at the bank.
    Dispute {
        amount: i64,
        inquiry: bool,
    },
    /// A dispute goes on.
    Decide {
        which: prop::sample::Index,
        won: bool,
    },
    Move(OrderStatus),
    Wait {
        minutes: i64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => prop::bool::weighted(0.7).prop_map(|lives| Act::Next { lives }),
        3 => index().prop_map(Act::Late),
        2 => Just(Act::Webhook),
        2 => Just(Act::LedgerWebhook),
        2 => prop::bool::weighted(0.7).prop_map(|success| Act::Bank { success }),
        1 => Just(Act::Expire),
        2 => Just(Act::CallOff),
        1 => Just(Act::Replace),
        2 => prop::option::of(1..6_000_i64).prop_map(|amount| Act::Capture { amount }),
        // The order's own id is what a cancellation is refunded under.
        4 => (0..4_u128, prop::option::of(1..5_000_i64), prop::bool::weighted(0.1))
            .prop_map(|(id, amount, by_hand)| Act::Refund { id, amount, by_hand }),
        1 => Just(Act::Fails),
        2 => index().prop_map(Act::Arrives),
        1 => index().prop_map(Act::Bounces),
        1 => (1..5_000_i64).prop_map(|amount| Act::Dashboard { amount }),
        1 => (1..5_000_i64, any::<bool>()).prop_map(|(amount, inquiry)| Act::Dispute { amount, inquiry }),
        1 => (index(), any::<bool>()).prop_map(|(which, won)| Act::Decide { which, won }),
        2 => prop::sample::select(OrderStatus::VARIANTS).prop_map(Act::Move),
        2 => (0..20_i64).prop_map(|minutes| Act::Wait { minutes }),
    ]
}

#[derive(Clone, Debug)]
pub struct Case {
    pub card: CardKind,
    pub capture: Capture,
    pub refunds: RefundKind,
    pub acts: Vec<Act>,
}

impl Case {
    /// A direct debit can't be held.
    pub const fn terms(&self) -> (PaymentMethod, Capture) {
        match self.card {
            CardKind::Debit => (PaymentMethod::SepaDebit, Capture::Automatic),
            _ => (PaymentMethod::Card, self.capture),
        }
    }
}

pub fn case() -> impl Strategy<Value = Case> {
    let card = prop::sample::select(vec![
        CardKind::Good,
        CardKind::Declined,
        CardKind::Secured,
        CardKind::Debit,
        CardKind::Unknown,
    ]);
    let capture = prop::sample::select(vec![Capture::Automatic, Capture::Manual]);
    let refunds =
        prop::sample::select(vec![RefundKind::Made, RefundKind::Made, RefundKind::Pending, RefundKind::Refused]);
    (card, capture, refunds, prop::collection::vec(act(), 0..40)).prop_map(|(card, capture, refunds, acts)| Case {
        card,
        capture,
        refunds,
        acts,
    })
}
