//! `config`: whether the configuration is good, and what is in force.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::args::Config;
use super::exit::{Exit, Failure};
use super::output;
use crate::config::Table;

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
        false => output::words(&in_words(&tables)),
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

/// As a configuration that could be used.
fn in_words(tables: &[Table]) -> String {
    let mut text = String::new();
    for (name, keys) in tables {
        // Writing to a String cannot fail.
        let _ = match *name {
            "" => Ok(()),
            name => writeln!(text, "\n[{name}]"),
        };
        for (key, value) in keys {
            // Texts, numbers and lists of texts are written in TOML as they are in JSON.
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
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

#[cfg(test)]
#[cfg(all(feature = "http", feature = "mqtt"))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    #[test]
    fn what_is_in_force_is_a_configuration_that_means_the_same() {
        let tls = "ca_file = \"/ca\"\nclient_cert_file = \"/c\"\nclient_key_file = \"/k\"\n";
        let full = format!(
            "id = 7\nboard_name = \"gate-1\"\nmodels = [\"A \\\"B\\\"\"]\nsettle = 9\n\
             environment = \"always\"\nlog_level = \"debug\"\nmac_variable = \"eth1addr\"\n\
             [serial_number]\nsources = [\"env:a\", \"device-tree\", \"cpuinfo\", \"die-id\", \
             \"file:/s\", \"command:/bin/c a b\"]\nenvironment_variable = \"sn\"\n\
             [mqtt]\nurl = \"mqtts://b\"\nusername = \"u\"\npassword_file = \"/p\"\n\
             alpn = [\"mqtt\"]\nkeep_alive = 40\nserver_name = \"n\"\ntls_min = \"1.3\"\n{tls}\
             [mqtt.topics]\npatch = \"a/{{mac}}\"\n\
             [http]\nurl = \"https://h/base\"\ntoken_file = \"/t\"\ninsecure = true\n\
             insecure_with_credentials = true\nproxy = \"http://p:1\"\npending = \"/x\"\n\
             [billing]\nurl = \"http://i\"\ntoken_file = \"/t\"\n"
        );
        for text in [full.as_str(), "", "[http]\nurl = \"http://h\"\n"] {
            let settings = parse(text, Path::new("a.toml")).expect("valid");
            let shown = in_words(&settings.in_force());
            let again = parse(&shown, Path::new("a.toml"));
            assert_eq!(again.map_err(|why| format!("{why}:\n{shown}")), Ok(settings));
        }
    }
}
