//! The tables of one test.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, thread};

use aws_sdk_dynamodb::Client;
use tools::{client::Access, tables, template::Template};

use crate::{
    servers::{self, Engine},
    stack::Stack,
};

/// The template's tables under a prefix of their own, empty, in the shared engine. They end with it; in an engine
/// that goes on they are deleted when dropped.
#[derive(Debug)]
pub struct Tables {
    prefix: String,
    template: Template,
    client: Client,
    engine: Arc<Engine>,
}

impl Tables {
    pub async fn create() -> Self {
        let engine = servers::dynamodb();
        let prefix = servers::unique_prefix();
        let template = servers::template();
        let client = Access::local(&engine.endpoint()).client();
        tables::create_tables(&client, &template, &prefix).await.unwrap_or_else(|error| panic!("{error}"));
        Self { prefix, template, client, engine }
    }

    /// Straight to the engine, past any proxy: for looking at what a request left behind.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where the engine listens, for a proxy to be put in front of it.
    pub fn engine(&self) -> SocketAddr {
        self.engine.address()
    }

    /// What `AWS_ENDPOINT_URL_DYNAMODB` must be to reach the engine without a proxy.
    pub fn endpoint(&self) -> String {
        self.engine.endpoint()
    }

    /// A deployment whose tables are these.
    pub fn stack(&self) -> Stack {
        let named = |stack: Stack, table: &tools::template::Table| {
            stack.with(&table.logical_id, &table.local_name(&self.prefix))
        };
        self.template
            .tables
            .iter()
            .fold(Stack::new().parameter("StripeSecretKeyFrom", "ssm:/checkout/stripe-key"), named)
    }

    /// What tells a function its tables: `ORDERS_TABLE` and the others.
    pub fn settings(&self) -> BTreeMap<String, String> {
        self.template.table_variables(&self.prefix)
    }

    /// The table that a function knows by this variable: `ORDERS_TABLE`.
    pub fn name(&self, variable: &str) -> String {
        let name = self.settings().remove(variable);
        name.unwrap_or_else(|| panic!("no function gets {variable}"))
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        if !self.engine.outlives_us() {
            return;
        }
        let (prefix, template) = (self.prefix.clone(), self.template.clone());
        let endpoint = self.engine.endpoint();
        // The test's runtime may be the one that drops this.
        let deletion = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let client = Access::local(&endpoint).client();
            runtime.block_on(tables::delete_tables(&client, &template, &prefix))
        });
        // A test that fails for another reason must show that one.
        let _ = deletion.join();
    }
}
