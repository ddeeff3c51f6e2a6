//! The AWS region and credentials.

use crate::config::{secret::Secret, vars::Vars};

/// `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: set by Lambda, from the function's
/// role.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    pub region: String,
    pub access_key_id: Secret,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
}

impl AwsConfig {
    /// # Errors
    /// Notes every fault. `None` only if there is one.
    pub fn read(vars: &mut Vars) -> Option<Self> {
        let region = vars.required("AWS_REGION");
        let access_key_id = vars.required("AWS_ACCESS_KEY_ID");
        let secret_access_key = vars.required("AWS_SECRET_ACCESS_KEY");
        let session_token = vars.get("AWS_SESSION_TOKEN").map(Secret::new);
        Some(Self {
            region: region?,
            access_key_id: Secret::new(access_key_id?),
            secret_access_key: Secret::new(secret_access_key?),
            session_token,
        })
    }
}
