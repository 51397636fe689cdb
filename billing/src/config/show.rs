//! The options that are in force, as a file that says the same, with where each is from.

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use url::Url;

use super::{FILE, key};
use crate::store::is_url;

/// The options that may have a password in them.
const BROKER: &str = "broker";
const DATABASE: &str = "database";
const MASK: &str = "MASKED";

/// The options of one command in force, one a line. Passwords are masked.
pub fn show(command: &Command, matches: &ArgMatches, from_file: &BTreeSet<String>) -> String {
    let is_given = |option: &&Arg| {
        let source = source(matches, option.get_id().as_str());
        source.is_some_and(|source| source != ValueSource::DefaultValue)
    };
    // A default is not in force where an option is given that excludes it.
    let given = command.get_arguments().filter(is_given);
    let excluded: Vec<&Arg> =
        given.flat_map(|option| command.get_arg_conflicts_with(option)).collect();
    let mut text = String::new();
    for option in command.get_arguments() {
        let id = option.get_id().as_str();
        let (Some(long), Some(source)) = (option.get_long(), source(matches, id)) else { continue };
        let source = match source {
            ValueSource::CommandLine if from_file.contains(id) => "file",
            ValueSource::CommandLine => "command line",
            ValueSource::EnvVariable => "environment",
            _ => "default",
        };
        if let Some(value) = value(option, matches)
            && id != FILE
            && !excluded.contains(&option)
        {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} = {value} # {source}", key(long));
        }
    }
    text
}

/// `None` where the option is not set, or is none of this command's.
fn source(matches: &ArgMatches, id: &str) -> Option<ValueSource> {
    matches.try_contains_id(id).ok()?.then(|| matches.value_source(id)).flatten()
}

fn value(option: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = option.get_id().as_str();
    let mut values: Vec<String> = Vec::new();
    for value in matches.get_raw(id)? {
        let value = value.to_string_lossy();
        values.push(match id {
            BROKER => value.into_owned(),
            DATABASE => quoted(&without_password(&value)),
            _ if matches!(option.get_action(), ArgAction::SetTrue) => {
                matches.get_flag(id).to_string()
            }
            _ if value.parse::<u32>().is_ok() => value.into_owned(),
            _ => quoted(&value),
        });
    }
    if id == BROKER {
        values = masked(&values).iter().map(|url| quoted(url)).collect();
    }
    match option.get_action() {
        ArgAction::Append => Some(format!("[{}]", values.join(", "))),
        _ => values.pop(),
    }
}

/// The name of a file, or a URL without its password.
fn without_password(database: &str) -> String {
    if !is_url(database) {
        return database.to_owned();
    }
    let Ok(mut url) = Url::parse(database) else { return MASK.to_owned() };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(key, value)| {
            let value = if key == "password" { MASK.to_owned() } else { value.into_owned() };
            (key.into_owned(), value)
        })
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

/// What is no URL may be a password as a whole, or the rest of one that has a comma in it: then nothing of
/// them is shown.
fn masked(urls: &[String]) -> Vec<String> {
    let masked = |url: &String| {
        let mut url = Url::parse(url).ok()?;
        if url.password().is_some() {
            url.set_password(Some(MASK)).ok()?;
        }
        Some(url.to_string())
    };
    let masked: Option<Vec<String>> = urls.iter().map(masked).collect();
    masked.unwrap_or_else(|| vec![MASK.to_owned(); urls.len()])
}

/// A string of TOML, which takes the escapes of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
