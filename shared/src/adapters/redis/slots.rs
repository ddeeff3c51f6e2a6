//! The owners of a cluster's slots, as far as they are known from redirections.

use std::collections::HashMap;

use redis::{FromRedisValue, Value};

use crate::config::redis::Node;

const COUNT: u16 = 16_384;

/// The slot of a key: of the text in its first braces, if there is any.
pub fn slot(key: &[u8]) -> u16 {
    let open = key.iter().position(|byte| *byte == b'{').map(|at| at + 1);
    let tag = open.and_then(|open| {
        let length = key[open..].iter().position(|byte| *byte == b'}')?;
        (length > 0).then(|| &key[open..open + length])
    });
    crc16::State::<crc16::XMODEM>::calculate(tag.unwrap_or(key)) % COUNT
}

#[derive(Debug, Default)]
pub struct Slots {
    /// First slot, last slot, and their owner.
    ranges: Vec<(u16, u16, Node)>,
    /// Slots that have moved since the ranges were learned.
    moved: HashMap<u16, Node>,
}

impl Slots {
    pub fn owner(&self, slot: u16) -> Option<&Node> {
        let range = || self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
        self.moved.get(&slot).or_else(|| range().map(|(_, _, node)| node))
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.ranges.iter().map(|(_, _, node)| node).chain(self.moved.values())
    }

    /// Records the new owner of one slot, as a redirection named it.
    pub fn moved(&mut self, slot: u16, to: Node) {
        self.moved.insert(slot, to);
    }

    /// Learns the ranges from `by`'s answer to `CLUSTER SLOTS`: first and last slot, host, port and more of the
    /// primary, then its replicas. Unreadable entries are left to redirections.
    pub fn learn(&mut self, answer: &Value, by: &Node) {
        let Value::Array(items) = answer else { return };
        let ranges: Vec<_> = items.iter().filter_map(|item| range(item, by)).collect();
        if !ranges.is_empty() {
            self.ranges = ranges;
            self.moved.clear();
        }
    }

    /// Forgets the slots of a node.
    pub fn forget(&mut self, node: &Node) {
        self.ranges.retain(|(_, _, owner)| owner != node);
        self.moved.retain(|_, owner| owner != node);
    }
}

fn range(item: &Value, by: &Node) -> Option<(u16, u16, Node)> {
    let Value::Array(parts) = item else { return None };
    let [first, last, Value::Array(primary), ..] = parts.as_slice() else { return None };
    let [host, port, ..] = primary.as_slice() else { return None };
    let number = |value: &Value| u16::from_redis_value_ref(value).ok();
    // Without a host it is the node that answered. A question mark is an unknown node.
    let host = Option::<String>::from_redis_value_ref(host).ok()?.filter(|host| !host.is_empty());
    let host = host.unwrap_or_else(|| by.host.clone());
    (host != "?").then_some(())?;
    Some((number(first)?, number(last)?, Node { host, port: number(port)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> Node {
        Node { host: "a".to_owned(), port }
    }

    #[test]
    fn a_key_has_the_slot_that_redis_documents() {
        assert_eq!(slot(b"123456789"), 0x31C3);
        assert_eq!(slot(b"{user1000}.following"), slot(b"user1000"));
        assert_eq!(slot(b"foo{}{bar}"), crc16::State::<crc16::XMODEM>::calculate(b"foo{}{bar}") % COUNT);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
    }

    #[test]
    fn what_a_node_says_of_the_slots_is_taken_in_and_what_it_does_not_say_is_asked_for() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let place = |host: Value, port| Value::Array(vec![host, Value::Int(port), text("id")]);
        let range =
            |first, last, host, port| Value::Array(vec![Value::Int(first), Value::Int(last), place(host, port)]);
        let answer = Value::Array(vec![
            range(0, 99, text("b"), 1),
            range(100, 199, Value::Nil, 2),
            range(200, 299, text("?"), 3),
            range(300, 399, text(""), 4),
            Value::Nil,
        ]);
        let mut slots = Slots::default();
        slots.moved(7, node(9));
        assert_eq!(slots.owner(7), Some(&node(9)));
        slots.learn(&answer, &node(0));
        assert_eq!(slots.owner(7), Some(&Node { host: "b".to_owned(), port: 1 }));
        assert_eq!((slots.owner(100), slots.owner(200), slots.owner(399)), (Some(&node(2)), None, Some(&node(4))));

        slots.moved(100, node(4));
        assert_eq!(slots.owner(100), Some(&node(4)));
        slots.forget(&node(4));
        assert_eq!((slots.owner(100), slots.owner(300)), (Some(&node(2)), None));
        // An empty answer changes nothing.
        slots.learn(&Value::Array(Vec::new()), &node(0));
        assert_eq!(slots.owner(100), Some(&node(2)));
    }
}
