//! Keys, their time to live, and dropping them; statistics; limits.

use redis::AsyncCommands as _;
use serde_json::json;
use tests::{
    topologies::Node,
    world::{Setup, World, id_of},
};
use tools::stack;

use super::run;

/// A session, an order with its lists, and limits, all in Redis.
async fn busy() -> (std::sync::Arc<World>, tests::world::Shopper, String, String) {
    let world = Setup::default().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().unwrap().to_owned();
    guest.order(&order).await.expect(200);
    guest.orders().await.expect(200);
    let session = guest.initiate(&[("cbd-tea", 1)]).await.expect(201);
    (world, guest, id_of(&session).to_owned(), order)
}

#[tokio::test]
async fn keys_are_found_however_the_pattern_is_typed_and_tell_when_they_go() {
    let (world, _, session, _) = busy().await;
    let prefix = world.keys.prefix();
    let all = run(&world, &["keys", "--json"]).await.json();
    let kinds: std::collections::BTreeSet<_> =
        all["keys"].as_array().unwrap().iter().map(|key| key["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["limit", "order", "order-lists", "session"]);
    assert_eq!(all["keys"].as_array().unwrap().len(), world.keys.all().len());

    let full = format!("{prefix}checkout:session:*");
    for pattern in ["session:*", "checkout:session:*", &full] {
        let found = run(&world, &["keys", pattern, "--json"]).await.json();
        assert_eq!(found["keys"].as_array().unwrap().len(), 2, "{pattern}");
        assert!(found["keys"].as_array().unwrap().iter().all(|key| {
            (1_700_000..=1_800_000).contains(&key["ttl"]["in"].as_u64().unwrap()) && key["bytes"].as_u64() > Some(100)
        }));
    }
    for kind in ["session", "limit", "order", "order-lists"] {
        let found = run(&world, &["keys", "--kind", kind, "--json"]).await.json();
        let of_kind = |found: &&serde_json::Value| found["kind"] == kind;
        let (found, all) = (found["keys"].as_array().unwrap(), all["keys"].as_array().unwrap());
        assert!(!found.is_empty() && found.iter().all(|key| of_kind(&key)), "{kind}: {found:?}");
        assert_eq!(found.len(), all.iter().filter(of_kind).count(), "{kind}");
    }
    assert_eq!(run(&world, &["keys", "--kind", "other"]).await.code, 3);
    let text = run(&world, &["keys", "session:*"]).await;
    assert!(
        text.stdout.contains("KEY") && text.stdout.contains("29 min") && text.stdout.contains("2 keys"),
        "{text:?}"
    );
    assert!(!text.stdout.contains('\u{1b}'), "no colour where there is no terminal");
    assert_eq!(run(&world, &["keys", "nothing:*"]).await.code, 3);

    let key = format!("session:{session}");
    let told = run(&world, &["ttl", &key]).await;
    assert!(told.code == 0 && told.stdout.contains("29 min"), "{told:?}");
    let mut redis = world.keys.connection().await;
    let _: () = redis.set(format!("{prefix}order:stays"), 1).await.unwrap();
    let told = run(&world, &["ttl", "order:stays", "--json"]).await.json();
    assert_eq!(told["keys"], json!([{"key": format!("{prefix}order:stays"), "ttl": "never"}]));
    let gone = run(&world, &["ttl", "order:none", "--json"]).await;
    assert_eq!((gone.code, &gone.json()["keys"][0]["ttl"]), (3, &json!("gone")));
}

#[tokio::test]
async fn clear_drops_what_it_should_and_nothing_else() {
    let (world, guest, session, _) = busy().await;
    let mut redis = world.keys.connection().await;
    let foreign = format!("x{}", world.keys.prefix());
    let _: () = redis.set(&foreign, "somebody else's").await.unwrap();
    let before = world.keys.all();

    let dry = run(&world, &["clear", "*", "--dry-run"]).await;
    assert!(dry.code == 0 && dry.stdout.contains("would go"), "{dry:?}");
    let nobody = run(&world, &["clear", "*"]).await;
    assert!(nobody.code == 1 && nobody.stderr.contains("--yes"), "{nobody:?}");
    assert_eq!(run(&world, &["clear"]).await.code, 2, "without a pattern nothing is cleared");
    assert_eq!(run(&world, &["clear", "x*", "--yes"]).await.code, 3, "a foreign key is none of ours");
    assert_eq!(world.keys.all(), before);

    let some = run(&world, &["clear", "order*", "--yes", "--json"]).await.json();
    assert_eq!(some, json!({"found": 2, "dropped": 2}));
    let all = run(&world, &["clear", "*", "--yes"]).await;
    assert!(all.code == 0 && all.stdout.contains(&format!("{} keys dropped", before.len() - 2)), "{all:?}");
    assert!(world.keys.all().is_empty());
    assert_eq!(redis.get::<_, String>(&foreign).await.unwrap(), "somebody else's");
    let _: () = redis.unlink(&foreign).await.unwrap();
    // And nothing is lost.
    guest.session(&session).await.expect(200);
}

#[tokio::test]
async fn statistics_count_every_key_of_ours_by_its_kind() {
    let (world, ..) = busy().await;
    let stats = run(&world, &["stats", "--json"]).await.json();
    assert_eq!(stats["servers"].as_array().unwrap().len(), 1);
    assert!(stats["servers"][0]["usedBytes"].as_u64() > Some(100_000));
    let keys = |kind: &str| stats["kinds"][kind]["keys"].as_u64().unwrap();
    assert_eq!((keys("session"), keys("order"), keys("order-lists"), keys("other")), (2, 1, 1, 0));
    let text = run(&world, &["stats"]).await;
    assert!(text.stdout.contains("MEMORY") && text.stdout.contains("order-lists"), "{text:?}");
}

#[tokio::test]
async fn limits_are_shown_and_forgotten() {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "2/60").build().await;
    let guest = world.guest().from_address("2001:db8::1:2");
    for _ in 0..2 {
        guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    }
    guest.initiate(&[("espresso-beans", 1)]).await.refused(429, "RATE_LIMITED");

    // Any address of the network will do.
    let shown = run(&world, &["limits", "show", "2001:db8::99", "--json"]).await.json();
    let initiate = shown["limits"].as_array().unwrap().iter().find(|limit| limit["route"] == "initiate").unwrap();
    assert_eq!((&initiate["used"], &initiate["remaining"]), (&json!(2), &json!(0)));
    assert!((1..=60_000).contains(&initiate["waitMs"].as_u64().unwrap()), "{initiate}");
    let text = run(&world, &["limits", "show", "2001:db8::99"]).await;
    assert!(text.stdout.contains("2 in 60 s") && text.stdout.contains("NEXT"), "{text:?}");
    assert_eq!(run(&world, &["limits", "show", "ada"]).await.code, 3);

    let wrong = run(&world, &["limits", "reset", "2001:db8::1", "--route", "no-route"]).await;
    assert!(wrong.code == 1 && wrong.stderr.contains("apply-coupon"), "{wrong:?}");
    assert_eq!(run(&world, &["limits", "reset", "2001:db8::1", "--route", "claim"]).await.code, 3);
    guest.initiate(&[("espresso-beans", 1)]).await.refused(429, "RATE_LIMITED");
    assert_eq!(run(&world, &["limits", "reset", "2001:db8::1", "--json"]).await.json(), json!({"reset": 1}));
    guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
}

#[tokio::test]
async fn who_floods_the_shop_is_found_shut_out_and_let_in_again() {
    let setup = Setup::default().setting("RATE_LIMIT_INITIATE", "2/60").setting("RATE_LIMITS", "list-orders=5/60");
    let world = setup.setting("RATE_LIMIT_TRUSTED_CIDRS", "192.0.2.0/24").build().await;
    let flood = world.guest().from_address("203.0.113.9");
    let ada = world.user("ada").from_address("198.51.100.4");
    for _ in 0..7 {
        flood.orders().await;
    }
    for _ in 0..3 {
        ada.initiate(&[("espresso-beans", 1)]).await;
    }
    world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);

    // Who is refused stands first, by what they used.
    let top = run(&world, &["limits", "top", "--json"]).await.json();
    let row = |row: &serde_json::Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("caller"), text("loggedAs"), text("route"), row["used"].as_u64().unwrap())
    };
    let rows: Vec<_> = top["top"].as_array().unwrap().iter().map(row).collect();
    let expected =
        |who: &str, logged: &str, route: &str, used| (who.to_owned(), logged.to_owned(), route.to_owned(), used);
    assert_eq!(rows[0], expected("203.0.113.9", "203.0.113.0/24", "list-orders", 5), "{rows:?}");
    assert_eq!(rows[1], expected("ada", "ada", "initiate", 2), "{rows:?}");
    assert_eq!((rows.len(), &top["lookedAt"], &top["more"]), (3, &json!(3), &json!(false)));
    let text = run(&world, &["limits", "top", "--count", "1"]).await;
    assert!(text.stdout.contains("203.0.113.9") && !text.stdout.contains("ada"), "{text:?}");

    assert_eq!(run(&world, &["limits", "blocks"]).await.code, 3);
    let blocked = run(&world, &["limits", "block", "203.0.113.9", "--for", "2h"]).await;
    assert!(
        blocked.code == 0 && blocked.stdout.contains("203.0.113.9 is blocked on every route until 20"),
        "{blocked:?}"
    );
    flood.initiate(&[("espresso-beans", 1)]).await.refused(403, "CALLER_BLOCKED");
    world.user("bob").from_address("203.0.113.9").orders().await.refused(403, "CALLER_BLOCKED");
    let route = ["limits", "block", "ada", "--for", "30m", "--route", "initiate", "--json"];
    assert_eq!(run(&world, &route).await.json()["route"], "initiate");
    ada.initiate(&[("espresso-beans", 1)]).await.refused(403, "CALLER_BLOCKED");
    ada.orders().await.expect(200);

    let blocks = run(&world, &["limits", "blocks", "--json"]).await.json();
    let callers: Vec<_> =
        blocks["blocks"].as_array().unwrap().iter().map(|one| one["caller"].as_str().unwrap()).collect();
    assert_eq!(callers, ["203.0.113.9", "ada"]);
    let shown = run(&world, &["limits", "show", "203.0.113.9"]).await;
    assert!(
        shown.stdout.contains("blocked on every route until") && shown.stdout.contains("203.0.113.0/24"),
        "{shown:?}"
    );
    let mut redis = world.keys.connection().await;
    let life: i64 = redis.pttl(format!("{}blocked", world.keys.prefix())).await.unwrap();
    assert!((7_000_000..=7_200_000).contains(&life), "the key ends with its last block: {life}");

    // What is counted is forgotten, and the block stays.
    assert_eq!(run(&world, &["limits", "reset", "203.0.113.9"]).await.code, 0);
    flood.orders().await.refused(403, "CALLER_BLOCKED");
    assert_eq!(run(&world, &["limits", "unblock", "203.0.113.9"]).await.code, 0);
    flood.orders().await.expect(200);
    assert_eq!(run(&world, &["limits", "unblock", "203.0.113.9"]).await.code, 3);
    assert_eq!(run(&world, &["limits", "unblock", "ada", "--route", "initiate"]).await.code, 0);
    assert_eq!(run(&world, &["limits", "blocks"]).await.code, 3);

    for (arguments, code, told) in [
        (&["limits", "block", "ada"][..], 2, "--for"),
        (&["limits", "block", "ada", "--for", "31d"], 2, "30d"),
        (&["limits", "block", "ada", "--for", "0s"], 2, "1s"),
        (&["limits", "block", "ada", "--for", "2 hours"], 2, "2h"),
        (&["limits", "block", "ada", "--for", "1h", "--route", "no-route"], 1, "apply-coupon"),
        (&["limits", "block", "192.0.2.7", "--for", "1h"], 1, "RATE_LIMIT_TRUSTED_CIDRS"),
    ] {
        let ended = run(&world, arguments).await;
        let said = ended.stderr.contains(told) || told == "2h" && ended.stderr.contains("1s to 30d");
        assert!(ended.code == code && said, "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn monitor_shows_commands_and_keys_and_no_document() {
    let world = Setup::default().own_redis().build().await;
    let settings = world.settings().clone();
    let watching =
        tokio::spawn(async move { super::checkout(&settings, &["monitor", "--seconds", "3", "--json"]).await });
    let guest = world.guest();
    while !watching.is_finished() {
        guest.fill_cart(&[("espresso-beans", 1)]).await;
        world.keys.clear();
    }
    let seen = watching.await.unwrap();
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stdout.contains("checkout:session:") && seen.stdout.contains("EVAL"), "{}", seen.stdout);
    assert!(!seen.stdout.contains("Market Street"), "documents are personal");
    for line in seen.stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["key"].as_str().unwrap().starts_with(world.keys.prefix()), "{line}");
    }
}

#[tokio::test]
async fn errors_are_told_in_the_form_that_was_asked_for_and_help_has_examples() {
    let world = World::new().await;
    let mut settings = world.settings().clone();
    settings.insert("REDIS_URL".to_owned(), "redis://127.0.0.1:1".to_owned());
    let text = super::checkout(&settings, &["keys"]).await;
    assert!(text.code == 1 && text.stderr.contains("127.0.0.1:1"), "{text:?}");
    let told = super::checkout(&settings, &["keys", "--json"]).await;
    let error: serde_json::Value = serde_json::from_str(&told.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("127.0.0.1:1"), "{told:?}");
    settings.insert("REDIS_SSL".to_owned(), "perhaps".to_owned());
    settings.insert("REDIS_PREFIX".to_owned(), "two words".to_owned());
    let both = super::checkout(&settings, &["keys"]).await;
    assert!(both.stderr.contains("REDIS_PREFIX") && both.stderr.contains("REDIS_SSL"), "{both:?}");

    for command in ["keys", "ttl", "clear", "stats", "monitor", "limits", "doctor"] {
        let help = run(&world, &[command, "--help"]).await;
        assert!(help.code == 0 && help.stdout.contains(&format!("checkout {command}")), "{command}");
        assert!(help.stdout.contains("Example") && help.stdout.contains("--json"), "{command}: {}", help.stdout);
    }
    assert!(run(&world, &["--help"]).await.stdout.contains("Exit codes:"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&world, &["completions", shell]).await.stdout.contains("checkout"), "{shell}");
    }
}

/// The operator's rule of docs/DEPLOY.md, beside that of the functions.
#[tokio::test]
async fn the_rights_that_are_documented_will_do() {
    let text = std::fs::read_to_string(tests::servers::root().join("docs/DEPLOY.md")).unwrap();
    let rule = text.lines().find_map(|line| line.strip_prefix("ACL SETUSER ")).expect("the functions' rule");
    let rule = rule.replace("PASSWORD", "secret");
    let more = text.split('`').find(|code| code.starts_with("+scan ")).expect("the operator's rights");
    let more = more.split_whitespace().collect::<Vec<_>>().join(" ");
    let redis = Node::plain(&[]).await;
    redis.tell::<()>(&format!("ACL SETUSER {rule} {more}"));
    let port = redis.port().to_string();
    let setup = Setup::default().setting("REDIS_URL", "").setting("REDIS_HOST", "127.0.0.1");
    let setup = setup.setting("REDIS_PORT", port).setting("REDIS_PREFIX", "cannbe:");
    let world = setup.setting("REDIS_USERNAME", "shop").setting("REDIS_PASSWORD", "secret").build().await;
    let session = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    let session = id_of(&session);
    for arguments in [
        &["doctor"][..],
        &["stats"],
        &["keys"],
        &["ttl", "session:*"],
        &["session", "list"],
        &["session", "show", session],
        &["limits", "show", "198.18.0.0"],
        &["limits", "top"],
        &["limits", "reset", "198.18.0.0"],
        &["limits", "block", "198.18.0.0", "--for", "1h"],
        &["limits", "blocks"],
        &["limits", "unblock", "198.18.0.0"],
        &["monitor", "--seconds", "1"],
        &["clear", "session:*", "--yes"],
    ] {
        let ended = run(&world, arguments).await;
        assert!(ended.code == 0 || arguments == ["doctor"] && ended.has_no_fault(), "{arguments:?}: {ended:?}");
    }
}

/// `limits show --local` in another shell tells the limits that the stack runs with.
#[tokio::test]
async fn the_settings_of_a_running_stack_are_known_to_other_shells() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("RATE_LIMIT_INITIATE", "77/70"), ("REDIS_PREFIX", "mine:"), ("STRIPE_SECRET_KEY", "sk_secret")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!(stack::running(folder.path(), 18000).is_none());
    let note = stack::note(folder.path(), 18000, settings).unwrap();

    let known = stack::running(folder.path(), 18000).unwrap();
    assert_eq!(
        known.into_iter().collect::<Vec<_>>(),
        [("RATE_LIMIT_INITIATE".to_owned(), "77/70".to_owned()), ("REDIS_PREFIX".to_owned(), "mine:".to_owned()),]
    );
    assert!(stack::running(folder.path(), 18001).is_none(), "another stack's");
    drop(note);
    assert!(stack::running(folder.path(), 18000).is_none());

    // A process that was killed leaves its note, which counts for nothing.
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let left = json!({"pid": ended.id(), "settings": {"RATE_LIMIT_INITIATE": "1/1"}}).to_string();
    std::fs::write(folder.path().join("target/checkout-dev-18000.json"), left).unwrap();
    assert!(stack::running(folder.path(), 18000).is_none());
}

#[tokio::test]
async fn a_command_on_the_local_stack_takes_its_settings_and_not_this_shells() {
    let world = Setup::default().own_redis().setting("RATE_LIMIT_INITIATE", "77/70").build().await;
    let guest = world.guest().from_address("203.0.113.9");
    guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let folder = tempfile::tempdir().unwrap();
    for file in ["template.yaml", "Cargo.toml"] {
        std::fs::write(folder.path().join(file), "").unwrap();
    }
    let settings = ["RATE_LIMIT_INITIATE", "REDIS_PREFIX"];
    let _note =
        stack::note(folder.path(), 18000, settings.map(|name| (name.to_owned(), world.settings()[name].clone())));
    let port = world.keys.address().port().to_string();
    let mut command = tokio::process::Command::new(tests::binaries::binary("checkout"));
    command.args(["limits", "show", "203.0.113.9", "--local", "--json", "--redis-port", &port]);
    let command = command.env_clear().env("RATE_LIMIT_INITIATE", "1/1").current_dir(folder.path());
    let output = command.output().await.unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let initiate = shown["limits"].as_array().unwrap().iter().find(|limit| limit["route"] == "initiate").unwrap();
    assert_eq!(
        (&initiate["limit"], &initiate["windowSeconds"], &initiate["used"]),
        (&json!(77), &json!(70), &json!(1))
    );
}

/// Keys of a guest's lists hold the guest's id, which is as good as a password: what is shown finds the key, and no more.
#[tokio::test]
async fn a_guests_id_is_shown_nowhere() {
    let (world, guest, ..) = busy().await;
    let beginning = format!("{}orders:{}", world.keys.prefix(), &guest.guest_id()[..9]);
    let shown = format!("{beginning}*");
    for command in [
        &["keys"][..],
        &["keys", "--json"],
        &["keys", "orders:*"],
        &["ttl", "orders:*"],
        &["ttl", &shown],
        &["clear", "orders:*", "--dry-run"],
        &["clear", "*", "--dry-run", "--json"],
    ] {
        let told = run(&world, command).await;
        assert_eq!(told.code, 0, "{command:?}: {told:?}");
        assert!(told.stdout.contains(&shown), "{command:?}: {}", told.stdout);
        assert!(!told.stdout.contains(guest.guest_id()), "{command:?}: {}", told.stdout);
    }
    assert_eq!(run(&world, &["clear", &shown, "--yes"]).await.code, 0);
    assert!(!world.keys.all().iter().any(|key| key.contains(&beginning)));
}
