//! What a server says, in a few words without a control character.

#[cfg(feature = "http")]
use std::fmt;

/// How much of foreign text is shown, in characters.
const MAX_SHOWN: usize = 200;
/// How many names of a certificate are shown.
const MAX_NAMES: usize = 4;

/// The server's own words after ours, in brackets; nothing where it says none.
#[cfg(feature = "http")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said(Option<String>);

#[cfg(feature = "http")]
impl Said {
    /// What it says, shortened.
    pub(crate) fn new(text: Option<&str>) -> Self {
        Said(text.map(shown))
    }
}

#[cfg(feature = "http")]
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, " (it says: {text})"),
            None => Ok(()),
        }
    }
}

/// Foreign text, in one short line.
pub(crate) fn shown(text: &str) -> String {
    text.escape_debug().take(MAX_SHOWN).collect()
}

/// The names of a certificate. The library writes each as `Kind("name")`.
pub(super) fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inside =
            name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        inside.trim_matches('"').escape_debug().take(80).collect::<String>()
    };
    let shown: Vec<String> = presented.iter().take(MAX_NAMES).map(bare).collect();
    match presented.len() {
        0 => "no name at all".to_owned(),
        count if count > MAX_NAMES => {
            format!("{} and {} more", shown.join(", "), count - MAX_NAMES)
        }
        _ => shown.join(", "),
    }
}
