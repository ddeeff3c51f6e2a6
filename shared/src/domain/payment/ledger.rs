//! How refunds and disputes change as the provider says. Late, repeated and reordered replies change nothing: a refund
//! and a dispute only ever go forward.

use time::OffsetDateTime;

use crate::domain::{
    lines::RefundedLines,
    money::Minor,
    payment::{
        Ledger, Payment, ProviderRefund, ProviderRefundStatus, Refund, RefundSource, RefundStatus, Refunded,
        dispute::Dispute, status::PaymentStatus,
    },
};

/// A refund that has failed now, or a dispute that is new: somebody must act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Whether anything changed.
    pub any: bool,
    /// The last code of a refund that failed.
    code: Option<String>,
}

impl RefundStatus {
    const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Succeeded => 1,
            Self::Failed => 2,
        }
    }
}

impl Refund {
    /// Applies the provider's state of this refund. Returns whether that is new.
    fn learn(&mut self, made: &ProviderRefund) -> bool {
        let before = self.clone();
        // Refused at first, it was made all the same.
        let is_revived = self.status == RefundStatus::Failed && self.provider_id.is_none();
        let (status, code) = match &made.status {
            ProviderRefundStatus::Pending => (RefundStatus::Pending, None),
            ProviderRefundStatus::Succeeded => (RefundStatus::Succeeded, None),
            ProviderRefundStatus::Failed(code) => (RefundStatus::Failed, Some(code.clone())),
        };
        if is_revived || status.rank() > self.status.rank() {
            (self.status, self.code) = (status, code);
        }
        self.provider_id = Some(made.id.clone());
        if self.amount != made.amount {
            // Then its lines don't add up to it any more: it is a refund of an amount.
            self.lines = RefundedLines::new();
        }
        self.amount = made.amount;
        *self != before
    }

    /// A refund that somebody made at the provider.
    fn mirrored(made: &ProviderRefund) -> Self {
        let reason = Some("made at the payment provider".to_owned());
        let mut refund = Self::new(id_of(&made.id), made.amount, false, reason, RefundSource::Provider, made.at);
        refund.learn(made);
        refund
    }
}

/// An id for a refund that the provider named.
fn id_of(provider_id: &str) -> uuid::Uuid {
    use sha2::{Digest as _, Sha256};
    let digest: [u8; 32] = Sha256::digest(provider_id.as_bytes()).into();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

impl Payment {
    /// Applies the provider's answer to a request for a refund. Returns whether that is new.
    pub fn learn_refund(&mut self, id: uuid::Uuid, refunded: &Refunded, total: Minor, now: OffsetDateTime) -> bool {
        let Some(card) = &mut self.card else { return false };
        let Some(refund) = card.refunds.iter_mut().find(|refund| refund.id == id) else { return false };
        match refunded {
            Refunded::Made(made) => {
                if !refund.learn(made) {
                    return false;
                }
            }
            _ if !refund.is_to_do() => return false,
            Refunded::Refused(code) => (refund.status, refund.code) = (RefundStatus::Failed, Some(code.clone())),
            Refunded::TryAgain { attempt } if *attempt != refund.attempt => return false,
            Refunded::TryAgain { attempt } => refund.attempt = attempt.saturating_add(1),
        }
        let code = refund.code.clone().filter(|_| refund.status == RefundStatus::Failed);
        let status = card.status_by_books(total);
        // An attempt that failed is no entry of the history.
        if !matches!(refunded, Refunded::TryAgain { .. }) {
            self.become_status(status, code, now);
        }
        true
    }

    /// Applies the provider's refunds and disputes, also those that somebody made there. Returns whether anything is
    /// new.
    pub fn learn_ledger(&mut self, ledger: &Ledger, total: Minor, now: OffsetDateTime) -> bool {
        let Some(card) = &mut self.card else { return false };
        if card.captured.is_zero() {
            return false;
        }
        let mut news = News::default();
        for made in &ledger.refunds {
            let is_it =
                |refund: &&mut Refund| refund.provider_id.as_ref() == Some(&made.id) || Some(refund.id) == made.ours;
            if let Some(refund) = card.refunds.iter_mut().find(is_it) {
                if refund.learn(made) {
                    news.note(refund.code.clone());
                }
            } else {
                let refund = Refund::mirrored(made);
                news.note(refund.code.clone());
                card.refunds.push(refund);
            }
        }
        for dispute in &ledger.disputes {
            match card.disputes.iter_mut().find(|known| known.id == dispute.id) {
                Some(known) if dispute.is_after(known) => {
                    known.clone_from(dispute);
                    news.note(dispute.reason.clone());
                }
                Some(_) => {}
                None => {
                    card.disputes.push(Dispute::clone(dispute));
                    news.note(dispute.reason.clone());
                }
            }
        }
        if !news.any {
            return false;
        }
        let status = card.status_by_books(total);
        self.become_status(status, news.code, now);
        true
    }
}

impl News {
    fn note(&mut self, code: Option<String>) {
        self.any = true;
        self.code = code.or_else(|| self.code.take());
    }
}

impl PaymentStatus {
    /// Whether an amount was captured.
    pub const fn is_captured(self) -> bool {
        matches!(
            self,
            Self::Paid
                | Self::PartiallyPaid
                | Self::PartiallyRefunded
                | Self::Refunded
                | Self::Disputed
                | Self::ChargedBack
        )
    }
}
