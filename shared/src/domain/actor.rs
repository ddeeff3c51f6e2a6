//! Who did something with an order.

use std::{fmt, str::FromStr};

use crate::domain::{as_text::as_text, ids::UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Customer,
    Staff(UserId),
    /// The result of the payment changed the status.
    Payment,
}

as_text! { Actor: "actor" }

/// Why a text is not an actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be customer, payment or staff#…")]
pub struct NotAnActor;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("customer"),
            Self::Staff(user) => write!(f, "staff#{user}"),
            Self::Payment => f.write_str("payment"),
        }
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        match text.split_once('#') {
            None if text == "customer" => Ok(Self::Customer),
            None if text == "payment" => Ok(Self::Payment),
            Some(("staff", user)) => user.parse().map(Self::Staff).map_err(|_| NotAnActor),
            _ => Err(NotAnActor),
        }
    }
}
