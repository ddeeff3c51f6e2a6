//! Orders of earlier releases, which kept no records of their units.

use crate::domain::{
    lines::{Fulfillment, LineCancellation, LineUnits, Return, ReturnStatus},
    order::{Order, OrderStatus, Step},
};

impl Order {
    /// Adds the records that an order of an earlier release lacks: its history says that all of its units were shipped,
    /// cancelled or returned.
    pub fn complete_line_records(&mut self) {
        let step = |status| self.history.iter().find(|step| step.status == status).cloned();
        let shipped = step(OrderStatus::Shipped).filter(|_| self.fulfillments.is_empty());
        let cancelled = step(OrderStatus::Cancelled).filter(|_| self.line_cancellations.is_empty());
        let returned = step(OrderStatus::Returned).filter(|_| self.returns.is_empty());
        let id = self.id.uuid();
        if let Some(Step { at, actor, .. }) = shipped {
            let (items, tracking) = (self.all_units(), self.tracking.clone());
            self.fulfillments.push(Fulfillment { id, items, tracking, actor, at });
        }
        if let Some(Step { at, actor, .. }) = cancelled {
            self.line_cancellations.push(LineCancellation {
                id,
                items: self.all_units(),
                reason: None,
                restocked: true,
                refund_id: None,
                credits: Vec::new(),
                actor,
                at,
            });
        }
        if let Some(Step { at, actor, .. }) = returned {
            let mut all = Return::new(id, self.all_units(), None);
            all.become_status(ReturnStatus::Received, actor, None, at);
            self.returns.push(all);
        }
    }

    fn all_units(&self) -> Vec<LineUnits> {
        let units = self.lines.iter().enumerate().map(|(line, priced)| LineUnits { line, quantity: priced.quantity });
        units.collect()
    }
}
