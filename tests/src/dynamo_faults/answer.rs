//! `DynamoDB`'s errors in the shape it gives them: JSON 1.0, the type in `__type`, the status 400 or 500.

use http_body_util::Full;
use hyper::{Response, body::Bytes, header};
use serde_json::{Value, json};

use super::{contention::CONFLICT, rule::Fault};

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";

/// The answer to a call that the engine is not to see; `None` for faults that aren't an answer.
pub(super) fn to(fault: &Fault, operation: &str, request: &Value) -> Option<Response<Full<Bytes>>> {
    Some(match fault {
        Fault::TransactionConflict if operation.starts_with("Transact") => {
            canceled("TransactionConflict", "Transaction is ongoing for the item", request)
        }
        Fault::TransactionConflict => {
            error(400, NAMESPACE, "TransactionConflictException", "Transaction is ongoing for the item")
        }
        Fault::TransactionCanceled(code) => canceled(code, "The item could not be written", request),
        Fault::TransactionInProgress => {
            let message = "The transaction with the given request token is already in progress.";
            error(400, NAMESPACE, "TransactionInProgressException", message)
        }
        Fault::Throttling => error(400, "com.amazon.coral.availability", "ThrottlingException", "Rate exceeded"),
        Fault::ProvisionedThroughputExceeded => {
            let message = "The level of configured provisioned throughput for the table was exceeded.";
            error(400, NAMESPACE, "ProvisionedThroughputExceededException", message)
        }
        Fault::RequestLimitExceeded => {
            error(400, NAMESPACE, "RequestLimitExceeded", "Throughput exceeds the current limit.")
        }
        Fault::InternalServerError => internal_server_error(),
        Fault::NothingFound => response(200, &json!({"Items": [], "Count": 0, "ScannedCount": 0})),
        Fault::Error(status, name) => error(*status, NAMESPACE, name, "Refused by the suite"),
        Fault::AnswerLost
        | Fault::DoneButInternalServerError
        | Fault::DoneButHangs
        | Fault::Hang
        | Fault::Delay(_)
        | Fault::Hold(_)
        | Fault::HoldAnswer(_)
        | Fault::Unprocessed => return None,
    })
}

pub(super) fn internal_server_error() -> Response<Full<Bytes>> {
    error(500, NAMESPACE, "InternalServerError", "The request could not be processed")
}

pub(super) fn access_denied(message: &str) -> Response<Full<Bytes>> {
    error(400, "com.amazon.coral.service", "AccessDeniedException", message)
}

/// An answer of our own. Without `x-amz-crc32`, which the SDK checks where it is given.
pub(super) fn response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amzn-requestid", "FAULTPROXY00000000000000000000000000000000000000")
        .body(Full::from(body.to_string()))
        .expect("valid headers")
}

fn error(status: u16, namespace: &str, name: &str, message: &str) -> Response<Full<Bytes>> {
    response(status, &json!({"__type": format!("{namespace}#{name}"), "message": message}))
}

/// One reason per action of the transaction; the last is the one to blame.
fn canceled(code: &str, message: &str, request: &Value) -> Response<Full<Bytes>> {
    let actions = request["TransactItems"].as_array().map_or(1, Vec::len);
    let mut codes = vec!["None"; actions];
    if let Some(last) = codes.last_mut() {
        *last = code;
    }
    canceled_by(&codes, |_| message)
}

/// What is said where many write one item: of a transaction with a reason for each action, of a single write its own.
pub(super) fn turned_away(is_transaction: bool, reasons: &[&str]) -> Response<Full<Bytes>> {
    let message = |reason: &str| {
        if reason == CONFLICT {
            "Transaction is ongoing for the item"
        } else {
            "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table \
             or index so please try again shortly."
        }
    };
    if is_transaction {
        return canceled_by(reasons, message);
    }
    let reason = reasons.first().copied().unwrap_or_default();
    let name = if reason == CONFLICT { "TransactionConflictException" } else { "ThrottlingException" };
    error(400, NAMESPACE, name, message(reason))
}

fn canceled_by<'m>(codes: &[&str], message: impl Fn(&str) -> &'m str) -> Response<Full<Bytes>> {
    let reasons: Vec<Value> = codes
        .iter()
        .map(|&of| if of == "None" { json!({"Code": of}) } else { json!({"Code": of, "Message": message(of)}) })
        .collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    response(
        400,
        &json!({
            "__type": format!("{NAMESPACE}#TransactionCanceledException"),
            "Message": message,
            "CancellationReasons": reasons
        }),
    )
}

/// Takes all keys but the first of each table out of a batch read, or all writes but the first out of a batch of writes.
pub(super) fn split_batch(request: &mut Value) -> Value {
    let mut unprocessed = json!({});
    let tables = request["RequestItems"].as_object_mut().into_iter().flatten();
    for (table, read) in tables {
        if let Some(writes) = read.as_array_mut() {
            let rest = writes.split_off(writes.len().min(1));
            if !rest.is_empty() {
                unprocessed[table] = rest.into();
            }
            continue;
        }
        let Some(keys) = read["Keys"].as_array_mut().filter(|keys| keys.len() > 1) else {
            continue;
        };
        let rest = keys.split_off(1);
        let mut left = read.clone();
        left["Keys"] = rest.into();
        unprocessed[table] = left;
    }
    unprocessed
}
