//! Counters in parts, in the table of counters: part 0 is the counter itself, which says how many there are, and the others are
//! items beside it. Units move between the counter and another part only, and whatever adds to another part is noted by the counter
//! in the same transaction (`moves`): so whoever reads them one by one sees whether a unit has come past.
//!
//! Units are stock, or uses of a coupon that are left. A coupon's counter in one part has the uses that were made instead: they
//! stay what they are when the limit changes.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use aws_sdk_dynamodb::types::{Delete, Put, Update, builders::UpdateBuilder};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, Item, number, text},
        inventory::{AVAILABLE, USES, counter as whole, left, part_id},
        stock_levels,
        transaction::{Pace, Tried, Write, delete, put, update},
    },
    domain::counter::{Counter, MOST_PARTS},
    ports::StoreError,
    telemetry::cause,
};

/// How many parts a counter has; without it, one.
pub const PARTS: &str = "parts";
/// Grows whenever units come to another part than the counter itself, or leave it in another way than by being taken.
const MOVES: &str = "moves";
/// The limit that the parts of a coupon's counter were made for.
const TOTAL_LIMIT: &str = "totalLimit";
const READ: &str = "read counter";
const MOVE: &str = "move units";
/// Reads of parts between which units keep moving, and steps of one change of their number.
const ROUNDS: usize = 20;
const STEPS: usize = 400;

/// How a counter is to count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting {
    pub parts: u8,
    /// Of a coupon: how often it may be used in total, if there is a limit.
    pub limit: Option<u32>,
}

/// The number of parts that a counter says it has.
pub fn parts(item: &Item) -> u8 {
    let said = whole(item, PARTS).and_then(|parts| u8::try_from(parts).ok());
    said.unwrap_or(1).clamp(1, MOST_PARTS)
}

/// The limit that a coupon's counter in parts was divided from.
pub(super) fn divided(item: &Item) -> Option<u32> {
    whole(item, TOTAL_LIMIT).and_then(|limit| u32::try_from(limit).ok())
}

fn part_update(table: &str, counter: &Counter, part: u8) -> UpdateBuilder {
    Update::builder().table_name(table).key("id", text(part_id(counter, part)))
}

impl Counting {
    /// The number of parts to go for now. A coupon of which nothing is left has one, so that no part is ever below zero; and
    /// so has one with another limit, which is divided again from there if its parts can't take the difference.
    fn aim(self, counter: &Counter, item: &Item) -> u8 {
        let wanted = self.parts.clamp(1, MOST_PARTS);
        match counter {
            Counter::Stock(_) => wanted,
            Counter::Coupon(_) if parts(item) > 1 && divided(item) != self.limit => 1,
            Counter::Coupon(_) if parts(item) > 1 || self.left(counter, item) > 0 => wanted,
            Counter::Coupon(_) => 1,
        }
    }

    /// The limit that a coupon's parts were made for, and the one that they are to have, if the counter itself can take the
    /// difference.
    fn another_limit(self, item: &Item) -> Option<(u32, u32)> {
        let (old, new) = divided(item).filter(|_| self.parts > 1).zip(self.limit)?;
        let left = left(item).unwrap_or_default() + i64::from(new) - i64::from(old);
        (old != new && left >= 0).then_some((old, new))
    }

    /// What is left in the counter itself.
    fn left(self, counter: &Counter, item: &Item) -> i64 {
        match counter {
            Counter::Coupon(_) if parts(item) == 1 => {
                let uses = whole(item, USES).and_then(|uses| i64::try_from(uses).ok()).unwrap_or_default();
                self.limit.map_or(0, i64::from) - uses
            }
            _ => left(item).unwrap_or_default(),
        }
    }
}

impl Dynamo {
    /// What is left in each part of each counter, of which `counters` is what was just read. If that says less than is `wanted`
    /// of it, it holds at one moment: between two reads of the counter with as many moves the other parts have only become less,
    /// so that all together have no more than was read. What isn't counted is left out.
    pub async fn parts_left(
        &self,
        operation: &'static str,
        mut counters: HashMap<String, Item>,
        wanted: &BTreeMap<Counter, i64>,
        consistent: bool,
    ) -> Result<BTreeMap<Counter, Vec<i64>>, StoreError> {
        let table = &self.tables.inventory;
        let said = |counters: &HashMap<String, Item>, counter: &Counter| {
            let item = counters.get(&counter.to_string())?;
            Some((left(item)?, parts(item), whole(item, MOVES)))
        };
        let mut found = BTreeMap::new();
        for _ in 0..ROUNDS {
            let split =
                wanted.iter().filter_map(|(counter, enough)| Some((counter, *enough, said(&counters, counter)?)));
            let split: Vec<_> = split.filter(|(_, enough, (left, parts, _))| *parts > 1 && left < enough).collect();
            let ids = split.iter().flat_map(|(of, _, (_, parts, _))| (1..*parts).map(|part| part_id(of, part)));
            let ids: Vec<String> = ids.collect();
            let others =
                if ids.is_empty() { HashMap::new() } else { self.batch(operation, table, ids, consistent).await? };
            let own = |counter: &Counter| Some((counter.clone(), vec![said(&counters, counter)?.0]));
            found = wanted.keys().filter_map(own).collect();
            for (counter, _, (own, parts, _)) in &split {
                let other = |part| others.get(&part_id(counter, part)).and_then(left).unwrap_or_default();
                let all = std::iter::once(*own).chain((1..*parts).map(other));
                found.insert((*counter).clone(), all.collect());
            }
            let too_little = |counter: &Counter, enough: i64| {
                found.get(counter).is_some_and(|left: &Vec<i64>| left.iter().sum::<i64>() < enough)
            };
            let unsure: Vec<_> = split.iter().filter(|(counter, enough, _)| too_little(counter, *enough)).collect();
            if unsure.is_empty() {
                break;
            }
            let ids = unsure.iter().map(|(counter, ..)| counter.to_string()).collect();
            let again = self.batch(operation, table, ids, consistent).await?;
            let is_still = unsure.iter().all(|(counter, _, (_, parts, moves))| {
                said(&again, counter).is_some_and(|(_, now, moved)| now == *parts && moved == *moves)
            });
            for (counter, ..) in &unsure {
                // What was given back to the counter meanwhile is there.
                if let (Some((own, ..)), Some([first, ..])) =
                    (said(&again, counter), found.get_mut(*counter).map(Vec::as_mut_slice))
                {
                    *first = own;
                }
            }
            if is_still {
                break;
            }
            // One that isn't there any more, or doesn't count what is left.
            for (counter, ..) in &unsure {
                counters.remove(&counter.to_string());
            }
            counters.extend(again);
        }
        Ok(found)
    }

    /// What is left in each part of one counter, read anew. Empty if it doesn't count that.
    pub async fn parts_of(&self, counter: &Counter) -> Result<Vec<i64>, StoreError> {
        let wanted = BTreeMap::from([(counter.clone(), i64::MAX)]);
        let counters = self.batch(READ, &self.tables.inventory, vec![counter.to_string()], true).await?;
        Ok(self.parts_left(READ, counters, &wanted, true).await?.remove(counter).unwrap_or_default())
    }

    /// Brings a counter to the parts that it is to have, while others take from it. Each step adds a part with its share of
    /// the counter, or takes the last one away with what is left of it: none of them loses or adds a unit, so one that dies
    /// leaves another number.
    pub(super) async fn split(
        &self,
        counter: &Counter,
        mut wanted: Counting,
        deadline: Instant,
    ) -> Result<(), StoreError> {
        let table = &self.tables.inventory;
        let mut changed = false;
        for _ in 0..STEPS {
            let read = self.batch(READ, table, vec![counter.to_string()], true).await?.remove(&counter.to_string());
            let item = match (read, counter) {
                (Some(item), _) => item,
                (None, Counter::Stock(_)) => return Ok(()),
                // Nobody has used it.
                (None, Counter::Coupon(_)) => Item::new(),
            };
            if let Some((old, new)) = wanted.another_limit(&item) {
                self.exchange(counter, vec![self.move_limit(counter, old, new)], deadline).await?;
                changed = true;
                continue;
            }
            let (now, aim) = (parts(&item), wanted.aim(counter, &item));
            let writes = match now.cmp(&aim) {
                Ordering::Equal if aim == 1 => return Ok(()),
                // Whoever asks for it would look at all of its parts for nothing.
                Ordering::Equal if self.is_used_up(counter).await? => {
                    wanted.parts = 1;
                    continue;
                }
                Ordering::Equal => {
                    if changed {
                        self.spread(counter, deadline).await;
                    }
                    return Ok(());
                }
                Ordering::Less => {
                    let share = wanted.left(counter, &item).max(0) / i64::from(aim - now + 1);
                    self.add_part(counter, &item, share, wanted)
                }
                Ordering::Greater => {
                    let last = part_id(counter, now - 1);
                    let read = self.batch(READ, table, vec![last.clone()], true).await?;
                    self.end_part(counter, &item, read.get(&last).and_then(left))
                }
            };
            changed = true;
            // A condition that fails: somebody took from it, or changes the number too.
            self.exchange(counter, writes, deadline).await?;
        }
        Err(StoreError::contention(MOVE))
    }

    /// Whether nothing is left of a coupon.
    async fn is_used_up(&self, counter: &Counter) -> Result<bool, StoreError> {
        Ok(matches!(counter, Counter::Coupon(_)) && self.parts_of(counter).await?.iter().sum::<i64>() == 0)
    }

    /// Another limit of a coupon in parts: the counter itself takes the difference.
    fn move_limit(&self, counter: &Counter, old: u32, new: u32) -> Write {
        let more = i64::from(new) - i64::from(old);
        let moved = part_update(&self.tables.inventory, counter, 0)
            .update_expression("SET available = available + :more, totalLimit = :new ADD moves :one")
            .condition_expression("totalLimit = :old AND available >= :least")
            .expression_attribute_values(":more", number(more))
            .expression_attribute_values(":new", number(new))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":old", number(old))
            .expression_attribute_values(":least", number((-more).max(0)));
        Write::named("counter", update(moved))
    }

    /// One more part, which begins with so many of the counter's units.
    fn add_part(&self, counter: &Counter, item: &Item, units: i64, wanted: Counting) -> Vec<Write> {
        let table = &self.tables.inventory;
        let now = parts(item);
        let part = Item::from([("id".to_owned(), text(part_id(counter, now))), (AVAILABLE.to_owned(), number(units))]);
        let part = put(Put::builder().table_name(table), part, "attribute_not_exists(id)");
        let more = part_update(table, counter, 0)
            .expression_attribute_values(":more", number(now + 1))
            .expression_attribute_values(":one", number(1));
        let mut writes = vec![Write::named("part", part)];
        let more = match (counter, now) {
            (Counter::Coupon(_), 1) => more
                .update_expression(
                    "SET available = :rest - if_not_exists(uses, :none), parts = :more, totalLimit = :limit REMOVE uses \
                     ADD moves :one",
                )
                .condition_expression("attribute_not_exists(parts) AND (attribute_not_exists(uses) OR uses <= :rest)")
                .expression_attribute_values(":rest", number(wanted.limit.map_or(0, i64::from) - units))
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":limit", number(wanted.limit.unwrap_or_default())),
            (_, now) => {
                // Of what is owed nothing is divided.
                let enough = if units == 0 { "" } else { " AND available >= :units" };
                let as_now = if now == 1 { "attribute_not_exists(parts)" } else { "parts = :now" };
                let more = more
                    .update_expression("SET available = available - :units, parts = :more ADD moves :one")
                    .condition_expression(format!("{as_now}{enough}"))
                    .expression_attribute_values(":units", number(units));
                if now == 1 { more } else { more.expression_attribute_values(":now", number(now)) }
            }
        };
        writes.push(Write::named("counter", update(more)));
        if let (Counter::Stock(sku), 1) = (counter, now) {
            writes.extend(stock_levels::begin(table, sku, item));
        }
        writes
    }

    /// Without the last part, of which this was left.
    fn end_part(&self, counter: &Counter, item: &Item, units: Option<i64>) -> Vec<Write> {
        let table = &self.tables.inventory;
        let last = parts(item) - 1;
        let ended = Delete::builder().table_name(table).key("id", text(part_id(counter, last)));
        let ended = match units {
            Some(units) => {
                ended.condition_expression("available = :left").expression_attribute_values(":left", number(units))
            }
            None => ended.condition_expression("attribute_not_exists(id)"),
        };
        let mut writes = vec![Write::named("part", delete(ended))];
        let units = units.unwrap_or_default();
        let fewer = part_update(table, counter, 0)
            .expression_attribute_values(":now", number(last + 1))
            .expression_attribute_values(":one", number(1));
        let fewer = match (counter, last) {
            (Counter::Coupon(_), 1) => {
                let limit = divided(item).unwrap_or_default();
                fewer
                    .update_expression(
                        "SET uses = :rest - available REMOVE parts, available, totalLimit ADD moves :one",
                    )
                    .condition_expression("parts = :now AND totalLimit = :limit")
                    .expression_attribute_values(":rest", number(i64::from(limit) - units))
                    .expression_attribute_values(":limit", number(limit))
            }
            (_, last) => {
                let fewer = fewer
                    .update_expression(match last {
                        1 => "SET available = available + :units REMOVE parts ADD moves :one",
                        _ => "SET available = available + :units, parts = :last ADD moves :one",
                    })
                    .condition_expression("parts = :now")
                    .expression_attribute_values(":units", number(units));
                if last == 1 { fewer } else { fewer.expression_attribute_values(":last", number(last)) }
            }
        };
        writes.push(Write::named("counter", update(fewer)));
        if let (Counter::Stock(sku), 1) = (counter, last) {
            writes.push(stock_levels::note(table, sku, false));
        }
        writes
    }

    /// Evens the parts out, as far as it goes while they sell: after a delivery, which is added to one of them. Nothing
    /// depends on it, because whoever finds too little in one part looks at the others.
    pub(super) async fn spread(&self, counter: &Counter, deadline: Instant) {
        if let Err(error) = self.try_to_spread(counter, deadline).await {
            tracing::warn!(%counter, error = cause::chain(&error), "Units weren't spread over the parts of their counter");
        }
    }

    async fn try_to_spread(&self, counter: &Counter, deadline: Instant) -> Result<(), StoreError> {
        let all = self.parts_of(counter).await?;
        let even = all.iter().sum::<i64>().max(0) / i64::try_from(all.len()).unwrap_or(1).max(1);
        let parts = || (0..=u8::MAX).zip(all.iter().copied()).skip(1);
        // First what some have too much of; then it is there for the others.
        for (part, left) in parts().filter(|(_, left)| *left > even + 1) {
            self.move_units(counter, part, even - left, deadline).await?;
        }
        for (part, left) in parts().filter(|(_, left)| *left < even) {
            self.move_units(counter, part, even - left, deadline).await?;
        }
        Ok(())
    }

    /// Moves units from the counter to another part of it, or back if the number is negative. False if they aren't there
    /// any more, or the part isn't.
    pub async fn move_units(
        &self,
        counter: &Counter,
        part: u8,
        units: i64,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let table = &self.tables.inventory;
        let own = part_update(table, counter, 0)
            .update_expression("SET available = available - :units ADD moves :one")
            .expression_attribute_values(":units", number(units))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":part", number(part))
            .condition_expression(if units > 0 { "available >= :units AND parts > :part" } else { "parts > :part" });
        let other = part_update(table, counter, part)
            .update_expression("SET available = available + :units")
            .expression_attribute_values(":units", number(units));
        let other = if units > 0 {
            other.condition_expression("attribute_exists(available)")
        } else {
            other.condition_expression("available >= :back").expression_attribute_values(":back", number(-units))
        };
        let writes = vec![Write::named("counter", update(own)), Write::named("part", update(other))];
        self.exchange(counter, writes, deadline).await
    }

    /// Writes a counter and one of its parts. It is safe to repeat: nothing is lost or added, however often units move.
    async fn exchange(&self, counter: &Counter, writes: Vec<Write>, deadline: Instant) -> Result<bool, StoreError> {
        let seed = counter.to_string().bytes().fold(0_u128, |seed, byte| seed.wrapping_mul(257) + u128::from(byte));
        let mut pace = Pace::new(Uuid::from_u128(seed), deadline);
        let tried = self.transact_paced(MOVE, None, writes, &mut pace, &|_| false).await?;
        Ok(matches!(tried, Tried::Done))
    }
}
