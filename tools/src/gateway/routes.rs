//! Which function answers a request: the template's routes, matched as an HTTP API matches them.

use std::collections::BTreeMap;

use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::template::{Route, Template};

/// The routes of a template.
#[derive(Debug)]
pub struct Routes {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    route: Route,
    function: String,
}

/// The route that a request takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Match {
    pub route: Route,
    pub function: String,
    /// The decoded value of each `{name}`.
    pub parameters: BTreeMap<String, String>,
}

impl Routes {
    pub fn of(template: &Template) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for function in &template.functions {
            for route in &function.routes {
                entries.push(Entry { route: route.clone(), function: function.name().to_owned() });
            }
        }
        // The most specific route wins: the one with a fixed segment where the other has a parameter.
        entries.sort_by_key(|entry| {
            let parameters = entry.route.path.split('/').map(|step| name_of(step).is_some());
            (parameters.collect::<Vec<_>>(), entry.route.method == "ANY")
        });
        Self { entries }
    }

    /// The route of this method and path, the latter as the client sent it.
    pub fn find(&self, method: &Method, path: &str) -> Option<Match> {
        self.entries.iter().find_map(|Entry { route, function }| {
            if route.method != method.as_str() && route.method != "ANY" {
                return None;
            }
            let parameters = parameters(&route.path, path)?;
            Some(Match { route: route.clone(), function: function.clone(), parameters })
        })
    }
}

/// The parameters of a path that fits this pattern.
fn parameters(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut parameters = BTreeMap::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(given)) => {
                let given = decoded(given);
                match name_of(wanted) {
                    Some(name) if !given.is_empty() => {
                        parameters.insert(name.to_owned(), given);
                    }
                    None if wanted == given => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

/// `orderId` of `{orderId}`.
fn name_of(step: &str) -> Option<&str> {
    step.strip_prefix('{')?.strip_suffix('}')
}

/// A percent-decoded text.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(entries: &[(&str, &str)]) -> Routes {
        let functions = entries.iter().enumerate().map(|(at, (method, path))| {
            format!(
                "F{at}: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: functions/f{at}, Timeout: 10, \
                 MemorySize: 512, Events: {{Route: {{Type: HttpApi, Properties: {{Method: {method}, Path: '{path}'}}}}}}}}}}"
            )
        });
        let text = format!("Resources: {{{}}}", functions.collect::<Vec<_>>().join(", "));
        Routes::of(&Template::parse(&text).unwrap())
    }

    fn found(routes: &Routes, method: &Method, path: &str) -> Option<String> {
        routes.find(method, path).map(|found| found.function)
    }

    #[test]
    fn a_plain_word_wins_over_a_parameter_wherever_it_is_declared() {
        let routes = routes(&[("GET", "/orders/{id}"), ("GET", "/orders/last"), ("ANY", "/orders/last")]);
        assert_eq!(found(&routes, &Method::GET, "/orders/last").as_deref(), Some("f1"));
        assert_eq!(found(&routes, &Method::GET, "/orders/first").as_deref(), Some("f0"));
        assert_eq!(found(&routes, &Method::PUT, "/orders/last").as_deref(), Some("f2"));
    }

    #[test]
    fn what_has_no_route_is_not_found() {
        let routes = routes(&[("GET", "/orders/{id}")]);
        for path in ["/", "/orders", "/orders/", "/orders/1/", "/orders/1/2", "/Orders/1", "//orders/1", "*"] {
            assert_eq!(found(&routes, &Method::GET, path), None, "{path}");
        }
        assert_eq!(found(&routes, &Method::POST, "/orders/1"), None);
    }

    #[test]
    fn a_parameter_is_decoded() {
        let found = routes(&[("GET", "/orders/{id}")]).find(&Method::GET, "/orders/a%20%E2%82%AC%2Fb").unwrap();
        assert_eq!(found.parameters, BTreeMap::from([("id".to_owned(), "a €/b".to_owned())]));
    }
}
