//! The table of causes in docs/troubleshooting.md is the code's.

use std::fmt::Write;
use std::path::Path;

use super::{ADDRESSES, HttpCause, MqttCause, NetworkCause, PanelCause, TlsCause};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/troubleshooting.md");
const BEGIN: &str = "<!-- the table of causes begins -->\n";
const END: &str = "<!-- the table of causes ends -->\n";

/// The fields of a cause, each as `…`.
fn without_fields(found: &str) -> String {
    let mut text = String::new();
    let mut rest = found;
    while let Some((before, field)) = rest.split_once('{') {
        text.push_str(before);
        let (name, after) = field.split_once('}').expect("a field");
        // What the server says stands in brackets of its own, where it says anything.
        if name != "said" {
            text.push('…');
        }
        rest = after;
    }
    text + rest
}

fn rows() -> impl Iterator<Item = [&'static str; 3]> {
    let addresses = [ADDRESSES, "at {address}: …; at {address}: …", "each has its own cause"];
    let kinds =
        [NetworkCause::ROWS, TlsCause::ROWS, MqttCause::ROWS, HttpCause::ROWS, PanelCause::ROWS];
    std::iter::once(addresses).chain(kinds.into_iter().flatten().copied())
}

fn table() -> String {
    let mut table = "| cause | what happened | what to do |\n| --- | --- | --- |\n".to_owned();
    for [name, found, advice] in rows() {
        writeln!(table, "| `{name}` | {} | {advice} |", without_fields(found)).expect("a String");
    }
    table
}

/// `UPDATE_DOCS=1` writes the table anew.
#[test]
fn each_cause_has_its_row_with_the_codes_own_words() {
    let document = std::fs::read_to_string(DOCUMENT).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("where the table begins");
    let (documented, after) = rest.split_once(END).expect("where the table ends");
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = [before, BEGIN, &table, END, after].concat();
        std::fs::write(Path::new(DOCUMENT), text).expect("written");
        return;
    }
    for (documented, row) in documented.lines().zip(table.lines()) {
        assert_eq!(documented, row, "UPDATE_DOCS=1 writes it anew");
    }
    assert_eq!(documented.lines().count(), table.lines().count());
}

#[test]
fn names_are_unique_and_made_of_letters_and_hyphens() {
    let names: Vec<&str> = rows().map(|[name, ..]| name).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    for name in names {
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
    }
}
