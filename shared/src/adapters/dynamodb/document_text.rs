//! Documents of the catalog that are one attribute of text. A cart reads them at each request, and JSON is parsed many times
//! as fast as an item's maps of maps.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    adapters::{
        dynamodb::client::{Item, broken, from_item, text, unreadable},
        stored::Unreadable,
    },
    ports::StoreError,
};

/// The attribute that has the document.
pub(super) const JSON: &str = "json";

/// An item with this id and the stored form as text.
pub(super) fn to_text(operation: &'static str, id: String, stored: &impl Serialize) -> Result<Item, StoreError> {
    let json = serde_json::to_string(stored).map_err(|error| broken(operation)(error.into()))?;
    Ok(Item::from([("id".to_owned(), text(id)), (JSON.to_owned(), text(json))]))
}

/// The text of an item, if it has one. Earlier releases wrote every document as attributes.
pub(super) fn json(item: &Item) -> Option<&str> {
    item.get(JSON).and_then(|value| AttributeValue::as_s(value).ok()).map(String::as_str)
}

pub(super) fn from_text<T: DeserializeOwned>(operation: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| unreadable(operation)(Unreadable::new("item", error)))
}

/// The stored form of an item that is text, or attributes.
pub(super) fn from_either<T: DeserializeOwned>(operation: &'static str, item: Item) -> Result<T, StoreError> {
    match json(&item) {
        Some(json) => from_text(operation, json),
        None => from_item(operation, item),
    }
}
