//! After a deployment one command says whether it works: each function looks at itself, from where it runs.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use shared::app::needs;
use tests::{
    account::{Account, STACK},
    dynamo_faults::{Fault, Rule},
    event::Event,
    proxy::Mode,
    servers::template,
    world::{Setup, World},
};

use super::{Ended, checkout};

async fn shop() -> Arc<World> {
    Setup::default().cards().setting("REQUEST_TIMEOUT_MS", "60000").build().await
}

async fn asked(world: &World, account: &Account, arguments: &[&str]) -> Ended {
    let mut settings: BTreeMap<String, String> = world.settings().clone();
    // An operator's own machine knows nothing of the stack's stores.
    settings.retain(|name, _| name.starts_with("AWS_") && name != "AWS_ENDPOINT_URL_DYNAMODB");
    settings.extend(account.variables());
    checkout(&settings, arguments).await
}

/// What is not well, as `function: what: seen`.
fn faults(report: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for diagnosis in report["functions"].as_array().expect("functions") {
        for finding in diagnosis["findings"].as_array().expect("findings") {
            if finding["state"] == "fault" {
                let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
                let function = diagnosis["function"].as_str().unwrap_or_default();
                faults.push(format!("{function}: {}: {}; {}", text("what"), text("seen"), text("mend")));
            }
        }
    }
    faults
}

/// Every function under its own role, through the same policies as its requests.
#[tokio::test]
async fn a_stack_that_works_is_said_to_and_nothing_is_written_for_it() {
    let world = shop().await;
    let account = Account::with(world.settings()).await;

    let ended = asked(&world, &account, &["doctor", "--stack", STACK, "--json"]).await;

    let report = ended.json();
    assert_eq!(faults(&report), Vec::<String>::new());
    assert!(ended.has_no_fault(), "{report:#}");
    let functions = report["functions"].as_array().expect("functions");
    assert_eq!(functions.len(), template().functions.len());
    let asked_all = format!("{} functions asked. ", functions.len());
    assert!(report["summary"].as_str().unwrap().starts_with(&asked_all), "{}", report["summary"]);
    for diagnosis in functions {
        let whats: Vec<&str> =
            diagnosis["findings"].as_array().unwrap().iter().filter_map(|finding| finding["what"].as_str()).collect();
        for what in ["Settings", "Keys for tokens", "Redis", "Speed of Redis", "Rights in Redis"] {
            assert!(whats.contains(&what), "{what}: {diagnosis:#}");
        }
        let function = diagnosis["function"].as_str().unwrap();
        let asks_tables = needs::ALL.iter().any(|(name, _, tables)| *name == function && !tables.is_empty());
        assert_eq!(whats.contains(&"DynamoDB"), asks_tables, "{diagnosis:#}");
        let pays = needs::asks_stripe(function) != needs::AsksStripe::Never;
        assert_eq!(whats.contains(&"Stripe"), pays, "{diagnosis:#}");
    }
    // What the API calls is the alias, where there is one.
    let invocations: Vec<String> =
        account.asked().into_iter().filter(|path| path.contains("GetOrderFunction")).collect();
    assert_eq!(invocations.len(), 1);
    assert!(invocations[0].ends_with("/invocations?Qualifier=live"), "{invocations:?}");

    assert!(world.all("ORDERS_TABLE").await.is_empty() && world.all("SESSIONS_TABLE").await.is_empty());
    assert!(world.all("IDEMPOTENCY_TABLE").await.is_empty());
    assert!(world.keys.all().is_empty(), "{:?}", world.keys.all());
}

#[tokio::test]
async fn each_function_names_what_keeps_it_from_its_work() {
    let world = shop().await;
    let account = Account::with(world.settings()).await;
    let account = account.setting("get-order", "RATE_LIMIT_INITIATE", "a-secret");
    let account = account.setting("list-orders", "REDIS_URL", "redis://127.0.0.1:1");
    let account = account.setting("capture-order", "STRIPE_API_URL", "http://127.0.0.1:1");
    let account = account.setting("claim", "AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1");
    account.refuse("health", 403, "User: ada is not authorized to perform: lambda:InvokeFunction");
    account.refuse("get-session", 429, "Rate Exceeded.");
    // A grant that is missing is named with its table, and with who misses it.
    world.dynamodb.add(Rule::on("Query", Fault::Error(400, "AccessDeniedException")).containing("by-due"));

    let ended = asked(&world, &account, &["doctor", "--stack", STACK, "--json"]).await;

    assert_eq!(ended.code, 3, "{ended:?}");
    let report = ended.json();
    let found = faults(&report);
    for (function, seen, mend) in [
        ("get-order", "it doesn't start: RATE_LIMIT_INITIATE must be", "correct the settings"),
        ("list-orders", "Redis can't be reached", "security group"),
        ("capture-order", "http://127.0.0.1:1", "NAT gateway"),
        ("claim", "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB"),
        ("health", "lambda:InvokeFunction", "lambda:InvokeFunction"),
        ("get-session", "Lambda refuses: 429", "reserved concurrency"),
        ("reconcile", "/index/by-due: Query: not allowed", "role's policy"),
    ] {
        let is_its =
            |fault: &&String| fault.starts_with(&format!("{function}: ")) || fault.contains(&logical(function));
        let of: Vec<&String> = found.iter().filter(is_its).collect();
        assert_eq!(of.len(), 1, "{function}: {found:#?}");
        assert!(of[0].contains(seen) && of[0].contains(mend), "{function}: {of:?}");
    }
    assert_eq!(found.len(), 7, "{found:#?}");
    assert!(!ended.stdout.contains("a-secret"), "{}", ended.stdout);

    let text = asked(&world, &account, &["doctor", "--stack", STACK]).await;
    assert!(text.stdout.contains("FUNCTION") && text.stdout.contains("STRIPE"), "{}", text.stdout);
    let last = text.stdout.lines().last().unwrap();
    assert!(
        last.contains("Not well: Redis (fault), DynamoDB (fault), Stripe (fault), the functions (fault)"),
        "{last}"
    );
    let row = text.stdout.lines().find(|line| line.trim_start().starts_with("capture-order ")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!((cells.len(), cells[1], cells[6]), (7, "ok", "FAULT"), "{row}");
}

/// What Lambda calls a function that never answered for itself.
fn logical(function: &str) -> String {
    let function = template().functions.into_iter().find(|known| known.name() == function);
    format!("-{}-", function.expect("a function").logical_id)
}

#[tokio::test]
async fn a_stack_that_is_slow_is_said_to_be_once() {
    let world = shop().await;
    let account = Account::with(world.settings()).await;
    world.redis.set(Mode::Delay(std::time::Duration::from_millis(60))).await;

    let text = asked(&world, &account, &["doctor", "--stack", STACK]).await;

    assert_eq!(text.code, 3, "{text:?}");
    let of_redis = |line: &&str| line.starts_with("SLOW ") && line.contains("Speed of Redis");
    let slow: Vec<&str> = text.stdout.lines().filter(of_redis).collect();
    let [line] = slow.as_slice() else { panic!("{}", text.stdout) };
    assert!(line.starts_with("SLOW  Speed of Redis: Redis answers in ") && line.contains("(median of 7;"), "{line}");
    assert!(text.stdout.lines().last().unwrap().contains("Redis (slow)"), "{}", text.stdout);
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_said_not_to_be() {
    let world = World::new().await;
    let account = Account::with(world.settings()).await;
    let ended = asked(&world, &account, &["doctor", "--stack", "other"]).await;
    assert!(ended.code == 1 && ended.stderr.contains("Stack with id other does not exist"), "{ended:?}");
    assert_eq!(asked(&world, &account, &["doctor", "--functions"]).await.code, 2, "only with --local");
}

/// Whoever calls over HTTP gets the route's own answer, whatever the body says.
#[tokio::test]
async fn nobody_can_ask_for_it_over_http() {
    let world = World::new().await;
    let event = Event::post("/api/v1/checkout/initiate").json(&json!({"checkout": "doctor"})).value();
    let mut initiate =
        tests::runtime_api::Bootstrap::start(&tests::binaries::binary("initiate"), world.settings()).await;
    let tests::runtime_api::Outcome::Answered(answer) = initiate.invoke(&event).await else { panic!("it failed") };
    assert_eq!(answer["statusCode"], 400, "{answer:#}");
    assert!(!answer.to_string().contains("findings"), "{answer:#}");
    for other in [json!({"checkout": "doctor", "more": 1}), json!({"checkout": "nurse"})] {
        assert!(!shared::app::diagnose::is_asked(&other.to_string()), "{other}");
    }
    assert!(shared::app::diagnose::is_asked(r#"{"checkout":"doctor"}"#));
}
