//! `identity.json` and `identity.env`: how the panel's other software learns who the panel is.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;

use crate::contract::{BoardName, FactoryIdentity, Identity};

/// For programs that read JSON.
const JSON: &str = "identity.json";
/// For shell scripts and for systemd's `EnvironmentFile=`.
const ENV: &str = "identity.env";

/// What the runtime files say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuntimeFiles {
    /// The identity that the panel has now.
    #[serde(flatten)]
    pub identity: Identity,
    /// The id that billing knows the panel by, where it has been learnt.
    pub id: Option<i64>,
    /// The interface that carries the MAC address.
    pub interface: String,
    /// The model, where it is known.
    pub model: Option<String>,
    /// The stable name of the board.
    pub board: BoardName,
    /// What the board had when the agent first ran.
    pub factory: FactoryIdentity,
}

impl RuntimeFiles {
    /// Writes both files into `dir`, which is made if it is not there. A file that says the same
    /// already is left alone.
    ///
    /// # Errors
    /// As the file system's.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        write_if_changed(dir, JSON, json.as_bytes())?;
        write_if_changed(dir, ENV, self.env().as_bytes())
    }

    /// The lines of `identity.env`. What is not known is there and empty, so that a script under
    /// `set -u` can ask for it.
    fn env(&self) -> String {
        let mac = self.identity.mac.to_string();
        let id = self.id.map(|id| id.to_string());
        let factory = self.factory.known();
        let factory_mac = factory.map(|factory| factory.mac.to_string());
        let serial = |identity: &Identity| Some(identity.serial_number.as_ref()?.to_string());
        let mut lines = String::new();
        for (name, value) in [
            ("MAC", Some(mac)),
            ("SERIAL_NUMBER", serial(&self.identity)),
            ("ID", id),
            ("INTERFACE", Some(self.interface.clone())),
            ("MODEL", self.model.clone()),
            ("BOARD", Some(self.board.to_string())),
            ("FACTORY_MAC", factory_mac),
            ("FACTORY_SERIAL_NUMBER", factory.and_then(serial)),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "INTERCOM_{name}={}", quoted(&value.unwrap_or_default()));
        }
        lines
    }
}

/// A value as both a shell and systemd's `EnvironmentFile=` read it: in double quotes, where the
/// two agree on what a backslash does. (In single quotes they differ: systemd has no `'\''`.)
fn quoted(value: &str) -> String {
    let mut text = String::from('"');
    for character in value.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\' | '`' | '$') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    text
}

/// Replaces a file by rename, so that no reader ever sees half of it.
pub(super) fn write_if_changed(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = dir.join(name);
    if fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let temporary = dir.join(format!(".{name}.new"));
    match fs::remove_file(&temporary) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&temporary)?
        .write_all(bytes)?;
    fs::rename(&temporary, path)
}
