//! Whether everything is as the functions need it, and what to do where it isn't.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::BoxError,
    types::{KeySchemaElement, TimeToLiveStatus},
};
use redis::RedisError;
use serde::Serialize;
use shared::{
    adapters::{dynamodb::client::Dynamo, redis::scripts},
    app::App,
    config::redis::{Login, RedisConfig, Topology},
    domain::ids::OrderId,
    ports::Payments as _,
    telemetry::cause,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{Operator, OperatorError};
use crate::template::{Table, Template};

/// Clocks that differ by more make copies of sessions look older or younger than they are.
const SKEW: time::Duration = time::Duration::seconds(2);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub what: String,
    pub good: bool,
    pub seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// The findings, as they come.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Finding>);

impl Report {
    pub fn good(&mut self, what: impl Into<String>, seen: impl Into<String>) {
        self.0.push(Finding { what: what.into(), good: true, seen: seen.into(), mend: None });
    }

    pub fn bad(&mut self, what: impl Into<String>, seen: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { what: what.into(), good: false, seen: seen.into(), mend: Some(mend.into()) });
    }

    pub fn is_good(&self) -> bool {
        self.0.iter().all(|finding| finding.good)
    }

    fn skew(&mut self, whose: &str, theirs: OffsetDateTime, ours: OffsetDateTime) {
        let skew = (theirs - ours).abs();
        let seen = format!("{} ms apart", skew.whole_milliseconds());
        if skew <= SKEW {
            return self.good(whose, seen);
        }
        self.bad(whose, seen, "set this machine's clock, or the server's: NTP keeps both right");
    }
}

/// Asks Stripe for a payment that isn't there, as the reconciler does.
pub async fn stripe(report: &mut Report, app: &App) {
    let Some(config) = &app.config.stripe else {
        return report.good("Stripe", "no cards are taken: STRIPE_SECRET_KEY isn't set");
    };
    let start = Instant::now();
    let now = OffsetDateTime::now_utc();
    // Of no time: the list is empty.
    match app.payments.find(OrderId::new(uuid::Uuid::nil()), now, now).await {
        Ok(_) => report.good("Stripe", format!("the key is good; answered in {} ms", start.elapsed().as_millis())),
        Err(error) => {
            let text = error.to_string();
            let mend = if text.contains("401") {
                "STRIPE_SECRET_KEY is not, or no longer, a key of the account: take it from the Dashboard"
            } else if text.contains("403") {
                "the key is restricted: it must write payment intents and refunds, and read charges"
            } else {
                "check that this machine has a way out to api.stripe.com, and what STRIPE_SECRET_KEY_FROM names"
            };
            report.bad("Stripe", text, mend);
        }
    }
    if config.webhook_secret.is_none() {
        let mend = "set STRIPE_WEBHOOK_SECRET, or _FROM, to the signing secret of the endpoint; see docs/PAYMENTS.md";
        report.bad("Events of Stripe", "every one is refused: there is no secret to check them with", mend);
    }
}

/// Looks at Redis: how it is arranged, whether it lets us do what the functions do, and what time it is there.
pub async fn redis(report: &mut Report, config: &RedisConfig) {
    let start = Instant::now();
    let mut operator = match Operator::connect(config).await {
        Ok(operator) => operator,
        Err(error) => return report.bad("Redis", cause::chain(&error), advice(config, &error)),
    };
    let nodes: Vec<String> = operator.primaries.iter().map(|primary| primary.node.to_string()).collect();
    let topology = match &config.topology {
        Topology::Single => "single".to_owned(),
        Topology::Cluster => format!("cluster of {} primaries", nodes.len()),
        Topology::Sentinel { master, .. } => format!("sentinel, master {master}"),
    };
    report.good("Redis", format!("{topology}: {}; reached in {} ms", nodes.join(", "), start.elapsed().as_millis()));
    arrangement(report, config, &mut operator).await;
    rights(report, &mut operator).await;
    let before = OffsetDateTime::now_utc();
    if let Some(primary) = operator.primaries.first_mut()
        && let Ok((seconds, micros)) = redis::cmd("TIME").query_async::<(i64, i64)>(&mut primary.connection).await
        && let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds)
    {
        report.skew("Clock of Redis", time + time::Duration::microseconds(micros), before);
    }
}

fn advice(config: &RedisConfig, error: &OperatorError) -> String {
    let text = error.to_string();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["WRONGPASS", "NOAUTH", "uthentication"]) {
        return "set REDIS_PASSWORD, and REDIS_USERNAME for a user of the ACL (or REDIS_IAM_CACHE)".to_owned();
    }
    if has(&["ertificate", "UnknownIssuer"]) {
        return "set REDIS_CA to the certificate of the authority that signed the server's".to_owned();
    }
    if has(&["cluster support disabled"]) {
        return "it is no cluster: set REDIS_TOPOLOGY to single".to_owned();
    }
    if has(&["unknown command"]) && matches!(config.topology, Topology::Sentinel { .. }) {
        return "REDIS_HOST must name sentinels (port 26379), not servers".to_owned();
    }
    let tls = if config.tls.is_some() {
        "REDIS_SSL to false if it takes no TLS"
    } else {
        "REDIS_SSL to true if it takes only TLS"
    };
    format!("check REDIS_HOST and REDIS_PORT, that the security group lets this machine in, and set {tls}")
}

async fn arrangement(report: &mut Report, config: &RedisConfig, operator: &mut Operator) {
    for primary in &mut operator.primaries {
        let node = primary.node.to_string();
        let info: String = redis::cmd("INFO").query_async(&mut primary.connection).await.unwrap_or_default();
        let fields: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.trim().split_once(':')).collect();
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        if field("role") == "slave" {
            let mend = "it refuses every write: name the primary's address, or the sentinels";
            report.bad(format!("Role of {node}"), "replica", mend);
        }
        if field("cluster_enabled") == "1" && !matches!(config.topology, Topology::Cluster) {
            let mend = "set REDIS_TOPOLOGY to cluster: a plain client can't follow its redirections";
            report.bad(format!("Topology of {node}"), "it is part of a cluster", mend);
        }
        let (policy, max) = (field("maxmemory_policy"), field("maxmemory"));
        if policy == "noeviction" && max != "0" && !max.is_empty() {
            let mend =
                "set maxmemory-policy to volatile-ttl: everything here may go, and a full Redis takes nothing new";
            report.bad(format!("Memory of {node}"), format!("noeviction, at most {max} bytes"), mend);
        }
    }
    if let Login::Iam(login) = &config.login {
        report.good("Login", format!("IAM, user {} of {}", login.user, login.cache));
    }
}

/// Does what the functions do, on a key of its own.
async fn rights(report: &mut Report, operator: &mut Operator) {
    let key = format!("{}doctor", operator.prefix);
    let mut refused: Vec<String> = Vec::new();
    let mut note = |what: &str, result: Result<redis::Value, RedisError>| {
        if let Err(error) = result {
            refused.push(format!("{what}: {}", cause::chain(&error)));
        }
    };
    let script = |script: &scripts::Script, arguments: &[&str]| {
        let mut command = redis::cmd("EVAL");
        command.arg(script.code).arg(1).arg(&key);
        for argument in arguments {
            command.arg(argument);
        }
        command
    };
    let drop = redis::cmd("UNLINK").arg(&key).to_owned();
    for (what, command) in [
        ("GETEX", redis::cmd("GETEX").arg(&key).arg("EX").arg(10).to_owned()),
        ("counting a request", script(&scripts::ADMIT, &["1", "1000000", "1", "doctor"])),
        ("refunding a request", redis::cmd("ZREM").arg(&key).arg("doctor:1").to_owned()),
        ("UNLINK", drop.clone()),
        ("copying a session", script(&scripts::PUT_SESSION, &["1", "{\"version\":1}", "10"])),
        ("UNLINK", drop.clone()),
        ("reading the cache", script(&scripts::LEASE, &["doctor", "doctor", "1000", "8", "0"])),
        ("filling the cache", script(&scripts::FILL, &["doctor", "doctor", "{}", "1000"])),
        ("holding the cache", script(&scripts::HOLD, &["doctor", "1000"])),
        ("forgetting the cache", script(&scripts::RELEASE, &["doctor"])),
        ("UNLINK", drop),
    ] {
        note(what, operator.ask(&command).await);
    }
    if refused.is_empty() {
        return report.good("Rights in Redis", format!("everything the functions do, on {key}"));
    }
    report.bad("Rights in Redis", refused.join("; "), "give the user the rights of the rule in docs/DEPLOY.md");
}

/// Looks at the tables: that they are there, and as the template declares them; and what time it is there.
///
/// # Panics
/// Never: the template was read when this was built.
pub async fn dynamodb(report: &mut Report, dynamo: &Dynamo) {
    let Ok(template) = Template::parse(include_str!("../../../template.yaml")) else { return };
    let tables = &dynamo.tables;
    for (id, name) in [
        ("SessionsTable", &tables.sessions),
        ("OrdersTable", &tables.orders),
        ("CatalogTable", &tables.catalog),
        ("InventoryTable", &tables.inventory),
        ("IdempotencyTable", &tables.idempotency),
    ] {
        if let Some(table) = template.tables.iter().find(|table| table.logical_id == id) {
            look_at(report, dynamo, table, name).await;
        }
    }
    clock(report, dynamo).await;
}

async fn look_at(report: &mut Report, dynamo: &Dynamo, declared: &Table, name: &str) {
    let what = format!("Table {name}");
    let found = match dynamo.client.describe_table().table_name(name).send().await {
        Ok(found) => found.table.unwrap_or_else(|| aws_sdk_dynamodb::types::TableDescription::builder().build()),
        Err(error) => {
            let mend = "check the …_TABLE setting, AWS_REGION, and that you may dynamodb:DescribeTable";
            return report.bad(what, cause::chain(&error), mend);
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
        return report.good(what, format!("{status}, as template.yaml declares it"));
    }
    report.bad(what, faults.join("; "), "deploy the stack again: template.yaml declares it");
}

/// Keeps the `Date` of the last answer.
#[derive(Clone, Debug, Default)]
struct DateOf(Arc<Mutex<Option<String>>>);

impl Intercept for DateOf {
    fn name(&self) -> &'static str {
        "date of the answer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(ToOwned::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

async fn clock(report: &mut Report, dynamo: &Dynamo) {
    let date = DateOf::default();
    let request = dynamo.client.list_tables().limit(1).customize().interceptor(date.clone());
    let before = OffsetDateTime::now_utc();
    let _: Result<_, _> = request.send().await;
    let date = date.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // A local engine may not say.
    if let Some(time) = date.and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok()) {
        report.skew("Clock of DynamoDB", time, before);
    }
}
