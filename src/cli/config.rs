//! `config`: whether the configuration is good, and what is in force.

use serde_json::{Map, Value, json};

use super::args::Config;
use super::exit::{Exit, Failure};
use super::output;
use crate::config::{Table, written};

pub(super) fn config(config: &Config) -> Result<Exit, Failure> {
    let common = config.common();
    let named = config.file.as_deref().or(common.config.as_deref());
    let (root, settings) = super::settings(&common, named)?;
    let mut problems: Vec<String> =
        settings.unusable_files(&root).iter().map(ToString::to_string).collect();
    problems.extend(settings.require_upstream(&root).err().map(|why| why.to_string()));
    let tables = settings.in_force();
    let print = match common.json {
        true => {
            let tables = as_json(tables);
            output::print(true, &json!({"settings": tables, "problems": problems}), |_| {
                String::new()
            })
        }
        false => output::words(&written(&tables)),
    };
    print?;
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    if !common.json {
        problems.iter().for_each(|problem| output::complain(problem));
    }
    Ok(Exit::Usage)
}

fn as_json(tables: Vec<Table>) -> Map<String, Value> {
    let mut settings = Map::new();
    for (name, keys) in tables {
        let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value));
        match name {
            "" => settings.extend(keys),
            name => {
                settings.insert(name.to_owned(), Value::Object(keys.collect()));
            }
        }
    }
    settings
}
