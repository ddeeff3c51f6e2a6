//! Where a customer comes back to from the page of their bank or wallet.

use crate::domain::as_text::as_text;

/// The longest URL.
const LONGEST: usize = 2000;

/// A page of the shop: `https`, or `http` on the developer's own machine. The provider adds query parameters to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnUrl(String);

as_text! { ReturnUrl: "return URL" }

/// Why a text is not such a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the https URL of the page to come back to, of at most 2000 characters, without a user name")]
pub struct NotAReturnUrl;

impl std::str::FromStr for ReturnUrl {
    type Err = NotAReturnUrl;

    fn from_str(text: &str) -> Result<Self, NotAReturnUrl> {
        let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
        let is_local = |rest: &str| rest.is_empty() || rest.starts_with([':', '/', '?']);
        let starts = text.strip_prefix("https://").is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
            || local.iter().any(|host| text.strip_prefix(host).is_some_and(is_local));
        let (_, rest) = text.split_once("://").ok_or(NotAReturnUrl)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'));
        if starts && plain && !authority.contains('@') && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAReturnUrl)
        }
    }
}

impl std::fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_the_shop_over_https_or_on_this_machine() {
        for good in [
            "https://shop.example/checkout/done?order=1#paid",
            "https://shop.example",
            "http://localhost:3000/done",
            "http://127.0.0.1",
            "http://[::1]:8080/",
        ] {
            assert_eq!(good.parse::<ReturnUrl>().map(|url| url.to_string()), Ok(good.to_owned()));
        }
        let long = format!("https://shop.example/{}", "a".repeat(2000));
        for bad in [
            "",
            "/done",
            "shop.example/done",
            "http://shop.example/done",
            "http://localhost.evil.example/",
            "https://",
            "https:///done",
            "https://shop.example@evil.example/",
            "https://shop.example\\@evil.example/",
            "https://shop.example/a b",
            "https://shop.example/\u{202E}",
            "javascript:alert(1)",
            "ftp://shop.example/",
            &long,
        ] {
            assert!(bad.parse::<ReturnUrl>().is_err(), "{bad:?}");
        }
    }
}
