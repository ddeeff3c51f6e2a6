//! The stock that an order gives back.

use std::collections::BTreeMap;

use crate::domain::{
    counter::{self, Counter, PartUnits},
    ids::Sku,
    lines::LineUnits,
    order::Order,
};

impl Order {
    /// The units by stock counter that this order has given back, and `before` hadn't.
    pub(in crate::domain) fn restocked_since(&self, before: &Self) -> Vec<(Sku, u32)> {
        let earlier = before.restocked();
        let news = self.restocked().into_iter().map(|(counter, units)| {
            let given = earlier.get(&counter).copied().unwrap_or_default();
            (counter, units.saturating_sub(given))
        });
        news.filter(|(_, units)| *units > 0).collect()
    }

    /// All units that this order has given back. Never more than it took.
    fn restocked(&self) -> BTreeMap<Sku, u32> {
        let cancelled = self.line_cancellations.iter().filter(|cancellation| cancellation.restocked);
        let cancelled = cancelled.flat_map(|cancellation| &cancellation.items);
        let returned = self.returns.iter().filter(|of| of.restocked).flat_map(|of| &of.items);
        let mut all: BTreeMap<Sku, u32> = BTreeMap::new();
        for LineUnits { line, quantity } in cancelled.chain(returned) {
            if let Some((counter, taken)) = self.counter_of(*line) {
                let units = all.entry(counter.clone()).or_default();
                *units = units.saturating_add(*quantity).min(*taken);
            }
        }
        all
    }

    /// To which parts of a counter the units go that the last change has given back: each to where it came from.
    pub fn returned_to(&self, sku: &Sku, units: u32) -> Vec<PartUnits> {
        let taken = self.reserved.taken(&Counter::Stock(sku.clone()));
        let given = self.restocked().get(sku).copied().unwrap_or_default();
        counter::give_back(taken, given.saturating_sub(units), units)
    }

    /// The least that a counter must be at for the order to take these units, as it was priced: what isn't on backorder
    /// must be there, and what is may not go beyond its limit.
    pub fn least_stock(&self, counter: &Sku, units: u32) -> i64 {
        let is_of = |at: usize| self.counter_of(at).is_some_and(|(of, _)| of == counter);
        let lines = self.lines.iter().enumerate().filter(|(at, _)| is_of(*at));
        let backordered: Vec<_> = lines.filter_map(|(_, line)| line.backorder).collect();
        let waiting: i64 = backordered.iter().map(|of| i64::from(of.quantity)).sum();
        let there = i64::from(units) - waiting;
        match backordered.first() {
            // There is nothing left: others may wait for more than this order does.
            Some(of) if there <= 0 => i64::from(units) - i64::from(of.limit),
            _ => there,
        }
    }

    /// The stock counter of a line and what the order took from it: the line's own, or that of its product, which the
    /// variants share. None if stock isn't counted.
    fn counter_of(&self, line: usize) -> Option<&(Sku, u32)> {
        let sku = &self.lines.get(line)?.sku;
        let taken = |of: &Sku| self.reserved.stock.iter().find(|(counter, _)| counter == of);
        taken(sku).or_else(|| taken(&Sku { product: sku.product.clone(), variant: None }))
    }
}
