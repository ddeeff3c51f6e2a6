//! Checks of `DynamoDB`: whether it can be reached, how fast it answers, and whether it permits what the functions do.
//! Permissions are checked without a change: by reads and batch deletes of items that don't exist, and by writes whose
//! condition is never true. `DynamoDB` checks permissions before conditions, so a failed condition means that the write is
//! allowed.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::{BoxError, ProvideErrorMetadata, SdkError},
    types::{ConditionCheck, DeleteRequest, KeysAndAttributes, TransactWriteItem, WriteRequest},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::time::Instant;

use crate::{
    adapters::dynamodb::client::{Dynamo, Item, text},
    config::dynamodb::DynamoDbConfig,
    ports::diagnosis::{Part, Report},
    telemetry::cause::chain,
};

/// The number of calls that are measured.
const CALLS: usize = 7;
/// A generous time for a read of a table in the same region.
const GOOD: Duration = Duration::from_millis(100);
/// A condition that no item can meet. The key has an alias, because `owner` is a reserved word.
const NEVER: &str = "attribute_exists(#key) AND attribute_not_exists(#key)";
/// The key of the items that are read and written. No item has it.
const NOBODY: &str = "doctor";

/// One operation on a table or on one of its indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub table: String,
    pub index: Option<&'static str>,
    /// The key attributes of the table or of the index.
    pub key: &'static [&'static str],
    /// The IAM action, without `dynamodb:`.
    pub action: &'static str,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing answered. Reported once, whatever the operation was.
    Unreachable { seen: String, mend: String },
    /// `DynamoDB` refused this operation.
    Refused { seen: String, mend: String },
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

/// Tries each operation once, and a reading one often enough to judge its speed.
pub async fn diagnose(
    report: &mut Report,
    config: &DynamoDbConfig,
    dynamo: &Dynamo,
    deeds: &[Deed],
    now: fn() -> OffsetDateTime,
) {
    let reads = deeds.iter().find(|deed| matches!(deed.action, "GetItem" | "BatchGetItem" | "Query"));
    let Some(first) = reads.or(deeds.first()) else { return };
    if reach(report, config, dynamo, first, now).await {
        rights(report, &dynamo.client, config, deeds).await;
    }
}

/// Checks whether it can be reached, its speed and its clock. False if nothing answered: then further checks make no
/// sense. A refusal of the operation doesn't matter here.
pub async fn reach(
    report: &mut Report,
    config: &DynamoDbConfig,
    dynamo: &Dynamo,
    deed: &Deed,
    now: fn() -> OffsetDateTime,
) -> bool {
    let date = DateOf::default();
    let client = Client::from_conf(dynamo.client.config().to_builder().interceptor(date.clone()).build());
    let mut times = Vec::with_capacity(CALLS);
    let mut asked_at = now();
    // The first call opens the connection, so it isn't measured.
    for call in 0..=CALLS {
        asked_at = now();
        let start = Instant::now();
        match attempt(&client, config, deed).await {
            Err(Cause::Unreachable { seen, mend }) => {
                report.bad(Part::DynamoDb, "DynamoDB", seen, mend);
                return false;
            }
            Ok(()) | Err(Cause::Refused { .. }) if call == 0 => {}
            Ok(()) | Err(Cause::Refused { .. }) => times.push(start.elapsed()),
        }
    }
    report.good(Part::DynamoDb, "DynamoDB", format!("reached at {}", config.url()));
    let mend = "look at SuccessfulRequestLatency and throttling of the tables, and at the region: AWS_REGION must be \
                the functions' own; https://health.aws.amazon.com says what AWS knows";
    report.judge(Part::DynamoDb, "Speed of DynamoDB", &times, GOOD.min(config.timeout / 3), mend);
    let date = date.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // A local engine may not send a date.
    if let Some(time) = date.and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok()) {
        report.clock(Part::DynamoDb, "Clock of DynamoDB", time, asked_at);
    }
    true
}

/// One line for each table with what is allowed, and a fault for each reason why something isn't.
async fn rights(report: &mut Report, client: &Client, config: &DynamoDbConfig, deeds: &[Deed]) {
    let mut told: Vec<String> = Vec::new();
    for deed in deeds {
        let place = deed.place();
        if told.contains(&place) {
            continue;
        }
        let (mut allowed, mut refused) = (Vec::new(), Vec::<(String, String, String)>::new());
        for deed in deeds.iter().filter(|deed| deed.place() == place) {
            match attempt(client, config, deed).await {
                Ok(()) => allowed.push(deed.action),
                Err(Cause::Unreachable { seen, mend }) => {
                    return report.bad(Part::DynamoDb, "DynamoDB", seen, mend);
                }
                Err(Cause::Refused { seen, mend }) => match refused.iter_mut().find(|known| known.1 == seen) {
                    Some((actions, ..)) => {
                        let _ = write!(actions, ", {}", deed.action);
                    }
                    None => refused.push((deed.action.to_owned(), seen, mend)),
                },
            }
        }
        if refused.is_empty() {
            report.good(Part::DynamoDb, format!("Table {place}"), allowed.join(", "));
        }
        for (actions, seen, mend) in refused {
            report.bad(Part::DynamoDb, format!("Table {place}"), format!("{actions}: {seen}"), mend);
        }
        told.push(place);
    }
}

impl Deed {
    /// `checkout-orders`, or `checkout-orders/index/by-due`.
    fn place(&self) -> String {
        match self.index {
            Some(index) => format!("{}/index/{index}", self.table),
            None => self.table.clone(),
        }
    }

    fn item(&self) -> Item {
        self.key.iter().map(|name| ((*name).to_owned(), text(NOBODY))).collect()
    }

    fn partition_key(&self) -> &'static str {
        self.key.first().copied().unwrap_or_default()
    }
}

async fn attempt(client: &Client, config: &DynamoDbConfig, deed: &Deed) -> Result<(), Cause> {
    let (table, item, key) = (&deed.table, deed.item(), deed.partition_key());
    match deed.action {
        "GetItem" => settled(config, deed, client.get_item().table_name(table).set_key(Some(item)).send().await),
        "BatchGetItem" => {
            let keys =
                KeysAndAttributes::builder().set_keys(Some(vec![item])).build().map_err(|error| refused(&error))?;
            settled(config, deed, client.batch_get_item().request_items(table, keys).send().await)
        }
        "Query" => {
            let query = client.query().table_name(table).set_index_name(deed.index.map(ToOwned::to_owned)).limit(1);
            let query = query.key_condition_expression("#key = :nobody").expression_attribute_names("#key", key);
            settled(config, deed, query.expression_attribute_values(":nobody", text(NOBODY)).send().await)
        }
        "BatchWriteItem" => {
            // It takes no condition; there is no such item to delete.
            let delete = DeleteRequest::builder().set_key(Some(item)).build().map_err(|error| refused(&error))?;
            let write = WriteRequest::builder().delete_request(delete).build();
            settled(config, deed, client.batch_write_item().request_items(table, vec![write]).send().await)
        }
        "PutItem" => {
            let put = client.put_item().table_name(table).set_item(Some(item)).condition_expression(NEVER);
            settled(config, deed, put.expression_attribute_names("#key", key).send().await)
        }
        "UpdateItem" => {
            let update = client.update_item().table_name(table).set_key(Some(item)).condition_expression(NEVER);
            settled(config, deed, update.expression_attribute_names("#key", key).send().await)
        }
        "DeleteItem" => {
            let delete = client.delete_item().table_name(table).set_key(Some(item)).condition_expression(NEVER);
            settled(config, deed, delete.expression_attribute_names("#key", key).send().await)
        }
        "ConditionCheckItem" => {
            let check = ConditionCheck::builder().table_name(table).set_key(Some(item));
            let check = check
                .condition_expression(NEVER)
                .expression_attribute_names("#key", key)
                .build()
                .map_err(|error| refused(&error))?;
            let action = TransactWriteItem::builder().condition_check(check).build();
            settled(config, deed, client.transact_write_items().transact_items(action).send().await)
        }
        other => Err(Cause::Refused {
            seen: format!("there is no check for {other}"),
            mend: "add one to adapters/dynamodb/diagnosis.rs".to_owned(),
        }),
    }
}

fn refused(error: &dyn std::error::Error) -> Cause {
    Cause::Refused { seen: chain(error), mend: "this is a fault of the checkout itself: report it".to_owned() }
}

fn settled<T, E>(config: &DynamoDbConfig, deed: &Deed, result: Result<T, SdkError<E>>) -> Result<(), Cause>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let Err(error) = result else { return Ok(()) };
    match error.code() {
        Some("ConditionalCheckFailedException") => Ok(()),
        Some("TransactionCanceledException")
            if error.message().is_some_and(|text| text.contains("ConditionalCheckFailed")) =>
        {
            Ok(())
        }
        _ => Err(cause(config, &deed.place(), &error)),
    }
}

/// The cause behind an error of the SDK.
pub fn cause<E>(config: &DynamoDbConfig, place: &str, error: &SdkError<E>) -> Cause
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let url = config.url();
    let unreachable = |seen: String, mend: &str| Cause::Unreachable {
        seen: format!("{seen} (asked at {url})"),
        mend: mend.to_owned(),
    };
    let refused = |seen: String, mend: &str| Cause::Refused { seen, mend: mend.to_owned() };
    let network = if config.endpoint.is_some() {
        "check AWS_ENDPOINT_URL_DYNAMODB, and that something listens there; unset it for the region's own"
    } else {
        "check AWS_REGION, and that the network has a way there: the gateway endpoint of the VPC and its route tables"
    };
    let whole = chain(error);
    let code = error.code().unwrap_or_default();
    let message = error.message().unwrap_or_default();
    match error {
        SdkError::TimeoutError(_) => {
            let ms = config.timeout.as_millis();
            unreachable(format!("DynamoDB doesn't answer within DYNAMODB_TIMEOUT_MS, {ms} ms"), network)
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            unreachable("DynamoDB doesn't answer in time".to_owned(), network)
        }
        SdkError::DispatchFailure(_) => unreachable(format!("DynamoDB can't be reached: {whole}"), network),
        SdkError::ServiceError(_) if !code.is_empty() => match code {
            "AccessDeniedException" => refused(format!("not allowed: {message}"), policy(message)),
            "ResourceNotFoundException" => refused(
                format!("there is no {place}"),
                "check the …_TABLE setting and AWS_REGION; an index that is missing comes with the next deployment",
            ),
            "ValidationException" => refused(
                format!("it has another key than template.yaml declares: {message}"),
                "check that each …_TABLE setting names its own table; else deploy the stack again",
            ),
            "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded" => refused(
                format!("throttled ({code})"),
                "look at the table's throttled requests: a hot item, a table with a limit of its own, or the account's",
            ),
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "ExpiredTokenException" => unreachable(
                format!("DynamoDB refuses the credentials: {code} {message}"),
                "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which end after a while, and \
                 this machine's clock",
            ),
            _ => refused(format!("{code} {message}"), "https://health.aws.amazon.com says what AWS knows; ask again"),
        },
        // Something else than DynamoDB answers there.
        _ => unreachable(format!("what answers is not DynamoDB: {whole}"), network),
    }
}

/// Which policy refuses, by the words of IAM's message.
fn policy(message: &str) -> &'static str {
    if message.contains("endpoint policy") {
        "the VPC endpoint's policy doesn't grant it: see DynamoDbEndpoint in template.yaml, and deploy it again"
    } else if message.contains("explicit deny") {
        "a policy denies it: look for Deny in the role's, the endpoint's and the organization's"
    } else {
        "the role's policy doesn't grant it: deploy the stack again, or undo the change to it"
    }
}
