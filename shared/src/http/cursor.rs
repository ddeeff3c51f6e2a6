//! Where a page of orders ended, as an opaque text.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::domain::ids::OrderId;

/// The text that the next request brings back.
pub fn text(after: OrderId) -> String {
    URL_SAFE_NO_PAD.encode(after.uuid().as_bytes())
}

/// None for what this route never gave.
pub fn parse(text: &str) -> Option<OrderId> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(OrderId::new(uuid::Uuid::from_bytes(bytes)))
}
