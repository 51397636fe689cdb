//! Completions for bash, zsh and fish. They know where a file or a directory stands.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind};
use log::LevelFilter;

use super::PROGRAM;

/// What may stand in a place of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    File,
    Directory,
    /// One of these.
    Words(Vec<String>),
    /// Nothing that a shell could know.
    Unknown,
}

impl Value {
    /// By the name that `--help` gives it.
    fn named(name: &str) -> Self {
        match name {
            "file" => Value::File,
            "dir" => Value::Directory,
            "level" => Value::Words(
                LevelFilter::iter().map(|level| level.as_str().to_ascii_lowercase()).collect(),
            ),
            _ => Value::Unknown,
        }
    }

    /// Of an option; `None` for a switch.
    fn of(flag: &FlagInfo) -> Option<Self> {
        match flag.kind {
            FlagInfoKind::Switch => None,
            FlagInfoKind::Option { arg_name } => Some(Value::named(arg_name)),
        }
    }
}

/// The options that may stand before the command, too.
fn common(agent: &CommandInfoWithArgs) -> Vec<&'static FlagInfo<'static>> {
    let is_in_all = |flag: &&FlagInfo| {
        agent
            .commands
            .iter()
            .all(|command| command.command.flags.iter().any(|other| other.long == flag.long))
    };
    let first = agent.commands.first().map_or(&[][..], |command| command.command.flags);
    first.iter().filter(is_in_all).collect()
}

fn positional(command: &CommandInfoWithArgs) -> Value {
    command.positionals.first().map_or(Value::Unknown, |place| Value::named(place.name))
}

fn longs<'a>(flags: impl IntoIterator<Item = &'a FlagInfo<'static>>) -> String {
    flags.into_iter().map(|flag| flag.long).collect::<Vec<_>>().join(" ")
}

/// For bash, to be sourced.
pub(super) fn bash(agent: &CommandInfoWithArgs) -> String {
    let names = agent.commands.iter().map(|command| command.name).collect::<Vec<_>>();
    let all_flags = agent.commands.iter().flat_map(|command| command.command.flags);
    let mut options: Vec<(&str, Value)> =
        all_flags.filter_map(|flag| Value::of(flag).map(|value| (flag.long, value))).collect();
    options.sort_by_key(|(long, _)| *long);
    options.dedup();
    let with = |is_one: fn(&Value) -> bool| {
        let of = options.iter().filter(|(_, value)| is_one(value));
        of.map(|(long, _)| *long).collect::<Vec<_>>().join(" | ")
    };
    let values = options.iter().map(|(long, _)| *long).collect::<Vec<_>>().join(" | ");
    let (files, directories) =
        (with(|value| *value == Value::File), with(|value| *value == Value::Directory));
    let mut arms =
        format!("    '') words='{} {} --version' ;;\n", names.join(" "), longs(common(agent)));
    for command in &agent.commands {
        let (name, flags) = (command.name, longs(command.command.flags));
        arms.push_str(&match positional(&command.command) {
            Value::File => format!("    {name}) words='{flags}' files=yes ;;\n"),
            Value::Words(words) => format!("    {name}) words='{} {flags}' ;;\n", words.join(" ")),
            Value::Directory | Value::Unknown => format!("    {name}) words='{flags}' ;;\n"),
        });
    }
    format!(
        r#"# Completion of {PROGRAM} for bash.
_intercom_agent() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command='' words='' files='' at
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${{COMP_WORDS[at]}} in
        {values}) ((at++)) ;;
        -*) ;;
        *)
            command=${{COMP_WORDS[at]}}
            break
            ;;
        esac
    done
    case $previous in
    {directories})
        compopt -o dirnames
        return
        ;;
    {files})
        compopt -o default
        return
        ;;
    {values}) return ;;
    esac
    case $command in
{arms}    esac
    case $current in
    -*) files='' ;;
    esac
    if [ -n "$files" ]; then
        compopt -o default
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    fi
}}
complete -F _intercom_agent {PROGRAM}
"#
    )
}

/// For zsh, in a directory of `fpath`.
pub(super) fn zsh(agent: &CommandInfoWithArgs) -> String {
    let quoted = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:")
    };
    let action = |value: &Value| match value {
        Value::File => "_files".to_owned(),
        Value::Directory => "_files -/".to_owned(),
        Value::Words(words) => format!("({})", words.join(" ")),
        Value::Unknown => " ".to_owned(),
    };
    let option = |flag: &FlagInfo| {
        let about = quoted(flag.description);
        match flag.kind {
            FlagInfoKind::Switch => format!("'{}[{about}]'", flag.long),
            FlagInfoKind::Option { arg_name } => {
                format!("'{}[{about}]:{arg_name}:{}'", flag.long, action(&Value::named(arg_name)))
            }
        }
    };
    let mut text = format!(
        "#compdef {PROGRAM}\n# Completion of {PROGRAM} for zsh.\nlocal curcontext=$curcontext state line\nlocal -a \
         commands\ncommands=(\n"
    );
    for command in &agent.commands {
        text.push_str(&format!("    '{}:{}'\n", command.name, quoted(command.command.description)));
    }
    text.push_str(")\n_arguments -C \\\n");
    for flag in common(agent) {
        text.push_str(&format!("    {} \\\n", option(flag)));
    }
    text.push_str(
        "    '--version[the version and the commit]' \\\n    '1:command:->command' '*::argument:->argument' && \
         return 0\ncase $state in\ncommand) _describe command commands ;;\nargument)\n    case \
         $words[1] in\n",
    );
    for command in &agent.commands {
        text.push_str(&format!("    {})\n        _arguments", command.name));
        for flag in command.command.flags {
            text.push_str(&format!(" \\\n            {}", option(flag)));
        }
        if let Some(place) = command.command.positionals.first() {
            let action = action(&Value::named(place.name));
            text.push_str(&format!(" \\\n            '1:{}:{action}'", place.name));
        }
        text.push_str("\n        ;;\n");
    }
    text.push_str("    esac\n    ;;\nesac\n");
    text
}

/// For fish, in one of its directories for completions.
pub(super) fn fish(agent: &CommandInfoWithArgs) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let takes = |value: &Value| match value {
        Value::File => " -r -F".to_owned(),
        Value::Directory => " -x -a '(__fish_complete_directories)'".to_owned(),
        Value::Words(words) => format!(" -x -a '{}'", words.join(" ")),
        Value::Unknown => " -x".to_owned(),
    };
    let option = |flag: &FlagInfo| {
        let takes = Value::of(flag).as_ref().map_or_else(String::new, takes);
        let long = flag.long.trim_start_matches('-');
        format!(" -l {long}{takes} -d '{}'\n", quoted(flag.description))
    };
    let complete = format!("complete -c {PROGRAM}");
    let mut text = format!("# Completion of {PROGRAM} for fish.\n{complete} -f\n");
    let first = format!("{complete} -n __fish_use_subcommand");
    for command in &agent.commands {
        let about = quoted(command.command.description);
        text.push_str(&format!("{first} -a {} -d '{about}'\n", command.name));
    }
    for flag in common(agent) {
        text.push_str(&format!("{first}{}", option(flag)));
    }
    text.push_str(&format!("{first} -l version -d 'the version and the commit'\n"));
    for command in &agent.commands {
        let seen = format!("{complete} -n '__fish_seen_subcommand_from {}'", command.name);
        match positional(&command.command) {
            Value::File => text.push_str(&format!("{seen} -F\n")),
            Value::Words(words) => text.push_str(&format!("{seen} -a '{}'\n", words.join(" "))),
            Value::Directory | Value::Unknown => {}
        }
        for flag in command.command.flags {
            text.push_str(&format!("{seen}{}", option(flag)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use intercom_agent::cli::command_line;

    use super::*;

    /// What bash completes the last word to, and what it is told to look for itself.
    fn completed(words: &str) -> String {
        let script = format!(
            "{}\ncompopt() {{ echo \"$*\"; }}\nCOMP_WORDS=({PROGRAM} {words})\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n_intercom_agent\necho \"${{COMPREPLY[*]}}\"",
            bash(&command_line())
        );
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    #[test]
    fn bash_completes_commands_options_files_and_levels() {
        for (words, to) in [
            ("re", "restore"),
            ("--root x st", "status"),
            ("--root check --roo", "--root"),
            ("status --f", "--follow"),
            ("check request.json --v", "--via"),
            ("check ''", "-o default"),
            ("status --config ''", "-o default"),
            ("--root ''", "-o dirnames"),
            ("log d", "debug"),
            ("apply --new-mac ''", ""),
        ] {
            assert_eq!(completed(words), to, "{words}");
        }
    }
}
