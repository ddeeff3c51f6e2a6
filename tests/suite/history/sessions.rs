//! Sessions: two documents, eight clients, three containers.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::Fault,
    seed::{Dice, seeds},
    world::{Answer, Setup, Shopper, california, id_of, total_of},
};
use tokio::task::JoinSet;

use super::{
    check::{Answers, Trust, check},
    faults::{beside, trouble},
    record::{Ask, Record, Told},
};

const CLIENTS: usize = 8;
const OPERATIONS: usize = 14;
const TRUST: Duration = Duration::from_secs(1);

fn told(session: &Value) -> Told {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let notes = session["items"][1]["quantity"].as_u64().map(|notes| notes.to_string());
    let fields = vec![
        ("shipping", text(&session["shippingAddress"]["addressLine2"])),
        ("billing", text(&session["billingAddress"]["addressLine2"])),
        ("method", text(&session["shippingMethod"]["shippingMethodId"])),
        ("notes", notes.unwrap_or_else(|| "-".to_owned())),
    ];
    Told::Document { version: session["version"].as_u64().expect("a version"), fields }
}

/// What an answer tells; one that isn't among the documented ones ends the test.
fn heard(answer: &Answer) -> Told {
    match answer.status() {
        200 | 201 => told(answer.body()),
        503 if answer.code() == Some("STORE_UNAVAILABLE") => Told::Nothing,
        _ => panic!("nobody expects {}: {:#} {:?}", answer.status(), answer.body(), answer.counts()),
    }
}

async fn ask(shopper: &Shopper, checkout: &str, ask: &Ask) -> Told {
    let Ask::Set { field, value } = ask else { return heard(&shopper.session(checkout).await) };
    if *field == "method" {
        return heard(&shopper.choose_shipping(checkout, value).await);
    }
    if *field == "notes" {
        let items = [("espresso-beans", 1), ("gift-card-note", value.parse().expect("a quantity"))];
        return heard(&shopper.set_items(checkout, &items).await);
    }
    let mut address = california();
    address["addressLine2"] = json!(value);
    let body = json!({"checkoutId": checkout, format!("{field}Address"): address});
    heard(&shopper.post(Route::UpdateAddress, &body).await)
}

fn wish(dice: &mut Dice, client: usize, at: usize) -> Ask {
    let own = format!("c{client} o{at}");
    match dice.below(12) {
        0 | 1 => Ask::Set { field: "shipping", value: own },
        2 | 3 => Ask::Set { field: "billing", value: own },
        4 | 5 => Ask::Set { field: "notes", value: (1 + client * OPERATIONS + at).to_string() },
        6 => Ask::Set { field: "method", value: (*dice.pick(&["us-standard", "us-express"])).to_owned() },
        _ => Ask::Read,
    }
}

/// Short timeouts where stores are stopped. Where nothing fails, a busy machine must not look like a store that does.
const HASTY: [(&str, &str); 2] = [("REDIS_TIMEOUT_MS", "100"), ("DYNAMODB_TIMEOUT_MS", "1000")];

async fn history(seed: u64, with_faults: bool) {
    let setup = Setup::default().unlimited().setting("SESSION_TRUST_SECONDS", TRUST.as_secs().to_string());
    let world = setup.build().await;
    let hasty: &[_] = if with_faults { &HASTY } else { &[] };
    let containers: Vec<_> = (0..3).map(|_| world.container_with(hasty)).collect();
    let guest = world.guest();
    let mut checkouts = Vec::new();
    for _ in 0..2 {
        checkouts.push(guest.fill_cart(&[("espresso-beans", 1)]).await);
    }
    let record = Arc::new(Record::new());
    let mut dice = Dice::of(seed);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (record, guest, checkouts, containers) =
            (Arc::clone(&record), guest.clone(), checkouts.clone(), containers.clone());
        let mut dice = Dice::of(dice.seed());
        clients.spawn(async move {
            for at in 0..OPERATIONS {
                let document = dice.below(checkouts.len());
                let shopper = guest.clone().served_by(dice.pick(&containers));
                let wish = wish(&mut dice, client, at);
                let pause = if dice.percent(5) { 1_200 } else { dice.below(30) };
                tokio::time::sleep(Duration::from_millis(pause as u64)).await;
                let work = ask(&shopper, id_of(&checkouts[document]), &wish);
                record.note(client, document, wish.clone(), work).await;
            }
        });
    }
    let (enough, seed_of_faults) = (CLIENTS * OPERATIONS - 10, dice.seed());
    let recorded = || record.len();
    let faults = [("PutItem", Fault::AnswerLost), ("GetItem", Fault::InternalServerError)];
    let trouble = with_faults.then(|| trouble(Arc::clone(&world), recorded, seed_of_faults, enough, &faults));
    let done = beside(clients, trouble).await;

    let fresh = guest.served_by(&world.container_after(Duration::from_secs(2)));
    let operations = record.operations();
    let (trust, answers) =
        if with_faults { (Trust::For(TRUST), Answers::MayBeLost) } else { (Trust::Never, Answers::Arrive) };
    for (document, checkout) in checkouts.iter().enumerate() {
        let session = fresh.session(id_of(checkout)).await.expect(200);
        if let Err(broken) = check(&operations, document, &told(&session), trust, answers) {
            panic!("HISTORY_SEED={seed}: {broken}\nfaults: {done:?}");
        }
        fresh.confirm(id_of(checkout), total_of(&session)).await.expect(201);
        fresh.confirm(id_of(checkout), total_of(&session)).await.expect(200);
    }
    assert_eq!(world.stored_orders().await.len(), checkouts.len(), "HISTORY_SEED={seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_lost_and_no_old_session_is_shown_for_longer_than_it_is_trusted() {
    for seed in seeds("HISTORY", 4) {
        history(seed, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_everyone_sees_every_change_at_once() {
    for seed in seeds("HISTORY", 3) {
        history(seed, false).await;
    }
}
