//! Writes what is made of the agent's command line: man pages, completions for three shells, and a JSON
//! schema for each answer. `cargo reference` writes all of it under `docs/`; a test fails while that is not
//! up to date.

mod completions;
mod man;
mod schema;

use std::path::{Path, PathBuf};
use std::{fs, io};

use intercom_agent::cli::command_line;

/// The program that all of it is about.
const PROGRAM: &str = "intercom-agent";

fn main() -> io::Result<()> {
    for (path, text) in files() {
        let path = docs().join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Each file, by its path under `docs/`.
fn files() -> Vec<(PathBuf, String)> {
    let agent = command_line();
    let mut files = vec![
        (format!("completions/{PROGRAM}.bash"), completions::bash(&agent)),
        (format!("completions/_{PROGRAM}"), completions::zsh(&agent)),
        (format!("completions/{PROGRAM}.fish"), completions::fish(&agent)),
        (format!("man/{PROGRAM}.8"), man::program(&agent)),
    ];
    for command in &agent.commands {
        let page = man::command(&command.command);
        files.push((format!("man/{PROGRAM}-{}.8", command.name), page));
    }
    for (command, schema) in schema::all() {
        files.push((format!("schema/{command}.json"), format!("{schema:#}\n")));
    }
    files.into_iter().map(|(path, text)| (path.into(), text)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_in_the_documentation_is_up_to_date() {
        let files = files();
        for (path, text) in &files {
            let found = fs::read_to_string(docs().join(path)).unwrap_or_default();
            assert!(found == *text, "docs/{}: run `cargo reference`", path.display());
        }
        let names: BTreeSet<_> = files.into_iter().map(|(path, _)| docs().join(path)).collect();
        for directory in ["completions", "man", "schema"] {
            for entry in fs::read_dir(docs().join(directory)).expect("a directory") {
                let path = entry.expect("an entry").path();
                assert!(names.contains(&path), "{}: nothing makes it any more", path.display());
            }
        }
    }

    #[test]
    fn the_pages_are_read_without_a_warning() {
        for (path, _) in files().into_iter().filter(|(path, _)| path.starts_with("man")) {
            let mut groff = Command::new("groff");
            let output = groff.args(["-man", "-ww", "-z"]).arg(docs().join(&path)).output();
            let output = output.expect("groff; tests/run installs it");
            assert!(output.status.success() && output.stderr.is_empty(), "{path:?}: {output:?}");
        }
    }

    /// `run` answers nothing.
    #[test]
    fn every_answer_has_a_schema() {
        let described: BTreeSet<_> =
            schema::all().into_iter().map(|(command, _)| command).collect();
        let commands = command_line().commands;
        let answering: BTreeSet<_> =
            commands.iter().map(|command| command.name).filter(|name| *name != "run").collect();
        assert_eq!(described, answering);
    }
}
