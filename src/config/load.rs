//! Reading the file, and finding the line and key of whatever is wrong in it.

use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::error::ConfigError;
use super::in_force::{InForce, Notes};
use super::section::Section;
use super::settings::Settings;
use super::validate::validate;
use crate::root::Root;
use crate::text;

/// Where the configuration is.
pub const DEFAULT_PATH: &str = "/etc/intercom-agent.toml";

/// Reads the configuration; a board without one has the defaults. A file that is named must be
/// there.
///
/// # Errors
/// When the file is there and unreadable or wrong, or is named and not there.
pub fn load(root: &Root, named: Option<&Path>) -> Result<Settings, ConfigError> {
    load_with_in_force(root, named).map(|(settings, _)| settings)
}

/// The same, with each setting as it stands in the file, or its default.
///
/// # Errors
/// As [`load`].
pub fn load_with_in_force(
    root: &Root,
    named: Option<&Path>,
) -> Result<(Settings, InForce), ConfigError> {
    let file = named.map_or_else(|| root.path(DEFAULT_PATH), Path::to_owned);
    let mut bytes = Vec::new();
    match text::open_file(&file).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(why) if why.kind() == io::ErrorKind::NotFound && named.is_none() => {}
        Err(why) => return Err(ConfigError::Unreadable { file, why }),
    }
    match text::decode(&bytes) {
        Ok(text) => {
            let (settings, in_force) = parse_with_in_force(&text, &file)?;
            Ok((settings, in_force.without_secrets(root)))
        }
        Err(why) => Err(ConfigError::NotText { file, why }),
    }
}

/// Reads a configuration's text; `file` only names it in errors.
///
/// # Errors
/// The first thing that is wrong, with its line and key.
pub fn parse(text: &str, file: &Path) -> Result<Settings, ConfigError> {
    parse_with_in_force(text, file).map(|(settings, _)| settings)
}

/// The same, with each setting as it stands in the text, or its default.
pub(super) fn parse_with_in_force(
    text: &str,
    file: &Path,
) -> Result<(Settings, InForce), ConfigError> {
    let wrong = |span: Range<usize>, key: Option<String>, why: &str| {
        let at = span.start.min(text.len());
        ConfigError::Wrong {
            file: file.to_owned(),
            line: text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1,
            key: key.unwrap_or_else(|| key_at(text, at)),
            text: why.to_owned(),
        }
    };
    let notes = Notes::default();
    let table = DeTable::parse(text)
        .map_err(|why| wrong(why.span().unwrap_or_default(), None, why.message().trim_end()))?;
    let settings = Section::new(String::new(), table, &notes)
        .and_then(validate)
        .map_err(|why| wrong(why.span, Some(why.key), &why.text))?;
    Ok((settings, notes.take()))
}

impl Settings {
    /// Whether there is anyone to talk to, without whom the daemon has nothing to do.
    ///
    /// # Errors
    /// When there is neither an `[mqtt]` nor an `[http]` section.
    pub fn require_upstream(&self, root: &Root) -> Result<(), ConfigError> {
        match (&self.mqtt, &self.http) {
            (None, None) => Err(ConfigError::NoUpstream { file: root.path(DEFAULT_PATH) }),
            _ => Ok(()),
        }
    }
}

/// Whether it can be a key of the file. A line of a PEM in quotes, which is a secret, may end with `=`.
fn is_bare_key(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
}

/// The key whose line, or whose list of several lines, has the byte `at`; with its table.
fn key_at(text: &str, at: usize) -> String {
    let mut key = "";
    let mut table = "";
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if start > at {
            break;
        }
        start += line.len();
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            table = header.split(']').next().unwrap_or_default().trim();
            key = "";
        } else if let Some((name, _)) = line.split_once('=')
            && is_bare_key(name.trim())
        {
            key = name.trim();
        }
    }
    match (table, key) {
        (table, "") => table.to_owned(),
        ("", key) => key.to_owned(),
        (table, key) => format!("{table}.{key}"),
    }
}
