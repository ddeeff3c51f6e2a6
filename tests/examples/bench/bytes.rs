//! How large a session and an order are, in both stores.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use tests::world::World;

/// One sentence for the document.
pub(super) async fn sentence(world: &World, session: &str, order: &str) -> String {
    let stored = world.stored_session(session).await.expect("a session");
    let orders = world.stored_orders().await;
    let placed = orders.iter().find(|item| item.get("orderId").is_some_and(|id| id.as_s().is_ok_and(|id| id == order)));
    let (session_item, order_item) = (size_of(&stored), size_of(placed.expect("an order")));
    let (session_key, order_key) = (in_redis(world, session).await, in_redis(world, order).await);
    format!(
        "A session with one line takes {session_item} bytes in DynamoDB and {session_key} in Redis, its order \
         {order_item} and {order_key}."
    )
}

/// The memory of all keys with this id in their names.
async fn in_redis(world: &World, id: &str) -> u64 {
    let mut redis = world.keys.connection().await;
    let mut sum = 0;
    for key in world.keys.all().iter().filter(|key| key.contains(id)) {
        let key = format!("{}{key}", world.keys.prefix());
        let bytes: Option<u64> =
            redis::cmd("MEMORY").arg("USAGE").arg(key).query_async(&mut redis).await.expect("a size");
        sum += bytes.unwrap_or_default();
    }
    sum
}

/// By the rules of `DynamoDB`: names and values in bytes, a number two digits a byte and one more, three bytes for each list or
/// map, and one for each member.
fn size_of(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.trim_start_matches('-').len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.len() + size_of(map),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        _ => 1,
    }
}
