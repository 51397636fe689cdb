//! `webhooks`: adds, lists and removes webhooks.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use super::database::Database;
use crate::audit::Actor;
use crate::operations::{self, Refusal};
use crate::program;
use crate::store::Transaction;
use crate::store::webhooks::{self, Listed, New};
use crate::webhooks::address::Address;
use crate::webhooks::secret::Secret;
use crate::webhooks::{
    MAX_OFFLINE_AFTER_SECONDS, MIN_OFFLINE_AFTER_SECONDS, OFFLINE_AFTER_SECONDS,
};

/// What is done with the webhooks. A running service notices it within seconds.
#[derive(Subcommand)]
pub enum Webhooks {
    /// Adds a webhook. Prints its secret, once, unless it is given.
    Add(Add),
    /// Lists all webhooks, without the secrets: ID, URL, waiting, delivered, lost, trouble.
    List {
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
    /// Removes a webhook, and what waits for it.
    Remove {
        /// The ID that `list` shows.
        id: i64,
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
}

/// The options of `webhooks add`.
#[derive(Args)]
pub struct Add {
    /// Where events are posted.
    #[arg(long)]
    url: Address,
    /// A file with the secret that deliveries are signed with, as `whsec_…`.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How long a door's panel is away before it is an event.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = OFFLINE_AFTER_SECONDS,
        value_parser = clap::value_parser!(i64)
            .range(MIN_OFFLINE_AFTER_SECONDS..=MAX_OFFLINE_AFTER_SECONDS)
    )]
    offline_after: i64,
    #[command(flatten)]
    database: Database,
}

impl Webhooks {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// The database or the secret's file cannot be used, or there is no such webhook.
    pub async fn run(self) -> Result<()> {
        match self {
            Webhooks::Add(add) => add.run().await,
            Webhooks::List { database } => {
                for webhook in database.open()?.read(webhooks::list).await? {
                    program::print(line(&webhook))?;
                }
                Ok(())
            }
            Webhooks::Remove { id, database } => {
                let by = Actor::CommandLine;
                let removed =
                    database.open()?.write(move |t| operations::remove_webhook(t, id, &by)).await;
                match removed {
                    Err(Refusal::NotFound) => {
                        bail!("there is no webhook {id}; see `intercom-billing webhooks list`")
                    }
                    removed => Ok(removed?),
                }
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<()> {
        let (secret, shown) = match &self.secret_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                let secret: Secret = text
                    .trim()
                    .parse()
                    .with_context(|| format!("the secret in {} is wrong", file.display()))?;
                (secret, None)
            }
            None => {
                let secret = Secret::random()?;
                let shown = secret.text();
                (secret, Some(shown))
            }
        };
        let url = self.url.as_str().to_owned();
        let new = New { url, secret, offline_after_ms: self.offline_after * 1000 };
        let by = Actor::CommandLine;
        let add = move |transaction: &Transaction<'_>| {
            let added = operations::add_webhook(transaction, &new, &by)?;
            // What cannot be told is not kept.
            program::print(shown.unwrap_or_else(|| added.id.to_string()))
        };
        self.database.open()?.write(add).await
    }
}

/// `ID URL WAITING DELIVERED LOST TROUBLE`, tabs between them; `-` for what there is not.
fn line(webhook: &Listed) -> String {
    let Listed { id, url, waiting, delivered, lost, trouble, .. } = webhook;
    let trouble = trouble.as_deref().unwrap_or("-");
    format!("{id}\t{url}\t{waiting} waiting\t{delivered} delivered\t{lost} lost\t{trouble}")
}
