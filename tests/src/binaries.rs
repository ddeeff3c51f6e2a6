//! The programs of this workspace, as `cargo build` makes them.

use std::{env, path::PathBuf, process::Command, sync::OnceLock};

use crate::servers::root;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Where a function's bootstrap, or `checkout`, lies. The first call builds all of them, which takes no time where
/// they have been built: so no test ever runs an old one.
pub fn binary(name: &str) -> PathBuf {
    let path = FOLDER.get_or_init(build).join(name);
    assert!(path.is_file(), "cargo built no {}", path.display());
    path
}

fn build() -> PathBuf {
    // target/<profile>/deps/suite-0123456789abcdef
    let suite = env::current_exe().expect("this process has a program");
    let folder = suite.ancestors().nth(2).expect("cargo's own folders").to_owned();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--workspace", "--bins", "--locked", "--quiet", "--profile", profile]);
    command.current_dir(root());
    // What cargo tells a test of its own package isn't for the cargo started here: build scripts would run again.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(&name);
        }
    }
    let output = command.output().unwrap_or_else(|error| panic!("can't start cargo: {error}"));
    assert!(
        output.status.success(),
        "the functions don't build (cargo build --workspace):\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder
}
