//! The body of a confirmation, and how it becomes a command.

use lambda_http::Request;
use serde::Deserialize;

use crate::{
    checkout::confirmation::{CardUse, Confirm, PaymentInput},
    domain::{
        ids::CheckoutId,
        invalid::Faults,
        money::Minor,
        note::LONGEST_NOTES,
        payment::{CardToken, PaymentMethod, ReturnUrl},
        text::note,
    },
    http::{
        body::{Command, Object, json},
        fields::CustomerBody,
        problem::Problem,
    },
};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConfirmBody {
    checkout_id: String,
    expected_total: i64,
    /// Only a total of zero needs none.
    payment_method: Option<String>,
    payment_token: Option<String>,
    return_url: Option<String>,
    payment_method_id: Option<String>,
    save_payment_method: Option<bool>,
    customer_info: Object<CustomerBody>,
    notes: Option<String>,
}

/// How it is paid. A total of zero needs no method and no token, and what a page sends all the same isn't used.
fn payment(
    faults: &mut Faults,
    method: Option<&str>,
    token: Option<&str>,
    return_url: Option<&str>,
    total: Option<Minor>,
) -> Option<PaymentInput> {
    let free = total.is_some_and(Minor::is_zero);
    let given = token.is_some();
    let token = faults.take_some("/paymentToken", token.map(str::parse::<CardToken>));
    let return_url = faults.take_some("/returnUrl", return_url.map(str::parse::<ReturnUrl>));
    let method = match method.map(str::parse::<PaymentMethod>) {
        None | Some(Ok(_)) if free => return None,
        Some(Ok(method)) if method != PaymentMethod::Free => method,
        Some(_) => {
            faults
                .add("/paymentMethod", "must be cash_on_delivery, card, or another online method that the shop offers");
            return None;
        }
        None => {
            faults.require("/paymentMethod", "is required: cash_on_delivery or card, for example");
            return None;
        }
    };
    if !method.is_online() {
        let unused = [("/paymentToken", given), ("/returnUrl", return_url.is_some())];
        for (pointer, _) in unused.into_iter().filter(|(_, given)| *given) {
            faults.forbid(pointer, "must be left out for cash_on_delivery");
        }
        return Some(PaymentInput::CashOnDelivery);
    }
    if !given {
        faults.require("/paymentToken", format!("is required for {method}: what Stripe.js made"));
    }
    let token = token?;
    let is_confirmation = token.is_confirmation();
    if method.needs_mandate() && !is_confirmation {
        let why = "must be a confirmation token (ctoken_) for this method: it carries the customer's permission";
        faults.add("/paymentToken", why);
    }
    if method.redirects() && !is_confirmation && return_url.is_none() {
        faults.require("/returnUrl", "is required: the customer pays on another page, and comes back to this one");
    }
    Some(PaymentInput::Online { method, token, return_url })
}

/// The card's reference: a token that pays once or is saved, or the id of a saved card.
fn card<'b>(faults: &mut Faults, body: &'b ConfirmBody) -> (Option<&'b str>, CardUse) {
    let saves = body.save_payment_method == Some(true);
    let Some(id) = &body.payment_method_id else {
        if saves && body.payment_token.is_none() {
            faults.add("/savePaymentMethod", "needs a paymentToken: the card that is saved");
        }
        if saves && body.payment_method.as_deref().is_some_and(|method| method != PaymentMethod::Card.name()) {
            faults.forbid("/savePaymentMethod", "must be left out: only a card is saved");
        }
        return (body.payment_token.as_deref(), if saves { CardUse::Save } else { CardUse::Once });
    };
    if body.payment_method.as_deref() != Some(PaymentMethod::Card.name()) {
        faults.forbid("/paymentMethodId", "must be left out: only a card is saved");
        return (None, CardUse::Once);
    }
    if body.payment_token.is_some() {
        faults.forbid("/paymentMethodId", "must be left out with a paymentToken: one card pays");
    }
    if saves {
        faults.forbid("/savePaymentMethod", "must be left out: this card is saved already");
    }
    if faults.take("/paymentMethodId", id.parse::<CardToken>()).is_some_and(|id| id.is_confirmation()) {
        faults.add("/paymentMethodId", "must be the id of a saved card: pm_");
    }
    (Some(id), CardUse::Saved)
}

impl Command for Confirm {
    fn decode(request: &Request) -> Result<Self, Problem> {
        let (body, mut faults) = json::<ConfirmBody>(request)?;
        let checkout = faults.take("/checkoutId", body.checkout_id.parse());
        let total = faults.take("/expectedTotal", Minor::new(body.expected_total));
        let (token, card_use) = card(&mut faults, &body);
        let payment = payment(&mut faults, body.payment_method.as_deref(), token, body.return_url.as_deref(), total);
        let customer = faults.nest("/customerInfo", body.customer_info.0.parse());
        let notes = note(&mut faults, "/notes", body.notes, LONGEST_NOTES);
        let command = checkout.zip(total).zip(customer);
        let command = command.map(|((checkout, expected_total), customer)| Self {
            checkout,
            expected_total,
            payment,
            card_use,
            customer,
            notes,
        });
        faults.finish(command).map_err(Problem::validation)
    }

    fn pays_online(&self) -> bool {
        matches!(self.payment, Some(PaymentInput::Online { .. }))
    }

    fn checkout(&self) -> Option<CheckoutId> {
        Some(self.checkout)
    }
}
