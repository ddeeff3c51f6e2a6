//! Checks from this machine whether everything is as the functions need it, and how to correct what isn't.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::{KeySchemaElement, TimeToLiveStatus};
use shared::{
    adapters::{
        dynamodb::{
            self,
            client::Dynamo,
            diagnosis::{Cause, cause},
        },
        https,
        redis::diagnosis::{self, explain},
        stripe::{self, Stripe},
    },
    app::needs,
    config::{
        dynamodb::DynamoDbConfig,
        payments::StripeConfig,
        redis::{Login, RedisConfig, Topology},
        roots::Roots,
    },
    ports::diagnosis::{Part, Report, State},
};

use super::{Operator, OperatorError, now};
use crate::template::{Table, Template};

/// How long Redis may take for one answer: an operator waits longer than a customer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks Stripe by the calls that the functions make.
pub async fn stripe(report: &mut Report, config: Option<StripeConfig>) {
    let takes_cards = config.is_some();
    let stripe = Stripe::new(config, Roots::System, now);
    stripe::diagnosis::diagnose(report, &stripe).await;
    if takes_cards {
        stripe::diagnosis::diagnose_webhook(report, &stripe).await;
    }
}

/// Checks Redis: whether it permits what the functions do, how fast it answers, and its topology.
pub async fn redis(report: &mut Report, config: &RedisConfig) {
    let before = report.0.len();
    diagnosis::diagnose(report, config, uuid::Uuid::new_v4(), PATIENCE, now).await;
    // A wrong topology may be the cause of a refusal, which is reported already.
    if report.0.iter().skip(before).any(|finding| finding.state == State::Fault) {
        return;
    }
    match Operator::connect(config).await {
        Ok(mut operator) => arrangement(report, config, &mut operator).await,
        Err(OperatorError::Unreachable { nodes, source }) => {
            let explained = explain(config, &source);
            report.bad(Part::Redis, "Nodes of Redis", format!("{} ({nodes})", explained.seen), explained.mend);
        }
        Err(OperatorError::Refused(source)) => {
            let explained = explain(config, &source);
            report.bad(Part::Redis, "Nodes of Redis", explained.seen, explained.mend);
        }
        Err(error @ OperatorError::NoCluster) => {
            report.bad(
                Part::Redis,
                "Nodes of Redis",
                error.to_string(),
                "look at CLUSTER SLOTS and the cache's events",
            );
        }
    }
}

async fn arrangement(report: &mut Report, config: &RedisConfig, operator: &mut Operator) {
    let nodes: Vec<String> = operator.primaries.iter().map(|primary| primary.node.to_string()).collect();
    let topology = match &config.topology {
        Topology::Single => "single".to_owned(),
        Topology::Cluster => format!("cluster of {} primaries", nodes.len()),
        Topology::Sentinel { master, .. } => format!("sentinel, master {master}"),
    };
    report.good(Part::Redis, "Nodes of Redis", format!("{topology}: {}", nodes.join(", ")));
    for primary in &mut operator.primaries {
        let node = primary.node.to_string();
        let info: String = redis::cmd("INFO").query_async(&mut primary.connection).await.unwrap_or_default();
        let fields: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.trim().split_once(':')).collect();
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        if field("role") == "slave" {
            let mend = "it refuses every write: name the primary's address, or the sentinels";
            report.bad(Part::Redis, format!("Role of {node}"), "replica", mend);
        }
        if field("cluster_enabled") == "1" && !matches!(config.topology, Topology::Cluster) {
            let mend = "set REDIS_TOPOLOGY to cluster: a plain client can't follow its redirections";
            report.bad(Part::Redis, format!("Topology of {node}"), "it is part of a cluster", mend);
        }
        let (policy, max) = (field("maxmemory_policy"), field("maxmemory"));
        if policy == "noeviction" && max != "0" && !max.is_empty() {
            let mend =
                "set maxmemory-policy to volatile-ttl: everything here may go, and a full Redis takes nothing new";
            report.bad(Part::Redis, format!("Memory of {node}"), format!("noeviction, at most {max} bytes"), mend);
        }
    }
    if let Login::Iam(login) = &config.login {
        report.good(Part::Redis, "Login", format!("IAM, user {} of {}", login.user, login.cache));
    }
}

/// Checks the tables: whether they can be reached, how fast, and whether they are as the template declares them.
pub async fn dynamodb(report: &mut Report, config: &DynamoDbConfig) {
    let Ok(template) = Template::parse(include_str!("../../../template.yaml")) else { return };
    let http = https::sdk_client(Roots::System, &config.url());
    let dynamo = &Dynamo::new(config, http);
    // An operator's permissions differ from a function's, so only the connection is checked here.
    let ping = needs::deed("SESSIONS_TABLE", "GetItem", &config.tables);
    if !dynamodb::diagnosis::reach(report, config, dynamo, &ping, now).await {
        return;
    }
    let tables = &dynamo.tables;
    for (id, name) in [
        ("SessionsTable", &tables.sessions),
        ("OrdersTable", &tables.orders),
        ("CatalogTable", &tables.catalog),
        ("InventoryTable", &tables.inventory),
        ("IdempotencyTable", &tables.idempotency),
    ] {
        if let Some(table) = template.tables.iter().find(|table| table.logical_id == id) {
            look_at(report, config, dynamo, table, name).await;
        }
    }
}

async fn look_at(report: &mut Report, config: &DynamoDbConfig, dynamo: &Dynamo, declared: &Table, name: &str) {
    let what = format!("Table {name}");
    let found = match dynamo.client.describe_table().table_name(name).send().await {
        Ok(found) => found.table.unwrap_or_else(|| aws_sdk_dynamodb::types::TableDescription::builder().build()),
        Err(error) => {
            let (Cause::Refused { seen, mend } | Cause::Unreachable { seen, mend }) = cause(config, name, &error);
            return report.bad(Part::DynamoDb, what, seen, mend);
        }
    };
    let mut faults = Vec::new();
    let keys: Vec<&str> = found.key_schema().iter().map(KeySchemaElement::attribute_name).collect();
    let expected: Vec<&str> = declared.schema.key_schema.iter().map(|key| key.attribute_name.as_str()).collect();
    if keys != expected {
        faults.push(format!("its key is {}, not {}", keys.join(" and "), expected.join(" and ")));
    }
    for index in &declared.schema.global_secondary_indexes {
        if !found.global_secondary_indexes().iter().any(|has| has.index_name() == Some(&index.index_name)) {
            faults.push(format!("the index {} is missing", index.index_name));
        }
    }
    if let Some(declared) = declared.schema.time_to_live_specification.as_ref().filter(|ttl| ttl.enabled) {
        let told = dynamo.client.describe_time_to_live().table_name(name).send().await.ok();
        let told = told.and_then(|told| told.time_to_live_description);
        let on = told.as_ref().is_some_and(|ttl| {
            let status = ttl.time_to_live_status();
            matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
                && ttl.attribute_name() == Some(&declared.attribute_name)
        });
        if !on {
            faults.push(format!("nothing expires: time to live is not on for {}", declared.attribute_name));
        }
    }
    let status = found.table_status().map_or("unknown", |status| status.as_str()).to_owned();
    if faults.is_empty() {
        return report.good(Part::DynamoDb, what, format!("{status}, as template.yaml declares it"));
    }
    report.bad(Part::DynamoDb, what, faults.join("; "), "deploy the stack again: template.yaml declares it");
}
