//! The serial number: the first of the configured sources that answers.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use intercom_wire::SerialNumber;

use super::command::only_line_of;
use super::variables::Variables;
use super::{DieId, Known, model};
use crate::config::SerialSource;
use crate::record::Reading;
use crate::root::Root;
use crate::text::{self, NotText};

const DEVICE_TREE: &str = "/proc/device-tree/serial-number";
const CPUINFO: &str = "/proc/cpuinfo";
/// More than any of these files has.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// How long a configured command may take.
const COMMAND_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Looks in each source in turn; the first that has one counts. A source that cannot be read may have
/// one, so that nothing that comes after it counts.
pub(super) fn first_of(
    sources: &[SerialSource],
    root: &Root,
    environment: &Variables<'_>,
    die_id: &Reading<Known<DieId>>,
    warnings: &mut Vec<String>,
) -> Reading<Known<SerialNumber>> {
    for source in sources {
        let answer = match source {
            SerialSource::Env(name) => Ok(environment(name)),
            SerialSource::DeviceTree => read(root, Path::new(DEVICE_TREE))
                .map(|bytes| model::strings(&bytes).into_iter().next().into()),
            SerialSource::CpuInfo => {
                read(root, Path::new(CPUINFO)).map(|bytes| cpu_serial(&bytes).into())
            }
            SerialSource::File(path) => {
                read(root, path).and_then(|bytes| Ok(first_line(&bytes)?.into()))
            }
            SerialSource::Command { program, arguments } => {
                only_line_of(&root.path(program), arguments, COMMAND_TIME_LIMIT).map(Reading::from)
            }
            SerialSource::DieId => Ok(die_id.clone().map(|id| id.value.to_string())),
        };
        let answer = answer.unwrap_or_else(|why| {
            warnings.push(format!("the serial number source {source} cannot be read: {why}"));
            Reading::Unreadable
        });
        match answer {
            Reading::Absent => {}
            Reading::Unreadable => return Reading::Unreadable,
            Reading::Found(text) => match text.parse() {
                Ok(serial_number) => {
                    return Reading::Found(Known::new(serial_number, source.to_string()));
                }
                Err(why) => warnings.push(format!(
                    "the serial number `{}` from {source} {why}",
                    text.escape_debug()
                )),
            },
        }
    }
    Reading::Absent
}

/// A file's content, nothing if it is not there.
fn read(root: &Root, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match text::open_file(&root.path(path)) {
        Ok(file) => file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map(|_| bytes),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(bytes),
        Err(why) => Err(why),
    }
}

/// The first line without the spaces around it; none if that is empty. What comes behind it need not be
/// text: it may be a flash partition.
fn first_line(bytes: &[u8]) -> io::Result<Option<String>> {
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\0')).next().unwrap_or_default();
    // One letter and a zero may be all of it, as the device tree has it.
    let start = match bytes {
        [0, next, ..] | [_, 0, next, ..] if *next != 0 => bytes,
        _ => line,
    };
    if let Err(why @ NotText::Utf16) = text::decode(start) {
        return Err(io::Error::other(why));
    }
    // What is no serial number is told as such.
    let text = text::decode(line).unwrap_or_else(|_| String::from_utf8_lossy(line).into_owned());
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The `Serial` line of `/proc/cpuinfo`; zeros are what a kernel prints that knows none.
fn cpu_serial(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let (_, serial) = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == "Serial")?;
    let serial = serial.trim();
    (!serial.trim_matches('0').is_empty()).then(|| serial.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;
    use proptest::prelude::*;

    fn look(sandbox: &Sandbox, sources: &[&str]) -> (Reading<Known<SerialNumber>>, Vec<String>) {
        let sources: Vec<_> = sources.iter().map(|text| text.parse().expect("a source")).collect();
        let environment = |name: &str| match name {
            "serialno" => Reading::Found("ENV-1".to_owned()),
            "locked" => Reading::Unreadable,
            _ => Reading::Absent,
        };
        let die_id = DieId::from_words(&[1, 2]).map(|id| Known::new(id, "test")).into();
        let mut warnings = Vec::new();
        let found = first_of(&sources, sandbox.root(), &environment, &die_id, &mut warnings);
        (found, warnings)
    }

    fn found(sandbox: &Sandbox, source: &str) -> Option<String> {
        let (found, warnings) = look(sandbox, &[source]);
        assert_eq!(warnings, [""; 0]);
        found.found().map(ToString::to_string)
    }

    #[test]
    fn each_source_answers_and_says_which_it_is() {
        let sandbox = Sandbox::new();
        sandbox.write(DEVICE_TREE, "DT-1\0");
        sandbox.write(CPUINFO, "processor\t: 0\n\nHardware\t: x\nSerial\t\t: 00000000abcd0000\n");
        sandbox.write("/etc/serial", "  FILE 1 \nmore\n");
        sandbox.script("/bin/serial", "echo \"$1-1\"");
        for (source, shown) in [
            ("env:serialno", "ENV-1 (env serialno)"),
            ("device-tree", "DT-1 (device tree)"),
            ("cpuinfo", "00000000abcd0000 (/proc/cpuinfo)"),
            ("file:/etc/serial", "FILE 1 (/etc/serial)"),
            ("command:/bin/serial CMD", "CMD-1 (command /bin/serial)"),
            ("die-id", "0000000100000002 (die ID)"),
        ] {
            assert_eq!(found(&sandbox, source).as_deref(), Some(shown));
        }
    }

    #[test]
    fn a_file_is_read_as_people_and_tools_write_it() {
        let sandbox = Sandbox::new();
        for written in [&b"SN-1"[..], b"SN-1\r\n", b"\xef\xbb\xbfSN-1\r\n", b"SN-1\0\xff\xff\xff"] {
            sandbox.write("/etc/serial", written);
            assert_eq!(found(&sandbox, "file:/etc/serial").as_deref(), Some("SN-1 (/etc/serial)"));
        }
        for written in [&b"\xff\xfeS\0N\0"[..], b"S\0N\0-\0", b"\0S\0N"] {
            sandbox.write("/etc/serial", written);
            let (found, warnings) = look(&sandbox, &["file:/etc/serial", "env:serialno"]);
            assert_eq!(found, Reading::Unreadable);
            assert!(warnings[0].contains("it is UTF-16: save it as UTF-8"), "{warnings:?}");
        }
    }

    #[test]
    fn nothing_is_no_answer_and_no_warning() {
        let sandbox = Sandbox::new();
        sandbox.write(CPUINFO, "Serial\t\t: 0000000000000000\n");
        sandbox.write("/etc/empty", "\n");
        for source in ["env:serial#", "device-tree", "cpuinfo", "file:/etc/empty", "file:/absent"] {
            assert_eq!(found(&sandbox, source), None, "{source}");
        }
    }

    #[test]
    fn the_first_that_answers_counts() {
        let sandbox = Sandbox::new();
        sandbox.write("/etc/serial", "FILE-1\n");
        let (found, _) = look(&sandbox, &["device-tree", "file:/etc/serial", "env:serialno"]);
        assert_eq!(found.found().expect("a serial number").source, "/etc/serial");
    }

    #[test]
    fn nothing_counts_that_comes_after_a_source_that_cannot_be_read() {
        let sandbox = Sandbox::new();
        let (found, _) = look(&sandbox, &["device-tree", "env:locked", "env:serialno"]);
        assert_eq!(found, Reading::Unreadable);
        let (found, _) = look(&sandbox, &["env:serialno", "env:locked"]);
        assert!(found.found().is_some(), "what comes before it does");
    }

    #[test]
    fn a_command_has_one_line_and_ends_well_or_is_no_source() {
        let sandbox = Sandbox::new();
        for (script, says) in [
            ("echo 'warning: old format'; echo SN-1", "more than one line"),
            ("echo SN-1; exit 3", "exit status: 3"),
        ] {
            sandbox.script("/bin/serial", script);
            let (found, warnings) = look(&sandbox, &["command:/bin/serial", "env:serialno"]);
            assert_eq!(found, Reading::Unreadable, "{script}");
            assert!(warnings[0].contains(says), "{warnings:?}");
        }
        let (found, warnings) = look(&sandbox, &["command:/bin/absent"]);
        assert_eq!((found, warnings.len()), (Reading::Unreadable, 1));
    }

    #[test]
    fn a_serial_number_that_cannot_be_one_is_a_warning_and_not_the_end() {
        let sandbox = Sandbox::new();
        sandbox.write("/etc/control", "a\u{1}b\n");
        let (found, warnings) = look(&sandbox, &["file:/etc/control", "env:serialno"]);
        assert_eq!(found.found().expect("the last one").source, "env serialno");
        assert!(warnings[0].contains("printable"), "{warnings:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = first_line(&bytes);
            let _ = cpu_serial(&bytes);
        }
    }
}
