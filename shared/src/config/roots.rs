//! Whose certificates the servers of HTTPS may have.

use std::path::Path;

use crate::config::vars::Vars;

/// The certificate authorities that are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those that Mozilla trusts, compiled in. Reading the system's takes some 440 system calls, half of a cold start.
    CompiledIn,
    /// The system's, or only those in `SSL_CERT_FILE`.
    System,
}

impl Roots {
    /// `SSL_CERT_FILE`: a file in PEM, in the function's package or layer, for a network that opens TLS and signs with an
    /// authority of its own. Without it the compiled-in ones count.
    pub(super) fn read(vars: &mut Vars) -> Self {
        let Some(file) = vars.get("SSL_CERT_FILE") else { return Self::CompiledIn };
        if !Path::new(&file).is_file() {
            vars.fault("SSL_CERT_FILE must name a file of certificates in PEM that the function can read");
        }
        Self::System
    }
}
