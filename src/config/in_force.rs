//! What is in force: each setting as it was read, or its default. What is secret stands in files, of which
//! only the names are here.

use std::cell::RefCell;
use std::fmt::Write;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::secret_file::may_be_secret;
use crate::root::Root;

/// Every setting with its table and key, noted where it is read. A setting without a default that is not
/// set is not among them.
#[derive(Debug, Default)]
pub struct InForce(Vec<(String, String, Value)>);

/// Where the tables of one file note their settings.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Rc<RefCell<InForce>>);

impl Notes {
    pub(super) fn note(&self, table: &str, key: &str, value: Value) {
        // Nothing else borrows it while a key is read.
        if let Ok(mut notes) = self.0.try_borrow_mut() {
            notes.0.push((table.to_owned(), key.to_owned(), value));
        }
    }

    pub(super) fn take(self) -> InForce {
        self.0.take()
    }
}

impl InForce {
    /// Without the arguments of commands, which may be secrets.
    pub fn without_arguments(mut self) -> Self {
        let lists = self.0.iter_mut().filter_map(|(.., value)| value.as_array_mut());
        for value in lists.flatten() {
            let command = value.as_str().filter(|text| text.starts_with("command:"));
            if let Some((program, _)) = command.and_then(|text| text.split_once([' ', '\t'])) {
                *value = format!("{program} ...").into();
            }
        }
        self
    }

    /// Without the names of secret files that may be secrets themselves.
    pub(super) fn without_secrets(mut self, root: &Root) -> Self {
        for (_, key, value) in &mut self.0 {
            let is_secret = ["password_file", "token_file", "client_key_file"].contains(&&**key);
            let name = value.as_str().filter(|_| is_secret);
            if name.is_some_and(|name| may_be_secret(Path::new(name), root)) {
                *value = "...".into();
            }
        }
        self
    }

    /// As a configuration that could be used.
    pub fn as_toml(&self) -> String {
        let mut text = String::new();
        // Keys after a table's name are the table's.
        let mut tables = vec![""];
        for (table, ..) in &self.0 {
            if !tables.contains(&table.as_str()) {
                tables.push(table);
            }
        }
        for name in tables {
            if !name.is_empty() {
                text.push_str(&format!("\n[{name}]\n"));
            }
            for (_, key, value) in self.0.iter().filter(|(table, ..)| table == name) {
                // Texts, numbers and lists of texts are written in TOML as they are in JSON. Writing
                // to a String cannot fail.
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }

    /// One object, with another one for each table.
    pub fn into_json(self) -> Value {
        let mut settings = Value::Object(Map::new());
        for (table, key, value) in self.0 {
            match table.as_str() {
                "" => settings[key] = value,
                table => settings[table][key] = value,
            }
        }
        settings
    }
}
