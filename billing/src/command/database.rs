//! The option that these commands share.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::store::Store;

/// Which database it is.
#[derive(Args)]
pub struct Database {
    /// The SQLite file that the service uses; it is created if it does not exist.
    #[arg(long = "database", value_name = "FILE")]
    file: PathBuf,
}

impl Database {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be used.
    pub(crate) fn open(&self) -> Result<Store> {
        let file = self.file.display();
        Store::open(&self.file).with_context(|| format!("cannot use the database {file}"))
    }
}
