//! `backup` and `restore`: a copy of the database in one file, and back.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::lock::Lock;
use crate::store::backup::copy;

/// The options of `backup`.
#[derive(Args)]
pub struct ToFile {
    /// The SQLite file of the service, which may be running.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// The copy. There must be no such file yet.
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

/// The options of `restore`.
#[derive(Args)]
pub struct FromFile {
    /// Where the service will have its database. There must be no such file, and no service.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// The copy that `backup` made.
    #[arg(value_name = "FILE")]
    from: PathBuf,
}

impl ToFile {
    /// Copies the database as it is now.
    ///
    /// # Errors
    /// The copy cannot be made; nothing is left of it then.
    pub fn run(self) -> Result<()> {
        let (database, to) = (self.database.display(), self.to.display());
        copy(&self.database, &self.to).with_context(|| format!("cannot back {database} up to {to}"))
    }
}

impl FromFile {
    /// Puts a copy where the service finds it.
    ///
    /// # Errors
    /// A service runs there, a database is there already, or the copy is not a good one.
    pub fn run(self) -> Result<()> {
        let (database, from) = (self.database.display(), self.from.display());
        let cannot = || format!("cannot restore {database} from {from}");
        let _lock = Lock::take(&self.database).with_context(cannot)?;
        copy(&self.from, &self.database).with_context(cannot)
    }
}
