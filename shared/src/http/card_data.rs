//! The checkout takes no card numbers or security codes: a request with one is refused before anything else reads it,
//! and nothing of it is stored or logged.

use lambda_http::Request;

use crate::http::{
    body,
    problem::Problem,
    route::{CardScan, Route},
};

/// Usual member names for a card's number or security code.
const MEMBERS: [&[u8]; 16] = [
    b"cardnumber",
    b"card_number",
    b"cardno",
    b"card_no",
    b"pan",
    b"cvc",
    b"cvc2",
    b"cvv",
    b"cvv2",
    b"cvn",
    b"csc",
    b"cid",
    b"securitycode",
    b"security_code",
    b"cardcode",
    b"card_code",
];
/// The length of the longest name above.
const LONGEST_MEMBER: usize = 13;
/// How many digits a card's number has.
const FEWEST_DIGITS: usize = 13;
const MOST_DIGITS: usize = 19;
/// Size of the ring of last digits: at least the longest number, and a power of two.
const PLACES: usize = 32;

/// Refuses a request that contains card data. The size of its body has been checked before.
pub fn refuse(request: &Request, route: Route) -> Result<(), Problem> {
    let numbers = match route.spec().card_scan {
        CardScan::Nothing => return Ok(()),
        CardScan::Names => false,
        CardScan::All => true,
    };
    let query = request.uri().query().unwrap_or_default();
    let found = [body::bytes(request), query.as_bytes()].into_iter().any(|text| Scanner::new(numbers).finds(text));
    if found {
        let detail = "send the payment method that Stripe.js made, never a card's number or security code";
        return Err(Problem::new(400, "CARD_DATA_NOT_ACCEPTED", "Card data is not accepted", detail));
    }
    Ok(())
}

/// Reads a text once, byte by byte, and keeps no more of it than the longest number and the longest name.
struct Scanner {
    numbers: bool,
    number: Number,
    member: Member,
    /// Bytes examined, including kept ones that are examined again. Tests check that this is linear.
    work: u64,
}

/// The state of a scan for card numbers. A word with a letter, such as an id, and a phone number don't count. A
/// candidate is made of parts of digits and hyphens with single spaces between them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Between words, or in the hyphens before a word.
    Nothing,
    /// In a word with a letter.
    Word,
    /// In a phone number: `+` and what follows it.
    Phone,
    /// In a part of a number. The first part may still turn out to be the beginning of a word.
    Part { first: bool },
    /// The space after a part.
    Gap,
}

struct Number {
    within: Within,
    /// A ring of the last digits, each with whether a part begins with it.
    digits: [(u8, bool); PLACES],
    count: usize,
}

struct Member {
    /// The characters since the last quotation mark; none once they can't be a name.
    name: Option<Vec<u8>>,
    /// A name has ended, and its colon may follow.
    closed: bool,
}

impl Scanner {
    fn new(numbers: bool) -> Self {
        let number = Number { within: Within::Nothing, digits: [(0, false); PLACES], count: 0 };
        Self { numbers, number, member: Member { name: None, closed: false }, work: 0 }
    }

    fn finds(&mut self, text: &[u8]) -> bool {
        text.iter().any(|byte| {
            self.work += 1;
            self.is_member(*byte) || (self.numbers && self.is_number(Some(*byte)))
        }) || (self.numbers && self.is_number(None))
    }

    /// Whether this byte is the colon after a card member's name.
    fn is_member(&mut self, byte: u8) -> bool {
        let Member { name, closed } = &mut self.member;
        match byte {
            b'"' => {
                *closed = name.as_ref().is_some_and(|name| MEMBERS.contains(&name.as_slice()));
                self.work += name.as_ref().map_or(0, Vec::len) as u64;
                *name = Some(Vec::new());
            }
            b':' if *closed => return true,
            _ if *closed && byte.is_ascii_whitespace() => {}
            _ => {
                *closed = false;
                let fits = byte.is_ascii_alphanumeric() || byte == b'_';
                match name {
                    Some(name) if fits && name.len() < LONGEST_MEMBER => name.push(byte.to_ascii_lowercase()),
                    _ => *name = None,
                }
            }
        }
        false
    }

    /// Whether a card's number ends before this byte. None is the end of the text.
    fn is_number(&mut self, byte: Option<u8>) -> bool {
        let byte = byte.unwrap_or(0);
        let within = self.number.within;
        let next = match (within, byte) {
            (Within::Phone, b'0'..=b'9' | b' ' | b'-') | (_, b'+') => Within::Phone,
            (Within::Word, b'0'..=b'9' | b'-') | (_, b'A'..=b'Z' | b'a'..=b'z' | b'_') => Within::Word,
            (Within::Part { first }, b'0'..=b'9' | b'-') => Within::Part { first },
            (Within::Nothing, b'0'..=b'9') => Within::Part { first: true },
            (Within::Gap, b'0'..=b'9') => Within::Part { first: false },
            (Within::Part { .. }, b' ') => Within::Gap,
            _ => Within::Nothing,
        };
        self.number.within = next;
        match (within, next) {
            // A part ends, unless it was the beginning of a word.
            (Within::Part { first: true }, Within::Word)
            | (Within::Gap, Within::Nothing | Within::Word | Within::Phone) => {
                self.number.count = 0;
            }
            (Within::Part { .. }, Within::Part { .. }) => self.keep(byte, false),
            (Within::Part { .. }, _) => {
                let found = self.ends_a_number();
                if next != Within::Gap {
                    self.number.count = 0;
                }
                return found;
            }
            (_, Within::Part { first }) => {
                if first {
                    self.number.count = 0;
                }
                self.keep(byte, true);
            }
            _ => {}
        }
        false
    }

    fn keep(&mut self, byte: u8, begins: bool) {
        if byte.is_ascii_digit() {
            self.number.digits[self.number.count % PLACES] = (byte - b'0', begins);
            self.number.count += 1;
        }
    }

    /// Whether some of the last parts together are a card network's number: 13 to 19 digits with a correct check digit.
    fn ends_a_number(&mut self) -> bool {
        let Number { digits, count, .. } = &self.number;
        let mut sum = 0;
        (0..MOST_DIGITS.min(*count)).any(|at| {
            self.work += 1;
            let (digit, begins) = digits[(count - 1 - at) % PLACES];
            let digit = u32::from(digit);
            sum += if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 };
            begins && at + 1 >= FEWEST_DIGITS && (2..=6).contains(&digit) && sum.is_multiple_of(10)
        })
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::Body;

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
            "{\"card\":{\"Cvv2\"\n\t: 123}}",
            r#"{"cardNumber":"none"}"#,
            r#"{"security_code":""}"#,
            r#"{"notes":"2 4242424242424242 12"}"#,
            r#"{"notes":"no. 4242 4242-4242 4242/12"}"#,
            r#"{"notes":"--4242424242424242--"}"#,
            r#"{"notes":"4242 4242 4242 4242x"}"#,
            r#"{"notes":"+1 555, 4242424242424242"}"#,
            r#"{"a":"b","cvc":1}"#,
            "not even JSON 5555555555554444",
        ] {
            assert!(refused(Route::ConfirmOrder, body), "{body}");
        }
    }

    #[test]
    fn what_is_none_passes() {
        for body in [
            r#"{"checkoutId":"9549a1ab-ad00-4d46-8088-d00f037ddd5b"}"#,
            // Ids of digits only, with a correct check digit somewhere inside.
            r#"{"checkoutId":"42424242-4242-4242-4242-424242424242"}"#,
            r#"{"checkoutId":"42424242-4242-4242-a242-424242424242"}"#,
            r#"{"phone":"+4242424242424242"}"#,
            r#"{"phone":"+42 4242 4242 4242 42"}"#,
            r#"{"expectedTotal":4242424242424241}"#,
            r#"{"notes":"1234567890123"}"#,
            r#"{"notes":"4242  4242  4242  4242"}"#,
            r#"{"paymentToken":"pm_4242424242424242"}"#,
            r#"{"token":"4242424242424242_pm"}"#,
            r#"{"notes":"42424242424242424242"}"#,
            r#"{"notes":"the pan and the cvc"}"#,
            r#"{"cvcx":1,"xcvc":2,"notes":"cvc"}"#,
            r#"{"notes":"say \"cvc\": nothing"}"#,
        ] {
            assert!(!refused(Route::ConfirmOrder, body), "{body}");
        }
        assert!(!refused(Route::UpdateOrderStatus, r#"{"trackingNumber":"4242424242424242"}"#), "a parcel's number");
    }

    /// Each is the worst case of some search algorithm: it seems to begin a number, a name or a word again and again.
    #[test]
    fn the_work_grows_with_the_length_and_by_little() {
        let texts = [
            "1 ",
            "4",
            "4-",
            "-",
            "7 7",
            "42424242424242424241 ",
            "\"",
            "\"cvc\" ",
            "\"security_cod",
            "a",
            "+4",
            "+ ",
            "4242 4242x",
            " ",
        ];
        for text in texts {
            let of = |length: usize| {
                let text = text.repeat(length / text.len());
                let mut scanner = Scanner::new(true);
                assert!(!scanner.finds(text.as_bytes()), "{text:.40}");
                scanner.work
            };
            let (short, long) = (of(10_000), of(1_000_000));
            assert!(long <= 101 * short, "{text}: {short} for ten thousand bytes, {long} for a million");
            assert!(long <= 12_000_000, "{text}: {long} for a million bytes");
        }
    }
}
