//! From the words of the command line to a command.

use argh::FromArgs;

use super::args::Args;
use super::exit::Exit;
use super::output;

/// The command line as the parser wants it.
fn in_order<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // A lone `-` is a file to us and a broken option to the parser, unless it comes after all options.
    let (inputs, mut words): (Vec<_>, Vec<_>) = words.partition(|word| *word == "-");
    if !inputs.is_empty() {
        words.push("--");
        words.extend(inputs);
    }
    // What every command takes may stand before it as well.
    let mut before = 0;
    loop {
        match words.get(before) {
            Some(&("--root" | "--config")) => before += 2,
            Some(&"--json") => before += 1,
            _ => break,
        }
    }
    if let Some(options_and_command) = words.get_mut(..=before) {
        options_and_command.rotate_right(1);
    }
    words
}

/// Reads the command line; help and mistakes are printed here.
pub(super) fn read() -> Result<Args, Exit> {
    let words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let words = in_order(words.iter().map(String::as_str).skip(1));
    if let ["--version" | "-V"] = words.as_slice() {
        return Err(shown(&version()));
    }
    Args::from_args(&["intercom-agent"], &words).map_err(|early| match early.status {
        Ok(()) => shown(&early.output),
        Err(()) => {
            output::complain(&format!("{}\nTry intercom-agent --help.", early.output.trim_end()));
            Exit::Usage
        }
    })
}

/// The version, and the commit that it was built from where the build knew it.
pub(super) fn version() -> String {
    let version = concat!("intercom-agent ", env!("CARGO_PKG_VERSION"));
    match option_env!("INTERCOM_AGENT_COMMIT") {
        Some(commit) => format!("{version} (commit {commit})"),
        None => version.to_owned(),
    }
}

/// Printed without a panic where nobody reads it any more.
fn shown(text: &str) -> Exit {
    match output::help(text) {
        Ok(()) => Exit::Done,
        Err(failure) => failure.exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_options_may_stand_before_the_command() {
        for (words, ordered) in [
            (&["--root", "d", "--json", "check", "-"][..], "check --root d --json -- -"),
            (&["check", "-", "--root", "d"], "check --root d -- -"),
            (&["--root"], "--root"),
            (&["--version"], "--version"),
            (&[], ""),
        ] {
            assert_eq!(in_order(words.iter().copied()).join(" "), ordered);
        }
    }
}
