//! The option that these commands share.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::store::{Location, OpenError, Store};

/// Which database it is.
#[derive(Args)]
pub struct Database {
    /// The database of the service: the SQLite file, or the URL of a PostgreSQL database,
    /// postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "FILE|URL", hide_env_values = true)]
    database: String,
    /// The authorities that may have certified a PostgreSQL server, as PEM; those of the system without
    /// it.
    #[arg(long, value_name = "FILE")]
    database_ca: Option<PathBuf>,
}

impl Database {
    /// Opens it.
    ///
    /// # Errors
    /// It is not there, or cannot be used.
    pub(crate) fn open(&self) -> Result<Store> {
        self.opened(Store::open_existing)
    }

    /// Opens it, made if it is not there: with a token from before the first start nobody ever gets in
    /// without one.
    ///
    /// # Errors
    /// It cannot be used.
    pub(crate) fn open_or_make(&self) -> Result<Store> {
        self.opened(Store::open)
    }

    /// Where it is.
    ///
    /// # Errors
    /// The URL or the PEM file is wrong.
    pub(crate) fn location(&self) -> Result<Location> {
        // Not with the name, which may have a password.
        Location::new(&self.database, self.database_ca.as_deref()).context("--database is wrong")
    }

    fn opened(&self, open: impl FnOnce(Location) -> Result<Store, OpenError>) -> Result<Store> {
        let location = self.location()?;
        let name = location.to_string();
        open(location).with_context(|| format!("cannot use the database {name}"))
    }
}
