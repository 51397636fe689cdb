//! `bugreport`: all that whoever helps needs to know, in one text without a secret.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use super::args::{Bugreport, Common};
use super::exit::{Exit, Failure};
use super::hidden_macs::hide_macs;
use super::{command_line, doctor, output, status};
use crate::clock::WallTime;
use crate::config::load_with_in_force;
use crate::control::{self, Answer, Ask};
use crate::crash::build_id;
use crate::file_error::of_file;
use crate::panel::Panel;
use crate::root::Root;

/// The last lines of the log that are of use.
const LOG_LINES: usize = 200;
/// How much of a log is looked at: a panel's memory is small.
const LOG_BYTES: u64 = 1 << 20;

pub(super) fn bugreport(bugreport: &Bugreport) -> Result<Exit, Failure> {
    let common = bugreport.common();
    let body = body(&common, super::root(&common)?);
    let body = if bugreport.mac_addresses { body } else { hide_macs(&body) };
    let (version, build) = (command_line::version(), build_id());
    let text = format!("{version}, build {build}, {}\n{body}", WallTime::now());
    let Some(file) = &bugreport.file else {
        output::print(common.json, &text, String::clone)?;
        return Ok(Exit::Done);
    };
    // Never through a link that somebody else has put there.
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new(format!("{} is there already: name another file", file.display()))
        }
        _ => Failure::new(of_file(file, why)),
    })?;
    output::print(common.json, &file.display().to_string(), |file| {
        format!("{file} is written. Read it before you send it.")
    })?;
    Ok(Exit::Done)
}

/// Each part, or why there is none: what is wrong with the one must not hide the others.
fn body(common: &Common, root: Root) -> String {
    let kernel = fs::read_to_string(root.path("/proc/version")).unwrap_or_default();
    let log = match root.is_sandbox() {
        true => "a sandboxed board has none of its own".to_owned(),
        false => log_lines(),
    };
    let (settings, status, checks) = match load_with_in_force(&root, common.config.as_deref()) {
        Ok((settings, in_force)) => {
            let panel = super::open(root, settings);
            (
                in_force.without_arguments().as_toml(),
                state(&panel),
                doctor::in_words(&doctor::checks(&panel)),
            )
        }
        Err(why) => {
            let none = "not known: the configuration above is wrong".to_owned();
            (why.to_string(), none.clone(), none)
        }
    };
    let mut body = String::new();
    for (title, text) in [
        ("kernel", kernel),
        ("configuration", settings),
        ("status", status),
        ("doctor", checks),
        ("log", log),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(body, "\n== {title}\n{}", text.trim_end());
    }
    body
}

fn state(panel: &Panel) -> String {
    let mut state = String::new();
    let socket = panel.runtime_dir().join(control::SOCKET);
    let asked = control::ask(&socket, &Ask::Status, |answer| match answer {
        Answer::State { told, .. } => told.text(false).clone_into(&mut state),
        Answer::Refused(why) => state = why,
        _ => {}
    });
    match asked {
        Ok(()) => state,
        Err(why) => match status::of_record(panel) {
            Ok(told) => format!("the daemon cannot be asked: {why}\n{}", told.text(false)),
            Err(failure) => format!("the daemon cannot be asked: {why}\n{}", failure.message),
        },
    }
}

/// Where the log is depends on who started the daemon.
fn log_lines() -> String {
    let journal = output_of("journalctl", &["-u", "intercom-agent", "--no-pager", "-n", "200"]);
    let Ok(text) = journal.or_else(|_| output_of("dmesg", &[])) else {
        return "neither journalctl nor dmesg can be run".to_owned();
    };
    let text = String::from_utf8_lossy(&text);
    let ours: Vec<&str> = text.lines().filter(|line| line.contains("intercom-agent")).collect();
    let (_, last) = ours.split_at(ours.len().saturating_sub(LOG_LINES));
    last.join("\n")
}

fn output_of(program: &str, arguments: &[&str]) -> io::Result<Vec<u8>> {
    let mut command = Command::new(program);
    let command = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let mut text = Vec::new();
    if let Some(out) = child.stdout.take() {
        out.take(LOG_BYTES).read_to_end(&mut text)?;
    }
    child.wait()?;
    Ok(text)
}
