//! The settings of `DynamoDB`: endpoint, timeout and table names.

use std::time::Duration;

use crate::config::{aws::AwsConfig, vars::Vars};

#[derive(Clone, Debug)]
pub struct DynamoDbConfig {
    pub aws: AwsConfig,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: an endpoint instead of the region's.
    pub endpoint: Option<String>,
    /// `DYNAMODB_TIMEOUT_MS` (1000): the deadline of one attempt.
    pub timeout: Duration,
    pub tables: TableNames,
}

/// `SESSIONS_TABLE`, `ORDERS_TABLE`, `CATALOG_TABLE`, `INVENTORY_TABLE`, `IDEMPOTENCY_TABLE`.
#[derive(Clone, Debug)]
pub struct TableNames {
    pub sessions: String,
    pub orders: String,
    pub catalog: String,
    pub inventory: String,
    pub idempotency: String,
    /// `ORDER_SEARCH_TABLE`, for those who search; empty for all others, because Lambda allows few variables.
    pub order_search: String,
}

impl DynamoDbConfig {
    /// The URL that calls go to.
    pub fn url(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("https://dynamodb.{}.amazonaws.com", self.aws.region))
    }

    /// # Errors
    /// Notes every fault. `None` only if there is one.
    pub fn read(vars: &mut Vars) -> Option<Self> {
        let aws = AwsConfig::read(vars);
        let endpoint = vars.get("AWS_ENDPOINT_URL_DYNAMODB");
        if endpoint.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            vars.fault("AWS_ENDPOINT_URL_DYNAMODB must begin with http:// or https://");
        }
        let timeout = vars.millis("DYNAMODB_TIMEOUT_MS", 1000, 50..=60_000);
        let sessions = vars.required("SESSIONS_TABLE");
        let orders = vars.required("ORDERS_TABLE");
        let catalog = vars.required("CATALOG_TABLE");
        let inventory = vars.required("INVENTORY_TABLE");
        let idempotency = vars.required("IDEMPOTENCY_TABLE");
        let order_search = vars.get("ORDER_SEARCH_TABLE").unwrap_or_default();
        Some(Self {
            aws: aws?,
            endpoint,
            timeout,
            tables: TableNames {
                sessions: sessions?,
                orders: orders?,
                catalog: catalog?,
                inventory: inventory?,
                idempotency: idempotency?,
                order_search,
            },
        })
    }
}
