//! What the template says of its HTTP API, and of how much a function may take.

use serde::Deserialize;
use serde_yaml_ng::Value;

use super::{TemplateError, at, reference, typed};

/// The API's `CorsConfiguration`, but for the origins: those are a parameter of each deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cors {
    #[serde(default)]
    pub allow_methods: Vec<String>,
    #[serde(default)]
    pub allow_headers: Vec<String>,
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// In seconds.
    #[serde(default)]
    pub max_age: u64,
}

/// Of an `AWS::Serverless::HttpApi`.
pub(super) fn cors(logical_id: &str, properties: &Value) -> Result<Option<Cors>, TemplateError> {
    let Some(configuration) = properties.get("CorsConfiguration") else {
        return Ok(None);
    };
    let place = format!("Resources.{logical_id}.Properties.CorsConfiguration");
    typed(configuration.clone(), place, "CORS configuration").map(Some)
}

/// A property of a function, or of all, that is a number or `!Ref` of a parameter with one as its default.
pub(super) fn number(
    document: &Value,
    logical_id: &str,
    properties: &Value,
    name: &'static str,
    without: u64,
) -> Result<u64, TemplateError> {
    let Some(value) = properties.get(name).or_else(|| at(document, &["Globals", "Function", name])) else {
        return Ok(without);
    };
    let parameter = reference(value).and_then(|parameter| at(document, &["Parameters", parameter, "Default"]));
    let place = || format!("Resources.{logical_id}.Properties.{name}");
    parameter.unwrap_or(value).as_u64().ok_or_else(|| TemplateError::NoNumber { place: place() })
}
