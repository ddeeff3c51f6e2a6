//! Refunds of units, each with its share of discounts, tax and, on request, shipping; and of the payment method's fee.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    lines::{
        LineCancellation, LineCounts, LineRefund, LineShare, LineUnits, RefundedLines, Return, ReturnStatus,
        UnitsToRefund, cut, total_of,
    },
    money::Minor,
    order::{Actor, Order},
    order_lines::{LineRefusal, PaidBack, room},
    order_payment::PaymentRefusal,
    order_refunds::RefundRequest,
    payment::{Refund, RefundSource},
};

/// The units of one line that a refund pays back, by where they are.
#[derive(Clone, Copy)]
struct Split {
    line: usize,
    /// Were cancelled before.
    owed: u32,
    /// Are open, and are cancelled by the refund.
    open: u32,
    shipped: u32,
    /// Of those that were shipped: may be with the customer, and no return of them is asked for.
    returnable: u32,
}

impl Order {
    /// Requests a refund of units: first of those that were cancelled and are still owed, then of those that can still
    /// be shipped, which are cancelled by it, then of those that were shipped. With `restock` those that were shipped
    /// count as returned. A refund by hand is only recorded. The same id again is the same refund. Returns whether it is
    /// new.
    ///
    /// # Errors
    /// [`LineRefusal`] if a unit was refunded already, or more would go back than is left of the payment.
    pub fn ask_line_refund(
        &mut self,
        request: RefundRequest,
        wanted: &LineRefund,
        now: OffsetDateTime,
    ) -> Result<bool, LineRefusal> {
        let RefundRequest { id, reason, source, actor, .. } = request;
        let left = match (&self.payment.card, &self.payment.cash) {
            (Some(_), _) if self.payment.status.is_open() => return Err(PaymentRefusal::UnderWay.into()),
            (Some(card), _) => card.left(),
            (None, Some(cash)) if source == RefundSource::ByHand => cash.left(),
            _ => return Err(PaymentRefusal::NotByCard.into()),
        };
        if let Some(known) = self.payment.refunds().find(|refund| refund.id == id) {
            let same = is_same(&known.lines, wanted);
            return if same { Ok(false) } else { Err(PaymentRefusal::OtherRefund { amount: known.amount }.into()) };
        }
        let counts = self.line_counts();
        let splits = wanted.items.iter().map(|item| split(&counts, *item)).collect::<Result<Vec<_>, _>>()?;
        let units: Vec<_> = splits.iter().map(|split| (split.line, [split.owed + split.open, split.shipped])).collect();
        let items = self.shares_of(&units, wanted.shipping);
        let shipping = (wanted.shipping && items.is_empty()).then(|| self.shipping_left());
        let payment_fee = wanted.payment_fee.then(|| self.fee_left());
        let beside = shipping.unwrap_or_default().more(payment_fee.unwrap_or_default());
        let amount = total_of(&items).plus(beside.amount).unwrap_or(Minor::MAX);
        let cash_rounding = self.rounding_with(amount, left);
        let amount = if cash_rounding.is_some() { left } else { amount };
        if amount > left {
            return Err(PaymentRefusal::MoreThanLeft { left }.into());
        }
        if amount.is_zero() {
            return Err(LineRefusal::NothingToRefund);
        }
        let lines = RefundedLines { items, shipping, payment_fee, cash_rounding, restock: wanted.restock };
        self.add_refund(Refund { lines, ..Refund::new(id, amount, false, reason.clone(), source, now) }, now);
        self.take_back(id, &splits, wanted.restock, reason.as_ref(), &actor, now);
        self.follow_units(&actor, reason.clone(), now)?;
        self.follow_refunds(true, actor.clone(), reason, now);
        self.follow_cash(actor, None, now)?;
        Ok(true)
    }

    /// What of the cash rounding goes back with an amount, so that with it all that is left of the cash does. None if
    /// something else is left then, or nothing was rounded.
    fn rounding_with(&self, amount: Minor, left: Minor) -> Option<i64> {
        let cash = self.payment.cash.as_ref().filter(|_| self.summary.cash_rounding.is_some())?;
        let rounding = cash.received.get() - self.exact_less_credits().get();
        let gap = left.get() - amount.get();
        (gap != 0 && gap.signum() == rounding.signum() && gap.abs() <= rounding.abs()).then_some(gap)
    }

    /// Adds a refund to the card's or the cash's.
    fn add_refund(&mut self, refund: Refund, now: OffsetDateTime) {
        let due = self.total_less_credits();
        let by_hand = refund.source == RefundSource::ByHand;
        if let Some(cash) = self.payment.cash.as_mut().filter(|_| self.payment.card.is_none()) {
            cash.refunds.push(refund);
            self.payment.status = cash.status();
            self.updated_at = now;
            return;
        }
        self.payment.add_refund(refund);
        if by_hand && let Some(card) = &self.payment.card {
            let status = card.status_by_books(due);
            self.payment.become_status(status, None, now);
        }
    }

    /// Records the units that a refund cancels, and those that came back with it.
    fn take_back(
        &mut self,
        id: Uuid,
        splits: &[Split],
        restock: bool,
        reason: Option<&String>,
        actor: &Actor,
        now: OffsetDateTime,
    ) {
        let units = |of: &dyn Fn(&Split) -> u32| -> Vec<LineUnits> {
            let units = splits.iter().map(|split| LineUnits { line: split.line, quantity: of(split) });
            units.filter(|units| units.quantity > 0).collect()
        };
        let cancelled = units(&|split| split.open);
        if !cancelled.is_empty() {
            self.line_cancellations.push(LineCancellation {
                id,
                items: cancelled,
                reason: reason.cloned(),
                restocked: restock,
                refund_id: Some(id),
                credits: Vec::new(),
                actor: actor.clone(),
                at: now,
            });
        }
        let returned = units(&|split| split.shipped.min(split.returnable));
        if restock && !returned.is_empty() {
            let mut received = Return::new(id, returned, reason.cloned());
            received.become_status(ReturnStatus::Received, actor.clone(), None, now);
            received.restocked = true;
            received.refund_id = Some(id);
            self.returns.push(received);
        }
    }

    /// Pays back what these units are worth, those of each line as `[cancelled, shipped]`.
    pub(super) fn pay_back(
        &mut self,
        id: Uuid,
        units: &[(usize, [u32; 2])],
        shipping: bool,
        reason: &str,
        now: OffsetDateTime,
    ) -> PaidBack {
        let shares = self.shares_of(units, shipping);
        if self.awaits_payment() {
            return PaidBack::Credits(shares);
        }
        self.refund_shares(id, shares, self.payment.left(), reason, now).map_or(PaidBack::Nothing, PaidBack::Refund)
    }

    /// Requests a refund of these shares, of `most` at most. None if that is nothing.
    fn refund_shares(
        &mut self,
        id: Uuid,
        mut shares: Vec<LineShare>,
        most: Minor,
        reason: &str,
        now: OffsetDateTime,
    ) -> Option<Uuid> {
        cut(&mut shares, most);
        let amount = total_of(&shares);
        if amount.is_zero() {
            return None;
        }
        let id = self.unused_refund_id(id);
        let lines = RefundedLines { items: shares, ..RefundedLines::default() };
        let refund = Refund::new(id, amount, false, Some(reason.to_owned()), RefundSource::Shop, now);
        self.payment.add_refund(Refund { lines, ..refund });
        Some(id)
    }

    /// Requests a refund of all that is left, under the order's own id or the next unused one.
    pub(in crate::domain) fn refund_what_is_left(&mut self, reason: &str, now: OffsetDateTime) {
        let left = self.payment.left();
        if !left.is_zero() {
            let id = self.unused_refund_id(self.id.uuid());
            let refund = Refund::new(id, left, true, Some(reason.to_owned()), RefundSource::Shop, now);
            self.payment.add_refund(Refund { lines: self.rest_of_lines(left), ..refund });
        }
    }

    /// The lines of a refund of all that is left of a cancelled order. Empty if they don't add up to it, because amounts
    /// have gone back without lines.
    fn rest_of_lines(&self, left: Minor) -> RefundedLines {
        let owed = self.line_counts().into_iter().map(LineCounts::owed).enumerate();
        let units: Vec<_> = owed.filter(|(_, owed)| *owed > 0).map(|(line, owed)| (line, [owed, 0])).collect();
        let items = self.shares_of(&units, false);
        let shipping = Some(self.shipping_left()).filter(|shipping| !shipping.amount.is_zero());
        let payment_fee = Some(self.fee_left()).filter(|fee| !fee.amount.is_zero());
        let beside = shipping.unwrap_or_default().more(payment_fee.unwrap_or_default());
        let all = total_of(&items).plus(beside.amount);
        if all == Ok(left) {
            RefundedLines { items, shipping, payment_fee, cash_rounding: None, restock: true }
        } else {
            RefundedLines::default()
        }
    }

    /// Requests refunds of what was captured and isn't due: for units that were cancelled or returned before.
    pub(in crate::domain) fn refund_credits(&mut self, now: OffsetDateTime) {
        let due = self.total_less_credits();
        let cancelled = self.line_cancellations.iter().map(|cancellation| (cancellation.id, &cancellation.credits));
        let all = cancelled.chain(self.returns.iter().map(|of| (of.id, &of.credits)));
        let all: Vec<_> = all.map(|(id, credits)| (id, credits.clone())).collect();
        for (id, credits) in all {
            let most = self.payment.left().less(due);
            if let Some(refund) = self.refund_shares(id, credits, most, "cancelled before the payment", now) {
                self.settle_credits(id, refund);
            }
        }
    }

    /// What was a credit is a refund now.
    fn settle_credits(&mut self, id: Uuid, refund: Uuid) {
        let cancelled = self.line_cancellations.iter_mut().map(|of| (of.id, &mut of.credits, &mut of.refund_id));
        let returned = self.returns.iter_mut().map(|of| (of.id, &mut of.credits, &mut of.refund_id));
        for (_, credits, refund_id) in cancelled.chain(returned).filter(|(of, ..)| *of == id) {
            if !credits.is_empty() {
                credits.clear();
                *refund_id = Some(refund);
            }
        }
    }
}

/// Which units a refund pays back.
fn split(counts: &[LineCounts], wanted: UnitsToRefund) -> Result<Split, LineRefusal> {
    let LineUnits { line, quantity } = wanted.units;
    let left = |counts: LineCounts| {
        let unshipped = if wanted.only_shipped { 0 } else { counts.owed() + counts.open() };
        unshipped + counts.unsettled_shipped()
    };
    let counts = room(counts, wanted.units, left)?;
    let unshipped = |units: u32| if wanted.only_shipped { 0 } else { units };
    let owed = unshipped(counts.owed()).min(quantity);
    let open = unshipped(counts.open()).min(quantity - owed);
    Ok(Split { line, owed, open, shipped: quantity - owed - open, returnable: counts.returnable() })
}

/// Whether a refund is the one that is asked for again.
fn is_same(known: &RefundedLines, wanted: &LineRefund) -> bool {
    let units = |share: &LineShare| LineUnits { line: share.line, quantity: share.quantity };
    let items = known.items.iter().map(units).eq(wanted.items.iter().map(|item| item.units));
    let shipping = known.shipping.is_some() || known.items.iter().any(|share| share.shipping.is_some());
    let payment_fee = known.payment_fee.is_some();
    items && shipping == wanted.shipping && payment_fee == wanted.payment_fee && known.restock == wanted.restock
}
