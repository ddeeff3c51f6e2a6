//! Sessions in the database, and their copies.

use serde::Serialize;
use serde_json::Value;
use shared::{
    app::App,
    domain::{
        ids::{CheckoutId, Owner},
        session::{Session, SessionStatus},
    },
    http::view::SessionView,
    ports::{ChangeId, Saved, Sessions as _, StoreError},
};
use time::{Duration, OffsetDateTime};

use super::{Operator, OperatorError, keys::Ttl};

/// Personal members of a session.
const PERSONAL: [&str; 4] = ["shippingAddress", "billingAddress", "vatNumber", "guestId"];
const HIDDEN: &str = "hidden; --reveal shows it";

/// Redis's copy of a session.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    pub version: Option<u64>,
    pub verified_at: Option<String>,
    pub ttl: Ttl,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    pub owner: String,
    /// Whether it is still live for the functions.
    pub live: bool,
    pub session: Value,
    /// None if Redis has no copy.
    pub copy: Option<Copy>,
    /// Whether the copy has the same version as the database.
    pub copy_agrees: Option<bool>,
}

/// The result of an attempt to end a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    Unknown,
    AlreadyOver,
    /// Others changed it at the same time, repeatedly.
    Contended,
}

/// A session with its copy. Personal data is hidden unless `reveal`.
///
/// # Errors
/// When a store can't be read.
pub async fn show(
    app: &App,
    operator: &mut Operator,
    id: CheckoutId,
    reveal: bool,
) -> Result<Option<Shown>, Box<dyn std::error::Error>> {
    let now = OffsetDateTime::now_utc();
    let Some(loaded) = app.sessions.load(id, None, now).await? else { return Ok(None) };
    let session = loaded.session;
    let copy = copy(operator, id).await?;
    let copy_agrees = copy.as_ref().map(|copy| copy.version == Some(session.version));
    let live = session.is_live(now, app.sessions.life.ttl);
    let mut view = serde_json::to_value(SessionView::new(&session, session.active_at, app.sessions.life.ttl))?;
    if let Some(members) = view.as_object_mut().filter(|_| !reveal) {
        for name in PERSONAL {
            members.entry(name).and_modify(|value| *value = Value::from(HIDDEN));
        }
    }
    // A guest's id works like a password.
    let owner = match &session.owner {
        Owner::Guest(_) if !reveal => format!("guest ({HIDDEN})"),
        owner => owner.to_string(),
    };
    Ok(Some(Shown { owner, live, session: view, copy, copy_agrees }))
}

async fn copy(operator: &mut Operator, id: CheckoutId) -> Result<Option<Copy>, OperatorError> {
    let key = operator.keys.session(id);
    let Some(text) = operator.ask::<Option<String>>(redis::cmd("GET").arg(&key)).await? else { return Ok(None) };
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let verified_at = document["verifiedAt"].as_str().map(ToOwned::to_owned);
    Ok(Some(Copy { version: document["version"].as_u64(), verified_at, ttl: operator.ttl(&key).await? }))
}

/// Ends an open session, as if it had expired without activity.
///
/// # Errors
/// When the database doesn't answer.
pub async fn expire(app: &App, id: CheckoutId, change: fn() -> uuid::Uuid) -> Result<Ended, StoreError> {
    for _ in 0..8 {
        let now = OffsetDateTime::now_utc();
        let Some(loaded) = app.sessions.load(id, None, now).await? else { return Ok(Ended::Unknown) };
        let Session { version, .. } = loaded.session;
        let mut session = loaded.session;
        if !session.is_live(now, app.sessions.life.ttl) || session.status != SessionStatus::Open {
            return Ok(Ended::AlreadyOver);
        }
        session.version = version.saturating_add(1);
        session.active_at = now - app.sessions.life.ttl - Duration::MINUTE;
        // Its copy is replaced too, so no older copy can be stored afterwards.
        if let Saved::Done = app.sessions.save(&session, ChangeId(change())).await? {
            return Ok(Ended::Done);
        }
    }
    Ok(Ended::Contended)
}
