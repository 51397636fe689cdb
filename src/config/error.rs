//! What is wrong with the configuration, where, and what would be right.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::file_error::advice;
use crate::text::NotText;

/// Why there are no settings.
#[derive(Debug)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file is not text.
    NotText {
        /// The file.
        file: PathBuf,
        /// Why.
        why: NotText,
    },
    /// Something in the file is wrong.
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key with its table, as in `mqtt.url`; empty where the line has none.
        key: String,
        /// What is wrong and what would be right.
        text: String,
    },
    /// Neither an MQTT broker nor an HTTP service is configured.
    NoUpstream {
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable { file, why } => {
                let advice = advice(why);
                write!(f, "the configuration {} cannot be read: {why}{advice}", file.display())
            }
            ConfigError::NotText { file, why } => {
                write!(f, "the configuration {} cannot be read: {why}", file.display())
            }
            ConfigError::Wrong { file, line, key, text } => {
                write!(f, "{}, line {line}: ", file.display())?;
                if !key.is_empty() {
                    write!(f, "`{key}`: ")?;
                }
                f.write_str(text)
            }
            ConfigError::NoUpstream { file } => write!(
                f,
                "no upstream is configured: {} needs an [mqtt] section, an [http] section, or both, each with its `url`",
                file.display()
            ),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ConfigError::Unreadable { why, .. } => Some(why),
            _ => None,
        }
    }
}
