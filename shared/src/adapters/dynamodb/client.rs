//! The client of a container, and its errors.

use std::{collections::HashMap, sync::Arc, time::Duration};

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
    adapters::{
        aws::credentials,
        dynamodb::{call_timer::CallTimer, parsed_rules::ParsedRules},
        stored::Unreadable,
    },
    config::dynamodb::{DynamoDbConfig, TableNames},
    ports::StoreError,
    telemetry::cause,
};

/// An item in the SDK's form.
pub type Item = HashMap<String, AttributeValue>;

/// Attempts of one call, including the first. Each has its own timeout.
const ATTEMPTS: u32 = 3;

#[derive(Clone, Debug)]
pub struct Dynamo {
    pub client: Client,
    pub tables: TableNames,
    pub(super) rules: Arc<ParsedRules>,
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
        Self::of(Client::from_conf(builder.build()), config.tables.clone())
    }

    pub fn of(client: Client, tables: TableNames) -> Self {
        Self { client, tables, rules: Arc::default() }
    }

    /// Opens the connection by a read of an item that doesn't exist.
    ///
    /// # Errors
    /// The error of the read.
    pub async fn ping(&self) -> Result<(), SdkError<GetItemError>> {
        let key = AttributeValue::S("health".to_owned());
        self.client.get_item().table_name(&self.tables.sessions).key("checkoutId", key).send().await.map(|_| ())
    }
}

/// A call that failed after the SDK's retries.
pub fn failed<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    // As text, because the error itself contains the raw response.
    move |error| StoreError { operation, source: cause::chain(&error).into() }
}

/// A document that can't be read.
pub fn unreadable(operation: &'static str) -> impl FnOnce(Unreadable) -> StoreError {
    move |error| StoreError { operation, source: error.into() }
}

/// A request that couldn't be built, or an unexpected answer.
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
