//! Shipping the units of an order, in one parcel or in several.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    lines::{Fulfillment, LineCounts, LineUnits, Tracking},
    order::{Actor, IllegalMove, Order, OrderStatus},
    order_lines::{LineRefusal, room, units_where},
    order_payment::{PaymentRefusal, ShippingTerms},
    payment::PaymentStatus,
};

impl Order {
    /// Whether its goods may leave.
    pub fn may_ship(&self, terms: ShippingTerms) -> Result<(), PaymentRefusal> {
        if self.payment.status == PaymentStatus::Authorized && !terms.uncaptured {
            return Err(PaymentRefusal::NotCaptured);
        }
        let disputes = self.payment.card.as_ref().map_or(&[][..], |card| &card.disputes);
        let is_refunded = self
            .payment
            .card
            .as_ref()
            .is_some_and(|card| !card.captured.is_zero() && card.given_back() >= card.captured);
        if is_refunded {
            return Err(PaymentRefusal::AllRefunded);
        }
        let is_disputed = disputes.iter().any(|dispute| dispute.status.is_open() || !dispute.withdrawn().is_zero());
        if is_disputed && !terms.despite_dispute {
            return Err(PaymentRefusal::Disputed);
        }
        Ok(())
    }

    /// Records a parcel, or that digital units were handed over. The same id again is the same parcel. The order is
    /// shipped when no unit is left that it waits for, else partially shipped. Digital units that are left then are
    /// recorded as handed over: no order waits for them. Returns whether it is new.
    ///
    /// # Errors
    /// [`LineRefusal`] if a unit isn't there to be shipped, or nothing of the order may be.
    pub fn fulfill(
        &mut self,
        id: Uuid,
        items: Vec<LineUnits>,
        tracking: Tracking,
        terms: ShippingTerms,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<bool, LineRefusal> {
        if let Some(known) = self.fulfillments.iter().find(|known| known.id == id) {
            let same = known.items == items && known.tracking == tracking;
            return if same { Ok(false) } else { Err(LineRefusal::IdReused(id)) };
        }
        self.may_ship(terms)?;
        let counts = self.line_counts();
        for units in &items {
            room(&counts, *units, LineCounts::open)?;
        }
        let waits = self.waits(&counts);
        let waited = counts.iter().zip(&waits).filter(|(_, waits)| **waits);
        let open: u64 = waited.map(|(counts, _)| u64::from(counts.open())).sum();
        let waited = items.iter().filter(|units| waits.get(units.line).is_some_and(|waits| *waits));
        let leave: u64 = waited.map(|units| u64::from(units.quantity)).sum();
        let to = if leave < open { OrderStatus::PartiallyShipped } else { OrderStatus::Shipped };
        if self.status != to && !self.status.next().contains(&to) {
            return Err(IllegalMove { from: self.status, to }.into());
        }
        if self.is_parcel(&items) || !tracking.is_empty() {
            self.tracking = tracking.clone();
        }
        self.fulfillments.push(Fulfillment { id, items, tracking, actor: actor.clone(), at: now });
        self.updated_at = now;
        self.become_status(to, actor.clone(), None, now)?;
        self.deliver_without_parcel(actor, now)?;
        Ok(true)
    }

    /// Corrects the tracking of the last parcel. Returns whether anything changed.
    pub fn correct_tracking(&mut self, tracking: &Tracking, now: OffsetDateTime) -> bool {
        if self.tracking == *tracking {
            return false;
        }
        self.tracking = tracking.clone();
        let parcel = self.fulfillments.iter().rposition(|of| self.is_parcel(&of.items));
        let last = parcel.or(self.fulfillments.len().checked_sub(1));
        if let Some(last) = last.and_then(|at| self.fulfillments.get_mut(at)) {
            last.tracking = tracking.clone();
        }
        self.updated_at = now;
        true
    }

    /// Whether any of these units is shipped.
    pub(in crate::domain) fn is_parcel(&self, items: &[LineUnits]) -> bool {
        items.iter().any(|units| self.lines.get(units.line).is_some_and(|line| !line.digital))
    }

    /// Records the parcel with all that is left, under the order's own id.
    pub(super) fn record_rest_shipped(&mut self, actor: &Actor, now: OffsetDateTime) {
        let items = units_where(&self.line_counts(), |counts| counts.open());
        if items.is_empty() {
            return;
        }
        let id = self.id.uuid();
        if self.is_parcel(&items) {
            self.tracking = Tracking::default();
        }
        self.fulfillments.push(Fulfillment { id, items, tracking: Tracking::default(), actor: actor.clone(), at: now });
    }
}
