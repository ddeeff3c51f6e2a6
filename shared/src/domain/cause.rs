//! An error and all its causes as one text, for log lines and operators.

use std::error::Error;

/// The error and its causes, outermost first. A cause that is already in the text before it is not repeated.
///
/// This isn't the SDK's `DisplayErrorContext`, which prints the raw response: after a failed condition that has the
/// item, with the customer's address.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let why = cause.to_string();
        if !text.contains(&why) {
            text.push_str(": ");
            text.push_str(&why);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (text, rest) = texts.split_first().unwrap();
        Layer { text, source: (!rest.is_empty()).then(|| Box::new(layers(rest))) }
    }

    #[test]
    fn every_cause_is_named_once() {
        let of = |texts: &[&'static str]| chain(&layers(texts));
        assert_eq!(of(&["find due orders failed"]), "find due orders failed");
        assert_eq!(of(&["find failed", "service error", "AccessDenied"]), "find failed: service error: AccessDenied");
        assert_eq!(of(&["can't read x: not found", "not found"]), "can't read x: not found");
        assert_eq!(of(&["a", "b", "b", "c"]), "a: b: c");
    }
}
