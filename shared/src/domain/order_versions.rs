//! How one version of an order follows another: what it has changed, and what it gives back.

use std::collections::BTreeSet;

use crate::domain::{
    lines::ReturnStatus,
    open::Release,
    order::{Order, OrderStatus, OrderVersion},
    order_change::OrderChange,
    payment::{PaymentStatus, RefundStatus},
};

/// The versions whose events an order remembers: more than an order has that is bought, shipped and returned.
const MAX_VERSIONS: usize = 100;

impl Order {
    /// Makes this order the version after `before`. Returns what the change gives back.
    pub fn follow(&mut self, before: &Self) -> Release {
        self.version = before.version.saturating_add(1);
        self.note_changes(Some(before));
        self.release(before)
    }

    /// Notes what has changed since `before`, for the event; without it, the order is new.
    pub fn note_changes(&mut self, before: Option<&Self>) {
        self.changes = changes(before, self);
        self.remember_version();
    }

    /// Adds this version to those whose events can be told again. Its members have their final values.
    pub(super) fn remember_version(&mut self) {
        self.versions.retain(|known| known.version != self.version);
        let more = self.versions.len().saturating_add(1).saturating_sub(MAX_VERSIONS);
        self.versions.drain(..more);
        self.versions.push(self.this_version());
    }

    fn this_version(&self) -> OrderVersion {
        OrderVersion {
            version: self.version,
            changes: self.changes.clone(),
            status: self.status,
            payment_status: self.payment.status,
            updated_at: self.updated_at,
        }
    }

    /// The versions whose events can be told again, oldest first. An order of an earlier release has its last one at
    /// least, unless even that was written before orders said what they changed.
    pub fn known_versions(&self) -> Vec<OrderVersion> {
        let mut known = self.versions.clone();
        if known.last().is_none_or(|last| last.version != self.version) && !self.changes.is_empty() {
            known.push(self.this_version());
        }
        known
    }
}

/// Never empty.
fn changes(before: Option<&Order>, after: &Order) -> BTreeSet<OrderChange> {
    let mut changes = BTreeSet::new();
    if before.is_none() {
        changes.insert(OrderChange::Placed);
    }
    if before.is_none_or(|before| before.status != after.status) {
        let stood = before.is_some_and(|before| before.status != OrderStatus::Pending);
        changes.extend(entered(after.status, stood));
    }
    let was = |is: fn(PaymentStatus) -> bool| before.is_some_and(|before| is(before.payment.status));
    for (change, is) in [(OrderChange::Authorized, is_authorized as fn(_) -> _), (OrderChange::Paid, has_been_paid)] {
        if is(after.payment.status) && !was(is) {
            changes.insert(change);
        }
    }
    for (change, status) in
        [(OrderChange::Refunded, RefundStatus::Succeeded), (OrderChange::RefundFailed, RefundStatus::Failed)]
    {
        if refunds(after, status) > before.map_or(0, |before| refunds(before, status)) {
            changes.insert(change);
        }
    }
    let disputes = |order: &Order| order.payment.card.as_ref().map(|card| card.disputes.clone()).unwrap_or_default();
    if disputes(after) != before.map(disputes).unwrap_or_default() {
        changes.insert(OrderChange::Disputed);
    }
    changes.extend(of_units(before, after));
    if after.corrections.len() > before.map_or(0, |before| before.corrections.len()) {
        changes.insert(OrderChange::Corrected);
    }
    if only_notes(after) > before.map_or(0, only_notes) {
        changes.insert(OrderChange::Noted);
    }
    if changes.is_empty() {
        changes.insert(OrderChange::Other);
    }
    changes
}

/// What has become of its units.
fn of_units(before: Option<&Order>, after: &Order) -> BTreeSet<OrderChange> {
    let mut changes = BTreeSet::new();
    let more = |count: fn(&Order) -> usize| count(after) > before.map_or(0, count);
    if more(|order| order.fulfillments.len()) {
        changes.insert(OrderChange::Fulfilled);
    }
    if more(|order| order.line_cancellations.len()) && after.line_counts().iter().any(|line| line.stands()) {
        changes.insert(OrderChange::LinesCancelled);
    }
    for of in &after.returns {
        let known = before.and_then(|before| before.returns.iter().find(|known| known.id == of.id));
        let change = match of.status {
            _ if known.is_some_and(|known| known.status == of.status) => continue,
            ReturnStatus::Requested => OrderChange::ReturnRequested,
            // Staff's own is approved at once.
            ReturnStatus::Approved | ReturnStatus::Refused => OrderChange::ReturnDecided,
            ReturnStatus::Received => OrderChange::ReturnReceived,
        };
        changes.insert(change);
    }
    changes
}

/// What it means that an order enters a status. `stood` says that it had been confirmed.
const fn entered(status: OrderStatus, stood: bool) -> Option<OrderChange> {
    match status {
        // Placed, and the refund that leads there, say it.
        OrderStatus::Pending | OrderStatus::Refunded => None,
        OrderStatus::Confirmed => Some(OrderChange::Confirmed),
        OrderStatus::Processing => Some(OrderChange::Processing),
        OrderStatus::PartiallyShipped => Some(OrderChange::PartiallyShipped),
        OrderStatus::Shipped => Some(OrderChange::Shipped),
        OrderStatus::Delivered => Some(OrderChange::Delivered),
        OrderStatus::Returned => Some(OrderChange::Returned),
        OrderStatus::Cancelled if stood => Some(OrderChange::Cancelled),
        OrderStatus::Cancelled => Some(OrderChange::Abandoned),
    }
}

fn is_authorized(status: PaymentStatus) -> bool {
    status == PaymentStatus::Authorized
}

fn has_been_paid(status: PaymentStatus) -> bool {
    status.is_captured()
}

fn refunds(order: &Order, status: RefundStatus) -> usize {
    order.payment.refunds().filter(|refund| refund.status == status).count()
}

/// The steps of the history that didn't change the status.
fn only_notes(order: &Order) -> usize {
    order.history.windows(2).filter(|pair| matches!(pair, [a, b] if a.status == b.status)).count()
}
