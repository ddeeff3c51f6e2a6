//! The stream of a table in an engine on this machine, read as Lambda reads it. The SDK has another client for it, which
//! nothing else here needs.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{Client, error::DisplayErrorContext};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy, client::legacy::connect::HttpConnector, rt::TokioExecutor};
use serde_json::{Value, json};

/// Engines on this machine read who calls, and check no signature.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=local/20261123/us-east-1/dynamodb/aws4_request, \
                      SignedHeaders=host;x-amz-date, \
                      Signature=0000000000000000000000000000000000000000000000000000000000000000";

/// Why a stream can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("table {0} has no stream")]
    None(String),
    #[error("the stream can't be read: {0}")]
    Failed(String),
}

/// A reader of all records, from the oldest.
#[derive(Debug)]
pub struct OrderStream {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    endpoint: String,
    arn: String,
    /// Where to go on in each shard; none in one that has ended.
    shards: BTreeMap<String, Option<String>>,
}

impl OrderStream {
    /// # Errors
    /// [`StreamError`]
    pub async fn open(client: &Client, endpoint: &str, table: &str) -> Result<Self, StreamError> {
        let described = client.describe_table().table_name(table).send().await;
        let described = described.map_err(|error| StreamError::Failed(DisplayErrorContext(error).to_string()))?;
        let arn = described.table.and_then(|table| table.latest_stream_arn);
        Ok(Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            endpoint: endpoint.to_owned(),
            arn: arn.ok_or_else(|| StreamError::None(table.to_owned()))?,
            shards: BTreeMap::new(),
        })
    }

    /// The records since the last call, oldest first in each shard.
    ///
    /// # Errors
    /// [`StreamError`]. The next call goes on where this one began, in each shard that it has not read.
    pub async fn next(&mut self) -> Result<Vec<Value>, StreamError> {
        let stream = self.ask("DescribeStream", &json!({ "StreamArn": self.arn })).await?;
        let shards = stream["StreamDescription"]["Shards"].as_array().cloned().unwrap_or_default();
        let mut records = Vec::new();
        for id in shards.iter().filter_map(|shard| shard["ShardId"].as_str()) {
            let known = self.shards.get(id).cloned();
            let mut iterator = if let Some(iterator) = known {
                iterator
            } else {
                let from = json!({"StreamArn": self.arn, "ShardId": id, "ShardIteratorType": "TRIM_HORIZON"});
                text(&self.ask("GetShardIterator", &from).await?["ShardIterator"])
            };
            while let Some(at) = iterator {
                let page = self.ask("GetRecords", &json!({ "ShardIterator": at })).await?;
                let found = page["Records"].as_array().cloned().unwrap_or_default();
                iterator = text(&page["NextShardIterator"]);
                let is_all = found.is_empty();
                records.extend(found);
                // An open shard has no end: one page without records is the end of what there is.
                if is_all {
                    break;
                }
            }
            self.shards.insert(id.to_owned(), iterator);
        }
        Ok(records)
    }

    async fn ask(&self, operation: &str, body: &Value) -> Result<Value, StreamError> {
        let failed = |error: &dyn std::error::Error| StreamError::Failed(error.to_string());
        let request = Request::post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
            .header("x-amz-date", "20261123T120000Z")
            .header("authorization", SIGNED)
            .body(Full::from(body.to_string()))
            .map_err(|error| failed(&error))?;
        let response = self.http.request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
        if !status.is_success() {
            return Err(StreamError::Failed(format!("{operation}: {status} {}", String::from_utf8_lossy(&bytes))));
        }
        serde_json::from_slice(&bytes).map_err(|error| failed(&error))
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}
