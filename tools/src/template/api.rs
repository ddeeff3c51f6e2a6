//! The template's settings of its HTTP API, and of a function's resources.

use serde::Deserialize;
use serde_yaml_ng::Value;

use super::{TemplateError, at, reference, typed};

/// The API's `CorsConfiguration` without the origins, which are a parameter of each deployment.
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

/// The CORS rules of an `AWS::Serverless::HttpApi`.
pub(super) fn cors(logical_id: &str, properties: &Value) -> Result<Option<Cors>, TemplateError> {
    let Some(configuration) = properties.get("CorsConfiguration") else {
        return Ok(None);
    };
    let place = format!("Resources.{logical_id}.Properties.CorsConfiguration");
    typed(configuration.clone(), place, "CORS configuration").map(Some)
}

/// A property of a function or of `Globals`: a number, or `!Ref` of a parameter whose default is a number.
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

#[cfg(test)]
mod tests {
    use crate::template::{Template, TemplateError};

    const SMALL: &str = "
Parameters:
  Seconds: {Type: Number, Default: 10}
  Text: {Type: String, Default: ten}
Globals: {Function: {Timeout: !Ref Seconds}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: !Split [',', !Ref Origins], AllowMethods: [GET], MaxAge: 600}
  Function:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/health}
";

    #[test]
    fn a_function_has_its_own_number_or_that_of_all_or_lambdas() -> Result<(), TemplateError> {
        let function = |text: &str| Template::parse(text).map(|template| template.functions[0].clone());
        let plain = function(SMALL)?;
        assert_eq!((plain.timeout_seconds, plain.memory_mb), (10, 128));
        let own = function(&SMALL.replace("health}", "health, Timeout: 60, MemorySize: 1024}"))?;
        assert_eq!((own.timeout_seconds, own.memory_mb), (60, 1024));
        for bad in ["!Ref Text", "!Ref Nothing", "!If [A, 1, 2]", "soon"] {
            let error = function(&SMALL.replace("health}", &format!("health, Timeout: {bad}}}"))).err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains("Resources.Function.Properties.Timeout"), "{bad}: {message}");
        }
        Ok(())
    }

    #[test]
    fn cors_rules_are_read_without_the_origins() -> Result<(), TemplateError> {
        let cors = Template::parse(SMALL)?.cors;
        assert_eq!(cors.map(|cors| (cors.allow_methods, cors.max_age)), Some((vec!["GET".to_owned()], 600)));
        Ok(())
    }
}
