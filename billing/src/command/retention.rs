//! `retention`: how long ended requests are kept.

use anyhow::Result;
use clap::{Subcommand, value_parser};

use super::database::Database;
use crate::audit::Actor;
use crate::operations;
use crate::program;
use crate::retention::DAYS;
use crate::store::retention;

/// What is done. A running service reads it within the hour.
#[derive(Subcommand)]
pub enum Retention {
    /// Prints for how many days ended requests are kept.
    Show {
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
    /// Sets it.
    Set {
        /// For how many days.
        #[arg(value_parser = value_parser!(i64).range(DAYS))]
        days: i64,
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
}

impl Retention {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn run(self) -> Result<()> {
        match self {
            Retention::Show { database } => {
                program::print(database.open()?.read(retention::days).await?)?;
            }
            Retention::Set { days, database } => {
                let by = Actor::CommandLine;
                let store = database.open()?;
                store.write(move |t| operations::set_retention_days(t, days, &by)).await?;
            }
        }
        Ok(())
    }
}
