//! The sources of the functions, and their changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders and files that decide what a function does.
const ROOTS: [&str; 5] = ["functions", "shared", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// Each file's modification time and length.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sources(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Sources {
    /// The current files. A scan works on every system, and takes milliseconds for a few hundred files.
    pub fn look(root: &Path) -> Self {
        let mut found = BTreeMap::new();
        let mut left: Vec<_> = ROOTS.iter().map(|name| root.join(name)).collect();
        while let Some(path) = left.pop() {
            // A file that was deleted in the meantime is left out.
            let Ok(about) = fs::metadata(&path) else { continue };
            if about.is_dir() {
                left.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
            } else if !is_scratch(&path) {
                let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.insert(path, (changed, about.len()));
            }
        }
        Self(found)
    }

    /// The files that are new, changed or deleted in `later`.
    pub fn changed_in<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = &'a Path> {
        let other = later.0.iter().filter(|(path, state)| self.0.get(*path) != Some(state));
        let gone = self.0.iter().filter(|(path, _)| !later.0.contains_key(*path));
        other.chain(gone).map(|(path, _)| path.as_path())
    }
}

/// Temporary files of editors.
fn is_scratch(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = [".swp", ".swx", ".tmp", "~"];
    name.starts_with('.') || name.starts_with('#') || ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_a_changed_and_a_deleted_file_are_seen_and_an_editors_is_not() {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("functions/health/src");
        fs::create_dir_all(&source).unwrap();
        for name in ["same.rs", "other.rs", "gone.rs"] {
            fs::write(source.join(name), "1").unwrap();
        }
        let before = Sources::look(root.path());

        fs::write(source.join("other.rs"), "22").unwrap();
        fs::write(source.join("new.rs"), "1").unwrap();
        fs::write(source.join(".other.rs.swp"), "1").unwrap();
        fs::write(root.path().join("README.md"), "1").unwrap();
        fs::remove_file(source.join("gone.rs")).unwrap();

        let after = Sources::look(root.path());
        let changed: Vec<_> = before.changed_in(&after).map(|path| path.strip_prefix(&source).unwrap()).collect();
        assert_eq!(changed, [Path::new("new.rs"), Path::new("other.rs"), Path::new("gone.rs")]);
    }
}
