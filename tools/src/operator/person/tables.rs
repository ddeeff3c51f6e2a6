//! The tables, as the search for a person reads them: raw items, so that what this release can't read is found too.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata as _, SdkError},
    operation::delete_item::DeleteItemError,
    types::AttributeValue,
};
use shared::{
    adapters::dynamodb::client::{Item, failed, text},
    app::App,
    config::dynamodb::TableNames,
    domain::ids::{CheckoutId, Owner},
    ports::StoreError,
};

/// Attempts at deleting an item that a transaction holds, and the pause between them.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// A text attribute; empty if there is none.
pub fn text_of<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// The tables of a checkout.
pub struct Tables<'a> {
    client: &'a Client,
    pub names: &'a TableNames,
    /// Called with the number of items of each page of a scan.
    read: &'a (dyn Fn(usize) + Sync),
}

impl<'a> Tables<'a> {
    pub fn of(app: &'a App, read: &'a (dyn Fn(usize) + Sync)) -> Self {
        Self { client: &app.stored_responses.client, names: &app.stored_responses.tables, read }
    }

    /// Reads a whole table, strongly consistent, page by page.
    pub async fn scan(
        &self,
        operation: &'static str,
        table: &str,
        mut each: impl FnMut(Item),
    ) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let request = self.client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start);
            let answer = request.send().await.map_err(failed(operation))?;
            let items = answer.items.unwrap_or_default();
            (self.read)(items.len());
            items.into_iter().for_each(&mut each);
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// All orders of an owner, strongly consistent.
    pub async fn orders(&self, owner: &Owner) -> Result<Vec<Item>, StoreError> {
        let request = self.client.query().table_name(&self.names.orders).consistent_read(true);
        let request = request
            .key_condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner.to_string()));
        let pages = request.into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("list orders"))
    }

    /// An item by its keys, strongly consistent.
    pub async fn get(&self, table: &str, key: &[(&str, &str)]) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(table).consistent_read(true);
        let answer = request.set_key(Some(item(key))).send().await.map_err(failed("read item"))?;
        Ok(answer.item)
    }

    /// A session, if it is still this owner's.
    pub async fn session(&self, owner: &Owner, id: CheckoutId) -> Result<Option<Item>, StoreError> {
        let found = self.get(&self.names.sessions, &[("checkoutId", &id.to_string())]).await?;
        Ok(found.filter(|session| text_of(session, "owner") == owner.to_string()))
    }

    /// Deletes an item if these attributes still have these values. False if they don't, or if there is no such item.
    pub async fn delete(
        &self,
        table: &str,
        key: &[(&str, &str)],
        unchanged: &[(&str, &AttributeValue)],
    ) -> Result<bool, StoreError> {
        let mut names: HashMap<_, _> = key.iter().map(|(name, _)| (format!("#{name}"), (*name).to_owned())).collect();
        let mut conditions: Vec<_> = names.keys().map(|name| format!("attribute_exists({name})")).collect();
        let mut values = HashMap::new();
        for (name, value) in unchanged {
            conditions.push(format!("#{name} = :{name}"));
            names.insert(format!("#{name}"), (*name).to_owned());
            values.insert(format!(":{name}"), (*value).clone());
        }
        let request = self.client.delete_item().table_name(table).set_key(Some(item(key)));
        let request = request
            .condition_expression(conditions.join(" AND "))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values).filter(|values| !values.is_empty()));
        for attempt in 1.. {
            let Err(error) = request.clone().send().await else { return Ok(true) };
            if is_unmet(&error) {
                return Ok(false);
            }
            if attempt == ATTEMPTS || error.code() != Some("TransactionConflictException") {
                return Err(failed("delete item")(error));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(false)
    }
}

fn item(key: &[(&str, &str)]) -> Item {
    key.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect()
}

fn is_unmet<R>(error: &SdkError<DeleteItemError, R>) -> bool {
    error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception)
}
