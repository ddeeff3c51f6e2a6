//! Where `DynamoDB` is, and what the tables are called.

use std::time::Duration;

use crate::config::{Secret, vars::Vars};

#[derive(Clone, Debug)]
pub struct DynamoDbConfig {
    /// `AWS_REGION`, set by Lambda.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, set by Lambda from the function's role.
    pub access_key_id: Secret,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: another server than the region's.
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
}

impl DynamoDbConfig {
    pub(super) fn read(vars: &mut Vars) -> Option<Self> {
        let region = vars.required("AWS_REGION");
        let access_key_id = vars.required("AWS_ACCESS_KEY_ID");
        let secret_access_key = vars.required("AWS_SECRET_ACCESS_KEY");
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
        let session_token = vars.get("AWS_SESSION_TOKEN").map(Secret::new);
        Some(Self {
            region: region?,
            access_key_id: Secret::new(access_key_id?),
            secret_access_key: Secret::new(secret_access_key?),
            session_token,
            endpoint,
            timeout,
            tables: TableNames {
                sessions: sessions?,
                orders: orders?,
                catalog: catalog?,
                inventory: inventory?,
                idempotency: idempotency?,
            },
        })
    }
}
