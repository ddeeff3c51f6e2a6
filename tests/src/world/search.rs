//! Every text in every store, for tests that look for what must not be there.

use redis::{AsyncCommands as _, Value as Reply, aio::MultiplexedConnection};

use super::World;

const TABLES: [&str; 6] =
    ["SESSIONS_TABLE", "ORDERS_TABLE", "CATALOG_TABLE", "INVENTORY_TABLE", "IDEMPOTENCY_TABLE", "ORDER_SEARCH_TABLE"];

impl World {
    /// Every item of every table and every key of Redis with all that it holds, each as one text.
    pub async fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in TABLES {
            all.extend(self.all(table).await.iter().map(|item| format!("{table}: {item:?}")));
        }
        let mut connection = self.keys.connection().await;
        for name in self.keys.all() {
            let key = format!("{}{name}", self.keys.prefix());
            all.push(format!("Redis: {name}: {:?}", content(&mut connection, &key).await));
        }
        all
    }

    /// The texts that contain any of these marks, by mark.
    pub async fn holding<'m>(&self, marks: &[&'m str]) -> Vec<(&'m str, String)> {
        let all = self.everything().await;
        let of = |mark: &'m str| all.iter().filter(move |text| holds(text, mark)).map(move |text| (mark, text.clone()));
        marks.iter().flat_map(|mark| of(mark)).collect()
    }
}

/// A mark of digits counts only where it stands alone: ids and times have any five digits sooner or later.
fn holds(text: &str, mark: &str) -> bool {
    let is_number = mark.bytes().all(|byte| byte.is_ascii_digit());
    let alone = |at: usize| {
        let (before, after) = (&text[..at], &text[at + mark.len()..]);
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    };
    text.match_indices(mark).any(|(at, _)| !is_number || alone(at))
}

/// All that a key holds, whatever its type.
async fn content(connection: &mut MultiplexedConnection, key: &str) -> Option<String> {
    let kind: String = redis::cmd("TYPE").arg(key).query_async(connection).await.expect("a type");
    let read: Reply = match kind.as_str() {
        "string" => connection.get(key).await,
        "hash" => connection.hgetall(key).await,
        "zset" => connection.zrange(key, 0, -1).await,
        // It has expired meanwhile.
        "none" => return None,
        other => panic!("{key} is a {other}: teach tests/src/world/search.rs"),
    }
    .expect("a value");
    Some(text(&read))
}

/// A reply with its bytes as text.
fn text(reply: &Reply) -> String {
    match reply {
        Reply::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("\n"),
        Reply::Map(pairs) => pairs.iter().flat_map(|(name, of)| [text(name), text(of)]).collect::<Vec<_>>().join("\n"),
        other => format!("{other:?}"),
    }
}
