//! Card numbers and security codes have no business here: a request with one is refused before anything reads it, and
//! nothing of it is kept or logged.

use std::sync::LazyLock;

use lambda_http::{Body, Request};
use regex_lite::Regex;

use crate::http::{problem::Problem, route::Route};

/// Members that card forms call a number or a security code.
static MEMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = "card_?number|card_?no|pan|cvc2?|cvv2?|cvn|csc|cid|security_?code|card_?code";
    Regex::new(&format!(r#"(?i)"(?:{names})"\s*:"#)).ok()
});
/// What could be a number as people type it. A plus makes it a phone's, a letter beside it an id's.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?[0-9A-Za-z_]+(?:[ -][0-9A-Za-z_]+)*").ok());

/// Refuses a request that brings card data.
pub fn refuse(request: &Request, route: Route) -> Result<(), Problem> {
    // Stripe's own events say `card` a lot, and tracking numbers look like anything.
    if matches!(route, Route::PaymentWebhook) {
        return Ok(());
    }
    let numbers = route != Route::UpdateOrderStatus;
    let body = match request.body() {
        Body::Text(text) => text.as_str(),
        Body::Binary(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    };
    let query = request.uri().query().unwrap_or_default();
    let found = [body, query]
        .into_iter()
        .any(|text| MEMBER.as_ref().is_some_and(|member| member.is_match(text)) || (numbers && has_card_number(text)));
    if found {
        let detail = "send the payment method that Stripe.js made, never a card's number or security code";
        return Err(Problem::new(400, "CARD_DATA_NOT_ACCEPTED", "Card data is not accepted", detail));
    }
    Ok(())
}

fn has_card_number(text: &str) -> bool {
    let Some(number) = NUMBER.as_ref() else { return false };
    number.find_iter(text).any(|found| {
        let found = found.as_str();
        let typed = found.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'-');
        typed && is_card_number(&found.replace([' ', '-'], ""))
    })
}

/// 13 to 19 digits of a card network, with the check digit right.
fn is_card_number(digits: &str) -> bool {
    if !(13..=19).contains(&digits.len()) || !digits.starts_with(['2', '3', '4', '5', '6']) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(route: Route, body: &str) -> bool {
        refuse(&Request::new(Body::from(body)), route).is_err()
    }

    #[test]
    fn a_card_number_or_a_security_code_is_found_wherever_it_stands() {
        for body in [
            r#"{"notes":"4242424242424242"}"#,
            r#"{"notes":"my card is 4242 4242 4242 4242, thanks"}"#,
            r#"{"customerInfo":{"phone":"4242-4242-4242-4242"}}"#,
            r#"{"paymentToken":"378282246310005"}"#,
            r#"{"x":{"y":[6011111111111117]}}"#,
            r#"{"cvc":"123"}"#,
            r#"{"card":{"CVV" : 123}}"#,
            r#"{"cardNumber":"none"}"#,
            r#"{"security_code":""}"#,
            "not even JSON 5555555555554444",
        ] {
            assert!(refused(Route::ConfirmOrder, body), "{body}");
        }
    }

    #[test]
    fn what_is_none_passes() {
        for body in [
            r#"{"checkoutId":"9549a1ab-ad00-4d46-8088-d00f037ddd5b"}"#,
            // Ids of nothing but digits, with a right check digit somewhere inside.
            r#"{"checkoutId":"42424242-4242-4242-4242-424242424242"}"#,
            r#"{"phone":"+4242424242424242"}"#,
            r#"{"expectedTotal":4242424242424241}"#,
            r#"{"notes":"1234567890123"}"#,
            r#"{"paymentToken":"pm_4242424242424242"}"#,
            r#"{"notes":"the pan and the cvc"}"#,
        ] {
            assert!(!refused(Route::ConfirmOrder, body), "{body}");
        }
        assert!(!refused(Route::UpdateOrderStatus, r#"{"trackingNumber":"4242424242424242"}"#), "a parcel's number");
    }
}
