//! Durable files: the narrow seam to the disk, and the one way in which a file is replaced.

mod atomic;
mod checked;
mod disk;
mod durability;
mod lock;
mod not_durable;
mod state_dir;

pub use atomic::{PREVIOUS, replace};
pub use checked::{Damaged, seal, unseal};
pub use disk::Disk;
pub use lock::StateDirLock;
pub use not_durable::{FileSystemFlaw, NotDurable};
pub use state_dir::StateDir;

#[cfg(test)]
mod tests;
