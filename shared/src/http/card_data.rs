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
/// Words with a letter in them, like ids; phone numbers; and, alone in its group, what could be a number as people type
/// it.
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[0-9-]*[A-Za-z_][0-9A-Za-z_-]*|\+[0-9 -]+|([0-9][0-9-]*(?: [0-9][0-9-]*)*)").ok());
/// Digits of a card's number.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

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
    number.captures_iter(text).filter_map(|found| found.get(1)).any(|typed| {
        let parts: Vec<_> = typed.as_str().split(' ').collect();
        // "2 of 4242 …" has a number that begins later.
        (0..parts.len()).any(|first| {
            let mut digits = String::new();
            for part in &parts[first..] {
                digits.extend(part.chars().filter(|&c| c != '-'));
                if digits.len() >= *DIGITS.end() {
                    break;
                }
                if is_card_number(&digits) {
                    return true;
                }
            }
            is_card_number(&digits)
        })
    })
}

/// 13 to 19 digits of a card network, with the check digit right.
fn is_card_number(digits: &str) -> bool {
    if !DIGITS.contains(&digits.len()) || !digits.starts_with(['2', '3', '4', '5', '6']) {
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
            r#"{"notes":"2 4242424242424242 12"}"#,
            r#"{"notes":"no. 4242 4242-4242 4242/12"}"#,
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
            r#"{"checkoutId":"42424242-4242-4242-a242-424242424242"}"#,
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
