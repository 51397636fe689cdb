//! Where the board's absolute paths begin: `/`, or the directory of a sandboxed board.

use std::path::{Component, Path, PathBuf};

/// The directory under which every absolute path is read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    sandbox: Option<PathBuf>,
}

impl Root {
    /// The machine itself.
    pub fn system() -> Self {
        Root { sandbox: None }
    }

    /// A sandboxed board whose files are all under `dir`, an absolute path.
    pub fn sandbox(dir: impl Into<PathBuf>) -> Self {
        Root { sandbox: Some(dir.into()) }
    }

    /// Whether this is a sandboxed board: its link and flash are plain files.
    pub fn is_sandbox(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Where an absolute path of the board really is. In a sandbox, `..` leads nowhere.
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        let Some(dir) = &self.sandbox else {
            return absolute.to_owned();
        };
        let mut path = dir.clone();
        for part in absolute.components() {
            if let Component::Normal(name) = part {
                path.push(name);
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_machine_has_its_paths_as_they_are() {
        assert_eq!(Root::system().path("/sys/a"), Path::new("/sys/a"));
        assert!(!Root::system().is_sandbox());
    }

    #[test]
    fn a_sandbox_has_every_path_under_its_directory() {
        let root = Root::sandbox("/box");
        assert!(root.is_sandbox());
        assert_eq!(root.path("/sys/a"), Path::new("/box/sys/a"));
        assert_eq!(root.path("relative"), Path::new("/box/relative"));
        assert_eq!(root.path("/"), Path::new("/box"));
    }

    proptest! {
        #[test]
        fn nothing_leads_out_of_a_sandbox(parts in prop::collection::vec("\\.\\.|\\.|/|[a-z]", 0..12)) {
            let path = Root::sandbox("/box").path(parts.join("/"));
            prop_assert!(path.starts_with("/box"));
            prop_assert!(path.components().all(|part| part != Component::ParentDir));
        }
    }
}
