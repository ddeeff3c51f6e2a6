//! The stream of a table, read as a consumer reads it. The SDK has another client for it, which nothing else here needs.

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

use crate::tables::Tables;

/// Every record of the stream of the table that functions know by this variable, oldest first in each shard.
pub async fn records(tables: &Tables, variable: &str) -> Vec<Value> {
    let described = tables.client().describe_table().table_name(tables.name(variable)).send().await;
    let described = described.unwrap_or_else(|error| panic!("{error:?}"));
    let arn = described.table.and_then(|table| table.latest_stream_arn).expect("a table with a stream");
    let stream = ask(tables, "DescribeStream", &json!({ "StreamArn": arn })).await;
    let mut records = Vec::new();
    for shard in stream["StreamDescription"]["Shards"].as_array().expect("shards") {
        let from = json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"});
        let mut iterator = ask(tables, "GetShardIterator", &from).await["ShardIterator"].take();
        while !iterator.is_null() {
            let mut page = ask(tables, "GetRecords", &json!({ "ShardIterator": iterator })).await;
            let Value::Array(found) = page["Records"].take() else { panic!("no records: {page:#}") };
            // An open shard has no end: one page without records is the end of what there is.
            iterator = if found.is_empty() { Value::Null } else { page["NextShardIterator"].take() };
            records.extend(found);
        }
    }
    records
}

async fn ask(tables: &Tables, operation: &str, body: &Value) -> Value {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    // Engines on this machine read who calls, and check no signature.
    let signed = "AWS4-HMAC-SHA256 Credential=local/20261123/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, \
                  Signature=0000000000000000000000000000000000000000000000000000000000000000";
    let request = Request::post(tables.endpoint())
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
        .header("x-amz-date", "20261123T120000Z")
        .header("authorization", signed)
        .body(Full::from(body.to_string()))
        .expect("a request");
    let response = client.request(request).await.expect("an answer");
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert!(status.is_success(), "{operation}: {status} {answer:#}");
    answer
}
