//! Sessions, as support staff look at them.

use serde_json::json;
use tests::world::{Setup, california, id_of};

use super::run;

#[tokio::test]
async fn a_session_is_shown_with_its_copy_and_without_who_the_customer_is() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    let checkout = id_of(&session);
    guest.ship_to(checkout, &california()).await.expect(200);

    let shown = run(&world, &["session", "show", checkout, "--json"]).await;
    let told = shown.json();
    assert_eq!(
        (&told["live"], &told["copyAgrees"], &told["session"]["version"]),
        (&json!(true), &json!(true), &json!(2))
    );
    assert_eq!(told["owner"], "guest (hidden; --reveal shows it)");
    let text = run(&world, &["session", "show", checkout]).await;
    assert!(text.stdout.contains("open, live") && text.stdout.contains("agrees"), "{text:?}");
    for output in [&shown.stdout, &text.stdout] {
        assert!(!output.contains("Market Street") && !output.contains("Ada"), "{output}");
        assert!(!output.contains(guest.guest_id()), "it is as good as a password: {output}");
    }
    let revealed = run(&world, &["session", "show", checkout, "--json", "--reveal"]).await.json();
    assert_eq!(revealed["session"]["shippingAddress"]["addressLine1"], "1 Market Street");
    assert_eq!(revealed["owner"], format!("guest#{}", guest.guest_id()));

    world.keys.clear();
    let without = run(&world, &["session", "show", checkout, "--json"]).await.json();
    assert_eq!((&without["copy"], &without["copyAgrees"]), (&json!(null), &json!(null)));
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(run(&world, &["session", "show", unknown]).await.code, 3);
    assert_eq!(run(&world, &["session", "show", "no-uuid"]).await.code, 2);
}

#[tokio::test]
async fn sessions_are_listed_by_owner_from_the_database_and_all_from_redis() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let mut mine = vec![];
    for _ in 0..3 {
        let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
        mine.push(id_of(&session).to_owned());
    }
    mine.sort();
    world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    let ids = |told: serde_json::Value| -> Vec<String> {
        let sessions = told["sessions"].as_array().unwrap().iter();
        sessions.map(|session| session["checkoutId"].as_str().unwrap().to_owned()).collect()
    };
    let owner = format!("guest#{}", guest.guest_id());
    assert_eq!(ids(run(&world, &["session", "list", "--owner", &owner, "--json"]).await.json()), mine);
    assert_eq!(ids(run(&world, &["session", "list", "--json"]).await.json()).len(), 4);
    world.keys.clear();
    assert_eq!(run(&world, &["session", "list"]).await.code, 3);
    assert_eq!(ids(run(&world, &["session", "list", "--owner", &owner, "--json"]).await.json()), mine);
    assert_eq!(run(&world, &["session", "list", "--owner", "ada"]).await.code, 1);
}

#[tokio::test]
async fn a_session_that_was_expired_is_gone_for_its_customer_at_once() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = id_of(&session);
    let unasked = run(&world, &["session", "expire", checkout]).await;
    assert!(unasked.code == 1 && unasked.stderr.contains("--yes"), "{unasked:?}");
    guest.session(checkout).await.expect(200);

    let expired = run(&world, &["session", "expire", checkout, "--yes", "--json"]).await.json();
    assert_eq!(expired["expired"], true);
    guest.session(checkout).await.refused(404, "SESSION_EXPIRED");
    guest.ship_to(checkout, &california()).await.refused(404, "SESSION_EXPIRED");
    guest.clone().served_by(&world.container()).session(checkout).await.refused(404, "SESSION_EXPIRED");
    assert_eq!(run(&world, &["session", "expire", checkout, "--yes"]).await.code, 3);
    assert_eq!(run(&world, &["session", "show", checkout, "--json"]).await.json()["live"], false);

    // What became an order stays.
    guest.buy(&[("espresso-beans", 1)]).await;
    let completed =
        world.all("SESSIONS_TABLE").await.into_iter().find(|item| item["status"].as_s().unwrap() == "completed");
    let completed = completed.unwrap()["checkoutId"].as_s().unwrap().clone();
    assert_eq!(run(&world, &["session", "expire", &completed, "--yes"]).await.code, 3);
}
