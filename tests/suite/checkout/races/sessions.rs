//! Changes to one session that meet: all of them survive, and the versions count each.

use std::sync::Arc;

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    race,
    world::{Answer, Setup, Shopper, World, california, id_of, number},
};

use super::{Fleet, all_before_any};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_and_a_coupon_at_once_both_survive_round_after_round() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 2);
    for round in 0..25 {
        let (guest, checkout) = session(&world).await;

        let make = |racer: usize| {
            let change = if racer == 0 { Change::Ship("Oakland") } else { Change::Coupon("SAVE20") };
            change.make(guest.clone().served_by(fleet.container(racer)), checkout.clone())
        };
        // In every other round both have read before either writes.
        let answers = if round % 2 == 0 {
            race::at_once(2, make).await
        } else {
            all_before_any(&world, "PutItem", 2, make).await
        };

        let mut versions: Vec<_> = answers.into_iter().map(|answer| answer.expect(200)["version"].clone()).collect();
        versions.sort_by_key(Value::as_u64);
        assert_eq!(versions, [2, 3], "round {round}");
        let session = guest.session(&checkout).await.expect(200);
        assert_eq!(session["version"], 3);
        assert_eq!(shown(&session), json!(["Oakland", null, "SAVE20", "us-standard", 2]), "round {round}");
        assert_eq!(session["summary"]["discountAmount"], 800);
        assert_eq!(number(&world.stored_session(&checkout).await.unwrap(), "version"), 3);
    }
}

/// The answers, put in the order of their versions, must tell of a history in which every change was made on what
/// the one before left behind.
#[tokio::test(flavor = "multi_thread")]
async fn eight_changes_at_once_happen_one_after_the_other() {
    const CHANGES: [Change; 8] = [
        Change::Ship("Oakland"),
        Change::Ship("Fresno"),
        Change::Bill("Reno"),
        Change::Bill("Salem"),
        Change::Coupon("SAVE20"),
        Change::Items(3),
        Change::Method("us-express"),
        Change::Items(1),
    ];
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 4);
    for round in 0..4 {
        let (guest, checkout) = session(&world).await;

        let make =
            |racer: usize| CHANGES[racer].make(guest.clone().served_by(fleet.container(racer)), checkout.clone());
        let answers = if round % 2 == 0 {
            race::at_once(8, make).await
        } else {
            all_before_any(&world, "PutItem", 8, make).await
        };

        let mut history: Vec<(Change, Value)> =
            CHANGES.into_iter().zip(answers).map(|(change, answer)| (change, answer.expect(200))).collect();
        history.sort_by_key(|(_, session)| session["version"].as_u64());
        let mut expected = json!(["San Francisco", null, null, "us-standard", 2]);
        let mut version = 1;
        let written = |change: &Change, on: &Value| {
            let mut on = on.clone();
            change.write_down(&mut on);
            on
        };
        // Of those who answer with one version, one made it, and the others had nothing to change.
        for same in history.chunk_by(|(_, a), (_, b)| a["version"] == b["version"]) {
            let reached = shown(&same[0].1);
            if same[0].1["version"] != version {
                version += 1;
                let has_maker = same.iter().any(|(change, _)| written(change, &expected) == reached);
                assert!(has_maker, "round {round}, version {version}: {same:#?}");
            }
            expected = reached;
            for (change, session) in same {
                assert_eq!(session["version"], version, "round {round}: {history:#?}");
                assert_eq!(shown(session), expected, "round {round}, version {version}: {change:?}");
                assert_eq!(written(change, &expected), expected, "round {round}, version {version}: {change:?}");
            }
        }
        let session = guest.session(&checkout).await.expect(200);
        assert_eq!((&session["version"], shown(&session)), (&json!(version), expected));
        assert_eq!(number(&world.stored_session(&checkout).await.unwrap(), "version"), version);
    }
}

/// Another container's change whose copy was lost on the way to Redis: what is left there is older than the database.
#[tokio::test]
async fn no_change_is_refused_for_what_an_old_copy_says() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = id_of(&session);
    let key = format!("{}checkout:session:{checkout}", world.keys.prefix());
    let mut redis = world.keys.connection().await;
    let old: String = redis.get(&key).await.unwrap();
    guest.ship_to(checkout, &california()).await.expect(200);
    let () = redis.set_ex(&key, old, 600).await.unwrap();

    let session = guest.choose_shipping(checkout, "us-standard").await.expect(200);

    assert_eq!((&session["version"], &session["shippingAddress"]["city"]), (&json!(3), &json!("San Francisco")));
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Ship(&'static str),
    Bill(&'static str),
    Coupon(&'static str),
    Method(&'static str),
    /// So many bags of beans.
    Items(u32),
}

impl Change {
    async fn make(self, guest: Shopper, checkout: String) -> Answer {
        match self {
            Self::Ship(city) => guest.ship_to(&checkout, &in_city(city)).await,
            Self::Bill(city) => {
                let body = json!({"checkoutId": checkout, "billingAddress": in_city(city)});
                guest.post(Route::UpdateAddress, &body).await
            }
            Self::Coupon(code) => guest.apply_coupon(&checkout, code).await,
            Self::Method(method) => guest.choose_shipping(&checkout, method).await,
            Self::Items(bags) => guest.set_items(&checkout, &[("espresso-beans", bags)]).await,
        }
    }

    /// Makes the change to what [`shown`] shows.
    fn write_down(self, shown: &mut Value) {
        match self {
            Self::Ship(city) => shown[0] = json!(city),
            Self::Bill(city) => shown[1] = json!(city),
            Self::Coupon(code) => shown[2] = json!(code),
            Self::Method(method) => shown[3] = json!(method),
            Self::Items(bags) => shown[4] = json!(bags),
        }
    }
}

/// What the changes change, out of a session.
fn shown(session: &Value) -> Value {
    json!([
        session["shippingAddress"]["city"],
        session["billingAddress"]["city"],
        session["coupon"]["couponCode"],
        session["shippingMethod"]["shippingMethodId"],
        session["items"][0]["quantity"]
    ])
}

fn in_city(city: &str) -> Value {
    let mut address = california();
    address["city"] = json!(city);
    address
}

async fn session(world: &Arc<World>) -> (Shopper, String) {
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
    (guest, id_of(&session).to_owned())
}
