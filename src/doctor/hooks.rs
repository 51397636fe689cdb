//! The hooks: each can be run, and its interpreter is there.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Check, Finding, Look};
use crate::panel::Panel;
use crate::root::Root;

pub(super) const RUNNABLE: Check =
    Check { id: "hooks", description: "every hook can be run", look: Look::Board(look) };

fn look(panel: &Panel) -> Finding {
    let (hooks, skipped) = match panel.hooks().find() {
        Ok(found) => found,
        Err(why) => {
            return Finding::failed(why.to_string(), "mend that, or every change is rolled back");
        }
    };
    let mut broken: Vec<_> = hooks
        .iter()
        .filter_map(|hook| Some(format!("{}: {}", hook.display(), fault(&panel.root, hook)?)))
        .collect();
    if !broken.is_empty() {
        broken.extend(skipped);
        return Finding::failed(
            broken.join("; "),
            "correct its first line, or remove it: a hook that fails rolls every change back",
        );
    }
    if !skipped.is_empty() {
        return Finding::warning(skipped.join("; "), "a hook that is not run renews no DHCP lease");
    }
    let name = |hook: &std::path::PathBuf| {
        hook.file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    match hooks.iter().map(name).collect::<Vec<_>>().as_slice() {
        [] => Finding::ok("none: no hook renews a DHCP lease after a change"),
        names => Finding::ok(names.join(", ")),
    }
}

/// Why an executable cannot be run, as far as its first line tells.
fn fault(root: &Root, hook: &Path) -> Option<String> {
    let mut first = [0; 256];
    let length = match File::open(hook).and_then(|mut file| file.read(&mut first)) {
        Ok(length) => length,
        Err(why) => return Some(format!("it cannot be read: {why}")),
    };
    let start = &first[..length];
    let Some(interpreter) = interpreter(start) else {
        let why = match start {
            [0x7f, b'E', b'L', b'F', ..] => return None,
            [0xef, 0xbb, 0xbf, b'#', b'!', ..] => "a byte order mark stands before its `#!`",
            _ => "its first line names no interpreter, as `#!/bin/sh` does",
        };
        return Some(why.to_owned());
    };
    let there = root.path(&interpreter).exists() || Path::new(&interpreter).exists();
    let missing = || format!("its interpreter `{}` is not there", interpreter.escape_debug());
    let first_line = start.split(|byte| *byte == b'\n').next();
    match (there, first_line.is_some_and(|line| line.ends_with(b"\r"))) {
        (true, false) => None,
        (false, false) => Some(missing()),
        (false, true) => Some(format!("{}: {CR_LF}", missing())),
        (true, true) => Some(CR_LF.to_owned()),
    }
}

const CR_LF: &str = "its lines end with CR LF: save it with LF alone";

/// The program that a script names in its first line, as the kernel's `binfmt_script` reads it.
fn interpreter(script: &[u8]) -> Option<String> {
    let line = script.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let word = line.trim_matches([' ', '\t']).split([' ', '\t']).next()?;
    Some(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_interpreter_is_the_first_word_with_whatever_an_editor_left_in_it() {
        let of = |text: &str| interpreter(text.as_bytes());
        assert_eq!(of("#!/bin/sh\nexit"), Some("/bin/sh".to_owned()));
        assert_eq!(of("#! /usr/bin/env  bash -e\n"), Some("/usr/bin/env".to_owned()));
        assert_eq!(of("#!/bin/sh\r\n"), Some("/bin/sh\r".to_owned()));
        assert_eq!(of("\x7fELF"), None);
    }

    proptest! {
        #[test]
        fn no_file_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = interpreter(&bytes);
            let _ = interpreter(&[b"#!".as_slice(), &bytes].concat());
        }
    }
}
