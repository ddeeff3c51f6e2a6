//! The text that a developer sees when the stack is ready.

use std::time::Instant;

use time::OffsetDateTime;
use tools::laptop;
use uuid::Uuid;

use crate::{commands::settings, say};

/// The addresses of a running stack.
pub struct Addresses<'a> {
    pub url: &'a str,
    /// The URL of the HTTP API.
    pub port: u16,
    pub redis: &'a str,
    pub dynamodb: &'a str,
    /// None: the shop takes no cards.
    pub stripe: Option<String>,
}

/// Whom a developer may call as.
pub struct People {
    pub guest: Uuid,
    /// None: the tokens come from another issuer.
    pub tokens: Option<Tokens>,
}

pub struct Tokens {
    pub user: String,
    pub staff: String,
}

impl People {
    pub fn new() -> Result<Self, jsonwebtoken::errors::Error> {
        let now = OffsetDateTime::now_utc();
        let tokens = || {
            let (user, staff) = (laptop::token("local-user", false, now)?, laptop::token("local-staff", true, now)?);
            Ok::<_, jsonwebtoken::errors::Error>(Tokens { user, staff })
        };
        let tokens = (!settings::has_issuer()).then(tokens).transpose()?;
        Ok(Self { guest: Uuid::new_v4(), tokens })
    }
}

pub fn print(addresses: &Addresses<'_>, people: &People, started: Instant) {
    let Addresses { url, redis, dynamodb, stripe, .. } = addresses;
    let stripe = stripe.as_deref().unwrap_or("the one that STRIPE_SECRET_KEY is for, or none");
    let guest = people.guest;
    let seconds = started.elapsed().as_secs();
    say::answer(format!(
        "
The checkout is up after {seconds} s.

  Shop      {url}
  URL       {url}/api/v1/checkout
  Reference {url}/docs
  Redis     {redis}
  DynamoDB  {dynamodb}
  Stripe    {stripe}
  guest id  {guest}"
    ));
    match &people.tokens {
        Some(Tokens { user, staff }) => say::answer(format!("  user      {user}\n  staff     {staff}")),
        None => say::answer("  tokens    from the issuer that JWT_JWKS or JWT_HS256_SECRET names"),
    }
    say::answer(format!(
        "
A whole purchase, to paste into another terminal:

{purchase}
Its link, in another browser, comes by mail: here it stands between the log lines a second later.

  curl -sS $URL/orders/lookup -H 'Content-Type: application/json' -d '{{\"orderNumber\":\"'$ORDER'\",\"email\":\"ada@example.com\"}}'
  curl -sS $URL/orders/$ORDER -H 'Authorization: Bearer <what stands behind the # of the link>'

With a card: \"paymentMethod\":\"card\",\"paymentToken\":\"pm_card_visa\" in confirm-order; pm_card_chargeCustomerFail is
declined, and of pm_card_authenticationRequired the bank asks. Stripe's events come to the webhook, and the reconciler runs every minute.

The limits are those of production, and every guest on this machine shares one address: five
confirmations in five minutes. More: RATE_LIMIT_CONFIRM_ORDER=1000/60 make dev

The files in events/ work too, once each; `cargo run --bin checkout -- seed` puts back what they change:

  cargo lambda invoke confirm-order -A 127.0.0.1 -P {port} --data-file events/confirm-order.json

Pages on other ports of this machine may call it (CORS). Save a file and the functions are built anew. Ctrl-C stops
everything.
",
        purchase = purchase(url, guest),
        port = addresses.port,
    ));
}

/// One purchase from cart to order, for bash, curl and sed.
fn purchase(url: &str, guest: Uuid) -> String {
    format!(
        r#"URL={url}/api/v1/checkout
call() {{ curl -sS -X "$1" "$URL$2" -H 'X-Guest-Id: {guest}' -H 'Content-Type: application/json' ${{3:+-d "$3"}}; echo; }}
field() {{ sed -E "s/.*\"$1\":\"?([^\",}}]+).*/\1/"; }}
ID=$(call POST /initiate '{{"cartItems":[{{"productId":"espresso-beans","quantity":2}}]}}' | field checkoutId)
call PUT /address '{{"checkoutId":"'$ID'","shippingAddress":{{"firstName":"Ada","lastName":"Lovelace","addressLine1":"1 Main St","city":"Los Angeles","state":"CA","postalCode":"90001","country":"US"}}}}'
call POST /calculate-shipping '{{"checkoutId":"'$ID'","shippingMethodId":"us-standard"}}'
call POST /calculate-tax '{{"checkoutId":"'$ID'"}}'
TOTAL=$(call POST /apply-coupon '{{"checkoutId":"'$ID'","couponCode":"SAVE20"}}' | field totalAmount)
ORDER=$(call POST /confirm-order '{{"checkoutId":"'$ID'","expectedTotal":'$TOTAL',"paymentMethod":"cash_on_delivery","customerInfo":{{"email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"}}}}' | field orderId)
call GET /orders/$ORDER
"#
    )
}
