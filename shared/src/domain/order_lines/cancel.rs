//! Cancelling units that haven't been shipped.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    lines::{LineCancellation, LineCounts, LineUnits},
    order::{Actor, Order},
    order_lines::{LineRefusal, room, units_where},
    order_payment::PaymentRefusal,
};

impl Order {
    /// Cancels units alone: they are in stock again, and what was paid for them goes back, without shipping. An order
    /// that isn't paid yet costs less. If no unit is left, the whole order is cancelled, and all that was paid goes back.
    /// The same id again is the same cancellation. Returns whether it is new.
    ///
    /// # Errors
    /// [`LineRefusal`] if a unit isn't there to be cancelled, or the payment is under way.
    pub fn cancel_lines(
        &mut self,
        id: Uuid,
        items: Vec<LineUnits>,
        reason: Option<String>,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<bool, LineRefusal> {
        if let Some(known) = self.line_cancellations.iter().find(|known| known.id == id) {
            return if known.items == items { Ok(false) } else { Err(LineRefusal::IdReused(id)) };
        }
        if self.payment.card.is_some() && self.payment.status.is_open() {
            return Err(PaymentRefusal::UnderWay.into());
        }
        let counts = self.line_counts();
        for units in &items {
            room(&counts, *units, LineCounts::open)?;
        }
        let split: Vec<_> = items.iter().map(|units| (units.line, [units.quantity, 0])).collect();
        self.line_cancellations.push(LineCancellation {
            id,
            items,
            reason: reason.clone(),
            restocked: true,
            refund_id: None,
            credits: Vec::new(),
            actor: actor.clone(),
            at: now,
        });
        self.updated_at = now;
        let stands = self.line_counts().iter().any(|counts| counts.open() > 0 || counts.shipped > 0);
        if stands {
            let paid_back = self.pay_back(id, &split, false, "units were cancelled", now);
            if let Some(cancellation) = self.line_cancellations.last_mut() {
                (cancellation.refund_id, cancellation.credits) = paid_back.into_parts();
            }
            self.plan(now);
        }
        self.follow_units(actor, reason, now)?;
        Ok(true)
    }

    /// Records that all units that can still be shipped are cancelled with the order, under the order's own id.
    pub(super) fn cancel_rest(&mut self, actor: &Actor, now: OffsetDateTime) {
        let items = units_where(&self.line_counts(), |counts| counts.open());
        if items.is_empty() {
            return;
        }
        self.line_cancellations.push(LineCancellation {
            id: self.id.uuid(),
            items,
            reason: None,
            restocked: true,
            refund_id: None,
            credits: Vec::new(),
            actor: actor.clone(),
            at: now,
        });
    }
}
