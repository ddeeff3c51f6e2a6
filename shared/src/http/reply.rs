//! Responses as the caller of the function reads them.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::{Body, Response};
use serde::Serialize;

/// The form that the caller of the function reads. `Http` serves every API of API Gateway, and function URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Http,
    /// The same without a body: the answer to a HEAD request.
    Head,
    /// `several`: the target group uses multi-value headers.
    LoadBalancer {
        several: bool,
    },
}

impl Form {
    /// For the answer to a request of an HTTP API.
    pub fn of_method(method: &str) -> Self {
        if method == "HEAD" { Self::Head } else { Self::Http }
    }
}

/// The reply in the caller's form.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    body: String,
    is_base64_encoded: bool,
}

impl Reply {
    pub fn new(response: Response<Body>, form: Form) -> Self {
        let (head, body) = response.into_parts();
        let mut values = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &head.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            values.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let (body, is_base64_encoded) = match body {
            _ if form == Form::Head => (String::new(), false),
            Body::Text(text) => (text, false),
            Body::Binary(bytes) => (STANDARD.encode(bytes), true),
            _ => (String::new(), false),
        };
        let several = form == Form::LoadBalancer { several: true };
        let (headers, multi_value_headers) = if several {
            (None, Some(values))
        } else {
            (Some(values.into_iter().map(|(name, values)| (name, values.join(", "))).collect()), None)
        };
        let status_description = matches!(form, Form::LoadBalancer { .. }).then(|| head.status.to_string());
        Self {
            status_code: head.status.as_u16(),
            status_description,
            headers,
            multi_value_headers,
            body,
            is_base64_encoded,
        }
    }
}
