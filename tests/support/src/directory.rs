//! A directory that is gone with the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::built;

/// A new directory on the disk that was built on; removed with the value.
pub struct Directory(PathBuf);

impl Directory {
    /// Makes one, empty.
    #[allow(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A namespace has process ids of its own, so that this one may have been used before.
        let (pid, ns) = (process::id(), fs::read_link("/proc/self/ns/pid").expect("a namespace"));
        let name = format!("{}-{pid}-{number}", ns.display()).replace([':', '[', ']'], "-");
        let dir = built::room().join(name);
        // Left over by a test that was killed.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a directory");
        Directory(dir)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
