//! An event that goes well and one that doesn't, and what they answer.

use std::fmt::Write as _;

use serde_json::Value;
use shared::http::route::CallerKind;

use super::{Method, NewRoute, NewRouteError, Plan};
use crate::fixtures;

pub(super) fn add(plan: &mut Plan, route: &NewRoute) -> Result<(), NewRouteError> {
    let name = &route.name;
    let guest = ("x-guest-id", fixtures::GUEST.to_string());
    let who = match route.caller {
        CallerKind::Anyone => None,
        CallerKind::Newcomer | CallerKind::Caller => Some(guest),
        CallerKind::SignedIn => Some(("authorization", token(plan, "claim.json")?)),
        CallerKind::Staff => Some(("authorization", token(plan, "update-order-status.json")?)),
    };
    // A token that has expired is refused whoever the route is for.
    let expired = Some(("authorization", token(plan, "get-order.bad.json")?));
    let outcomes = plan.read("events/expected.json")?.text.lines().count();
    plan.create(format!("events/{name}.json"), event(route, who, 200 + outcomes));
    plan.create(format!("events/{name}.bad.json"), event(route, expired, 201 + outcomes));
    plan.edit("events/expected.json", |text| {
        let rows = format!(
            "  \"{name}.json\": {{\"status\": 200}},\n  \"{name}.bad.json\": {{\"status\": 401, \"code\": \"INVALID_TOKEN\"}},\n"
        );
        text.before("  \"health.json\": ", &rows)
    })
}

/// Who sends another event.
fn token(plan: &Plan, file: &str) -> Result<String, NewRouteError> {
    let path = format!("events/{file}");
    let odd = |why: String| NewRouteError::Odd { path: path.clone(), why };
    let event: Value = serde_json::from_str(&plan.read(&path)?.text).map_err(|error| odd(error.to_string()))?;
    let token = event.get("headers").and_then(|headers| headers.get("authorization")).and_then(Value::as_str);
    token.map(ToOwned::to_owned).ok_or_else(|| odd("it has no Authorization header".to_owned()))
}

/// In the form of API Gateway. The number makes its ids and its time its own.
fn event(route: &NewRoute, who: Option<(&str, String)>, number: usize) -> String {
    let (method, path) = (route.method.name(), &route.path);
    let parameters = [
        ("checkoutId", fixtures::CHECKOUT.to_string()),
        ("orderId", fixtures::ORDER.to_string()),
        ("paymentMethodId", "pm_1OzPVT2eZvKYlo2C".to_owned()),
        ("productId", "espresso-beans".to_owned()),
    ];
    let parameters: Vec<_> = parameters.into_iter().filter(|(name, _)| path.contains(&format!("{{{name}}}"))).collect();
    let raw = parameters.iter().fold(path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let body = match route.method {
        Method::Get | Method::Delete => None,
        Method::Post | Method::Put | Method::Patch if parameters.is_empty() => {
            Some(format!("{{\"checkoutId\":\"{}\"}}", fixtures::CHECKOUT))
        }
        Method::Post | Method::Put | Method::Patch => Some("{}".to_owned()),
    };

    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("accept-encoding", "gzip, deflate, br".to_owned()),
        ("content-length", body.as_ref().map_or(0, String::len).to_string()),
        ("host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com".to_owned()),
        ("user-agent", "shop-web/1.0".to_owned()),
        ("x-amzn-trace-id", format!("Root=1-6b0438e3-{number:024}")),
        ("x-forwarded-for", "203.0.113.24".to_owned()),
        ("x-forwarded-port", "443".to_owned()),
        ("x-forwarded-proto", "https".to_owned()),
    ];
    headers.extend(body.is_some().then(|| ("content-type", "application/json".to_owned())));
    headers.extend(who);
    headers.sort_unstable();
    let member = |(name, value): &(&str, String)| format!("    \"{name}\": \"{value}\"");
    let list = |members: &[(&str, String)]| members.iter().map(member).collect::<Vec<_>>().join(",\n");

    let mut rest = String::new();
    if !parameters.is_empty() {
        let _ = write!(rest, "  \"pathParameters\": {{\n{}\n  }},\n", list(&parameters));
    }
    if let Some(body) = body {
        let _ = writeln!(rest, "  \"body\": {},", Value::String(body));
    }
    format!(
        r#"{{
  "version": "2.0",
  "routeKey": "{method} {path}",
  "rawPath": "{raw}",
  "rawQueryString": "",
  "headers": {{
{headers}
  }},
  "requestContext": {{
    "accountId": "123456789012",
    "apiId": "a1b2c3d4e5",
    "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
    "domainPrefix": "a1b2c3d4e5",
    "http": {{
      "method": "{method}",
      "path": "{raw}",
      "protocol": "HTTP/1.1",
      "sourceIp": "203.0.113.24",
      "userAgent": "shop-web/1.0"
    }},
    "requestId": "Kx3vSh{number:03}IAMEVtw=",
    "routeKey": "{method} {path}",
    "stage": "$default",
    "time": "23/Nov/2026:13:{minute:02}:{second:02} +0000",
    "timeEpoch": {epoch}
  }},
{rest}  "isBase64Encoded": false
}}
"#,
        headers = list(&headers),
        minute = number / 60 % 60,
        second = number % 60,
        // 13:00 of that day.
        epoch = 1_795_438_800_000 + number % 3600 * 1000,
    )
}
