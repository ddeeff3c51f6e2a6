//! The cursor: where a page of orders ended, as an opaque text.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::domain::ids::OrderId;

/// The text for `nextCursor`.
pub fn text(after: OrderId) -> String {
    URL_SAFE_NO_PAD.encode(after.uuid().as_bytes())
}

/// The order in a cursor. None for a text that isn't a cursor.
pub fn parse(text: &str) -> Option<OrderId> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(OrderId::new(uuid::Uuid::from_bytes(bytes)))
}
