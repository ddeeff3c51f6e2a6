//! Returns: units that were shipped come back.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    lines::{LineCounts, LineUnits, Return, ReturnStatus},
    order::{Actor, Order},
    order_lines::{LineRefusal, room, units_where},
};

/// What staff decide about a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnDecision {
    Approve,
    Refuse,
    Receive(Receipt),
}

/// How returned units are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whether the units are in stock again.
    pub restock: bool,
    /// Whether what was paid for them goes back.
    pub refund: bool,
    /// Whether their share of shipping goes back too.
    pub shipping: bool,
}

impl ReturnDecision {
    pub const fn status(self) -> ReturnStatus {
        match self {
            Self::Approve => ReturnStatus::Approved,
            Self::Refuse => ReturnStatus::Refused,
            Self::Receive(_) => ReturnStatus::Received,
        }
    }
}

impl Order {
    /// Asks for a return of units that were shipped. Staff's own are approved at once. The same id again is the same
    /// return. Returns whether it is new.
    ///
    /// # Errors
    /// [`LineRefusal`] if a unit wasn't shipped, or is in another return.
    pub fn ask_return(
        &mut self,
        id: Uuid,
        items: Vec<LineUnits>,
        reason: Option<String>,
        actor: Actor,
        now: OffsetDateTime,
    ) -> Result<bool, LineRefusal> {
        if let Some(known) = self.returns.iter().find(|known| known.id == id) {
            return if known.items == items { Ok(false) } else { Err(LineRefusal::IdReused(id)) };
        }
        let counts = self.line_counts();
        for units in &items {
            room(&counts, *units, LineCounts::returnable)?;
        }
        let status = match actor {
            Actor::Staff(_) => ReturnStatus::Approved,
            Actor::Customer | Actor::Payment => ReturnStatus::Requested,
        };
        let mut new = Return::new(id, items, reason);
        new.become_status(status, actor, None, now);
        self.returns.push(new);
        self.updated_at = now;
        Ok(true)
    }

    /// Decides about a return. Received units may be in stock again, and what was paid for them goes back, once; of an
    /// order that isn't paid yet the customer has to pay less. The same decision again changes nothing. Returns whether
    /// it is new.
    ///
    /// # Errors
    /// [`LineRefusal`] if there is no such return, or it was decided otherwise.
    pub fn decide_return(
        &mut self,
        id: Uuid,
        decision: ReturnDecision,
        note: Option<String>,
        actor: &Actor,
        now: OffsetDateTime,
    ) -> Result<bool, LineRefusal> {
        let to = decision.status();
        let of = self.returns.iter_mut().find(|of| of.id == id).ok_or(LineRefusal::NoSuchReturn)?;
        if of.status == to {
            return Ok(false);
        }
        if !of.status.next().contains(&to) {
            return Err(LineRefusal::IllegalReturnMove { from: of.status, to });
        }
        of.become_status(to, actor.clone(), note, now);
        self.updated_at = now;
        if let ReturnDecision::Receive(receipt) = decision {
            of.restocked = receipt.restock;
            let items = of.items.clone();
            self.receive(id, &items, receipt, now);
            self.follow_units(actor, None, now)?;
        }
        Ok(true)
    }

    /// Pays returned units back, but those that were refunded while the customer had them.
    fn receive(&mut self, id: Uuid, items: &[LineUnits], receipt: Receipt, now: OffsetDateTime) {
        if !receipt.refund {
            return;
        }
        let counts = self.line_counts();
        let unsettled = items.iter().filter_map(|LineUnits { line, quantity }| {
            let units = counts.get(*line)?.unsettled_shipped().min(*quantity);
            (units > 0).then_some((*line, [0, units]))
        });
        let unsettled: Vec<_> = unsettled.collect();
        let paid_back = self.pay_back(id, &unsettled, receipt.shipping, "units were returned", now);
        if let Some(of) = self.returns.iter_mut().find(|of| of.id == id) {
            (of.refund_id, of.credits) = paid_back.into_parts();
        }
        self.plan(now);
    }

    /// Records that all units that were shipped have come back, under the order's own id. They are neither in stock
    /// again nor refunded by that.
    pub(super) fn record_rest_returned(&mut self, actor: &Actor, now: OffsetDateTime) {
        for of in self.returns.iter_mut().filter(|of| of.status.is_open()) {
            of.become_status(ReturnStatus::Received, actor.clone(), None, now);
        }
        let items = units_where(&self.line_counts(), |counts| counts.returnable());
        if items.is_empty() {
            return;
        }
        let mut rest = Return::new(self.id.uuid(), items, None);
        rest.become_status(ReturnStatus::Received, actor.clone(), None, now);
        self.returns.push(rest);
    }
}
