//! A panel's user at a broker, as the broker's file has it: a hash of its password, and where the broker
//! has no rules for all panels at once, its permissions. Nothing in it depends on the MAC address.

use std::num::NonZeroU32;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bcrypt::Version;
use clap::ValueEnum;
use intercom_wire::BoardName;
use ring::pbkdf2::{PBKDF2_HMAC_SHA512, derive};
use ring::rand::{SecureRandom, SystemRandom};

use crate::principal::{NoRandomBytes, Secret};

/// What mosquitto_passwd uses. A password of 256 random bits needs no slow hash.
const MOSQUITTO_ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(100);
const MOSQUITTO_SALT_BYTES: usize = 12;
const MOSQUITTO_HASH_BYTES: usize = 64;
/// For the same reason.
const NATS_COST: u32 = 5;

/// A broker with users of its own.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum BrokerKind {
    /// A line for its password file.
    Mosquitto,
    /// A block for its list of users.
    Nats,
}

impl BrokerKind {
    /// The user of a board with this password.
    pub(super) fn user(self, board: &BoardName, password: &Secret) -> Result<String> {
        match self {
            BrokerKind::Mosquitto => Ok(mosquitto(board, password)?),
            BrokerKind::Nats => nats(board, password),
        }
    }

    /// Where it goes.
    pub(super) fn place(self) -> &'static str {
        match self {
            BrokerKind::Mosquitto => {
                "a line of mosquitto's intercoms.passwords, in place of an older one of this board"
            }
            BrokerKind::Nats => {
                "a line between the brackets of NATS's intercoms-users.conf, in place of an older one of \
                 this board"
            }
        }
    }
}

/// `BOARD:$7$ITERATIONS$SALT$HASH`: PBKDF2 with HMAC-SHA-512.
fn mosquitto(board: &BoardName, password: &Secret) -> Result<String, NoRandomBytes> {
    let mut salt = [0; MOSQUITTO_SALT_BYTES];
    SystemRandom::new().fill(&mut salt).map_err(|_| NoRandomBytes)?;
    let mut hash = [0; MOSQUITTO_HASH_BYTES];
    let password = password.expose().as_bytes();
    derive(PBKDF2_HMAC_SHA512, MOSQUITTO_ITERATIONS, &salt, password, &mut hash);
    let (salt, hash) = (BASE64_STANDARD.encode(salt), BASE64_STANDARD.encode(hash));
    Ok(format!("{board}:$7${MOSQUITTO_ITERATIONS}${salt}${hash}"))
}

/// The same block as `billing/nats/enrol` writes.
fn nats(board: &BoardName, password: &Secret) -> Result<String> {
    let hash = bcrypt::hash_with_result(password.expose(), NATS_COST)
        .context("cannot hash the password")?
        .format_for_version(Version::TwoA);
    let publish = list([
        format!("intercoms.by-board.{board}.status"),
        format!("intercoms.by-board.{board}.presence"),
        "intercoms.*.who".to_owned(),
        format!("intercoms.*.here.{board}"),
    ]);
    // Without allowed_connection_types the user could speak NATS's own protocol, and hear by the last
    // topic, which QoS 1 needs, what is for any other client.
    let subscribe = list([
        format!("intercoms.by-board.{board}"),
        format!("intercoms.by-board.{board}.>"),
        "intercoms.who".to_owned(),
        "intercoms.*.who".to_owned(),
        "intercoms.*.here.*".to_owned(),
        "$MQTT.sub.>".to_owned(),
    ]);
    Ok(format!(
        "  {{ user: \"{board}\", password: \"{hash}\", allowed_connection_types: [\"MQTT\"], \
         permissions: {{ publish: [{publish}], subscribe: [{subscribe}] }} }}"
    ))
}

fn list<const N: usize>(topics: [String; N]) -> String {
    topics.map(|topic| format!("\"{topic}\"")).join(", ")
}
