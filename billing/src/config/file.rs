//! The file: one key for each option, by its name with `_`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use clap::{Arg, ArgAction, Command};
use toml::de::{DeTable, DeValue};

use super::{FILE, key};

/// An option of the file.
pub(super) struct Setting {
    pub(super) id: String,
    /// As it is written on a command line.
    pub(super) arguments: Vec<OsString>,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read, or is no text.
    Read(PathBuf, io::Error),
    /// It is no TOML. The line is not shown: it may have a password in it.
    Syntax {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// What the library says.
        why: String,
    },
    /// There is no such option.
    Unknown(Place),
    /// The option has another kind of value.
    Kind(Place),
}

/// A key in a file.
#[derive(Debug)]
pub struct Place {
    file: PathBuf,
    line: usize,
    key: String,
}

/// Reads the options of a file; `command` knows them all.
pub(super) fn read(path: &Path, command: &Command) -> Result<Vec<Setting>, FileError> {
    let text = fs::read_to_string(path).map_err(|why| FileError::Read(path.to_owned(), why))?;
    // Some editors begin a text with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|why| FileError::Syntax {
        file: path.to_owned(),
        line: line(why.span().unwrap_or_default().start),
        why: why.message().trim_end().to_owned(),
    })?;
    let mut settings = Vec::new();
    for (name, value) in table.get_ref() {
        let place = || Place {
            file: path.to_owned(),
            line: line(name.span().start),
            key: name.get_ref().to_string(),
        };
        let option = command
            .get_arguments()
            .find(|option| option.get_long().is_some_and(|long| key(long) == *name.get_ref()))
            .filter(|option| option.get_id() != FILE)
            .ok_or_else(|| FileError::Unknown(place()))?;
        let arguments =
            arguments(option, value.get_ref()).ok_or_else(|| FileError::Kind(place()))?;
        settings.push(Setting { id: option.get_id().to_string(), arguments });
    }
    Ok(settings)
}

/// `None`: the value is of a kind that the option has not.
fn arguments(option: &Arg, value: &DeValue<'_>) -> Option<Vec<OsString>> {
    let long = option.get_long()?;
    let is_flag = matches!(option.get_action(), ArgAction::SetTrue);
    let is_list = matches!(option.get_action(), ArgAction::Append);
    match value {
        DeValue::Boolean(is_set) if is_flag => {
            Some(if *is_set { vec![format!("--{long}").into()] } else { Vec::new() })
        }
        DeValue::Array(values) if is_list => {
            let values = values.iter().map(|value| argument(long, value.get_ref()));
            values.collect()
        }
        value if !is_flag => Some(vec![argument(long, value)?]),
        _ => None,
    }
}

fn argument(long: &str, value: &DeValue<'_>) -> Option<OsString> {
    match value {
        DeValue::String(text) => Some(format!("--{long}={text}").into()),
        DeValue::Integer(number) if number.radix() == 10 => {
            Some(format!("--{long}={}", number.as_str()).into())
        }
        _ => None,
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Read(file, why) => write!(f, "{} cannot be read: {why}", file.display()),
            FileError::Syntax { file, line, why } => {
                write!(f, "{}, line {line}: {why}", file.display())
            }
            FileError::Unknown(Place { file, line, key }) => {
                write!(f, "{}, line {line}: there is no option {key:?}", file.display())
            }
            FileError::Kind(Place { file, line, key }) => {
                write!(f, "{}, line {line}: {key:?} has another kind of value", file.display())
            }
        }
    }
}

impl std::error::Error for FileError {}
