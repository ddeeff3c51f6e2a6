//! The doctor finds what was broken, and says what to do.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use tests::{
    answering::Answering,
    dynamo_faults::{Fault, Rule},
    proxy::{FaultProxy, Mode},
    topologies::{Node, TlsRedis},
    world::{Setup, World},
};

use super::{Ended, checkout, run};

fn faults(ended: &Ended) -> Vec<Value> {
    let report = ended.json();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["state"] == "fault").cloned().collect()
}

/// What is said of a store that is slow.
#[track_caller]
fn slow(ended: &Ended, what: &str) -> (String, String) {
    let report = ended.json();
    let findings = report["findings"].as_array().unwrap();
    let slow = findings.iter().find(|finding| finding["state"] == "slow" && finding["what"] == what);
    let slow = slow.unwrap_or_else(|| panic!("{what}: {report:#}"));
    let text = |name: &str| slow[name].as_str().unwrap().to_owned();
    (text("seen"), text("mend"))
}

/// The one fault that is told, and what to do about it; the summary names its part.
#[track_caller]
fn fault(ended: &Ended) -> (String, String) {
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["good"], false);
    let faults = faults(ended);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let text = |name: &str| faults[0][name].as_str().unwrap().to_owned();
    let summary = report["summary"].as_str().unwrap();
    let part = match text("part").as_str() {
        "settings" => "the settings",
        "redis" => "Redis",
        "dynamodb" => "DynamoDB",
        "stripe" => "Stripe",
        other => panic!("{other}"),
    };
    assert!(summary.starts_with("Not well: ") && summary.contains(part), "{summary}");
    (format!("{}: {}", text("what"), text("seen")), text("mend"))
}

#[track_caller]
fn check(found: &(String, String), fault: &str, mend: &str) {
    assert!(found.0.contains(fault) && found.1.contains(mend), "{found:?}");
}

async fn with(world: &World, changes: &[(&str, &str)]) -> Ended {
    let mut settings: BTreeMap<_, _> = world.settings().clone();
    for (name, value) in changes {
        settings.insert((*name).to_owned(), (*value).to_owned());
    }
    checkout(&settings, &["doctor", "--json"]).await
}

#[tokio::test]
async fn a_healthy_checkout_has_no_fault() {
    let world = World::new().await;
    let report = run(&world, &["doctor", "--json"]).await;
    assert!(report.has_no_fault(), "{report:?}");
    assert_eq!(report.code == 0, report.json()["good"] == true);
    assert_eq!(report.code == 0, report.json()["summary"] == "All is well.");
    let text = run(&world, &["doctor"]).await;
    for word in [
        "Settings",
        "Redis",
        "Rights",
        "Clock of Redis",
        "as template.yaml declares it",
        "(median of 7;",
        "Speed of DynamoDB: DynamoDB answers in",
    ] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }
    assert!(!text.stdout.contains("FAULT") && !text.stdout.contains('\u{1b}'));
    assert!(world.keys.all().is_empty(), "it leaves nothing behind");
}

#[tokio::test]
async fn a_store_that_is_slow_is_named_with_what_was_measured() {
    let world = Setup::default().cards().build().await;
    world.redis.set(Mode::Delay(Duration::from_millis(60))).await;
    world.dynamodb.add(Rule::on("GetItem", Fault::Delay(Duration::from_millis(400))));
    world.stripe().proxy.set(Mode::Delay(Duration::from_millis(1700))).await;

    let text = run(&world, &["doctor"]).await;

    assert_eq!(text.code, 3, "{text:?}");
    for (what, store) in [("Speed of Redis", "Redis"), ("Speed of DynamoDB", "DynamoDB"), ("Speed of Stripe", "Stripe")]
    {
        let line = text.stdout.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{}", text.stdout));
        assert!(line.starts_with("SLOW") && line.contains(&format!("{store} answers in")), "{line}");
        assert!(line.contains("(median of "), "{line}");
    }
    assert!(text.stdout.ends_with("Not well: Redis (slow), DynamoDB (slow), Stripe (slow).\n"), "{}", text.stdout);

    // Each alone.
    world.redis.set(Mode::Pass).await;
    world.stripe().proxy.set(Mode::Pass).await;
    check(&slow(&with(&world, &[]).await, "Speed of DynamoDB"), "DynamoDB answers in ", "AWS_REGION");
    world.dynamodb.clear_rules();
    world.redis.set(Mode::Delay(Duration::from_millis(60))).await;
    check(&slow(&with(&world, &[]).await, "Speed of Redis"), "Redis answers in ", "CacheMaxEcpuPerSecond");
}

#[tokio::test]
async fn a_shop_that_takes_cards_has_a_key_that_is_good_and_events_that_are_taken() {
    let world = Setup::default().cards().build().await;
    let report = with(&world, &[]).await.json();
    let stripe = report["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == "Stripe").unwrap();
    assert!(stripe["seen"].as_str().unwrap().contains("the key is good"), "{stripe}");

    check(&fault(&with(&world, &[("STRIPE_WEBHOOK_SECRET", "")]).await), "Events of Stripe", "STRIPE_WEBHOOK_SECRET");
    let answers = Answering::with("").await;
    for (status, mend) in [(401, "Dashboard"), (403, "restricted"), (429, "limit"), (500, "status.stripe.com")] {
        answers.answer(status, "{}");
        let found = fault(&with(&world, &[("STRIPE_API_URL", &answers.url(""))]).await);
        check(&found, &status.to_string(), mend);
    }
    // Down: said once, with the address that was asked.
    let gone = fault(&with(&world, &[("STRIPE_API_URL", "http://127.0.0.1:1")]).await);
    check(&gone, "http://127.0.0.1:1", "NAT gateway");
    world.stripe().proxy.set(Mode::Hang).await;
    check(&fault(&with(&world, &[("STRIPE_TIMEOUT_MS", "300")]).await), "no answer in time", "status.stripe.com");
}

#[tokio::test]
async fn each_fault_of_redis_is_told_once_by_what_the_server_said() {
    let world = World::new().await;
    let at = async |url: &str| fault(&with(&world, &[("REDIS_URL", url)]).await);
    check(&at("redis://127.0.0.1:1").await, "can't be reached", "security group");
    // No name server is asked for a name that can't be one.
    check(&at(&format!("redis://{}.example", "x".repeat(70))).await, "name is not known", "DNS");
    let hung = FaultProxy::before(world.redis.address()).await;
    hung.set(Mode::Hang).await;
    check(&at(&format!("redis://{}", hung.address())).await, "no answer in time", "hung");

    let locked = Node::plain(&["--requirepass", "secret"]).await;
    check(&at(&format!("redis://{}", locked.address())).await, "refuses the login", "REDIS_PASSWORD");
    check(&at(&format!("redis://:wrong@{}", locked.address())).await, "refuses the login", "REDIS_PASSWORD");

    let reader =
        Node::plain(&["--user", "shop", "on", ">secret", "~*", "+@read", "+@connection", "+info", "+time"]).await;
    check(&at(&format!("redis://shop:secret@{}", reader.address())).await, "lacks a right", "docs/DEPLOY.md");
    let half = ["--user", "shop", "on", ">secret", "~*", "+@all", "-hset", "-lpush"];
    let half = Node::plain(&half).await;
    let found = with(&world, &[("REDIS_URL", &format!("redis://shop:secret@{}", half.address()))]).await;
    let faults = faults(&found);
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault["what"] == "Rights in Redis"), "{faults:#?}");
    assert!(faults[0]["mend"].as_str().unwrap().contains("docs/DEPLOY.md"), "{faults:#?}");

    let bounded = Node::plain(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]).await;
    check(&at(&format!("redis://{}", bounded.address())).await, "noeviction", "volatile-ttl");

    let tls = TlsRedis::start(None, &[]).await;
    let url = format!("rediss://127.0.0.1:{}", tls.node().port());
    check(&at(&url).await, "certificate", "REDIS_CA");
    assert!(with(&world, &[("REDIS_URL", &url), ("REDIS_CA", tls.ca())]).await.has_no_fault());
    check(&fault(&with(&world, &[("REDIS_TOPOLOGY", "cluster")]).await), "isn't a cluster", "REDIS_TOPOLOGY to single");
}

/// A server that takes no writes says why, and the reason is what is told: not rights that nobody lacks.
#[tokio::test]
async fn a_redis_that_refuses_writes_is_told_by_its_reason() {
    let world = World::new().await;
    for (what, mend, setup) in [
        (
            "Redis is full",
            "CacheMaxStorageGb",
            &["CONFIG SET maxmemory-policy volatile-ttl", "CONFIG SET maxmemory 1"][..],
        ),
        ("is a replica", "primary", &["REPLICAOF 127.0.0.1 1"]),
        ("too few replicas", "min-replicas-to-write", &["CONFIG SET min-replicas-to-write 1"]),
        ("refuses the login", "REDIS_PASSWORD", &["CONFIG SET requirepass secret"]),
    ] {
        let node = Node::plain(&[]).await;
        node.tell::<()>("SET stays here");
        for command in setup {
            node.tell::<()>(command);
        }
        let ended = with(&world, &[("REDIS_URL", &format!("redis://{}", node.address()))]).await;
        let faults = faults(&ended);
        let first = &faults[0];
        let text = |name: &str| first[name].as_str().unwrap();
        assert!(text("seen").contains(what) && text("mend").contains(mend), "{faults:#?}");
        assert!(!faults.iter().any(|fault| fault["what"] == "Rights in Redis"), "{faults:#?}");
    }
}

#[tokio::test]
async fn each_fault_of_the_settings_and_the_tables_is_told_with_what_mends_it() {
    let world = World::new().await;
    check(&fault(&with(&world, &[("RATE_LIMIT_INITIATE", "ten")]).await), "RATE_LIMIT_INITIATE", "SETTINGS");
    check(&fault(&with(&world, &[("ORDERS_TABLE", "no-such-table")]).await), "no-such-table", "_TABLE");
    let sessions = world.settings()["SESSIONS_TABLE"].clone();
    let swapped = with(&world, &[("INVENTORY_TABLE", &sessions)]).await;
    check(&fault(&swapped), "its key is checkoutId, not id", "deploy");

    // A name that is none is a warning: what it says has no effect, and nothing fails for it.
    let misspelt = with(&world, &[("RATE_LIMIT_INITATE", "a-secret"), ("REDIS_TIMOUT_MS", "a-secret")]).await;
    assert!(misspelt.has_no_fault(), "{misspelt:?}");
    assert!(misspelt.json()["summary"].as_str().unwrap().ends_with(", with 2 warnings."), "{misspelt:?}");
    assert!(misspelt.stdout.contains("did you mean RATE_LIMIT_INITIATE?"), "{misspelt:?}");
    assert!(misspelt.stdout.contains("did you mean REDIS_TIMEOUT_MS?") && !misspelt.stdout.contains("a-secret"));

    // What is wrong elsewhere is found all the same.
    let both = with(&world, &[("LOG_LEVEL", "loud"), ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")]).await;
    assert_eq!(faults(&both).len(), 2, "{both:?}");
    let summary = both.json()["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains("the settings (fault)") && summary.contains("DynamoDB (fault)"), "{summary}");
}

/// A dead endpoint is one fault, not one for each table, and it is named.
#[tokio::test]
async fn a_database_that_does_not_answer_is_told_once_with_its_address() {
    let world = World::new().await;
    let dead = "http://127.0.0.1:1";
    check(&fault(&with(&world, &[("AWS_ENDPOINT_URL_DYNAMODB", dead)]).await), dead, "AWS_ENDPOINT_URL_DYNAMODB");
    let unknown = format!("http://{}.example", "x".repeat(70));
    let found = fault(&with(&world, &[("AWS_ENDPOINT_URL_DYNAMODB", &unknown)]).await);
    check(&found, &unknown, "AWS_ENDPOINT_URL_DYNAMODB");
    let other = Answering::with("<html>not a database</html>").await;
    let url = other.url("");
    check(&fault(&with(&world, &[("AWS_ENDPOINT_URL_DYNAMODB", &url)]).await), "is not DynamoDB", "listens there");

    world.dynamodb.add(Rule::on("*", Fault::Hang));
    check(
        &fault(&with(&world, &[("DYNAMODB_TIMEOUT_MS", "200")]).await),
        "DYNAMODB_TIMEOUT_MS, 200 ms",
        "ENDPOINT_URL",
    );
    world.dynamodb.clear_rules();
    for code in ["UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException"] {
        world.dynamodb.clear_rules();
        world.dynamodb.add(Rule::on("*", Fault::Error(400, code)));
        check(&fault(&with(&world, &[]).await), code, "AWS_SESSION_TOKEN");
    }
    // What is refused for one table is that table's.
    world.dynamodb.clear_rules();
    let sessions = world.settings()["SESSIONS_TABLE"].clone();
    let denied = Fault::Error(400, "AccessDeniedException");
    world.dynamodb.add(Rule::on("DescribeTable", denied).table(&sessions));
    check(&fault(&with(&world, &[]).await), &format!("Table {sessions}: not allowed"), "policy");
}
