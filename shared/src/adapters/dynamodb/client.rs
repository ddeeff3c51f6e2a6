//! The client of a container, and what its errors mean.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Config, Region, SharedHttpClient, SharedInterceptor, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::SdkError,
    operation::get_item::GetItemError,
    types::AttributeValue,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    adapters::{aws::credentials, dynamodb::call_timer::CallTimer, stored::Unreadable},
    config::dynamodb::{DynamoDbConfig, TableNames},
    ports::StoreError,
    telemetry::cause,
};

/// An item, as the SDK speaks of it.
pub type Item = HashMap<String, AttributeValue>;

/// Attempts of one call, the first included; each has its own deadline.
const ATTEMPTS: u32 = 3;

#[derive(Clone, Debug)]
pub struct Dynamo {
    pub client: Client,
    pub tables: TableNames,
}

impl Dynamo {
    pub fn new(config: &DynamoDbConfig, http: SharedHttpClient) -> Self {
        let mut builder = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(config.aws.region.clone()))
            .credentials_provider(credentials(&config.aws))
            .http_client(http)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(Duration::from_millis(25))
                    .with_max_backoff(Duration::from_millis(200)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(config.timeout)
                    .operation_attempt_timeout(config.timeout)
                    .build(),
            );
        builder.push_interceptor(SharedInterceptor::new(CallTimer));
        builder.set_endpoint_url(config.endpoint.clone());
        Self { client: Client::from_conf(builder.build()), tables: config.tables.clone() }
    }

    /// Opens the connection and answers within the deadlines, or doesn't: reads an item that isn't there.
    ///
    /// # Errors
    /// What the read failed with.
    pub async fn ping(&self) -> Result<(), SdkError<GetItemError>> {
        let key = AttributeValue::S("health".to_owned());
        self.client.get_item().table_name(&self.tables.sessions).key("checkoutId", key).send().await.map(|_| ())
    }
}

/// A call that failed for good, after the SDK's own retries.
pub fn failed<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    // As text: the error itself would carry the raw response along.
    move |error| StoreError { operation, source: cause::chain(&error).into() }
}

/// A document that doesn't read.
pub fn unreadable(operation: &'static str) -> impl FnOnce(Unreadable) -> StoreError {
    move |error| StoreError { operation, source: error.into() }
}

/// A request that couldn't be built or an answer that isn't what was asked for.
pub fn broken(operation: &'static str) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    move |source| StoreError { operation, source }
}

/// The item of a stored form.
pub fn to_item(operation: &'static str, stored: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::to_item(stored).map_err(|error| StoreError { operation, source: error.into() })
}

/// The stored form of an item.
pub fn from_item<T: DeserializeOwned>(operation: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| unreadable(operation)(Unreadable::new("item", error)))
}

/// A text attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
