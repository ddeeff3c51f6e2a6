//! What can be done with the units of an order's lines: ship, cancel, refund and return them. Every number is counted
//! from the order's records, so each of them can be added up again by a reader.

mod cancel;
mod earlier;
mod refund;
mod refusal;
mod returns;
mod ship;
mod stock;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    cash_rounding,
    lines::{LineCounts, LineParts, LineShare, LineUnits, RefundedLines, ReturnStatus, Share, total_of},
    money::Minor,
    note::Note,
    order::{Actor, IllegalMove, Order, OrderStatus},
    payment::{PaymentStatus, RefundStatus},
    payment_fee::PaymentFee,
};

pub use refusal::LineRefusal;
pub use returns::{Receipt, ReturnDecision};

/// How the money for units goes back.
enum PaidBack {
    Refund(Uuid),
    /// It wasn't paid yet: the customer has to pay less.
    Credits(Vec<LineShare>),
    /// There is nothing to give back by card.
    Nothing,
}

impl PaidBack {
    fn into_parts(self) -> (Option<Uuid>, Vec<LineShare>) {
        match self {
            Self::Refund(id) => (Some(id), Vec::new()),
            Self::Credits(shares) => (None, shares),
            Self::Nothing => (None, Vec::new()),
        }
    }
}

impl Order {
    /// Where the units of each line are, in the order of its lines.
    pub fn line_counts(&self) -> Vec<LineCounts> {
        let new = |ordered| LineCounts { ordered, ..LineCounts::default() };
        let mut counts: Vec<_> = self.lines.iter().map(|line| new(line.quantity)).collect();
        let mut add = |line: usize, to: &dyn Fn(&mut LineCounts) -> &mut u32, quantity: u32| {
            if let Some(counts) = counts.get_mut(line) {
                let count = to(counts);
                *count = count.saturating_add(quantity);
            }
        };
        for LineUnits { line, quantity } in self.fulfillments.iter().flat_map(|fulfillment| &fulfillment.items) {
            add(*line, &|counts| &mut counts.shipped, *quantity);
        }
        for LineUnits { line, quantity } in self.line_cancellations.iter().flat_map(|cancellation| &cancellation.items)
        {
            add(*line, &|counts| &mut counts.cancelled, *quantity);
        }
        for of in &self.returns {
            for LineUnits { line, quantity } in &of.items {
                if of.status.is_open() {
                    add(*line, &|counts| &mut counts.returning, *quantity);
                } else if of.status == ReturnStatus::Received {
                    add(*line, &|counts| &mut counts.returned, *quantity);
                }
            }
        }
        for share in self.refunded_shares() {
            add(share.line, &|counts| &mut counts.refunded, share.quantity);
        }
        for share in self.settled_shares() {
            add(share.line, &|counts| &mut counts.settled_shipped, share.shipped);
            add(share.line, &|counts| &mut counts.settled_cancelled, share.quantity.saturating_sub(share.shipped));
        }
        counts
    }

    /// What the customer still has to pay, or the bank holds for it: the total less what was cancelled or returned before
    /// it was paid. Zero once it is paid, and if the order is
    /// cancelled or has come back.
    pub fn amount_due(&self) -> Minor {
        let over = [OrderStatus::Cancelled, OrderStatus::Returned, OrderStatus::Refunded];
        let due = self.awaits_payment() && !over.contains(&self.status);
        if due { self.total_less_credits() } else { Minor::ZERO }
    }

    fn awaits_payment(&self) -> bool {
        self.payment.status.is_open() || self.payment.status == PaymentStatus::Authorized
    }

    /// The total less what was cancelled or returned before it was paid.
    pub(in crate::domain) fn total_less_credits(&self) -> Minor {
        let exact = self.exact_less_credits();
        // What is left to pay in cash is rounded anew.
        let rounded = self.summary.cash_rounding.map(|_| cash_rounding::rounded(exact, self.currency));
        rounded.and_then(Result::ok).unwrap_or(exact)
    }

    /// The same before cash rounding.
    fn exact_less_credits(&self) -> Minor {
        self.summary.exact_total().less(total_of(self.credits()))
    }

    /// The shares of units that the customer needn't pay.
    fn credits(&self) -> impl Iterator<Item = &LineShare> {
        let cancelled = self.line_cancellations.iter().flat_map(|cancellation| &cancellation.credits);
        cancelled.chain(self.returns.iter().flat_map(|of| &of.credits))
    }

    /// The shares of units that were refunded, by refunds that haven't failed.
    fn refunded_shares(&self) -> impl Iterator<Item = &LineShare> {
        self.lines_refunded().flat_map(|lines| &lines.items)
    }

    /// The shares of all units whose money has gone back, or isn't due any more.
    fn settled_shares(&self) -> impl Iterator<Item = &LineShare> {
        self.refunded_shares().chain(self.credits())
    }

    /// What these units are worth, those of each line as `[cancelled, shipped]`.
    fn shares_of(&self, units: &[(usize, [u32; 2])], shipping: bool) -> Vec<LineShare> {
        let included = self.summary.tax_included;
        let mut left = self.shipping_left().amount;
        let priced = units.iter().filter_map(|(line, split)| Some((*line, self.lines.get(*line)?, *split)));
        let share =
            |(line, priced, split)| LineShare::of(line, priced, included, split, shipping, self.settled_shares());
        let mut shares: Vec<_> = priced.map(share).collect();
        for shipping in shares.iter_mut().filter_map(|share| share.shipping.as_mut()) {
            *shipping = shipping.at_most(left);
            left = left.less(shipping.amount);
        }
        shares
    }

    /// What is left of shipping, with its tax: all that the goods and the fee don't explain, less what has gone back.
    fn shipping_left(&self) -> Share {
        let parts = self.lines.iter().map(|line| LineParts::of(line, self.summary.tax_included));
        let of_lines = parts.fold(Share::default(), |sum, parts| sum.more(parts.goods));
        let all = Share { amount: self.summary.exact_total(), tax_amount: self.summary.tax }.less(of_lines);
        let all = all.less(self.payment_fee.as_ref().map(PaymentFee::share).unwrap_or_default());
        let alone = self.lines_refunded().filter_map(|lines| lines.shipping);
        let back = self.settled_shares().filter_map(|share| share.shipping).chain(alone);
        all.less(back.fold(Share::default(), Share::more))
    }

    /// What is left of the payment method's fee, with its tax.
    fn fee_left(&self) -> Share {
        let all = self.payment_fee.as_ref().map(PaymentFee::share).unwrap_or_default();
        all.less(self.lines_refunded().filter_map(|lines| lines.payment_fee).fold(Share::default(), Share::more))
    }

    /// What refunds that haven't failed are of.
    fn lines_refunded(&self) -> impl Iterator<Item = &RefundedLines> {
        let refunds = self.payment.refunds();
        refunds.filter(|refund| refund.status != RefundStatus::Failed).map(|refund| &refund.lines)
    }

    /// A refund's id of its own: this one, or the next that no refund has.
    fn unused_refund_id(&self, own: Uuid) -> Uuid {
        let refunds = self.payment.refunds();
        let used: Vec<Uuid> = refunds.map(|refund| refund.id).collect();
        let mut id = own;
        while used.contains(&id) {
            id = Uuid::from_u128(id.as_u128().wrapping_add(1));
        }
        id
    }

    /// Whether each line keeps the order from being shipped: those that are shipped do. Digital lines do only if nothing
    /// else of the order stands: nobody waits for a parcel then.
    fn waits(&self, counts: &[LineCounts]) -> Vec<bool> {
        let has_parcel = self.has_parcel(counts);
        self.lines.iter().map(|line| !line.digital || !has_parcel).collect()
    }

    /// Whether anything of it was shipped in a parcel, or will be.
    fn has_parcel(&self, counts: &[LineCounts]) -> bool {
        self.lines.iter().zip(counts).any(|(line, counts)| !line.digital && counts.stands())
    }

    /// An order without a parcel is delivered when its last unit is handed over: nothing is on its way.
    fn deliver_without_parcel(&mut self, actor: &Actor, now: OffsetDateTime) -> Result<(), IllegalMove> {
        if self.status == OrderStatus::Shipped && !self.has_parcel(&self.line_counts()) {
            self.become_status(OrderStatus::Delivered, actor.clone(), None, now)?;
        }
        Ok(())
    }

    /// The status that follows from where the units are: shipped if nothing is left to ship, cancelled if nothing was
    /// shipped and nothing will be, returned if all came back.
    fn follow_units(&mut self, actor: &Actor, note: Option<String>, now: OffsetDateTime) -> Result<(), LineRefusal> {
        let counts = self.line_counts();
        let waits = self.waits(&counts);
        if counts.iter().zip(waits).any(|(counts, waits)| waits && counts.open() > 0) {
            return Ok(());
        }
        if counts.iter().all(|counts| counts.shipped == 0) {
            self.call_off(actor.clone(), note.map(Note::for_customer), now)?;
            return Ok(());
        }
        if self.status == OrderStatus::PartiallyShipped {
            self.become_status(OrderStatus::Shipped, actor.clone(), None, now)?;
            self.deliver_without_parcel(actor, now)?;
        }
        let counts = self.line_counts();
        let all_back = counts.iter().all(|counts| counts.returned == counts.shipped);
        if all_back && self.status.next().contains(&OrderStatus::Returned) {
            self.become_status(OrderStatus::Returned, actor.clone(), None, now)?;
        }
        Ok(())
    }

    /// Records where the units go when the status is set for the whole order.
    pub(super) fn move_units(&mut self, actor: &Actor, now: OffsetDateTime) {
        match self.status {
            // Nothing of an order that was refunded as a whole leaves any more.
            OrderStatus::Cancelled | OrderStatus::Refunded => self.cancel_rest(actor, now),
            OrderStatus::Shipped => self.record_rest_shipped(actor, now),
            OrderStatus::Returned => self.record_rest_returned(actor, now),
            _ => {}
        }
    }
}

/// The counts of the line of these units, if `left` has room for them.
fn room(counts: &[LineCounts], units: LineUnits, left: impl Fn(LineCounts) -> u32) -> Result<LineCounts, LineRefusal> {
    let LineUnits { line, quantity } = units;
    let counts = counts.get(line).copied().ok_or(LineRefusal::NoSuchLine { line })?;
    let left = left(counts);
    if quantity == 0 || quantity > left { Err(LineRefusal::TooManyUnits { line, left }) } else { Ok(counts) }
}

/// Units of each line for which `count` isn't zero.
fn units_where(counts: &[LineCounts], count: impl Fn(&LineCounts) -> u32) -> Vec<LineUnits> {
    let units = counts.iter().enumerate().map(|(line, counts)| LineUnits { line, quantity: count(counts) });
    units.filter(|units| units.quantity > 0).collect()
}
