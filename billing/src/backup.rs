//! `backup` and `restore`: a copy of the database in one file, and back.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::lock::Lock;
use crate::store::backup::copy;
use crate::store::is_url;

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

/// A URL is not shown: it may have a password.
fn must_be_a_file(database: &Path) -> Result<()> {
    let is_url = database.to_str().is_some_and(is_url);
    ensure!(!is_url, "this is for SQLite's file: PostgreSQL has pg_dump and pg_restore");
    Ok(())
}

impl ToFile {
    /// Copies the database as it is now.
    ///
    /// # Errors
    /// The copy cannot be made; nothing is left of it then.
    pub fn run(self) -> Result<()> {
        must_be_a_file(&self.database)?;
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
        must_be_a_file(&self.database)?;
        let (database, from) = (self.database.display(), self.from.display());
        let cannot = || format!("cannot restore {database} from {from}");
        let _lock = Lock::take(&self.database).with_context(cannot)?;
        copy(&self.from, &self.database).with_context(cannot)
    }
}
