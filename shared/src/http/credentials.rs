//! Who is calling. A handler states the kind of caller that it needs as a type, so the check can't be forgotten.

use lambda_http::http::{HeaderMap, header};
use time::OffsetDateTime;

use crate::{
    checkout::request_context::{Caller, CallerOrLink, CallerOrStaff, FreshIds, SignedIn, Staff},
    domain::{
        ids::{GuestId, OrderId, Owner},
        invalid::Invalid,
    },
    http::{problem::Problem, route::CallerKind},
    ports::{Identities, Identity, IdentityError, OrderLinks},
};

pub const GUEST_HEADER: &str = "x-guest-id";
/// Seconds until keys that couldn't be fetched are requested again.
const KEYS_REST_S: u64 = 5;

/// What the headers of a request prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    User(Identity),
    Guest(GuestId),
    /// The token of an order link: it reads and cancels this order.
    Link(OrderId),
    Nobody,
}

impl Credentials {
    /// The id of a signed-in user.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::User(identity) => Some(identity.user.as_str()),
            Self::Guest(_) | Self::Link(_) | Self::Nobody => None,
        }
    }

    /// The owner of this caller's sessions and orders.
    pub fn owner(&self) -> Option<Owner> {
        match self {
            Self::User(identity) => Some(Owner::User(identity.user.clone())),
            Self::Guest(guest) => Some(Owner::Guest(*guest)),
            Self::Link(_) | Self::Nobody => None,
        }
    }
}

/// A kind of caller that a route is for.
pub trait FromCredentials: Sized {
    const KIND: CallerKind;

    /// # Errors
    /// 401 or 403.
    fn from_credentials(credentials: &Credentials, ids: &FreshIds) -> Result<Self, Problem>;
}

impl FromCredentials for Caller {
    const KIND: CallerKind = CallerKind::Caller;

    fn from_credentials(credentials: &Credentials, _: &FreshIds) -> Result<Self, Problem> {
        refuse_link(credentials)?;
        let owner = credentials
            .owner()
            .ok_or_else(|| unauthenticated("send a bearer token, or the X-Guest-Id that initiate answered with"))?;
        Ok(Self { owner })
    }
}

impl FromCredentials for CallerOrStaff {
    const KIND: CallerKind = CallerKind::Caller;

    fn from_credentials(credentials: &Credentials, ids: &FreshIds) -> Result<Self, Problem> {
        let Caller { owner } = Caller::from_credentials(credentials, ids)?;
        let staff = match credentials {
            Credentials::User(identity) if identity.is_staff => Some(identity.user.clone()),
            _ => None,
        };
        Ok(Self { owner, staff })
    }
}

impl FromCredentials for CallerOrLink {
    const KIND: CallerKind = CallerKind::Caller;

    fn from_credentials(credentials: &Credentials, ids: &FreshIds) -> Result<Self, Problem> {
        match credentials {
            Credentials::Link(order) => Ok(Self::Link(*order)),
            Credentials::User(_) | Credentials::Guest(_) | Credentials::Nobody => {
                CallerOrStaff::from_credentials(credentials, ids).map(Self::Caller)
            }
        }
    }
}

impl FromCredentials for SignedIn {
    const KIND: CallerKind = CallerKind::SignedIn;

    fn from_credentials(credentials: &Credentials, _: &FreshIds) -> Result<Self, Problem> {
        refuse_link(credentials)?;
        match credentials {
            Credentials::User(identity) => Ok(Self { user: identity.user.clone() }),
            Credentials::Guest(_) | Credentials::Link(_) | Credentials::Nobody => {
                Err(unauthenticated("this route needs a signed-in user's bearer token"))
            }
        }
    }
}

impl FromCredentials for Staff {
    const KIND: CallerKind = CallerKind::Staff;

    fn from_credentials(credentials: &Credentials, _: &FreshIds) -> Result<Self, Problem> {
        refuse_link(credentials)?;
        match credentials {
            Credentials::User(identity) if identity.is_staff => Ok(Self { user: identity.user.clone() }),
            Credentials::User(_) => {
                Err(Problem::new(403, "FORBIDDEN", "Not allowed", "this route is for the shop's staff"))
            }
            Credentials::Guest(_) | Credentials::Link(_) | Credentials::Nobody => {
                Err(unauthenticated("this route needs a staff member's bearer token"))
            }
        }
    }
}

/// A caller, or a client without an identity that becomes a guest by this request.
#[derive(Clone, Debug)]
pub struct Newcomer {
    pub caller: Caller,
    /// The request has no identity: `caller` is a new guest, unless the body names one.
    pub is_new: bool,
}

impl FromCredentials for Newcomer {
    const KIND: CallerKind = CallerKind::Newcomer;

    fn from_credentials(credentials: &Credentials, ids: &FreshIds) -> Result<Self, Problem> {
        if *credentials == Credentials::Nobody {
            return Ok(Self { caller: Caller { owner: Owner::Guest(ids.guest) }, is_new: true });
        }
        Ok(Self { caller: Caller::from_credentials(credentials, ids)?, is_new: false })
    }
}

impl Newcomer {
    /// The caller: a newcomer may name their guest id in the body instead of the header.
    ///
    /// # Errors
    /// 400 when header and body name two guests. For a signed-in caller, `guestId` is ignored.
    pub fn or_named(self, named: Option<GuestId>) -> Result<Caller, Problem> {
        match (named, &self.caller.owner) {
            (Some(guest), _) if self.is_new => Ok(Caller { owner: Owner::Guest(guest) }),
            (Some(guest), Owner::Guest(known)) if guest != *known => {
                Err(Problem::validation(vec![Invalid::new("/guestId", "is not the guest of the X-Guest-Id header")]))
            }
            _ => Ok(self.caller),
        }
    }
}

impl FromCredentials for Credentials {
    const KIND: CallerKind = CallerKind::Anyone;

    fn from_credentials(credentials: &Credentials, _: &FreshIds) -> Result<Self, Problem> {
        Ok(credentials.clone())
    }
}

/// Any caller, with or without an identity.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl FromCredentials for Anyone {
    const KIND: CallerKind = CallerKind::Anyone;

    fn from_credentials(_: &Credentials, _: &FreshIds) -> Result<Self, Problem> {
        Ok(Self)
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(401, "AUTHENTICATION_REQUIRED", "Authentication is required", detail)
}

fn invalid(detail: &str) -> Problem {
    Problem::new(401, "INVALID_TOKEN", "The token is not valid", detail)
}

/// The token of an order link is good for its order only: on other routes it is no identity, and makes no guest.
fn refuse_link(credentials: &Credentials) -> Result<(), Problem> {
    match credentials {
        Credentials::Link(_) => {
            Err(invalid("the token of an order link reads and cancels its order, and nothing else"))
        }
        Credentials::User(_) | Credentials::Guest(_) | Credentials::Nobody => Ok(()),
    }
}

/// Reads the headers. A bad token is a 401: the request is never served as a guest's instead.
pub async fn read(
    identities: &impl Identities,
    links: &impl OrderLinks,
    headers: &HeaderMap,
    now: OffsetDateTime,
) -> Result<Credentials, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| invalid("the Authorization header is not readable"))?;
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(invalid("the Authorization header must be: Bearer <token>")),
        };
        let proven = match links.order_of(token, now) {
            Some(order) => order.map(Credentials::Link),
            None => identities.verify(token).await.map(Credentials::User),
        };
        return match proven {
            Ok(credentials) => Ok(credentials),
            Err(IdentityError::Refused(why)) => Err(invalid(why)),
            Err(error @ IdentityError::LinkExpired) => {
                Err(Problem::new(401, "ORDER_LINK_EXPIRED", "The link has expired", error.to_string()))
            }
            Err(error @ IdentityError::KeysUnavailable) => {
                Err(Problem::new(503, "IDENTITY_UNAVAILABLE", "Try again", error.to_string()).retry_after(KEYS_REST_S))
            }
        };
    }
    let Some(value) = headers.get(GUEST_HEADER) else { return Ok(Credentials::Nobody) };
    let guest = value.to_str().ok().and_then(|text| text.trim().parse::<GuestId>().ok());
    guest.map(Credentials::Guest).ok_or_else(|| {
        Problem::validation(vec![Invalid::new(
            "/headers/x-guest-id",
            "must be the UUID that initiate answered with, or a random one of yours (version 4 or 7)",
        )])
    })
}
