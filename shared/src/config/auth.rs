//! How tokens are verified.

use crate::config::{roots::Roots, secret::Secret, vars::Vars};

#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// None: no key is configured, and every bearer token is refused.
    pub verifier: Option<VerifierConfig>,
}

#[derive(Clone, Debug)]
pub struct VerifierConfig {
    pub keys: KeySource,
    /// For keys that are fetched.
    pub roots: Roots,
    /// `JWT_ISSUER`: what `iss` must be.
    pub issuer: String,
    /// `JWT_AUDIENCE`: `aud` must name one of these, separated by commas, such as a web client and an app.
    pub audiences: Vec<String>,
    /// `JWT_ROLES_CLAIM` (`roles`): the claim that lists the caller's roles, such as `cognito:groups`, or its path in
    /// another claim, such as `realm_access.roles`. A claim with exactly this name comes first.
    pub roles_claim: String,
    /// `JWT_STAFF_ROLE` (`staff`): the role that staff routes require.
    pub staff_role: String,
}

/// Where the keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `JWT_JWKS` as JSON.
    Inline(String),
    /// `JWT_JWKS` as `https://…`, fetched at cold start, every few minutes, and when a token names an unknown key.
    Url(String),
    /// `JWT_JWKS` as the path of a file in the function's package.
    File(String),
    /// `JWT_HS256_SECRET`, for a laptop.
    Hs256(Secret),
}

impl AuthConfig {
    pub(super) fn read(vars: &mut Vars, roots: Roots) -> Option<Self> {
        vars.declare(&["JWT_ISSUER", "JWT_AUDIENCE", "JWT_ROLES_CLAIM", "JWT_STAFF_ROLE"]);
        let keys = match (vars.get("JWT_JWKS"), vars.get("JWT_HS256_SECRET")) {
            (Some(_), Some(_)) => {
                vars.fault("JWT_JWKS and JWT_HS256_SECRET are both set: give one of them");
                return None;
            }
            (None, None) => return Some(Self { verifier: None }),
            (Some(text), None) if text.starts_with('{') => KeySource::Inline(text),
            (Some(text), None) if text.starts_with("https://") || is_loopback(&text) => KeySource::Url(text),
            (Some(text), None) if text.starts_with("http://") => {
                vars.fault("JWT_JWKS must be fetched over https://");
                return None;
            }
            (Some(text), None) => KeySource::File(text),
            (None, Some(secret)) => {
                if secret.len() < 32 {
                    vars.fault("JWT_HS256_SECRET must have at least 32 characters");
                }
                KeySource::Hs256(Secret::new(secret))
            }
        };
        let issuer = vars.required("JWT_ISSUER");
        let audiences: Vec<String> = vars.required("JWT_AUDIENCE").map(|text| listed(&text)).unwrap_or_default();
        if audiences.is_empty() {
            vars.fault("JWT_AUDIENCE is missing");
        }
        Some(Self {
            verifier: Some(VerifierConfig {
                keys,
                roots,
                issuer: issuer?,
                audiences,
                roles_claim: vars.get("JWT_ROLES_CLAIM").unwrap_or_else(|| "roles".to_owned()),
                staff_role: vars.get("JWT_STAFF_ROLE").unwrap_or_else(|| "staff".to_owned()),
            }),
        })
    }
}

/// The parts between commas.
fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(ToOwned::to_owned).collect()
}

/// What is on the same machine may be reached without TLS.
pub(super) fn is_loopback(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|host| url.strip_prefix(host).is_some_and(|rest| rest.starts_with(':') || rest.starts_with('/')))
}
