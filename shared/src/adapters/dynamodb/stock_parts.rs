//! Counters of stock in parts, in the table of counters: part 0 is the counter itself, which says how many there are, and the
//! others are items beside it. Units move between the counter and another part only, in one transaction that the counter
//! notes: so whoever reads them one by one sees whether a unit has moved past.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{Delete, Put, Update, builders::UpdateBuilder};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, Item, number, text},
        inventory::{AVAILABLE, counter, left, part_id, stock_id},
        stock_levels,
        transaction::{Pace, Tried, Write, delete, put, update},
    },
    domain::{ids::Sku, stock_parts::MOST_PARTS},
    ports::StoreError,
    telemetry::cause,
};

/// How many parts a counter has; without it, one.
pub const PARTS: &str = "parts";
/// Grows whenever units move between the counter and another part.
const MOVES: &str = "moves";
const READ: &str = "read stock";
const MOVE: &str = "move stock";
/// Reads of parts between which units keep moving, and steps of one change of their number.
const ROUNDS: usize = 20;
const STEPS: usize = 400;

/// The number of parts that a counter says it has.
pub fn parts(item: &Item) -> u8 {
    let said = counter(item, PARTS).and_then(|parts| u8::try_from(parts).ok());
    said.unwrap_or(1).clamp(1, MOST_PARTS)
}

fn part_update(table: &str, sku: &Sku, part: u8) -> UpdateBuilder {
    Update::builder().table_name(table).key("id", text(part_id(sku, part)))
}

impl Dynamo {
    /// What is left in each part of each counter, of which `counters` is what was just read. If that says less than
    /// `enough`, it holds at one moment: no unit that moves meanwhile is missed. What isn't counted is left out.
    pub async fn parts_left(
        &self,
        operation: &'static str,
        mut counters: HashMap<String, Item>,
        skus: &[Sku],
        enough: i64,
        consistent: bool,
    ) -> Result<BTreeMap<Sku, Vec<i64>>, StoreError> {
        let table = &self.tables.inventory;
        let said = |counters: &HashMap<String, Item>, sku: &Sku| {
            let counter_item = counters.get(&stock_id(sku))?;
            Some((left(counter_item)?, parts(counter_item), counter(counter_item, MOVES)))
        };
        let mut found = BTreeMap::new();
        for _ in 0..ROUNDS {
            let split = skus.iter().filter_map(|sku| Some((sku, said(&counters, sku)?)));
            let split: Vec<_> = split.filter(|(_, (left, parts, _))| *parts > 1 && *left < enough).collect();
            let ids = split.iter().flat_map(|(sku, (_, parts, _))| (1..*parts).map(|part| part_id(sku, part)));
            let ids: Vec<String> = ids.collect();
            let others =
                if ids.is_empty() { HashMap::new() } else { self.batch(operation, table, ids, consistent).await? };
            found = skus.iter().filter_map(|sku| Some((sku.clone(), vec![said(&counters, sku)?.0]))).collect();
            for (sku, (own, parts, _)) in &split {
                let other = |part| others.get(&part_id(sku, part)).and_then(left).unwrap_or_default();
                let all = std::iter::once(*own).chain((1..*parts).map(other));
                found.insert((*sku).clone(), all.collect());
            }
            let too_little = |sku: &Sku| found.get(sku).is_some_and(|left| left.iter().sum::<i64>() < enough);
            let unsure: Vec<_> = split.iter().filter(|(sku, _)| too_little(sku)).collect();
            if unsure.is_empty() {
                break;
            }
            let ids = unsure.iter().map(|(sku, _)| stock_id(sku)).collect();
            let again = self.batch(operation, table, ids, consistent).await?;
            let is_same = |(sku, (_, parts, moves)): &&(&Sku, (i64, u8, Option<u64>))| {
                said(&again, sku).is_some_and(|(_, now, moved)| now == *parts && moved == *moves)
            };
            let is_still = unsure.iter().copied().all(|of| is_same(&of));
            for (sku, _) in &unsure {
                // What was given back to the counter meanwhile is there.
                if let (Some((own, ..)), Some([first, ..])) =
                    (said(&again, sku), found.get_mut(*sku).map(Vec::as_mut_slice))
                {
                    *first = own;
                }
            }
            if is_still {
                break;
            }
            counters.extend(again);
        }
        Ok(found)
    }

    /// What is left in each part of one counter, read anew.
    pub async fn parts_of(&self, sku: &Sku) -> Result<Vec<i64>, StoreError> {
        let skus = [sku.clone()];
        let counters = self.batch(READ, &self.tables.inventory, vec![stock_id(sku)], true).await?;
        Ok(self.parts_left(READ, counters, &skus, i64::MAX, true).await?.remove(sku).unwrap_or_default())
    }

    /// Brings a counter to this number of parts while it sells. Each step adds a part with its share of the counter, or takes
    /// the last one away with what is left of it: none of them loses or adds a unit, so one that dies leaves another number.
    pub(super) async fn split_stock(&self, sku: &Sku, wanted: u8, deadline: Instant) -> Result<(), StoreError> {
        let wanted = wanted.clamp(1, MOST_PARTS);
        let mut changed = false;
        for _ in 0..STEPS {
            let ids = |last: u8| if last == 0 { vec![stock_id(sku)] } else { vec![stock_id(sku), part_id(sku, last)] };
            let read = self.batch(READ, &self.tables.inventory, ids(0), true).await?;
            let Some(counter_item) = read.get(&stock_id(sku)) else { return Ok(()) };
            let (own, now) = (left(counter_item).unwrap_or_default(), parts(counter_item));
            let writes = match now.cmp(&wanted) {
                std::cmp::Ordering::Equal if changed && wanted > 1 => {
                    self.spread(sku, deadline).await;
                    return Ok(());
                }
                std::cmp::Ordering::Equal => return Ok(()),
                std::cmp::Ordering::Less => {
                    let mut writes = self.add_part(sku, now, own.max(0) / i64::from(wanted - now + 1));
                    if now == 1 {
                        writes.extend(stock_levels::begin(&self.tables.inventory, sku, counter_item));
                    }
                    writes
                }
                std::cmp::Ordering::Greater => {
                    let last = now - 1;
                    let read = self.batch(READ, &self.tables.inventory, ids(last), true).await?;
                    self.end_part(sku, last, read.get(&part_id(sku, last)).and_then(left))
                }
            };
            changed = true;
            // A condition that fails: it has sold, or somebody else changes the number too.
            self.exchange(sku, writes, deadline).await?;
        }
        Err(StoreError::contention(MOVE))
    }

    /// One more part, which begins with so many of the counter's units.
    fn add_part(&self, sku: &Sku, now: u8, units: i64) -> Vec<Write> {
        let table = &self.tables.inventory;
        let item = Item::from([("id".to_owned(), text(part_id(sku, now))), (AVAILABLE.to_owned(), number(units))]);
        let more = part_update(table, sku, 0)
            .update_expression("SET available = available - :units, parts = :more ADD moves :one")
            .condition_expression(match (now, units) {
                // Of what is owed nothing is divided.
                (1, 0) => "attribute_not_exists(parts)",
                (1, _) => "available >= :units AND attribute_not_exists(parts)",
                (_, 0) => "parts = :now",
                _ => "available >= :units AND parts = :now",
            })
            .expression_attribute_values(":units", number(units))
            .expression_attribute_values(":more", number(now + 1))
            .expression_attribute_values(":one", number(1));
        let more = if now == 1 { more } else { more.expression_attribute_values(":now", number(now)) };
        let part = put(Put::builder().table_name(table), item, "attribute_not_exists(id)");
        vec![Write::named("counter", update(more)), Write::named("part", part)]
    }

    /// Without the last part, of which this was left.
    fn end_part(&self, sku: &Sku, last: u8, units: Option<i64>) -> Vec<Write> {
        let table = &self.tables.inventory;
        let expression = match last {
            1 => "SET available = available + :units REMOVE parts ADD moves :one",
            _ => "SET available = available + :units, parts = :last ADD moves :one",
        };
        let fewer = part_update(table, sku, 0)
            .update_expression(expression)
            .condition_expression("parts = :now")
            .expression_attribute_values(":units", number(units.unwrap_or_default()))
            .expression_attribute_values(":now", number(last + 1))
            .expression_attribute_values(":one", number(1));
        let fewer = if last == 1 { fewer } else { fewer.expression_attribute_values(":last", number(last)) };
        let ended = Delete::builder().table_name(table).key("id", text(part_id(sku, last)));
        let ended = match units {
            Some(units) => {
                ended.condition_expression("available = :left").expression_attribute_values(":left", number(units))
            }
            None => ended.condition_expression("attribute_not_exists(id)"),
        };
        let mut writes = vec![Write::named("counter", update(fewer)), Write::named("part", delete(ended))];
        writes.extend((last == 1).then(|| stock_levels::note(table, sku, false)));
        writes
    }

    /// Evens the parts out, as far as it goes while they sell: after a delivery, which is added to one of them. Nothing
    /// depends on it, because a sale that finds too little in one part looks at the others.
    pub(super) async fn spread(&self, sku: &Sku, deadline: Instant) {
        if let Err(error) = self.try_to_spread(sku, deadline).await {
            tracing::warn!(counter = %sku, error = cause::chain(&error), "Stock wasn't spread over the parts of its counter");
        }
    }

    async fn try_to_spread(&self, sku: &Sku, deadline: Instant) -> Result<(), StoreError> {
        let all = self.parts_of(sku).await?;
        let even = all.iter().sum::<i64>().max(0) / i64::try_from(all.len()).unwrap_or(1).max(1);
        let parts = || (0..=u8::MAX).zip(all.iter().copied()).skip(1);
        // First what some have too much of; then it is there for the others.
        for (part, left) in parts().filter(|(_, left)| *left > even + 1) {
            self.move_units(sku, part, even - left, deadline).await?;
        }
        for (part, left) in parts().filter(|(_, left)| *left < even) {
            self.move_units(sku, part, even - left, deadline).await?;
        }
        Ok(())
    }

    /// Moves units from the counter to another part of it, or back if the number is negative. False if they aren't there
    /// any more, or the part isn't.
    pub async fn move_units(&self, sku: &Sku, part: u8, units: i64, deadline: Instant) -> Result<bool, StoreError> {
        let table = &self.tables.inventory;
        let own = part_update(table, sku, 0)
            .update_expression("SET available = available - :units ADD moves :one")
            .expression_attribute_values(":units", number(units))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":part", number(part))
            .condition_expression(if units > 0 { "available >= :units AND parts > :part" } else { "parts > :part" });
        let other = part_update(table, sku, part)
            .update_expression("SET available = available + :units")
            .expression_attribute_values(":units", number(units));
        let other = if units > 0 {
            other.condition_expression("attribute_exists(available)")
        } else {
            other.condition_expression("available >= :back").expression_attribute_values(":back", number(-units))
        };
        self.exchange(sku, vec![Write::named("counter", update(own)), Write::named("part", update(other))], deadline)
            .await
    }

    /// Writes a counter and one of its parts. It is safe to repeat: nothing is lost or added, however often units move.
    async fn exchange(&self, sku: &Sku, writes: Vec<Write>, deadline: Instant) -> Result<bool, StoreError> {
        let seed = sku.to_string().bytes().fold(0_u128, |seed, byte| seed.wrapping_mul(257) + u128::from(byte));
        let mut pace = Pace::new(Uuid::from_u128(seed), deadline);
        let tried = self.transact_paced(MOVE, None, writes, &mut pace, &|_| false).await?;
        Ok(matches!(tried, Tried::Done))
    }
}
