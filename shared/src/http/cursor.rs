//! The cursor: where a page ended, as an opaque text.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::domain::ids::{OrderId, ProductId};

/// The text for `nextCursor`.
pub fn text(after: OrderId) -> String {
    URL_SAFE_NO_PAD.encode(after.uuid().as_bytes())
}

/// The order in a cursor. None for a text that isn't a cursor.
pub fn parse(text: &str) -> Option<OrderId> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(OrderId::new(uuid::Uuid::from_bytes(bytes)))
}

/// The text for the `nextCursor` of a page of products.
pub fn text_of_product(after: &ProductId) -> String {
    URL_SAFE_NO_PAD.encode(after.as_str())
}

/// The product in a cursor. None for a text that isn't a cursor.
pub fn parse_product(text: &str) -> Option<ProductId> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?.parse().ok()
}

/// The text for the `nextCursor` of a search, which fits no other.
pub fn text_of(after: OrderId, search: &str) -> String {
    let mut bytes = after.uuid().as_bytes().to_vec();
    bytes.extend(mark(search));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The order in a cursor of this search. None for any other text.
pub fn parse_of(text: &str, search: &str) -> Option<OrderId> {
    let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (id, of) = bytes.split_at(16);
    let id: [u8; 16] = id.try_into().ok()?;
    (*of == mark(search)).then(|| OrderId::new(uuid::Uuid::from_bytes(id)))
}

/// Eight bytes that stand for a search.
fn mark(search: &str) -> [u8; 8] {
    let mut mark = [0; 8];
    mark.iter_mut().zip(Sha256::digest(search)).for_each(|(to, from)| *to = from);
    mark
}
