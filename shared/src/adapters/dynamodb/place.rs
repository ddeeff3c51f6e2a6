//! Placing an order: one transaction of everything that a confirmation writes. What it takes of a counter in parts comes from
//! the part whose turn it is; if that has too little, or others write it, from other parts.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use aws_sdk_dynamodb::types::Put;

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, number, text, to_item},
            counter_parts::parts,
            inventory::{self, limited_coupons, part_id},
            open_orders,
            orders::ORDER,
            sessions::{self, STILL_OPEN},
            stored_responses,
            transaction::{Failure, Pace, Tried, Write, has_failed, put},
        },
        stored::{
            order::StoredOrder,
            session::{OPEN, StoredSession},
        },
    },
    domain::{
        cart_issue::CartIssue,
        counter::{Counter, PartUnits, choose},
        open::OpenLimits,
        order::Order,
        session::SessionLife,
    },
    ports::{Attempt, ChangeId, Placed, Placement, StoreError},
};

const OPERATION: &str = "place order";
/// The most writes of a transaction.
const MOST_WRITES: usize = 100;
/// So often a sale may meet others on its part before it takes another turn.
const PATIENCE: u32 = 4;

/// Whose turn it is among the parts of a counter.
pub trait Turns: Sync {
    /// A number that is one more for each caller, so that two who come one after the other don't meet. None if it isn't
    /// known.
    fn next(&self, counter: &Counter) -> impl Future<Output = Option<u64>> + Send;
}

impl Dynamo {
    /// # Errors
    /// [`StoreError`] if the outcome is unknown, or others were in the way until the deadline.
    pub async fn place_order(
        &self,
        placement: Placement<'_>,
        Attempt { change, deadline, .. }: Attempt<'_>,
        life: SessionLife,
        limits: &OpenLimits,
        turns: &impl Turns,
    ) -> Result<Placed, StoreError> {
        if let Some(limit) = open_orders::too_large(placement.order, limits) {
            return Ok(Placed::TooManyOpenOrders(limit));
        }
        let mut shares = Shares::of(placement, turns);
        shares.draw_all().await;
        let mut pace = Pace::new(change.0, deadline);
        // Each form of the transaction has a token of its own.
        for form in 0.. {
            if pace.is_over() && form > 0 {
                break;
            }
            let writes = self.placement(&shares.order, placement, change, life, limits)?;
            if writes.len() > MOST_WRITES && shares.gather(self, &pace).await? {
                continue;
            }
            let may_be_exchanged = |name: &str| shares.counter_of(name).is_some();
            let change = change.form(form);
            match self.transact_paced(OPERATION, Some(change), writes, &mut pace, &may_be_exchanged).await? {
                Tried::Done => return Ok(Placed::Done(shares.order.reserved.parts.clone())),
                Tried::Met(names) => shares.draw_others(&names).await,
                Tried::Failed(failures) => {
                    if let Some(placed) = shares.look_again(self, failures, limits).await? {
                        return Ok(placed);
                    }
                }
            }
        }
        Err(StoreError::contention(OPERATION))
    }

    fn placement(
        &self,
        order: &Order,
        Placement { session, stored_response, .. }: Placement<'_>,
        change: ChangeId,
        life: SessionLife,
        limits: &OpenLimits,
    ) -> Result<Vec<Write>, StoreError> {
        let order_item = to_item(OPERATION, &StoredOrder::new(order, change))?;
        let session_item = to_item(OPERATION, &StoredSession::new(session, change, life))?;
        let session_put = Put::builder()
            .table_name(&self.tables.sessions)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":version", number(session.version.saturating_sub(1)))
            .expression_attribute_values(":open", text(OPEN));
        let order_put = Put::builder().table_name(&self.tables.orders);
        let mut writes = vec![
            Write::named(sessions::NAME, put(session_put, session_item, STILL_OPEN)),
            Write::named(ORDER, put(order_put, order_item, "attribute_not_exists(orderId)")),
        ];
        writes.extend(inventory::take(&self.tables.inventory, order));
        writes.extend(open_orders::take(&self.tables.inventory, order, limits));
        if let Some(stored_response) = stored_response {
            writes.push(stored_responses::write(&self.tables.idempotency, stored_response, order.created_at)?);
        }
        Ok(writes)
    }
}

/// Of what all parts of a counter together have too little.
enum Short {
    Of(CartIssue),
    /// Of a coupon.
    UsedUp,
}

/// What the order takes from the parts of counters.
struct Shares<'a, T> {
    order: Cow<'a, Order>,
    turns: &'a T,
    /// The number of parts of counters in parts, as far as they weren't looked at.
    sizes: &'a BTreeMap<Counter, u8>,
    /// What is left in each part, of counters that had to be looked at.
    known: BTreeMap<Counter, Vec<i64>>,
    /// How often a part was chosen, and how often others wrote it at the same time.
    draws: u32,
    meetings: u32,
}

impl<'a, T: Turns> Shares<'a, T> {
    fn of(placement: Placement<'a>, turns: &'a T) -> Self {
        let Placement { order, parts, .. } = placement;
        Self { order: Cow::Borrowed(order), turns, sizes: parts, known: BTreeMap::new(), draws: 0, meetings: 0 }
    }

    /// Takes from each counter in parts.
    async fn draw_all(&mut self) {
        let sizes = self.sizes;
        for counter in sizes.iter().filter(|(_, size)| **size > 1).map(|(counter, _)| counter) {
            self.draw(counter).await;
        }
    }

    /// Takes from a counter by whose turn it is: from one part, whatever is left in it, unless that is known. Mostly it is
    /// enough, and nothing has to be read.
    async fn draw(&mut self, counter: &Counter) {
        let Some(units) = self.units(counter) else { return };
        let turn = self.turn(counter).await;
        let size = u64::from(self.sizes.get(counter).copied().unwrap_or(1).max(1));
        let blind = || vec![PartUnits { part: u8::try_from(turn % size).unwrap_or_default(), units }];
        // What is known may be too little by now: then the next attempt says so.
        let chosen = self.known.get(counter).and_then(|left| choose(left, units, turn)).unwrap_or_else(blind);
        self.order.to_mut().reserved.parts.insert(counter.clone(), chosen);
    }

    /// What the order takes from a counter.
    fn units(&self, counter: &Counter) -> Option<u32> {
        match counter {
            Counter::Stock(sku) => self.order.reserved.stock.iter().find(|(of, _)| of == sku).map(|(_, units)| *units),
            Counter::Coupon(_) => limited_coupons(&self.order).find(|(of, _)| of == counter).map(|_| 1),
        }
    }

    /// The order's own number where nobody says whose turn it is.
    async fn turn(&mut self, counter: &Counter) -> u64 {
        self.draws += 1;
        let (_, random) = self.order.id.uuid().as_u64_pair();
        self.turns.next(counter).await.unwrap_or_else(|| random.rotate_right(6 * self.draws))
    }

    /// All counters that the order takes from, and that may have parts.
    fn counters(&self) -> impl Iterator<Item = Counter> {
        let stock = self.order.reserved.stock.iter().map(|(sku, _)| Counter::Stock(sku.clone()));
        stock.chain(limited_coupons(&self.order).map(|(counter, _)| counter))
    }

    /// The counter in parts that a write of this name takes from.
    fn counter_of(&self, name: &str) -> Option<&Counter> {
        let mut all = self.order.reserved.parts.iter();
        all.find(|(counter, taken)| taken.iter().any(|of| part_id(counter, of.part) == name))
            .map(|(counter, _)| counter)
    }

    /// Others write these parts. It waits for its part, because the others have their turns there: only who meets others
    /// again and again takes another turn.
    async fn draw_others(&mut self, names: &[String]) {
        self.meetings += 1;
        if !self.meetings.is_multiple_of(PATIENCE) {
            return;
        }
        let counters: BTreeSet<Counter> = names.iter().filter_map(|name| self.counter_of(name)).cloned().collect();
        for counter in counters {
            self.draw(&counter).await;
        }
    }

    /// What becomes of a placement whose conditions failed. None if all that failed are parts with too little, and other
    /// parts have enough: then it takes from those.
    async fn look_again(
        &mut self,
        store: &Dynamo,
        failures: Vec<Failure>,
        limits: &OpenLimits,
    ) -> Result<Option<Placed>, StoreError> {
        if has_failed(&failures, stored_responses::NAME) {
            return Ok(Some(Placed::AlreadyAnswered));
        }
        // An order with this id can only be from this request: then the session has changed too.
        if has_failed(&failures, sessions::NAME) || has_failed(&failures, ORDER) {
            return Ok(Some(Placed::SessionChanged));
        }
        let mut split = BTreeSet::new();
        let mut others = Vec::new();
        for failure in failures {
            // A counter may have got its parts since it was read.
            let has_parts = failure.item.as_ref().is_some_and(|item| parts(item) > 1);
            let counter = self.counter_of(&failure.name).cloned();
            let counter = counter.or_else(|| self.counters().find(|of| has_parts && of.to_string() == failure.name));
            match counter {
                Some(counter) => drop(split.insert(counter)),
                None => others.push(failure),
            }
        }
        let (mut short, mut used_up) = (Vec::new(), None);
        for counter in split {
            match self.take_elsewhere(store, &counter).await? {
                Some(Short::Of(issue)) => short.push(issue),
                Some(Short::UsedUp) => used_up = Some(Placed::CouponLimitReached),
                None => {}
            }
        }
        if short.is_empty() && used_up.is_none() && others.is_empty() {
            return Ok(None);
        }
        short.extend(inventory::short(&self.order, &others));
        if !short.is_empty() {
            return Ok(Some(Placed::OutOfStock(short)));
        }
        let refusal = inventory::refusal(&others).or(used_up);
        let refusal = refusal.or_else(|| open_orders::refusal(&others, limits).map(Placed::TooManyOpenOrders));
        Ok(Some(refusal.unwrap_or(Placed::SessionChanged)))
    }

    /// Looks at all parts of a counter and takes from those that have enough. What is short if all together have too little.
    async fn take_elsewhere(&mut self, store: &Dynamo, counter: &Counter) -> Result<Option<Short>, StoreError> {
        let left = store.parts_of(counter).await?;
        let requested = self.units(counter).unwrap_or_default();
        let available: i64 = left.iter().sum();
        match counter {
            // Its parts are one again, which counts the uses that were made.
            Counter::Coupon(_) if left.is_empty() => {
                self.order.to_mut().reserved.parts.remove(counter);
                return Ok(None);
            }
            Counter::Coupon(_) if available < 1 => return Ok(Some(Short::UsedUp)),
            Counter::Stock(sku) if available < i64::from(requested) => {
                let (sku, available) = (sku.clone(), u64::try_from(available).unwrap_or_default());
                return Ok(Some(Short::Of(CartIssue::OutOfStock { sku, requested: requested.into(), available })));
            }
            _ => {}
        }
        self.known.insert(counter.clone(), left);
        self.draw(counter).await;
        Ok(None)
    }

    /// An order that takes from more parts than fit into one transaction: brings what they have into one of them, for the
    /// counter of which it takes the most parts. False if it takes from one part of each.
    async fn gather(&mut self, store: &Dynamo, pace: &Pace) -> Result<bool, StoreError> {
        let most = self.order.reserved.parts.iter().max_by_key(|(_, taken)| taken.len());
        let Some((counter, taken)) = most.filter(|(_, taken)| taken.len() > 1) else { return Ok(false) };
        let (counter, taken) = (counter.clone(), taken.clone());
        for of in taken.iter().filter(|of| of.part > 0) {
            store.move_units(&counter, of.part, -i64::from(of.units), pace.deadline()).await?;
        }
        self.known.insert(counter.clone(), store.parts_of(&counter).await?);
        self.draw(&counter).await;
        Ok(true)
    }
}
