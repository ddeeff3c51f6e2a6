//! What a checkout does now, in one look: of a deployed stack from its metrics, of this machine from what was logged.

use std::collections::BTreeMap;

use serde_json::json;
use tests::account::{API, Account, STACK, physical};

use super::{Ended, checkout};

async fn looked(account: &Account, arguments: &[&str]) -> Ended {
    let mut settings = BTreeMap::from([
        ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "operator".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "a-secret".to_owned()),
    ]);
    settings.extend(account.variables());
    checkout(&settings, arguments).await
}

/// An account in which some things were measured.
async fn busy() -> Account {
    let account = Account::with(&BTreeMap::new()).await;
    let function = |logical: &str| format!("FunctionName={}", physical(logical));
    let (initiate, get_session) = (function("InitiateFunction"), function("GetSessionFunction"));
    account.measure(&["AWS/Lambda", "Invocations", &get_session], "Sum", 90.0);
    account.measure(&["AWS/Lambda", "Invocations", &initiate], "Sum", 12.0);
    account.measure(&["AWS/Lambda", "Errors", &initiate], "Sum", 1.0);
    let service = format!("service={STACK}");
    account.measure(&["Checkout", "RateLimitViolations", &service, "route=initiate"], "Sum", 3.0);
    account.measure(&["Checkout", "RateLimitViolations", &service], "Sum", 3.0);
    account.measure(&["Checkout", "SessionHits", &service], "Sum", 60.0);
    account.measure(&["Checkout", "SessionMisses", &service], "Sum", 20.0);
    account.measure(&["Checkout", "OldestDueSeconds", &service], "Maximum", 75.0);
    account.measure(&["Checkout", "ReconcileRuns", &service], "Sum", 5.0);
    account.measure(&["Checkout", "RedisDegraded", &service], "Sum", 2.0);
    for (statistic, value) in [("Sum", 40.0), ("Maximum", 9.0), ("SampleCount", 80.0)] {
        account.measure(&["Checkout", "RedisMs", &service], statistic, value);
    }
    let api = format!("ApiId={API}");
    for (metric, value) in [("Count", 100.0), ("4xx", 7.0), ("5xx", 1.0)] {
        account.measure(&["AWS/ApiGateway", metric, &api, "Stage=$default"], "Sum", value);
    }
    account
}

#[tokio::test]
async fn a_deployed_stack_is_read_from_its_metrics_by_their_names() {
    let account = busy().await;
    let ended = looked(&account, &["top", "--stack", STACK, "--minutes", "10", "--json"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let reading = &ended.json()["reading"];
    let functions = json!([
        {"name": "get-session", "requests": 90, "limited": 0, "errors": 0, "statuses": {}},
        {"name": "initiate", "requests": 12, "limited": 3, "errors": 1, "statuses": {}},
    ]);
    assert_eq!(reading["functions"], functions, "{reading:#}");
    assert_eq!(reading["api"], json!({"requests": 100, "clientErrors": 7, "serverErrors": 1}));
    let series = reading["series"].as_array().expect("a series");
    assert_eq!((series.len(), &series[0], &series[1]), (10, &json!(102), &json!(0)));
    assert_eq!(reading["metrics"]["RedisMs"], json!({"values": 80, "sum": 40.0, "most": 9.0}));
    assert_eq!(reading["metrics"]["OldestDueSeconds"]["most"], 75.0);

    let text = looked(&account, &["top", "--stack", STACK, "--once"]).await;
    for line in [
        "the stack shop: 100 requests in 5 minutes; of the API's answers 7 were 4xx, 1 were 5xx",
        " initiate     12        3        1",
        "! Redis                    2 FAILED, 80 calls, mean 0.5 ms, longest 9",
        "  sessions                 75.0 % of 80",
        "! the oldest               75 s past its time",
        "  runs of the reconciler   5",
    ] {
        assert!(text.stdout.contains(line), "{line}:\n{}", text.stdout);
    }
}

#[tokio::test]
async fn what_keeps_one_from_looking_is_said() {
    let account = busy().await;
    let ended = looked(&account, &["top", "--stack", "other"]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("Stack with id other does not exist"), "{}", ended.stderr);
    let neither = looked(&account, &["top"]).await;
    assert!(neither.code == 1 && neither.stderr.contains("--local, or --stack NAME"), "{neither:?}");
    let nobody = looked(&account, &["top", "--local", "--port", "1"]).await;
    assert!(nobody.code == 1 && nobody.stderr.contains("is `make dev` running?"), "{nobody:?}");
}
