//! `token`: makes, lists and revokes the tokens that callers and panels authenticate with.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use intercom_wire::BoardName;

use super::database::Database;
use crate::audit::Actor;
use crate::operations::{self, Refusal, revoke_token};
use crate::principal::{Role, Secret, SecretDigest, holder_name};
use crate::program;
use crate::store::Transaction;
use crate::store::tokens::{self, Listed};

/// What is done with the tokens. A running service notices it at once.
#[derive(Subcommand)]
pub enum Token {
    /// Makes a token and prints it, once: only its digest is kept.
    Add(Add),
    /// Lists all tokens, without the secrets: number, role, board, when made, when revoked, name.
    List {
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
    /// Revokes a token. It stays in the list.
    Revoke {
        /// The number that `list` shows.
        number: i64,
        /// Which database it is.
        #[command(flatten)]
        database: Database,
    },
}

/// The options of `token add`.
#[derive(Args)]
pub struct Add {
    /// What its holder may do.
    #[arg(long)]
    role: RoleName,
    /// The board that a panel's token is for, as `intercom-agent identity` shows it.
    #[arg(long, required_if_eq("role", "panel"))]
    board: Option<BoardName>,
    /// Who holds it, for people to read.
    #[arg(long, value_parser = holder_name)]
    name: Option<String>,
    #[command(flatten)]
    database: Database,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    /// The documented API and the page.
    Operator,
    /// The same, to read.
    Viewer,
    /// The routes for panels and the built-in broker, as one board.
    Panel,
    /// The credentials of the cameras, and nothing else.
    Camera,
}

impl Token {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// The database cannot be used, a board is missing or too many, or there is no such token.
    pub async fn run(self) -> Result<()> {
        match self {
            Token::Add(add) => add.run().await,
            Token::List { database } => {
                for token in database.open()?.read(tokens::list).await? {
                    program::print(line(&token))?;
                }
                Ok(())
            }
            Token::Revoke { number, database } => {
                match revoke_token(&database.open()?, number, Actor::CommandLine).await {
                    Err(Refusal::NotFound) => {
                        bail!("no token {number} is in force; see `intercom-billing token list`")
                    }
                    revoked => Ok(revoked?),
                }
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<()> {
        let role = match (self.role, self.board) {
            (RoleName::Panel, Some(board)) => Role::Panel(board),
            (RoleName::Operator, None) => Role::Operator,
            (RoleName::Viewer, None) => Role::Viewer,
            (RoleName::Camera, None) => Role::Camera,
            (RoleName::Panel, None) => bail!("the token of a panel needs --board"),
            (RoleName::Operator | RoleName::Viewer | RoleName::Camera, Some(_)) => {
                bail!("only the token of a panel has a --board")
            }
        };
        let secret = Secret::random()?;
        let add = move |transaction: &Transaction<'_>| {
            let digest = SecretDigest::of(secret.expose().as_bytes());
            let (name, by) = (self.name.as_deref(), Actor::CommandLine);
            operations::keep_token(transaction, digest, &role, name, &by)?;
            // What cannot be told is not kept.
            program::print(secret.expose())
        };
        self.database.open_or_make()?.write(add).await
    }
}

/// `NUMBER ROLE BOARD MADE REVOKED NAME`, tabs between them; `-` for what there is not.
fn line(token: &Listed) -> String {
    let board = token.role.board().map_or("-", BoardName::as_str);
    let revoked = token.revoked_at.as_deref().map_or("-".to_owned(), |at| format!("revoked {at}"));
    let name = token.name.as_deref().unwrap_or("-");
    let (number, role, made) = (token.number, token.role.word(), &token.made_at);
    format!("{number}\t{role}\t{board}\t{made}\t{revoked}\t{name}")
}
