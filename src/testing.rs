//! A sandboxed board in a temporary directory, for tests.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::root::Root;

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

    /// Writes an executable script. Another process writes it: a file that this one has open for
    /// writing, even in a thread that is just forking something else, cannot be run (`ETXTBSY`).
    pub(crate) fn script(&self, absolute: &str, text: &str) -> PathBuf {
        let draft = self.write(&format!("{absolute}.draft"), format!("#!/bin/sh\n{text}\n"));
        let path = self.root.path(absolute);
        let mut copy = std::process::Command::new("install");
        let copied = copy.arg("-m755").arg(&draft).arg(&path).status();
        assert!(copied.expect("install runs").success());
        fs::remove_file(draft).expect("the draft removed");
        path
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Tells whether processes that hold a pipe are still there. Each opens [`Alive::path`] for writing.
pub(crate) struct Alive {
    path: PathBuf,
    pipe: fs::File,
}

impl Alive {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let path = sandbox.root.path("/alive");
        mkfifo(&path, Mode::S_IRWXU).expect("a named pipe");
        let pipe = fs::OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(&path)
            .expect("the pipe open");
        Alive { path, pipe }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until none of them is there any more; fails if none ever was, or one stays.
    pub(crate) fn wait_until_gone(mut self) {
        let limit = Instant::now() + Duration::from_secs(20);
        let mut said = Vec::new();
        loop {
            match self.pipe.read_to_end(&mut said) {
                Ok(_) => break,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                    assert!(Instant::now() < limit, "a process is still there");
                    std::thread::yield_now();
                }
                Err(why) => panic!("the pipe: {why}"),
            }
        }
        assert!(!said.is_empty(), "no process ever was there");
    }
}
