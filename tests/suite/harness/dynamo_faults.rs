use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem},
};
use tests::{
    dynamo_faults::{DynamoFaults, Fault, Rule},
    gate::Gate,
    tables::Tables,
};

/// A table, a proxy before its engine, and a client that asks once and gives up soon.
struct Bench {
    tables: Tables,
    faults: DynamoFaults,
    client: Client,
    table: String,
}

impl Bench {
    async fn set_up() -> Self {
        let tables = Tables::create().await;
        let faults = DynamoFaults::before(tables.engine()).await;
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(500)).build();
        let config = tables.client().config().to_builder();
        let config = config.endpoint_url(faults.endpoint()).retry_config(RetryConfig::disabled());
        let client = Client::from_conf(config.timeout_config(timeouts).build());
        let table = tables.name("INVENTORY_TABLE");
        Self { tables, faults, client, table }
    }

    /// Puts one item; the error's code if that fails.
    async fn put(&self, id: &str) -> Result<(), String> {
        let put = self.client.put_item().table_name(&self.table).item("id", text(id)).send().await;
        put.map(drop).map_err(|error| error.code().unwrap_or("no answer").to_owned())
    }

    /// Puts all items in one transaction.
    async fn put_together(&self, ids: &[&str]) -> Result<(), Box<TransactWriteItemsError>> {
        let puts = ids.iter().map(|id| {
            let put = Put::builder().table_name(&self.table).item("id", text(id)).build().unwrap();
            TransactWriteItem::builder().put(put).build()
        });
        let sent = self.client.transact_write_items().set_transact_items(Some(puts.collect())).send().await;
        sent.map(drop).map_err(|error| Box::new(error.into_service_error()))
    }

    /// Whether the engine has the item, asked past the proxy.
    async fn has(&self, id: &str) -> bool {
        let get = self.tables.client().get_item().table_name(&self.table).key("id", text(id));
        get.consistent_read(true).send().await.unwrap().item.is_some()
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn a_conflict_cancels_the_transaction_with_a_reason_per_action() {
    let bench = Bench::set_up().await;
    let hits = bench.faults.add(Rule::on("TransactWriteItems", Fault::TransactionConflict).times(1));

    let error = bench.put_together(&["one", "two"]).await.unwrap_err();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = *error else { unreachable!("{error:?}") };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["None", "TransactionConflict"]);
    assert!(!bench.has("one").await);

    bench.put_together(&["one", "two"]).await.unwrap();
    assert!(bench.has("two").await);
    assert_eq!(hits.count(), 1);
}

#[tokio::test]
async fn every_error_arrives_as_the_sdk_knows_it() {
    let bench = Bench::set_up().await;
    let faults = [
        (Fault::TransactionConflict, "TransactionConflictException"),
        (Fault::Throttling, "ThrottlingException"),
        (Fault::ProvisionedThroughputExceeded, "ProvisionedThroughputExceededException"),
        (Fault::RequestLimitExceeded, "RequestLimitExceeded"),
        (Fault::InternalServerError, "InternalServerError"),
        (Fault::TransactionInProgress, "TransactionInProgressException"),
        (Fault::Error(400, "LimitExceededException"), "LimitExceededException"),
    ];
    for (fault, code) in faults {
        bench.faults.add(Rule::on("PutItem", fault).times(1));
        assert_eq!(bench.put("item").await, Err(code.to_owned()));
    }
    assert!(!bench.has("item").await);
    bench.put("item").await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_leaves_its_write_behind() {
    let bench = Bench::set_up().await;
    let lost = [
        (Fault::AnswerLost, "no answer"),
        (Fault::DoneButInternalServerError, "InternalServerError"),
        (Fault::DoneButHangs, "no answer"),
    ];
    for (index, (fault, code)) in lost.into_iter().enumerate() {
        let id = format!("item-{index}");
        bench.faults.add(Rule::on("PutItem", fault).times(1));
        assert_eq!(bench.put(&id).await, Err(code.to_owned()));
        assert!(bench.has(&id).await);
    }
}

#[tokio::test]
async fn a_hung_call_reaches_nothing() {
    let bench = Bench::set_up().await;
    bench.faults.add(Rule::on("*", Fault::Hang).table(&bench.table));

    assert_eq!(bench.put("item").await, Err("no answer".to_owned()));

    assert!(!bench.has("item").await);
}

#[tokio::test]
async fn a_rule_takes_only_its_table_its_text_and_its_turn() {
    let bench = Bench::set_up().await;
    let other = bench.faults.add(Rule::on("PutItem", Fault::Throttling).table("another-table"));
    let second = Rule::on("PutItem", Fault::Throttling).containing("marked").skip(1).times(1);
    let second = bench.faults.add(second);

    bench.put("plain").await.unwrap();
    bench.put("marked-1").await.unwrap();
    bench.put("marked-2").await.unwrap_err();
    bench.put("marked-3").await.unwrap();

    assert_eq!((other.count(), second.count()), (0, 1));
}

#[tokio::test]
async fn calls_wait_at_a_gate_before_or_after_the_engine() {
    let bench = Bench::set_up().await;
    let (before, after) = (Gate::closed(), Gate::closed());
    bench.faults.add(Rule::on("PutItem", Fault::Hold(before.clone())).containing("held-before"));
    bench.faults.add(Rule::on("PutItem", Fault::HoldAnswer(after.clone())).containing("held-after"));

    let watch = async {
        before.arrived(1).await;
        after.arrived(1).await;
        assert!(!bench.has("held-before").await);
        assert!(bench.has("held-after").await);
        before.open();
        after.open();
    };
    let (first, second, ()) = tokio::join!(bench.put("held-before"), bench.put("held-after"), watch);

    first.unwrap();
    second.unwrap();
    assert!(bench.has("held-before").await);
}

#[tokio::test]
async fn what_a_caller_gave_up_on_may_still_happen() {
    let bench = Bench::set_up().await;
    let gate = Gate::closed();
    bench.faults.add(Rule::on("PutItem", Fault::Hold(gate.clone())));

    assert_eq!(bench.put("late").await, Err("no answer".to_owned()));
    gate.open();

    let late = async {
        while !bench.has("late").await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), late).await.expect("the write arrives");
}

#[tokio::test]
async fn a_batch_read_may_leave_keys_unprocessed() {
    let bench = Bench::set_up().await;
    bench.put_together(&["one", "two", "three"]).await.unwrap();
    bench.faults.add(Rule::on("BatchGetItem", Fault::Unprocessed).times(1));
    let keys = ["one", "two", "three"].map(|id| HashMap::from([("id".to_owned(), text(id))]));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.to_vec())).build().unwrap();

    let read = bench.client.batch_get_item().request_items(&bench.table, keys).send().await.unwrap();

    assert_eq!(read.responses().unwrap()[&bench.table].len(), 1);
    assert_eq!(read.unprocessed_keys().unwrap()[&bench.table].keys().len(), 2);
}

#[tokio::test]
async fn calls_and_their_cost_are_counted() {
    let bench = Bench::set_up().await;
    let put = bench.client.put_item().table_name(&bench.table).item("id", text("item"));
    put.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.unwrap();

    assert_eq!(bench.faults.count("PutItem"), 1);
    assert_eq!(bench.faults.count("GetItem"), 0);
    assert!(bench.faults.capacity().total >= 1.0);
    let call = &bench.faults.calls()[0];
    assert_eq!((call.status, call.request["TableName"].as_str()), (Some(200), Some(bench.table.as_str())));

    bench.faults.forget_calls();
    assert!(bench.faults.calls().is_empty());
}
