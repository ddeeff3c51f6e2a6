//! The checkout's own `DynamoDB` adapter, over the tools' client.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use clap::Args;
use shared::{adapters::dynamodb::client::Dynamo, config::dynamodb::TableNames};
use tools::{laptop, ports};

/// The location of a local stack's tables.
#[derive(Debug, Args)]
pub struct Laptop {
    /// Port of this machine's database engine
    #[arg(long, env = "CHECKOUT_DYNAMODB_PORT", default_value_t = 18000, value_parser = clap::value_parser!(u16).range(1..))]
    pub dynamodb_port: u16,
    /// Prefix of the local tables' names
    #[arg(long, env = "CHECKOUT_TABLE_PREFIX", default_value = laptop::TABLE_PREFIX)]
    pub table_prefix: String,
}

impl Laptop {
    pub fn endpoint(&self) -> String {
        format!("http://{}", ports::local(self.dynamodb_port))
    }
}

/// The adapter, with the tables that these variables name. A table without a name must not be used.
pub fn open(client: Client, variables: &BTreeMap<String, String>) -> Dynamo {
    let name = |variable: &str| variables.get(variable).cloned().unwrap_or_default();
    let tables = TableNames {
        sessions: name("SESSIONS_TABLE"),
        orders: name("ORDERS_TABLE"),
        catalog: name("CATALOG_TABLE"),
        inventory: name("INVENTORY_TABLE"),
        idempotency: name("IDEMPOTENCY_TABLE"),
        order_search: name("ORDER_SEARCH_TABLE"),
    };
    Dynamo::of(client, tables)
}
