//! Who changes what: what the audit log says of each change. It never has a secret.

use std::fmt;

use intercom_wire::{BoardName, RequestId};
use uuid::Uuid;

use crate::principal::Principal;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A caller of the HTTP routes, the page among them.
    Caller {
        /// Who it is.
        principal: Principal,
        /// The ID of the call, as its answer and the log have it.
        call: Option<Uuid>,
    },
    /// Somebody who has not said who it is.
    Unknown {
        /// As above.
        call: Option<Uuid>,
    },
    /// Somebody at this machine, by a command.
    CommandLine,
    /// The service itself.
    Service,
    /// The service, with what a caller has begun: as it was written down then.
    Starter {
        /// The short name.
        name: String,
        /// With the role and the name of the token.
        who: String,
        /// The ID of the call.
        call: Option<Uuid>,
    },
}

/// What an action is on: those of these things that it has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The intercom.
    pub intercom_id: Option<i64>,
    /// The request.
    pub request_id: Option<&'a RequestId>,
    /// The board.
    pub board: Option<&'a BoardName>,
    /// The token, by its number.
    pub token: Option<i64>,
    /// The rest, in words.
    pub detail: Option<&'a str>,
}

impl Actor {
    /// Its short name, which the log is searched by: without the role and the name of its token.
    pub fn name(&self) -> String {
        match self {
            Actor::Caller { principal: Principal::Holder { token, .. }, .. } => {
                format!("token {token}")
            }
            Actor::Caller { principal: Principal::Anybody, .. }
            | Actor::Unknown { .. }
            | Actor::CommandLine
            | Actor::Service => self.to_string(),
            Actor::Starter { name, .. } => name.clone(),
        }
    }

    /// The ID of the call, where it is one.
    pub fn call(&self) -> Option<Uuid> {
        match self {
            Actor::Caller { call, .. } | Actor::Unknown { call } | Actor::Starter { call, .. } => {
                *call
            }
            Actor::CommandLine | Actor::Service => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Caller { principal, .. } => principal.fmt(f),
            Actor::Unknown { .. } => f.write_str("unknown"),
            Actor::CommandLine => f.write_str("command line"),
            Actor::Service => f.write_str("service"),
            Actor::Starter { who, .. } => f.write_str(who),
        }
    }
}

/// Defines the actions with their words in the database and in answers.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What is done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $name,)+
        }

        impl Action {
            /// Every action.
            pub const EVERY: &[Action] = &[$(Action::$name),+];

            /// The word that stands in the database and in answers.
            pub fn word(self) -> &'static str {
                match self {
                    $(Action::$name => $word,)+
                }
            }
        }
    };
}

actions! {
    /// An intercom is created.
    Create = "create",
    /// Billing data of an intercom is changed.
    Change = "change",
    /// Another identity is asked for.
    Replace = "replace",
    /// The identity before is asked for.
    Undo = "undo",
    /// A request is taken back.
    Cancel = "cancel",
    /// Two intercoms exchange their panels.
    Swap = "swap",
    /// An intercom is deleted.
    Delete = "delete",
    /// A PATCH has reported how a request ended.
    Report = "report",
    /// A MAC address is said to be a board's.
    Enrol = "enrol",
    /// A change by hand counts.
    AcceptByHand = "accept_by_hand",
    /// A change by hand does not count.
    DismissByHand = "dismiss_by_hand",
    /// A board is asked for the identity of its door once more.
    AskAgain = "ask_again",
    /// The record follows its board.
    Follow = "follow",
    /// Only one board has this name.
    NoTwins = "no_twins",
    /// A request goes to the door's board.
    OfferToTheDoor = "offer_to_the_door",
    /// A token is made.
    AddToken = "add_token",
    /// A token is revoked.
    RevokeToken = "revoke_token",
    /// A webhook is added.
    AddWebhook = "add_webhook",
    /// A webhook is removed.
    RemoveWebhook = "remove_webhook",
    /// Quiet hours of a group are set.
    SetQuietHours = "set_quiet_hours",
    /// A group has no quiet hours any more.
    RemoveQuietHours = "remove_quiet_hours",
    /// How long ended requests are kept is set.
    SetRetention = "set_retention",
    /// A session on the page begins.
    SignIn = "sign_in",
    /// What was given to sign in with is no token that may.
    SignInFailed = "sign_in_failed",
    /// A session is ended by its holder.
    SignOut = "sign_out",
    /// The rows of a file are run.
    RunImport = "run_import",
}

impl Action {
    /// The action of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::EVERY.iter().copied().find(|action| action.word() == word)
    }
}
