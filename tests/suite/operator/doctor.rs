//! The doctor finds what was broken, and says what to do.

use std::collections::BTreeMap;

use tests::{
    topologies::{Node, TlsRedis},
    world::World,
};

use super::{Ended, checkout, run};

/// The one fault that is told, and what to do about it.
#[track_caller]
fn fault(ended: &Ended) -> (String, String) {
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["good"], false);
    let findings = report["findings"].as_array().unwrap();
    let faults: Vec<_> = findings.iter().filter(|finding| finding["good"] == false).collect();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let text = |name: &str| faults[0][name].as_str().unwrap().to_owned();
    (format!("{}: {}", text("what"), text("seen")), text("mend"))
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
    assert!(report.code == 0 && report.json()["good"] == true, "{report:?}");
    let text = run(&world, &["doctor"]).await;
    for word in ["Settings", "Redis", "Rights", "Clock of Redis", "as template.yaml declares it"] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }
    assert!(!text.stdout.contains("FAULT") && !text.stdout.contains('\u{1b}'));
    assert!(world.keys.all().is_empty(), "it leaves nothing behind");
}

#[tokio::test]
async fn a_shop_that_takes_cards_has_a_key_that_is_good_and_events_that_are_taken() {
    let world = tests::world::Setup::default().cards().build().await;
    let report = with(&world, &[]).await.json();
    let stripe = report["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == "Stripe").unwrap();
    assert!(stripe["seen"].as_str().unwrap().contains("the key is good"), "{stripe}");

    let check = |found: (String, String), fault: &str, mend: &str| {
        assert!(found.0.contains(fault) && found.1.contains(mend), "{found:?}");
    };
    check(fault(&with(&world, &[("STRIPE_WEBHOOK_SECRET", "")]).await), "Events of Stripe", "STRIPE_WEBHOOK_SECRET");
    let answers = tests::answering::Answering::with("").await;
    for (status, mend) in [(401, "Dashboard"), (403, "restricted"), (500, "way out")] {
        answers.answer(status, "{}");
        check(fault(&with(&world, &[("STRIPE_API_URL", &answers.url(""))]).await), &status.to_string(), mend);
    }
}

#[tokio::test]
async fn each_fault_is_found_and_told_with_what_mends_it() {
    let world = World::new().await;
    let check = |found: (String, String), fault: &str, mend: &str| {
        assert!(found.0.contains(fault) && found.1.contains(mend), "{found:?}");
    };
    check(fault(&with(&world, &[("REDIS_URL", "redis://127.0.0.1:1")]).await), "can't be reached", "security group");
    check(fault(&with(&world, &[("RATE_LIMIT_INITIATE", "ten")]).await), "RATE_LIMIT_INITIATE", "README");
    check(fault(&with(&world, &[("ORDERS_TABLE", "no-such-table")]).await), "no-such-table", "_TABLE");
    let sessions = world.settings()["SESSIONS_TABLE"].clone();
    let swapped = with(&world, &[("INVENTORY_TABLE", &sessions)]).await;
    check(fault(&swapped), "its key is checkoutId, not id", "deploy");

    let locked = Node::plain(&["--requirepass", "secret"]).await;
    let url = format!("redis://{}", locked.address());
    check(fault(&with(&world, &[("REDIS_URL", &url)]).await), "Redis", "REDIS_PASSWORD");
    let url = format!("redis://:wrong@{}", locked.address());
    check(fault(&with(&world, &[("REDIS_URL", &url)]).await), "Redis", "REDIS_PASSWORD");

    let reader =
        Node::plain(&["--user", "shop", "on", ">secret", "~*", "+@read", "+@connection", "+info", "+time"]).await;
    let url = format!("redis://shop:secret@{}", reader.address());
    check(fault(&with(&world, &[("REDIS_URL", &url)]).await), "counting a request", "docs/DEPLOY.md");

    let full = Node::plain(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]).await;
    let url = format!("redis://{}", full.address());
    check(fault(&with(&world, &[("REDIS_URL", &url)]).await), "noeviction", "volatile-ttl");

    let tls = TlsRedis::start(None, &[]).await;
    let url = format!("rediss://127.0.0.1:{}", tls.node().port());
    check(fault(&with(&world, &[("REDIS_URL", &url)]).await), "Redis", "REDIS_CA");
    assert_eq!(with(&world, &[("REDIS_URL", &url), ("REDIS_CA", tls.ca())]).await.code, 0);
    let sentinel = with(&world, &[("REDIS_TOPOLOGY", "cluster")]).await;
    check(fault(&sentinel), "Redis", "REDIS_TOPOLOGY to single");
}
