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
        let name = sku.replace('/', "#");
        let part_of = |id: &str| {
            let (of, part) = id.strip_prefix("stock-part#")?.rsplit_once('#')?;
            (of == name).then(|| part.parse::<usize>().expect("a number"))
        };
        let (mut parts, mut said) = (BTreeMap::new(), None);
        for item in self.all("INVENTORY_TABLE").await {
            let id = item["id"].as_s().expect("a text");
            let left = || item["available"].as_n().expect("a number").parse::<i64>().expect("a number");
            if *id == format!("stock#{name}") {
                parts.insert(0, left());
                said = item.get("parts").map(|_| number(&item, "parts"));
            } else if let Some(part) = part_of(id) {
                parts.insert(part, left());
            }
        }
        assert!(parts.contains_key(&0), "no stock is kept of {sku}");
        assert_eq!(parts.len() as u64, said.unwrap_or(1), "{sku}: {parts:?}");
        assert!(parts.keys().copied().eq(0..parts.len()), "{sku}: {parts:?}");
        parts.into_values().collect()
    }

    /// How often a coupon has been used, in all.
    pub async fn coupon_uses(&self, code: &str) -> u64 {
        let item = self.item("INVENTORY_TABLE", "id", &format!("coupon#{code}")).await;
        item.map_or(0, |item| number(&item, "uses"))
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
