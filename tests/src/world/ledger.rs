//! What is really in the tables, read past every proxy, cache and handler.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::World;

pub(super) type Item = HashMap<String, AttributeValue>;

impl World {
    /// Units left of a product, or of a variant: `pour-over-kit/white`.
    pub async fn stock(&self, sku: &str) -> u64 {
        let left = self.left(sku).await;
        left.try_into().unwrap_or_else(|_| panic!("{left} of {sku}"))
    }

    /// What is left of something; negative where more is sold than is there.
    pub async fn left(&self, sku: &str) -> i64 {
        self.left_by_part(sku).await.iter().sum()
    }

    /// What is left in each part of a counter. A part that the counter doesn't say it has is a fault.
    pub async fn left_by_part(&self, sku: &str) -> Vec<i64> {
        let mut all = self.all_left().await;
        all.remove(sku).unwrap_or_else(|| panic!("no stock is kept of {sku}"))
    }

    /// What is left in each part of every counter.
    pub(super) async fn all_left(&self) -> BTreeMap<String, Vec<i64>> {
        let (mut parts, mut said) = (BTreeMap::<String, BTreeMap<usize, i64>>::new(), BTreeMap::new());
        for item in self.all("INVENTORY_TABLE").await {
            let id = item["id"].as_s().expect("a text");
            let left = || item["available"].as_n().expect("a number").parse::<i64>().expect("a number");
            let (name, part) = if let Some(name) = id.strip_prefix("stock#") {
                said.insert(name.replace('#', "/"), item.get("parts").map_or(1, |_| number(&item, "parts")));
                (name, 0)
            } else if let Some((name, part)) = id.strip_prefix("stock-part#").and_then(|of| of.rsplit_once('#')) {
                (name, part.parse().expect("a number"))
            } else {
                continue;
            };
            parts.entry(name.replace('#', "/")).or_default().insert(part, left());
        }
        for (sku, parts) in &parts {
            assert_eq!(said.get(sku), Some(&(parts.len() as u64)), "{sku}: {parts:?}");
            assert!(parts.keys().copied().eq(0..parts.len()), "{sku}: {parts:?}");
        }
        parts.into_iter().map(|(sku, parts)| (sku, parts.into_values().collect())).collect()
    }

    /// What each part of a counter had when the shop opened.
    pub fn opened(&self, sku: &str) -> &[i64] {
        self.opened.get(sku).unwrap_or_else(|| panic!("no stock was kept of {sku}"))
    }

    /// That what is left in each part of a counter, and what the stored orders of it still hold, is what it opened with. Each
    /// order is of this alone, and says which parts it took from.
    pub async fn assert_parts_add_up(&self, sku: &str) {
        let mut expected = self.opened(sku).to_vec();
        for order in self.stored_orders().await {
            let reserved = order["reservedStock"].as_l().expect("a list");
            let [reserved] = &reserved[..] else { panic!("{reserved:?}") };
            let reserved = reserved.as_m().expect("a map");
            let parts = reserved.get("parts").map(|parts| parts.as_l().expect("a list").as_slice()).unwrap_or_default();
            let of = |part: &AttributeValue, name: &str| number(part.as_m().expect("a map"), name);
            let mut taken: Vec<_> = parts.iter().map(|part| (of(part, "part"), of(part, "units"))).collect();
            if taken.is_empty() {
                taken.push((0, number(reserved, "units")));
            }
            assert_eq!(taken.iter().map(|(_, units)| units).sum::<u64>(), number(reserved, "units"), "{order:?}");
            // One by one, and those that were taken first have gone back first.
            let units = taken.into_iter().flat_map(|(part, units)| (0..units).map(move |_| part));
            for part in units.skip(usize::try_from(restocked(&order)).expect("few")) {
                expected[usize::try_from(part).expect("a part")] -= 1;
            }
        }
        assert_eq!(self.left_by_part(sku).await, expected, "what is left in each part of {sku}");
    }

    /// How often a coupon has been used, in all.
    pub async fn coupon_uses(&self, code: &str) -> u64 {
        let item = self.item("INVENTORY_TABLE", "id", &format!("coupon#{code}")).await;
        match item {
            Some(item) if item.contains_key("parts") => {
                let left: u64 = self.coupon_left_by_part(code).await.iter().sum();
                number(&item, "totalLimit") - left
            }
            item => item.map_or(0, |item| number(&item, "uses")),
        }
    }

    /// How many uses of a coupon are left in each part of its counter. None if it isn't in parts, and a part that it doesn't
    /// say it has is a fault.
    pub async fn coupon_left_by_part(&self, code: &str) -> Vec<u64> {
        let mut parts = BTreeMap::new();
        let mut said = 0;
        for item in self.all("INVENTORY_TABLE").await {
            let id = item["id"].as_s().expect("a text");
            if *id == format!("coupon#{code}") {
                said = item.get("parts").map_or(0, |_| number(&item, "parts"));
                assert_eq!(said > 0, item.contains_key("available"), "{item:?}");
                assert_ne!(said > 0, item.contains_key("uses"), "{item:?}");
                parts.extend((said > 0).then(|| (0, number(&item, "available"))));
            } else if let Some(part) = id.strip_prefix(&format!("coupon-part#{code}#")) {
                parts.insert(part.parse().expect("a number"), number(&item, "available"));
            }
        }
        assert!(parts.keys().copied().eq(0..said), "{code}: {parts:?}, of {said}");
        parts.into_values().collect()
    }

    /// How often one caller or mailbox has used it; `owner` as the tables name them: `user#ada`.
    pub async fn coupon_uses_by(&self, code: &str, owner: &str) -> u64 {
        let item = self.item("INVENTORY_TABLE", "id", &format!("coupon#{code}#{owner}")).await;
        item.map_or(0, |item| number(&item, "uses"))
    }

    /// How often all callers have used it, and all mailboxes.
    pub async fn own_uses(&self, code: &str) -> [usize; 2] {
        let (mut owners, mut mailboxes) = (0, 0);
        for item in self.all("INVENTORY_TABLE").await {
            let Some(whose) = item["id"].as_s().ok().and_then(|id| id.strip_prefix(&format!("coupon#{code}#"))) else {
                continue;
            };
            let sum = if whose.starts_with("mailbox#") { &mut mailboxes } else { &mut owners };
            *sum += usize::try_from(number(&item, "uses")).expect("few");
        }
        [owners, mailboxes]
    }

    /// Open unpaid orders, and units in them, as the counters have them, under the name of each counter that isn't at
    /// nothing: `user#ada`, `address#01ab23`.
    pub async fn open_orders(&self) -> BTreeMap<String, (i64, i64)> {
        let of = |item: &Item, name: &str| -> i64 { item[name].as_n().expect("a number").parse().expect("a number") };
        let counters = self.all("INVENTORY_TABLE").await.into_iter().filter_map(|item| {
            let name = item["id"].as_s().ok()?.strip_prefix("open#")?.to_owned();
            Some((name, (of(&item, "orders"), of(&item, "units"))))
        });
        counters.filter(|(_, counted)| *counted != (0, 0)).collect()
    }

    /// That the counters of open orders are what the stored orders make together, and that an order has a place among
    /// them just as long as it is unpaid.
    pub async fn assert_open_orders_add_up(&self) {
        let mut expected = BTreeMap::<String, (i64, i64)>::new();
        for order in self.stored_orders().await {
            let text = |name: &str| order[name].as_s().expect("a text").as_str();
            let over = ["cancelled", "delivered", "returned", "refunded"].contains(&text("status"));
            let unpaid = !over && ["pending", "requires_action"].contains(&text("paymentStatus"));
            let open = order.get("open").map(|open| open.as_m().expect("a map"));
            assert_eq!(open.is_some(), unpaid, "{}: {}, {}", text("orderId"), text("status"), text("paymentStatus"));
            let Some(open) = open else { continue };
            let units: i64 = open["units"].as_n().expect("a number").parse().expect("a number");
            let mut names = vec![text("owner").to_owned()];
            if open["atAddress"] == AttributeValue::Bool(true) {
                names.push(format!("address#{}", open["addressKey"].as_s().expect("a key")));
            }
            for name in names {
                let (orders, all) = expected.entry(name).or_default();
                (*orders, *all) = (*orders + 1, *all + units);
            }
        }
        assert_eq!(self.open_orders().await, expected, "the counters of open orders, and the orders");
    }

    /// Every order there is.
    pub async fn stored_orders(&self) -> Vec<Item> {
        self.all("ORDERS_TABLE").await
    }

    /// The session as stored.
    pub async fn stored_session(&self, checkout: &str) -> Option<Item> {
        self.item("SESSIONS_TABLE", "checkoutId", checkout).await
    }

    /// Everything in the table that functions know by this variable.
    pub async fn all(&self, variable: &str) -> Vec<Item> {
        let scan = self.tables.client().scan().table_name(self.tables.name(variable)).consistent_read(true);
        let items: Result<Vec<_>, _> = scan.into_paginator().items().send().collect().await;
        items.unwrap_or_else(|error| panic!("{error:?}"))
    }

    async fn item(&self, variable: &str, key: &str, value: &str) -> Option<Item> {
        let get = self.tables.client().get_item().table_name(self.tables.name(variable));
        let get = get.key(key, AttributeValue::S(value.to_owned())).consistent_read(true);
        get.send().await.unwrap_or_else(|error| panic!("{error:?}")).item
    }
}

/// A whole number out of an item.
pub fn number(item: &Item, attribute: &str) -> u64 {
    let number = item.get(attribute).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("no {attribute} in {item:?}"))
}

/// Units that an order has given back.
pub fn restocked(order: &Item) -> u64 {
    let records = ["cancellations", "returns"].into_iter().filter_map(|name| order.get(name)?.as_l().ok()).flatten();
    let records = records.filter_map(|record| record.as_m().ok());
    let back = records.filter(|record| record["restocked"] == AttributeValue::Bool(true));
    let units = back.flat_map(|record| record["items"].as_l().expect("units"));
    units.map(|units| number(units.as_m().expect("units"), "quantity")).sum()
}
