//! The provider of a few lines: one payment as Stripe documents it, with its refunds and disputes.

use std::collections::BTreeMap;

use shared::domain::{
    money::Minor,
    payment::{
        Capture, Dispute, DisputeStatus, Intent, IntentStatus, Ledger, NextAction, ProviderRefund,
        ProviderRefundStatus, Refunded,
    },
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::case::Act;

#[derive(Clone, Copy, Debug)]
pub enum CardKind {
    Good,
    Declined,
    /// Its bank wants to see the customer.
    Secured,
    /// A direct debit: its bank takes days, and nothing can stop it.
    Debit,
    /// Refused before there is a payment.
    Unknown,
}

/// What the provider does with refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundKind {
    Made,
    /// On its way at first.
    Pending,
    Refused,
}

/// What somebody heard from the provider.
#[derive(Clone, Debug)]
pub enum ProviderReply {
    Intent { intent: Intent, declined: Option<String> },
    Nothing { declined: Option<String> },
    Refund { id: Uuid, refunded: Refunded, ledger: Option<Ledger> },
    Ledger(Ledger),
}

/// One payment at the provider, as Stripe documents it.
#[derive(Debug)]
pub struct Provider {
    pub card: CardKind,
    pub capture: Capture,
    pub kind: RefundKind,
    pub total: i64,
    /// How it stands, once it has begun.
    pub status: Option<IntentStatus>,
    /// What the first request was answered, and so each one with its key.
    pub answered: Option<IntentStatus>,
    pub ledger: Ledger,
    /// The saved answers to refunds, by key, with the amount that was asked for.
    pub keys: BTreeMap<(Uuid, u32), (Option<Minor>, Refunded)>,
    pub fails: bool,
    pub now: OffsetDateTime,
}

pub fn amount(amount: i64) -> Minor {
    Minor::new(amount).expect("an amount")
}

impl Provider {
    pub fn captured(&self) -> i64 {
        match self.status {
            Some(IntentStatus::Captured(amount)) => amount.get(),
            _ => 0,
        }
    }

    /// What went back, or is on its way.
    pub fn given_back(&self) -> i64 {
        let failed = |refund: &&ProviderRefund| !matches!(refund.status, ProviderRefundStatus::Failed(_));
        self.ledger.refunds.iter().filter(failed).map(|refund| refund.amount.get()).sum()
    }

    pub fn withdrawn(&self) -> i64 {
        self.ledger.disputes.iter().map(|dispute| dispute.withdrawn().get()).sum()
    }

    fn paid(&self) -> IntentStatus {
        match self.capture {
            Capture::Automatic => IntentStatus::Captured(amount(self.total)),
            Capture::Manual => IntentStatus::Authorized { until: None },
        }
    }

    pub fn is_authorized(&self) -> bool {
        matches!(self.status, Some(IntentStatus::Authorized { .. }))
    }

    fn reply(status: IntentStatus) -> ProviderReply {
        ProviderReply::Intent { intent: Intent { id: "pi_1".to_owned(), status, action: None }, declined: None }
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
            CardKind::Debit => IntentStatus::Processing,
            CardKind::Declined | CardKind::Unknown => IntentStatus::Declined("card_declined".to_owned()),
        };
        let answer = self.answered.get_or_insert(first).clone();
        let status = self.status.get_or_insert(answer.clone()).clone();
        // That the customer is asked, or an amount held, is looked at once more.
        let is_final = matches!(answer, IntentStatus::Captured(_) | IntentStatus::Declined(_));
        self.decided(if is_final { answer } else { status })
    }

    /// Declined, it is cancelled first.
    fn decided(&mut self, status: IntentStatus) -> ProviderReply {
        let IntentStatus::Declined(code) = status else { return Self::reply(status) };
        self.cancel();
        let ProviderReply::Intent { intent, .. } = self.now() else { unreachable!("it is one") };
        ProviderReply::Intent { intent, declined: Some(code) }
    }

    fn cancel(&mut self) {
        if !matches!(self.status, None | Some(IntentStatus::Captured(_) | IntentStatus::Processing)) {
            self.status = Some(IntentStatus::Cancelled);
        }
    }

    fn refund(&mut self, id: Uuid, attempt: u32, wanted: Option<Minor>) -> Refunded {
        if let Some((before, answer)) = self.keys.get(&(id, attempt)) {
            assert_eq!(*before, wanted, "one key, two amounts: the provider refuses that for ever");
            return answer.clone();
        }
        let known = self.ledger.refunds.iter().find(|refund| refund.ours == Some(id));
        if let Some(known) = known.filter(|_| attempt > 0) {
            // The adapter reads the list before another attempt.
            return Refunded::Made(known.clone());
        }
        assert!(known.is_none(), "one refund, made twice");
        let left = self.captured() - self.given_back();
        let answer = if std::mem::take(&mut self.fails) {
            Refunded::TryAgain { attempt }
        } else if self.kind == RefundKind::Refused || self.withdrawn() > 0 {
            Refunded::Refused("charge_disputed".to_owned())
        } else if left == 0 || wanted.is_some_and(|wanted| wanted.get() > left) {
            Refunded::Refused("charge_already_refunded".to_owned())
        } else {
            let status = match self.kind {
                RefundKind::Pending => ProviderRefundStatus::Pending,
                _ => ProviderRefundStatus::Succeeded,
            };
            Refunded::Made(self.make(Some(id), wanted.map_or(left, Minor::get), status))
        };
        self.keys.insert((id, attempt), (wanted, answer.clone()));
        answer
    }

    fn make(&mut self, ours: Option<Uuid>, of: i64, status: ProviderRefundStatus) -> ProviderRefund {
        let id = format!("re_{}", self.ledger.refunds.len());
        let made = ProviderRefund { id, ours, amount: amount(of), status, at: self.now };
        self.ledger.refunds.push(made.clone());
        made
    }

    pub fn does(&mut self, next: &NextAction) -> ProviderReply {
        match next {
            NextAction::Pay => self.pay(),
            NextAction::Look(_) => self.decided(self.status.clone().expect("it has a name")),
            NextAction::GiveUp(None) if self.status.is_none() => ProviderReply::Nothing { declined: None },
            NextAction::GiveUp(_) | NextAction::Void(_) => {
                self.cancel();
                self.now()
            }
            NextAction::Capture { amount: wanted, .. } => {
                if self.is_authorized() {
                    self.status = Some(IntentStatus::Captured(wanted.unwrap_or_else(|| amount(self.total))));
                }
                self.now()
            }
            NextAction::Refund { refund, attempt, amount, .. } => {
                let refunded = self.refund(*refund, *attempt, *amount);
                let is_odd = matches!(refunded, Refunded::Refused(_)) || amount.is_none();
                let ledger = is_odd.then(|| self.ledger.clone());
                ProviderReply::Refund { id: *refund, refunded, ledger }
            }
            NextAction::ReadLedger(_) => ProviderReply::Ledger(self.ledger.clone()),
        }
    }

    /// What happens at the provider by itself, or by other hands.
    pub fn happens(&mut self, act: &Act) {
        match act {
            Act::Bank { success }
                if matches!(self.status, Some(IntentStatus::RequiresAction | IntentStatus::Processing)) =>
            {
                let failed = IntentStatus::Declined("authentication_failure".to_owned());
                self.status = Some(if *success { self.paid() } else { failed });
            }
            Act::Expire if self.is_authorized() => self.cancel(),
            Act::Fails => self.fails = true,
            Act::Arrives(index) if !self.ledger.refunds.is_empty() => {
                let refund = index.index(self.ledger.refunds.len());
                let refund = &mut self.ledger.refunds[refund];
                if refund.status == ProviderRefundStatus::Pending {
                    refund.status = ProviderRefundStatus::Succeeded;
                }
            }
            Act::Bounces(index) if !self.ledger.refunds.is_empty() => {
                let refund = index.index(self.ledger.refunds.len());
                self.ledger.refunds[refund].status = ProviderRefundStatus::Failed("lost_or_stolen_card".to_owned());
            }
            Act::Dashboard { amount } if *amount <= self.captured() - self.given_back() && self.withdrawn() == 0 => {
                self.make(None, *amount, ProviderRefundStatus::Succeeded);
            }
            Act::Dispute { amount: of, inquiry } => {
                let left = self.captured() - self.given_back() - self.withdrawn();
                if (1..=left).contains(of) {
                    let id = format!("dp_{}", self.ledger.disputes.len());
                    let (status, moves) = if *inquiry { (DisputeStatus::Inquiry, 0) } else { (DisputeStatus::Open, 1) };
                    let (amount, at) = (amount(*of), self.now);
                    self.ledger.disputes.push(Dispute { id, amount, status, moves, reason: None, at });
                }
            }
            Act::Decide { which, won } if !self.ledger.disputes.is_empty() => {
                let left = self.captured() - self.given_back() - self.withdrawn();
                let which = which.index(self.ledger.disputes.len());
                let dispute = &mut self.ledger.disputes[which];
                (dispute.status, dispute.moves) = match (dispute.status, won) {
                    (DisputeStatus::Inquiry, true) => (DisputeStatus::Closed, 0),
                    (DisputeStatus::Inquiry, false) if dispute.amount.get() <= left => (DisputeStatus::Open, 1),
                    (DisputeStatus::Open | DisputeStatus::Lost, true) => (DisputeStatus::Won, 2),
                    (DisputeStatus::Open, false) => (DisputeStatus::Lost, 1),
                    (status, _) => (status, dispute.moves),
                };
            }
            _ => {}
        }
    }
}
