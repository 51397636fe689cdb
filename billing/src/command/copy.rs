//! `copy`: a database moves from a file into PostgreSQL.

use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use crate::lock::Lock;
use crate::program;
use crate::store::Location;
use crate::store::copy::{copy, is_ours};

/// The options of `copy`.
#[derive(Args)]
#[command(after_help = "\
Example:
  intercom-billing copy --from billing.sqlite --to postgres://billing@db.example/billing

The service that uses the file must be stopped. A copy that was cut off is gone on with by the same
command. Each table is compared at the end, by the count and the digest of its rows. The file stays as it
is.")]
pub struct Copy {
    /// The SQLite file. No service may use it.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The URL of an empty PostgreSQL database.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The authorities that may have certified the PostgreSQL server, as PEM; those of the system without
    /// it.
    #[arg(long, value_name = "FILE")]
    to_ca: Option<PathBuf>,
}

impl Copy {
    /// Copies, and prints each table that is whole.
    ///
    /// # Errors
    /// A service uses the file, either side cannot be used, or what was copied is not the same.
    pub fn run(self) -> Result<()> {
        let to = Location::new(&self.to, self.to_ca.as_deref()).context("--to is wrong")?;
        let Location::Postgres(server) = &to else { bail!("--to is no postgres:// URL") };
        let cannot = || format!("cannot copy {} to {to}", self.from.display());
        if !self.from.exists() {
            return Err(anyhow!("there is no such file")).with_context(cannot);
        }
        // Before a file is made beside it.
        is_ours(&self.from).with_context(cannot)?;
        let _lock = Lock::take(&self.from).with_context(cannot)?;
        // The library has an asynchronous runtime of its own, which cannot begin inside another one.
        let copied = thread::scope(|scope| {
            let copying = scope.spawn(|| {
                copy(&self.from, server, |table| {
                    program::print(format_args!(
                        "{:<14} {:>9} rows  sha256 {}",
                        table.table, table.rows, table.digest
                    ))
                })
            });
            copying.join()
        });
        copied.unwrap_or_else(|_| bail!("it has panicked")).with_context(cannot)
    }
}
