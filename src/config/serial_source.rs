//! A place where a serial number may be found.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One of the configured sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialSource {
    /// `env:NAME`: a U-Boot variable.
    Env(String),
    /// `device-tree`: what the boot loader put into the device tree.
    DeviceTree,
    /// `cpuinfo`: the `Serial` line of `/proc/cpuinfo`.
    CpuInfo,
    /// `file:PATH`: the first line of a file.
    File(PathBuf),
    /// `command:PATH ARGUMENTS…`: the only line that a program prints. No shell is in between.
    Command {
        /// The program's absolute path.
        program: PathBuf,
        /// What it is given.
        arguments: Vec<String>,
    },
    /// `die-id`: the SoC's die ID.
    DieId,
}

impl FromStr for SerialSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest) {
            ("device-tree", "") => return Ok(SerialSource::DeviceTree),
            ("cpuinfo", "") => return Ok(SerialSource::CpuInfo),
            ("die-id", "") => return Ok(SerialSource::DieId),
            ("env", name) if is_variable_name(name) => {
                return Ok(SerialSource::Env(name.to_owned()));
            }
            ("file", path) if path.starts_with('/') => {
                return Ok(SerialSource::File(path.into()));
            }
            ("command", line) => {
                let mut words = line.split_ascii_whitespace();
                if let Some(program) = words.next().filter(|program| program.starts_with('/')) {
                    return Ok(SerialSource::Command {
                        program: program.into(),
                        arguments: words.map(str::to_owned).collect(),
                    });
                }
            }
            _ => {}
        }
        // Without a command's arguments, which may be secrets.
        let text = text.split_ascii_whitespace().next().unwrap_or_default();
        Err(format!(
            "`{text}` is not a source: use env:NAME, device-tree, cpuinfo, file:/PATH, \
             command:/PATH ARGUMENTS or die-id"
        ))
    }
}

/// Whether a text can name a U-Boot variable: printable, without the `=` that ends a name.
pub(super) fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=')
}

impl fmt::Display for SerialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SerialSource::Env(name) => write!(f, "env {name}"),
            SerialSource::DeviceTree => f.write_str("device tree"),
            SerialSource::CpuInfo => f.write_str("/proc/cpuinfo"),
            SerialSource::File(path) => write!(f, "{}", path.display()),
            SerialSource::Command { program, .. } => write!(f, "command {}", program.display()),
            SerialSource::DieId => f.write_str("die ID"),
        }
    }
}
