//! The option that these commands share.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::store::{OpenError, Store};

/// Which database it is.
#[derive(Args)]
pub struct Database {
    /// The SQLite file that the service uses.
    #[arg(long = "database", value_name = "FILE")]
    file: PathBuf,
}

impl Database {
    /// Opens it.
    ///
    /// # Errors
    /// It is not there, or cannot be used.
    pub(crate) fn open(&self) -> Result<Store> {
        self.opened(Store::open_existing(&self.file))
    }

    /// Opens it, made if it is not there: with a token from before the first start nobody ever gets in
    /// without one.
    ///
    /// # Errors
    /// It cannot be used.
    pub(crate) fn open_or_make(&self) -> Result<Store> {
        self.opened(Store::open(&self.file))
    }

    fn opened(&self, store: Result<Store, OpenError>) -> Result<Store> {
        store.with_context(|| format!("cannot use the database {}", self.file.display()))
    }
}
