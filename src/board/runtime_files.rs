//! `identity.json` and `identity.env`: how the panel's other software learns who the panel is.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use intercom_wire::{BoardName, FactoryIdentity, Mac, SerialNumber};
use serde::Serialize;

/// For programs that read JSON.
const JSON: &str = "identity.json";
/// For shell scripts and for systemd's `EnvironmentFile=`.
const ENV: &str = "identity.env";

/// What the runtime files say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuntimeFiles {
    /// The MAC address that the panel has now; `None` while it has none of its own.
    pub mac: Option<Mac>,
    /// The serial number that the panel has now, where it has one.
    pub serial_number: Option<SerialNumber>,
    /// The id that billing knows the panel by, where it has been learnt.
    pub id: Option<i64>,
    /// The interface that carries the MAC address.
    pub interface: String,
    /// The model, where it is known.
    pub model: Option<String>,
    /// The stable name of the board.
    pub board: BoardName,
    /// What the board had when the agent first ran.
    pub factory: FactoryIdentity,
}

/// How a runtime file is.
#[derive(Debug)]
pub enum FileState {
    /// It says what it should.
    Same,
    /// It says something else.
    Other,
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable(io::Error),
}

impl RuntimeFiles {
    /// How each file in `dir` is, compared with this.
    pub fn states(&self, dir: &Path) -> [(&'static str, FileState); 2] {
        let state = |name: &str, wanted: &[u8]| match fs::read(dir.join(name)) {
            Ok(found) if found == wanted => FileState::Same,
            Ok(_) => FileState::Other,
            Err(why) if why.kind() == io::ErrorKind::NotFound => FileState::Missing,
            Err(why) => FileState::Unreadable(why),
        };
        let json = self.json().map_or_else(FileState::Unreadable, |json| state(JSON, &json));
        [(JSON, json), (ENV, state(ENV, self.env().as_bytes()))]
    }

    /// Writes both files into `dir`, which is made if it is not there; everybody may read them,
    /// whatever the umask. A file that says the same already is left alone.
    ///
    /// # Errors
    /// As the file system's.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        if !dir.is_dir() {
            fs::create_dir_all(dir)?;
            fs::set_permissions(dir, Permissions::from_mode(0o755))?;
        }
        write_if_changed(dir, JSON, &self.json()?)?;
        write_if_changed(dir, ENV, self.env().as_bytes())
    }

    /// The line of `identity.json`.
    fn json(&self) -> io::Result<Vec<u8>> {
        let mut json = serde_json::to_vec(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// The lines of `identity.env`. What is not known is there and empty, so that a script under
    /// `set -u` can ask for it.
    fn env(&self) -> String {
        let text =
            |serial_number: &Option<SerialNumber>| serial_number.as_ref().map(ToString::to_string);
        let id = self.id.map(|id| id.to_string());
        let factory = self.factory.known();
        let factory_mac = factory.map(|factory| factory.mac.to_string());
        let mut lines = String::new();
        for (name, value) in [
            ("MAC", self.mac.map(|mac| mac.to_string())),
            ("SERIAL_NUMBER", text(&self.serial_number)),
            ("ID", id),
            ("INTERFACE", Some(self.interface.clone())),
            ("MODEL", self.model.clone()),
            ("BOARD", Some(self.board.to_string())),
            ("FACTORY_MAC", factory_mac),
            ("FACTORY_SERIAL_NUMBER", factory.and_then(|factory| text(&factory.serial_number))),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "INTERCOM_{name}={}", quoted(&value.unwrap_or_default()));
        }
        lines
    }
}

/// A value as both a shell and systemd's `EnvironmentFile=` read it: in double quotes, where the
/// two agree on what a backslash does. (In single quotes they differ: systemd has no `'\''`.)
fn quoted(value: &str) -> String {
    let mut text = String::from('"');
    for character in value.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\' | '`' | '$') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    text
}

/// Replaces a file by rename, so that no reader ever sees half of it.
pub(super) fn write_if_changed(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = dir.join(name);
    if fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let temporary = dir.join(format!(".{name}.new"));
    match fs::remove_file(&temporary) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    let mut file = File::create_new(&temporary)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(bytes)?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;
    use proptest::prelude::*;
    use std::env;
    use std::os::unix::fs::MetadataExt;
    use std::process::Command;

    fn files(serial_number: Option<&str>, model: Option<&str>) -> RuntimeFiles {
        RuntimeFiles {
            mac: "22:0D:CE:38:E7:15".parse().ok(),
            serial_number: serial_number.map(|text| text.parse().expect("a serial number")),
            id: Some(7),
            interface: "eth0".to_owned(),
            model: model.map(str::to_owned),
            board: "die-1".parse().expect("a name"),
            factory: FactoryIdentity::Unknown,
        }
    }

    /// The value that a shell has after it has read the file.
    fn in_a_shell(dir: &Path, variable: &str) -> String {
        let script = format!("set -eu; . \"$1\"; printf %s \"${variable}\"");
        let output = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(dir.join(ENV))
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The value that systemd's `EnvironmentFile=` gives a line: double quotes around it, in which a
    /// backslash escapes `"`, `\`, `` ` `` and `$` and nothing else (systemd.exec(5)).
    fn in_systemd(lines: &str, variable: &str) -> String {
        let start = format!("{variable}=\"");
        let line = lines.lines().find_map(|line| line.strip_prefix(&start)).expect("a line");
        let mut value = String::new();
        let mut rest = line.strip_suffix('"').expect("a closing quote").chars();
        while let Some(character) = rest.next() {
            match character {
                '\\' => {
                    value.push(rest.next().filter(|c| "\"\\`$".contains(*c)).expect("escapable"))
                }
                '"' => panic!("closed too early: {line}"),
                plain => value.push(plain),
            }
        }
        value
    }

    #[test]
    fn the_json_file_says_who_the_panel_is() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/run/intercom-agent");
        files(Some("S1"), None).write(&dir).expect("written");
        let text = fs::read_to_string(dir.join(JSON)).expect("readable");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let expected = serde_json::json!({
            "mac": "22:0D:CE:38:E7:15", "serial_number": "S1", "id": 7, "interface": "eth0",
            "model": null, "board": "die-1", "factory": "unknown",
        });
        assert_eq!(json, expected);
        assert_eq!(fs::metadata(dir.join(JSON)).expect("there").mode() & 0o777, 0o644);
    }

    #[test]
    fn everybody_may_read_them_whatever_the_umask() {
        const NAME: &str =
            "board::runtime_files::tests::everybody_may_read_them_whatever_the_umask";
        const INSIDE: &str = "INTERCOM_TEST_WITH_A_UMASK";
        if env::var_os(INSIDE).is_some() {
            let sandbox = Sandbox::new();
            let dir = sandbox.root().path("/run/intercom-agent");
            files(None, None).write(&dir).expect("written");
            let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
            let modes = [mode(&dir), mode(&dir.join(JSON)), mode(&dir.join(ENV))];
            assert_eq!(modes, [0o755, 0o644, 0o644]);
            return;
        }
        // The umask is the whole process's, and so of the other tests: in a process of its own.
        let again = Command::new("sh")
            .args(["-c", "umask 0077; exec \"$@\"", "sh"])
            .arg(env::current_exe().expect("this program"))
            .args(["--exact", NAME])
            .env(INSIDE, "1")
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn what_is_not_known_is_there_and_empty() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/run");
        files(None, None).write(&dir).expect("written");
        assert_eq!(in_a_shell(&dir, "INTERCOM_SERIAL_NUMBER"), "");
        assert_eq!(in_a_shell(&dir, "INTERCOM_FACTORY_MAC"), "");
        assert_eq!(in_a_shell(&dir, "INTERCOM_MAC"), "22:0D:CE:38:E7:15");
        assert_eq!(in_a_shell(&dir, "INTERCOM_ID"), "7");
    }

    #[test]
    fn files_that_say_it_already_are_left_alone() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/run");
        let inodes = || [JSON, ENV].map(|name| fs::metadata(dir.join(name)).expect("there").ino());
        files(Some("S1"), None).write(&dir).expect("written");
        let before = inodes();
        files(Some("S1"), None).write(&dir).expect("nothing to do");
        assert_eq!(inodes(), before);
        // A left-over of a write that was cut off is no obstacle.
        sandbox.write("/run/.identity.env.new", "half");
        files(Some("S2"), None).write(&dir).expect("written");
        assert_ne!(inodes(), before);
        assert_eq!(in_a_shell(&dir, "INTERCOM_SERIAL_NUMBER"), "S2");
        assert_eq!(fs::read_dir(&dir).expect("readable").count(), 2);
    }

    #[test]
    fn no_serial_number_runs_a_command() {
        let sandbox = Sandbox::new();
        let dir = sandbox.root().path("/run");
        for text in ["$(touch x)", "`id`", "a'b\"c\\d", "$HOME", "a;b", "\\", "!!", "a # b"] {
            let files = files(Some(text), None);
            files.write(&dir).expect("written");
            assert_eq!(in_a_shell(&dir, "INTERCOM_SERIAL_NUMBER"), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_and_systemd_read_what_was_written(
            serial in "[!-~]([ -~]{0,30}[!-~])?",
            model in "[^\\pC]{1,20}",
        ) {
            let sandbox = Sandbox::new();
            let dir = sandbox.root().path("/run");
            let files = files(Some(&serial), Some(&model));
            files.write(&dir).expect("written");
            prop_assert_eq!(in_a_shell(&dir, "INTERCOM_SERIAL_NUMBER"), serial.clone());
            prop_assert_eq!(in_a_shell(&dir, "INTERCOM_MODEL"), model.clone());
            prop_assert_eq!(in_systemd(&files.env(), "INTERCOM_SERIAL_NUMBER"), serial);
            prop_assert_eq!(in_systemd(&files.env(), "INTERCOM_MODEL"), model);
        }
    }
}
