//! Finding everything about a person, in every table and in Redis.

use std::collections::BTreeSet;

use serde::Serialize;
use shared::{
    adapters::{
        dynamodb::{
            abandonment::ABANDONED,
            client::{Item, from_item},
            customers::{CUSTOMER, StoredCustomer},
            inventory::{self, USES},
            stored_responses::CLAIM,
        },
        stored::order::StoredOrder,
    },
    app::App,
    domain::{
        ids::{CheckoutId, OrderId, Owner, UserId},
        mailbox::Mailbox,
        order::Order,
        payment::{PaymentCustomer, SavedCard},
    },
    ports::SavedCards as _,
    telemetry::cause,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    PersonError,
    counters::{counts_nothing, is_of, is_of_a_mailbox, mailbox},
    tables::{Tables, text_of},
};
use crate::operator::{Operator, blocks::Blocked};

/// Whom to look for.
#[derive(Clone, Debug)]
pub enum Whom {
    Owner(Owner),
    /// Every guest who bought under this address. Accounts are only named: an account is erased by its user id.
    Email(String),
}

/// What stays for now, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stays {
    pub what: &'static str,
    pub id: String,
    pub why: String,
}

/// The ids of what was found, so that a second search finds what is left of it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub owners: BTreeSet<Owner>,
    pub sessions: BTreeSet<CheckoutId>,
    pub orders: BTreeSet<OrderId>,
    pub mailboxes: BTreeSet<Mailbox>,
}

/// Everything about one person. Items are raw, as they are stored.
#[derive(Debug)]
pub struct Found {
    pub known: Known,
    pub sessions: Vec<Item>,
    pub orders: Vec<Item>,
    pub responses: Vec<Item>,
    /// The notes that these guests were claimed by an account.
    pub claims: Vec<Item>,
    /// Open orders, and uses of coupons.
    pub counters: Vec<Item>,
    /// Counters of anybody's mailbox that count nothing more. A run that dies may leave such ones behind, and nothing says
    /// any more whose they were, so every run deletes them.
    pub idle: Vec<Item>,
    /// The accounts' customers at the payment provider.
    pub customers: Vec<Item>,
    /// Their saved cards; or why the provider can't be asked.
    pub saved_cards: Result<Vec<SavedCard>, String>,
    /// Keys in Redis: copies and counts.
    pub keys: Vec<String>,
    /// Exemption certificates that the catalog says are the person's.
    pub certificates: Vec<Item>,
    pub blocks: Vec<Blocked>,
    /// What isn't under the person's ids and names them all the same.
    pub elsewhere: Vec<Stays>,
}

/// An order that was found, or why it can't be read.
pub fn order(item: &Item) -> Result<Order, String> {
    let stored: StoredOrder = from_item("read order", item.clone()).map_err(|error| cause::chain(&error))?;
    stored.try_into().map_err(|error: shared::adapters::stored::Unreadable| error.to_string())
}

/// The provider's customer of an item.
pub fn customer(item: &Item) -> Option<PaymentCustomer> {
    Some(from_item::<StoredCustomer>("read customer", item.clone()).ok()?.customer)
}

impl Found {
    fn of(known: Known) -> Self {
        Self {
            known,
            sessions: Vec::new(),
            orders: Vec::new(),
            responses: Vec::new(),
            claims: Vec::new(),
            counters: Vec::new(),
            idle: Vec::new(),
            customers: Vec::new(),
            saved_cards: Ok(Vec::new()),
            keys: Vec::new(),
            certificates: Vec::new(),
            blocks: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    pub fn is_nothing(&self) -> bool {
        let items = [
            &self.sessions,
            &self.orders,
            &self.responses,
            &self.claims,
            &self.counters,
            &self.customers,
            &self.certificates,
        ];
        items.iter().all(|items| items.is_empty())
            && self.keys.is_empty()
            && self.blocks.is_empty()
            && self.elsewhere.is_empty()
    }

    /// The orders from which the person can be erased now.
    pub fn finished_orders(&self) -> Vec<Order> {
        let orders = self.orders.iter().filter_map(|item| order(item).ok());
        orders.filter(|order| order.unfinished().is_none()).collect()
    }

    /// Whether something can be erased now.
    pub fn is_erasable(&self) -> bool {
        let items = [&self.sessions, &self.responses, &self.claims];
        items.iter().any(|items| !items.is_empty())
            || !self.finished_orders().is_empty()
            || !self.keys.is_empty()
            || self.counters.iter().any(|counter| !self.is_needed(counter))
            || self.deletable_customers().next().is_some()
            || !self.idle.is_empty()
    }

    /// The provider's customers that can be deleted now: no order may need them any more, and the provider must answer.
    pub fn deletable_customers(&self) -> impl Iterator<Item = &Item> {
        let answers = self.saved_cards.is_ok();
        self.customers.iter().filter(move |item| answers && !self.is_needed(item))
    }

    /// The orders from which the person can't be erased now: their owners and ids.
    fn unfinished(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unfinished_items().map(|item| (text_of(item, "owner"), text_of(item, "orderId")))
    }

    fn unfinished_items(&self) -> impl Iterator<Item = &Item> {
        self.orders.iter().filter(|item| order(item).map_or(true, |order| order.unfinished().is_some()))
    }

    /// Whether an order that stays counts there, or its owner has the customer: then it is needed. A mailbox's counter is
    /// also needed if it counts more than these orders: what another owner used.
    pub fn is_needed(&self, counter: &Item) -> bool {
        let id = text_of(counter, "id");
        let counts_there = |item: &&Item| mailbox(item).is_some_and(|mailbox| is_of(id, &mailbox.to_string()));
        let theirs = self.orders.iter().filter(counts_there).count() as u64;
        let is_shared = is_of_a_mailbox(id) && inventory::counter(counter, USES).is_some_and(|uses| uses > theirs);
        is_shared || self.unfinished_items().any(|item| is_of(id, text_of(item, "owner")) || counts_there(&item))
    }

    /// What can't be erased now.
    pub fn stays(&self) -> Vec<Stays> {
        let mut stays = Vec::new();
        for item in &self.orders {
            let why = match order(item) {
                Ok(order) => order.unfinished().map(|unfinished| unfinished.to_string()),
                Err(fault) => Some(format!("this release can't read it: {fault}")),
            };
            let id = text_of(item, "orderId").to_owned();
            stays.extend(why.map(|why| Stays { what: "order", id, why }));
        }
        for item in &self.certificates {
            let id = text_of(item, "id").trim_start_matches("certificate#").to_owned();
            let why = "the catalog names its holder: take it out of the catalog file, and load that".to_owned();
            stays.push(Stays { what: "certificate", id, why });
        }
        if let Err(fault) = &self.saved_cards {
            let ids = self.customers.iter().filter_map(customer).map(|customer| customer.to_string());
            let why = format!("the payment provider must delete it, and can't be asked: {fault}");
            stays.extend(ids.map(|id| Stays { what: "saved cards", id, why: why.clone() }));
        }
        stays.extend(self.elsewhere.iter().cloned());
        stays
    }

    /// What stays for good, or ends by itself.
    pub fn notes(&self) -> Vec<Stays> {
        let note = |block: &Blocked| {
            let until = block.until.format(&Rfc3339).unwrap_or_default();
            let why = format!("it ends by itself at {until}; `checkout limits unblock` ends it now");
            Stays { what: "block", id: block.caller.clone(), why }
        };
        self.blocks.iter().map(note).collect()
    }
}

/// Searches every store. `before` has the ids of an earlier search for the same person. `read` is called with the
/// number of items that each page of a scan had.
///
/// # Errors
/// When a store can't be read.
pub async fn find(
    app: &App,
    operator: &mut Operator,
    whom: &Whom,
    before: &Known,
    read: &(dyn Fn(usize) + Sync),
) -> Result<Found, PersonError> {
    let tables = Tables::of(app, read);
    let mut found = Found::of(before.clone());
    match whom {
        Whom::Owner(owner) => drop(found.known.owners.insert(owner.clone())),
        Whom::Email(address) => {
            found.known.mailboxes.insert(Mailbox::of(address));
            by_email(&tables, address, &mut found).await?;
        }
    }
    claims(&tables, &mut found).await?;
    for owner in found.known.owners.clone() {
        for id in app.sessions.dynamo.sessions_of(&owner).await? {
            found.sessions.extend(tables.session(&owner, id).await?);
        }
        found.orders.extend(tables.orders(&owner).await?);
    }
    let Found { known, sessions, orders, .. } = &mut found;
    known.sessions.extend(
        sessions.iter().chain(&*orders).filter_map(|item| text_of(item, "checkoutId").parse::<CheckoutId>().ok()),
    );
    known.orders.extend(orders.iter().filter_map(|item| text_of(item, "orderId").parse::<OrderId>().ok()));
    known.mailboxes.extend(orders.iter().filter_map(mailbox));
    responses(&tables, &mut found).await?;
    // The item of an abandoned session may be gone, and its copy not yet.
    let abandoned = found
        .responses
        .iter()
        .filter_map(|item| text_of(item, "id").strip_prefix(ABANDONED)?.parse::<CheckoutId>().ok());
    found.known.sessions.extend(abandoned);
    counters(&tables, &mut found).await?;
    found.saved_cards = saved_cards(app, &found.customers).await;
    certificates(&tables, &mut found).await?;
    // Someone with an order that stays is still served: their keys would come back at once.
    let unfinished: Vec<(String, String)> =
        found.unfinished().map(|(owner, id)| (owner.to_owned(), id.to_owned())).collect();
    let Known { owners, sessions, orders, .. } = &found.known;
    let gone_owners = owners.iter().filter(|owner| !unfinished.iter().any(|(of, _)| *of == owner.to_string()));
    let gone_orders =
        orders.iter().filter(|id| !unfinished.iter().any(|(_, unfinished)| *unfinished == id.to_string()));
    found.keys = operator.keys_about(gone_owners, sessions.iter(), gone_orders).await?;
    let blocks = operator.blocks(OffsetDateTime::now_utc()).await?;
    let is_theirs =
        |block: &Blocked| owners.iter().any(|owner| owner.user().is_some_and(|u| u.as_str() == block.caller));
    found.blocks = blocks.into_iter().filter(is_theirs).collect();
    Ok(found)
}

/// The guests who bought under an address, and what names it elsewhere. There is no index of addresses, so this reads
/// all orders and all sessions.
async fn by_email(tables: &Tables<'_>, address: &str, found: &mut Found) -> Result<(), PersonError> {
    let wanted = address.to_lowercase();
    let is_wanted = |text: &str| text.to_lowercase() == wanted;
    let in_address = |item: &Item| {
        let addresses =
            ["shippingAddress", "billingAddress"].into_iter().filter_map(|name| item.get(name)?.as_m().ok());
        addresses.into_iter().any(|address| is_wanted(text_of(address, "email")))
    };
    tables
        .scan("search orders", &tables.names.orders, |item| {
            let (owner, id) = (text_of(&item, "owner"), text_of(&item, "orderId"));
            let buys = is_wanted(text_of(&item, "email"));
            let why = match owner.parse::<Owner>() {
                Ok(Owner::Guest(guest)) if buys => {
                    found.known.owners.insert(Owner::Guest(guest));
                    return;
                }
                Ok(Owner::User(user)) if buys => {
                    format!("it belongs to an account: erase that with --user {user}, if it is the same person")
                }
                _ if in_address(&item) => "another customer gave the address with it: decide by hand".to_owned(),
                _ => return,
            };
            found.elsewhere.push(Stays { what: "order of another", id: id.to_owned(), why });
        })
        .await?;
    tables
        .scan("search sessions", &tables.names.sessions, |item| {
            let owner = text_of(&item, "owner").parse::<Owner>();
            if let Ok(Owner::Guest(guest)) = owner
                && in_address(&item)
            {
                found.known.owners.insert(Owner::Guest(guest));
            }
        })
        .await?;
    // The session of an abandoned checkout may be gone before its event is.
    tables
        .scan("search events", &tables.names.idempotency, |item| {
            if text_of(&item, "id").starts_with(ABANDONED)
                && is_wanted(text_of(&item, "email"))
                && let Ok(Owner::Guest(guest)) = text_of(&item, "owner").parse()
            {
                found.known.owners.insert(Owner::Guest(guest));
            }
        })
        .await?;
    Ok(())
}

/// The notes that a guest was claimed: of the person's guests, and of those that the person's account has claimed.
async fn claims(tables: &Tables<'_>, found: &mut Found) -> Result<(), PersonError> {
    let mut claims = Vec::new();
    let keep = |item: Item| claims.extend(text_of(&item, "id").starts_with(CLAIM).then_some(item));
    tables.scan("search claims", &tables.names.idempotency, keep).await?;
    for item in claims {
        let guest = text_of(&item, "id").trim_start_matches(CLAIM).parse::<Owner>();
        let user = text_of(&item, "user").parse().ok().map(Owner::User);
        let Ok(guest) = guest else { continue };
        if user.as_ref().is_some_and(|user| found.known.owners.contains(user)) {
            found.known.owners.insert(guest);
            found.claims.push(item);
        } else if found.known.owners.contains(&guest) {
            let account = user.map_or_else(|| "an account".to_owned(), |user| format!("the account {}", user.id()));
            let why = format!("{account} has claimed this guest: what the guest had is there");
            found.elsewhere.push(Stays { what: "claim", id: guest.id(), why });
        }
    }
    Ok(())
}

/// Stored answers: by their owner. Those of earlier releases have none, and are found by the ids in them.
async fn responses(tables: &Tables<'_>, found: &mut Found) -> Result<(), PersonError> {
    let Known { owners, sessions, orders, .. } = &found.known;
    let names: BTreeSet<String> = owners.iter().map(ToString::to_string).collect();
    let ids: Vec<String> =
        sessions.iter().map(ToString::to_string).chain(orders.iter().map(ToString::to_string)).collect();
    let responses = &mut found.responses;
    tables
        .scan("search stored responses", &tables.names.idempotency, |item| {
            let body = text_of(&item, "body");
            let is_owned = ["owner", "guest"].into_iter().any(|name| names.contains(text_of(&item, name)));
            if is_owned || ids.iter().any(|id| body.contains(id)) {
                responses.push(item);
            }
        })
        .await?;
    Ok(())
}

async fn counters(tables: &Tables<'_>, found: &mut Found) -> Result<(), PersonError> {
    let Known { owners, mailboxes, .. } = &found.known;
    let owners = owners.iter().map(ToString::to_string);
    let names: Vec<String> = owners.chain(mailboxes.iter().map(ToString::to_string)).collect();
    let (counters, idle, customers) = (&mut found.counters, &mut found.idle, &mut found.customers);
    let keep = |item: Item| {
        let id = text_of(&item, "id");
        let is_theirs = names.iter().any(|name| is_of(id, name));
        let is_idle = is_of_a_mailbox(id) && counts_nothing(&item);
        match (id.starts_with(CUSTOMER), is_theirs) {
            (true, true) => customers.push(item),
            (false, true) => counters.push(item),
            (_, false) => idle.extend(is_idle.then_some(item)),
        }
    };
    Ok(tables.scan("search counters", &tables.names.inventory, keep).await?)
}

/// What the provider has saved for these customers.
async fn saved_cards(app: &App, customers: &[Item]) -> Result<Vec<SavedCard>, String> {
    let mut cards = Vec::new();
    for item in customers {
        let customer = customer(item).ok_or_else(|| "the item has no customer".to_owned())?;
        cards.extend(app.payments.saved_cards(&customer).await.map_err(|error| error.to_string())?);
    }
    Ok(cards)
}

async fn certificates(tables: &Tables<'_>, found: &mut Found) -> Result<(), PersonError> {
    let users: Vec<&str> = found.known.owners.iter().filter_map(Owner::user).map(UserId::as_str).collect();
    let certificates = &mut found.certificates;
    let keep = |item: Item| {
        let document = item.get("document").and_then(|document| document.as_m().ok());
        let is_theirs = document.is_some_and(|document| users.contains(&text_of(document, "userId")));
        certificates.extend(is_theirs.then_some(item));
    };
    Ok(tables.scan("search certificates", &tables.names.catalog, keep).await?)
}
