//! Checks whether Stripe can be reached, and whether the key permits what the functions do. The calls name a payment
//! that doesn't exist, so that nothing is read or changed.

use std::time::{Duration, Instant};

use crate::{
    adapters::stripe::Stripe,
    ports::{
        PaymentError,
        diagnosis::{Part, Report},
    },
};

/// The number of calls that are measured.
const CALLS: usize = 3;
/// A generous time for an answer of Stripe.
const GOOD: Duration = Duration::from_millis(1000);
/// The id of a payment that doesn't exist.
const NOBODY: &str = "pi_checkout_doctor";

/// Checks everything that a function with payments needs.
pub async fn diagnose(report: &mut Report, stripe: &Stripe) {
    let Some(config) = stripe.config() else {
        return report.good(Part::Stripe, "Stripe", "no cards are taken: STRIPE_SECRET_KEY isn't set");
    };
    let path = format!("/v1/payment_intents/{NOBODY}");
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        if let Err(error) = stripe.probe("GET", &path, &[]).await {
            return fault(report, &config.url, &error);
        }
        times.push(start.elapsed());
    }
    let cancel = format!("{path}/cancel");
    let payment = [("payment_intent", NOBODY.to_owned())];
    // A restricted key may permit some of it only.
    let others = [
        ("POST", cancel.as_str(), &[][..]),
        ("POST", "/v1/refunds", &payment[..]),
        ("GET", "/v1/refunds", &payment[..]),
        ("GET", "/v1/disputes", &payment[..]),
        ("POST", "/v1/customers/cus_checkout_doctor", &[][..]),
        ("POST", "/v1/payment_methods/pm_checkout_doctor/detach", &[][..]),
    ];
    for (method, path, form) in others {
        if let Err(error) = stripe.probe(method, path, form).await {
            return fault(report, &config.url, &error);
        }
    }
    report.good(Part::Stripe, "Stripe", format!("the key is good; reached at {}", config.url));
    let mend = "https://status.stripe.com says what Stripe knows; a NAT gateway that is full is slow too";
    report.judge(Part::Stripe, "Speed of Stripe", &times, GOOD.min(config.timeout / 3), mend);
}

/// The secret that verifies events.
pub async fn diagnose_webhook(report: &mut Report, stripe: &Stripe) {
    const WHAT: &str = "Events of Stripe";
    match stripe.has_webhook_secret().await {
        Ok(true) => report.good(Part::Stripe, WHAT, "the secret that verifies them is available"),
        Ok(false) => {
            let mend =
                "set STRIPE_WEBHOOK_SECRET, or _FROM, to the signing secret of the endpoint; see docs/PAYMENTS.md";
            report.bad(Part::Stripe, WHAT, "every one is refused: there is no secret that verifies them", mend);
        }
        Err(reason) => report.bad(Part::Stripe, WHAT, format!("every one is refused: {reason}"), secret_mend(&reason)),
    }
}

fn fault(report: &mut Report, url: &str, error: &PaymentError) {
    let text = error.to_string();
    let reason = match error {
        PaymentError::Unknown { reason, .. } | PaymentError::Failed { reason, .. } => reason.as_str(),
        PaymentError::Refused { code, .. } | PaymentError::AmountRefused { code, .. } => code.as_str(),
    };
    let mend = match reason.split_whitespace().next().unwrap_or_default() {
        "401" => "STRIPE_SECRET_KEY is not, or no longer, a key of the account: take it from the Dashboard",
        "403" => {
            "the key is restricted: it must write payment intents, refunds, customers and payment methods, and read \
                  charges and disputes"
        }
        "429" => "too many requests: ask Stripe for a higher limit, or wait",
        _ if reason.starts_with("ssm:") || reason.starts_with("secretsmanager:") => secret_mend(reason),
        _ => {
            "check the network path to it (NAT gateway, security group), and https://status.stripe.com; orders \
             wait as pending until it answers"
        }
    };
    report.bad(Part::Stripe, "Stripe", format!("{text} (asked at {url})"), mend);
}

fn secret_mend(reason: &str) -> &'static str {
    if reason.contains("NotFound") {
        "there is no secret of this name: check STRIPE_SECRET_KEY_FROM and STRIPE_WEBHOOK_SECRET_FROM, and the region"
    } else if reason.contains("AccessDenied") {
        "the role may not read the secret: check StripeSecretArns, and kms:Decrypt for a key of your own"
    } else {
        "check what STRIPE_SECRET_KEY_FROM and STRIPE_WEBHOOK_SECRET_FROM name, and that SSM can be reached from here"
    }
}
