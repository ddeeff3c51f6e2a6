//! The routes of `cargo lambda watch`, which stand in the workspace's `Cargo.toml`.
//!
//! The template declares the routes; cargo-lambda can only read them from the manifest. So they stand
//! there a second time, and a test holds the two against each other with [`routes`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Why the manifest's routes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error("can't read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("[workspace.metadata.lambda.watch.router] can't be understood: {0}")]
    Invalid(#[from] toml::de::Error),
}

/// One line of the router: which function answers a method on a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchRoute {
    pub method: String,
    pub path: String,
    pub function: String,
}

#[derive(Deserialize)]
struct Manifest {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    lambda: Lambda,
}

#[derive(Deserialize)]
struct Lambda {
    watch: Watch,
}

#[derive(Deserialize)]
struct Watch {
    router: BTreeMap<String, Vec<Target>>,
}

#[derive(Deserialize)]
struct Target {
    method: String,
    function: String,
}

/// The routes of a workspace manifest, sorted.
pub fn routes(manifest: &Path) -> Result<Vec<WatchRoute>, RouterError> {
    let text = std::fs::read_to_string(manifest)
        .map_err(|source| RouterError::Unreadable { path: manifest.to_owned(), source })?;
    parse(&text)
}

fn parse(manifest: &str) -> Result<Vec<WatchRoute>, RouterError> {
    let manifest: Manifest = toml::from_str(manifest)?;
    let table = manifest.workspace.metadata.lambda.watch.router;
    let mut routes: Vec<_> = table
        .into_iter()
        .flat_map(|(path, targets)| {
            targets.into_iter().map(move |target| WatchRoute {
                method: target.method,
                path: path.clone(),
                function: target.function,
            })
        })
        .collect();
    routes.sort();
    Ok(routes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_methods_of_one_path_are_two_routes() -> Result<(), RouterError> {
        let manifest = r#"
            [workspace.metadata.lambda.watch.router]
            "/orders" = [{ method = "POST", function = "place" }, { method = "GET", function = "list" }]
        "#;
        let found: Vec<_> =
            parse(manifest)?.into_iter().map(|route| (route.method, route.path, route.function)).collect();
        let expected = [("GET", "/orders", "list"), ("POST", "/orders", "place")]
            .map(|(m, p, f)| (m.to_owned(), p.to_owned(), f.to_owned()));
        assert_eq!(found, expected);
        Ok(())
    }
}
