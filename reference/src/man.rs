//! Man pages in roff, for `man` and `mandoc`. They have no date, which would change where nothing else does.

use std::fmt::Write;

use argh::{
    CommandInfoWithArgs, ErrorCodeInfo, FlagInfo, FlagInfoKind, Optionality, PositionalInfo,
};

use super::PROGRAM;

/// How long a line of the source may be.
const WIDTH: usize = 80;

/// The page of the program itself.
pub(super) fn program(agent: &CommandInfoWithArgs) -> String {
    let mut page = Page::new(PROGRAM, "identity of an intercom panel");
    page.section("SYNOPSIS");
    page.line(".B", PROGRAM);
    page.text("COMMAND [OPTION]...");
    page.section("DESCRIPTION");
    page.text(agent.description);
    for note in agent.notes.iter().flat_map(|note| note.lines()) {
        page.paragraph(note);
    }
    page.section("COMMANDS");
    for command in &agent.commands {
        page.item(&[command.name], command.command.description);
    }
    page.exit_status(agent.error_codes);
    page.section("FILES");
    page.item(&["/etc/intercom-agent.toml"], "the configuration");
    page.item(&["/var/lib/intercom-agent/"], "the record, which survives a power cut");
    page.item(
        &["/run/intercom-agent/"],
        "the identity for other software, and the socket of the daemon",
    );
    page.see_also(agent.commands.iter().map(|command| format!("{PROGRAM}-{}", command.name)));
    page.end()
}

/// The page of one command.
pub(super) fn command(command: &CommandInfoWithArgs) -> String {
    let name = format!("{PROGRAM} {}", command.name);
    let mut page = Page::new(&name.replace(' ', "-"), command.description);
    page.section("SYNOPSIS");
    page.line(".B", &name);
    page.text(&synopsis(command));
    page.section("DESCRIPTION");
    page.text(command.description);
    page.section("OPTIONS");
    for PositionalInfo { name, description, .. } in command.positionals {
        page.item(&[&name.to_uppercase()], description);
    }
    for FlagInfo { kind, long, short, description, .. } in command.flags {
        // The parser does not tell that help has a short name.
        let short = if *long == "--help" { &Some('h') } else { short };
        let short = short.map_or_else(String::new, |short| format!("-{short}, "));
        match kind {
            FlagInfoKind::Switch => page.item(&[&short, long], description),
            FlagInfoKind::Option { arg_name } => {
                page.item(&[&short, long, " ", &arg_name.to_uppercase()], description);
            }
        }
    }
    page.section("EXAMPLES");
    page.macro_line(".nf");
    for example in command.examples {
        for line in example.replace("{command_name}", &name).lines() {
            page.verbatim(&line.replace("{{", "{").replace("}}", "}"));
        }
    }
    page.macro_line(".fi");
    page.exit_status(command.error_codes);
    page.see_also(std::iter::once(PROGRAM.to_owned()));
    page.end()
}

fn synopsis(command: &CommandInfoWithArgs) -> String {
    let positionals = command.positionals.iter().map(|positional| {
        let name = positional.name.to_uppercase();
        match positional.optionality {
            Optionality::Required => name,
            Optionality::Optional | Optionality::Repeating | Optionality::Greedy => {
                format!("[{name}]")
            }
        }
    });
    std::iter::once("[OPTION]...".to_owned()).chain(positionals).collect::<Vec<_>>().join(" ")
}

/// A page as far as it is written.
struct Page(String);

impl Page {
    fn new(name: &str, about: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let title = name.to_uppercase();
        let mut page =
            Page(format!(".TH {} 8 \"\" \"{PROGRAM} {version}\" \"\"\n", escaped(&title)));
        page.section("NAME");
        page.text(&format!("{name} - {}", about.trim_end_matches('.')));
        page
    }

    fn macro_line(&mut self, request: &str) {
        self.0.push_str(request);
        self.0.push('\n');
    }

    fn line(&mut self, request: &str, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{request} {}", escaped(text));
    }

    fn section(&mut self, name: &str) {
        self.line(".SH", name);
    }

    /// Filled by whoever shows the page, so it may be broken between any two words.
    fn text(&mut self, text: &str) {
        let mut line = String::new();
        for word in escaped(text).split(' ') {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                self.macro_line(&guarded(&line));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.macro_line(&guarded(&line));
    }

    fn verbatim(&mut self, line: &str) {
        self.macro_line(&guarded(&escaped(line)));
    }

    fn paragraph(&mut self, text: &str) {
        self.macro_line(".PP");
        self.text(text);
    }

    /// What the parts name together, and what it is.
    fn item(&mut self, name: &[&str], about: &str) {
        self.macro_line(".TP");
        self.line(".B", &name.concat());
        self.text(about);
    }

    fn exit_status(&mut self, codes: &[ErrorCodeInfo]) {
        self.section("EXIT STATUS");
        for ErrorCodeInfo { code, description } in codes {
            self.item(&[&code.to_string()], description);
        }
    }

    fn see_also(&mut self, pages: impl Iterator<Item = String>) {
        self.section("SEE ALSO");
        let pages: Vec<_> = pages.map(|page| format!("{page}(8)")).collect();
        self.text(&pages.join(", "));
    }

    fn end(self) -> String {
        self.0
    }
}

/// A line that roff takes for text, whatever it begins with.
fn guarded(line: &str) -> String {
    format!("{}{line}", if line.starts_with('.') { "\\&" } else { "" })
}

/// Text without what roff would take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '"' => escaped.push_str("\\(dq"),
            '`' => {
                is_code = !is_code;
                escaped.push_str(if is_code { "\\fB" } else { "\\fR" });
            }
            letter if letter.is_ascii() => escaped.push(letter),
            letter => {
                let _ = write!(escaped, "\\[u{:04X}]", u32::from(letter));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_taken_for_a_request() {
        assert_eq!(guarded(&escaped(".SH is `x`")), "\\&.SH is \\fBx\\fR");
        assert_eq!(guarded(&escaped("'a\\b' --c …")), "\\(aqa\\eb\\(aq \\-\\-c \\[u2026]");
    }
}
