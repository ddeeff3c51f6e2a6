//! The model of contention says what `DynamoDB` says.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};
use tests::{
    dynamo_faults::{Contention, DynamoFaults},
    tables::Tables,
};

struct Bench {
    _tables: Tables,
    faults: DynamoFaults,
    client: Client,
    table: String,
}

impl Bench {
    async fn set_up(hold_ms: u64, units_per_second: u32) -> Arc<Self> {
        let tables = Tables::create().await;
        let faults = DynamoFaults::before(tables.engine()).await;
        let config = tables.client().config().to_builder();
        let config = config.endpoint_url(faults.endpoint()).retry_config(RetryConfig::disabled());
        let (client, table) = (Client::from_conf(config.build()), tables.name("INVENTORY_TABLE"));
        faults.contend(Some(Contention { hold: Duration::from_millis(hold_ms), units_per_second }));
        Arc::new(Self { _tables: tables, faults, client, table })
    }

    async fn put(&self, id: &str) -> Result<(), String> {
        let put = self.client.put_item().table_name(&self.table).item("id", AttributeValue::S(id.to_owned()));
        put.send().await.map(drop).map_err(|error| error.code().unwrap_or("no answer").to_owned())
    }

    /// Puts all in one transaction; the reasons if it is cancelled.
    async fn put_together(&self, ids: &[&str]) -> Result<(), Vec<String>> {
        let puts = ids.iter().map(|id| {
            let put = Put::builder().table_name(&self.table).item("id", AttributeValue::S((*id).to_owned()));
            TransactWriteItem::builder().put(put.build().unwrap()).build()
        });
        let sent = self.client.transact_write_items().set_transact_items(Some(puts.collect())).send().await;
        let Err(error) = sent else { return Ok(()) };
        let TransactWriteItemsError::TransactionCanceledException(canceled) = error.into_service_error() else {
            panic!("it is cancelled")
        };
        Err(canceled.cancellation_reasons().iter().filter_map(|reason| reason.code().map(str::to_owned)).collect())
    }
}

/// As long as a hold lasts, far longer than what is done meanwhile.
const LONG: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_turns_away_whoever_meets_it_and_says_on_which_item() {
    let bench = Bench::set_up(LONG, 1000).await;
    let first = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.put_together(&["one", "two"]).await }
    });
    while bench.faults.count("TransactWriteItems") == 0 || bench.put("two").await.is_ok() {
        assert!(!first.is_finished(), "nobody met it");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        bench.put_together(&["three", "two", "four"]).await,
        Err(["None", "TransactionConflict", "None"].map(str::to_owned).into())
    );
    assert_eq!(bench.put("one").await, Err("TransactionConflictException".to_owned()));
    assert_eq!(bench.put("three").await, Ok(()));
    assert_eq!(first.await.unwrap(), Ok(()));
    assert_eq!(bench.put_together(&["one", "two"]).await, Ok(()), "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_writes_wait_for_each_other_and_turn_a_transaction_away() {
    let bench = Bench::set_up(LONG, 1000).await;
    let puts: Vec<_> = (0..2)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.put("one").await })
        })
        .collect();
    while bench.faults.count("PutItem") < 2 || bench.put_together(&["one"]).await.is_ok() {
        assert!(puts.iter().any(|put| !put.is_finished()), "nobody met them");
        tokio::task::yield_now().await;
    }
    for put in puts {
        assert_eq!(put.await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn a_key_takes_so_many_units_and_a_transaction_costs_two() {
    // So few that none comes back while the test lasts.
    let bench = Bench::set_up(0, 5).await;
    let mut refused = 0;
    for _ in 0..40 {
        match bench.put_together(&["hot"]).await {
            Ok(()) => {}
            Err(reasons) => {
                assert_eq!(reasons, ["ThrottlingError"]);
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "forty transactions are eighty units");
    assert_eq!(bench.put("cold").await, Ok(()), "another key has its own");
    let mut codes = Vec::new();
    for _ in 0..40 {
        codes.extend(bench.put("hot").await.err());
    }
    assert!(codes.iter().any(|code| code == "ThrottlingException"), "{codes:?}");
    bench.faults.contend(None);
    assert_eq!(bench.put_together(&["hot"]).await, Ok(()));
}
