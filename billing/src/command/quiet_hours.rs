//! `quiet-hours`: sets, lists and removes the hours in which no panel of a group changes.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::database::Database;
use crate::audit::Actor;
use crate::operations::{self, Refusal};
use crate::program;
use crate::schedule::{QuietHours, TimeOfDay, ZoneName};
use crate::store::quiet_hours::{self, OfAGroup};

/// What is done with the quiet hours of groups.
#[derive(Subcommand)]
pub enum QuietHoursCommand {
    /// Sets those of a group.
    Set(Set),
    /// Lists those of all groups: group, begin, end, time zone.
    List {
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
    /// A group has none any more.
    Remove {
        /// The group.
        group: i64,
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
}

/// The options of `quiet-hours set`.
#[derive(Args)]
pub struct Set {
    /// The group.
    group: i64,
    /// Where the times count, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    time_zone: ZoneName,
    /// When they begin, each day.
    #[arg(long, value_name = "HH:MM")]
    begins: TimeOfDay,
    /// When they end; on the next day where that is earlier.
    #[arg(long, value_name = "HH:MM")]
    ends: TimeOfDay,
    #[command(flatten)]
    database: Database,
}

impl QuietHoursCommand {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// The database cannot be used, there is no such group, or it has no quiet hours.
    pub async fn run(self) -> Result<()> {
        match self {
            QuietHoursCommand::Set(set) => set.run().await,
            QuietHoursCommand::List { database } => {
                for OfAGroup { group_id, hours } in database.open()?.read(quiet_hours::list).await?
                {
                    let QuietHours { time_zone, begins, ends } = hours;
                    program::print(format_args!("{group_id}\t{begins}\t{ends}\t{time_zone}"))?;
                }
                Ok(())
            }
            QuietHoursCommand::Remove { group, database } => {
                let by = Actor::CommandLine;
                let store = database.open()?;
                let removed =
                    store.write(move |t| operations::remove_quiet_hours(t, group, &by)).await;
                match removed {
                    Err(Refusal::NotFound) => bail!("group {group} has no quiet hours"),
                    removed => Ok(removed?),
                }
            }
        }
    }
}

impl Set {
    async fn run(self) -> Result<()> {
        let Set { group, time_zone, begins, ends, database } = self;
        let hours = match QuietHours::new(time_zone, begins, ends) {
            Ok(hours) => hours,
            Err(why) => bail!("--ends {why}"),
        };
        let of = OfAGroup { group_id: group, hours };
        let by = Actor::CommandLine;
        let set = database.open()?.write(move |t| operations::set_quiet_hours(t, &of, &by)).await;
        match set {
            Err(Refusal::Invalid(_)) => bail!("there is no group {group}"),
            set => Ok(set?),
        }
    }
}
