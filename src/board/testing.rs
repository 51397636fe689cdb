//! A sandboxed board in a temporary directory, for tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Root;

/// A directory of its own, gone with the value.
pub(crate) struct Sandbox {
    dir: PathBuf,
    root: Root,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let dir = std::env::temp_dir().join(format!(
            "intercom-agent-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir_all(&dir).expect("a temporary directory");
        let root = Root::sandbox(&dir);
        Sandbox { dir, root }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, absolute: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.path(absolute);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder made");
        fs::write(&path, bytes).expect("the file written");
        path
    }

    /// Writes a file with a mode.
    pub(crate) fn write_mode(&self, absolute: &str, bytes: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.write(absolute, bytes);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the mode set");
        path
    }

    pub(crate) fn read(&self, absolute: &str) -> String {
        fs::read_to_string(self.root.path(absolute)).expect("the file read")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
