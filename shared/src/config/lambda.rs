//! What Lambda tells a function about itself.

use crate::config::vars::Vars;

/// Set by Lambda; both may be missing elsewhere.
#[derive(Clone, Debug)]
pub struct LambdaConfig {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function_name: Option<String>,
    /// `AWS_LAMBDA_RUNTIME_API`: the host and port that events come from.
    pub runtime_api: Option<String>,
}

impl LambdaConfig {
    pub fn read(vars: &mut Vars) -> Self {
        Self { function_name: vars.get("AWS_LAMBDA_FUNCTION_NAME"), runtime_api: vars.get("AWS_LAMBDA_RUNTIME_API") }
    }
}
