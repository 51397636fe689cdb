//! The board as a change uses it: the kernel's link and the runtime files.

use std::io;
use std::path::PathBuf;

use intercom_wire::Mac;

use super::{Board, Link, LinkError, RuntimeFiles};
use crate::environment;
use crate::root::Root;

/// The board that the agent runs on, or a sandboxed one.
#[derive(Debug)]
pub struct RealBoard {
    root: Root,
    link: Link,
    runtime_dir: PathBuf,
}

impl RealBoard {
    /// The board whose MAC address is that of `interface`, with its runtime files in `runtime_dir`
    /// (an absolute path of the board).
    pub fn new(root: &Root, interface: &str, runtime_dir: &std::path::Path) -> Self {
        RealBoard {
            root: root.clone(),
            link: Link::new(root.clone(), interface),
            runtime_dir: root.path(runtime_dir),
        }
    }
}

impl Board for RealBoard {
    fn link_mac(&mut self) -> Result<Mac, LinkError> {
        self.link.mac().map(|known| known.value)
    }

    fn set_link_mac(&mut self, mac: Mac) -> Result<(), LinkError> {
        self.link.set_mac(mac)
    }

    fn lacks_address(&mut self) -> bool {
        self.link.lacks_address()
    }

    fn write_runtime_files(&mut self, files: &RuntimeFiles) -> io::Result<()> {
        files.write(&self.runtime_dir)
    }

    fn environment(&mut self) -> Result<Option<uboot_env::Store>, uboot_env::Error> {
        environment::open(&self.root)
    }
}
