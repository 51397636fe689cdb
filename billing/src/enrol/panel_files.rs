//! The files of one panel, as they lie on it: the lines of its configuration, and its secrets each in
//! a file of its own that only root can read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use intercom_wire::BoardName;
use serde_json::json;
use url::Url;

use crate::principal::Secret;

const CONFIGURATION: &str = "etc/intercom-agent.toml";
const DIRECTORY: &str = "etc/intercom-agent";
const TOKEN: &str = "etc/intercom-agent/token";
const PASSWORD: &str = "etc/intercom-agent/mqtt-password";
const AUTHORITIES: &str = "etc/intercom-agent/ca.pem";

/// What a panel needs to be let in.
pub(super) struct PanelFiles<'a> {
    /// Its name.
    pub(super) board: &'a BoardName,
    /// The broker, if it speaks to one.
    pub(super) mqtt: Option<&'a Url>,
    /// The service, if it polls.
    pub(super) http: Option<&'a Url>,
    /// The authorities that it trusts, if they are not those of its system.
    pub(super) ca_file: Option<&'a Path>,
    /// Its token.
    pub(super) token: &'a Secret,
    /// Its password at the broker, if that is not the token.
    pub(super) password: Option<&'a Secret>,
}

impl PanelFiles<'_> {
    /// Writes them below a new directory.
    ///
    /// # Errors
    /// The directory is there already, or something cannot be read or written.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        let authorities = self
            .ca_file
            .map(|file| fs::read(file).with_context(|| format!("cannot read {}", file.display())));
        let authorities = authorities.transpose()?;
        let cannot_write = || format!("cannot write the panel's files to {}", directory.display());
        // Not into an older one: what another board has there would be taken for this one's.
        new_directory(directory).with_context(cannot_write)?;
        let write_all = || {
            for below in ["etc", DIRECTORY] {
                new_directory(&directory.join(below))?;
            }
            let write = |file, bytes: &[u8]| write_new(&directory.join(file), bytes);
            write(CONFIGURATION, self.configuration().as_bytes())?;
            write(TOKEN, format!("{}\n", self.token.expose()).as_bytes())?;
            if let Some(password) = self.password {
                write(PASSWORD, format!("{}\n", password.expose()).as_bytes())?;
            }
            authorities.map_or(Ok(()), |bytes| write(AUTHORITIES, &bytes))
        };
        write_all().with_context(cannot_write)
    }

    /// The lines for /etc/intercom-agent.toml. The topic of the MAC address is for requests by other
    /// platforms, and the brokers' rules for panels do not grant it.
    fn configuration(&self) -> String {
        let mut lines = vec![format!("board_name = \"{}\"", self.board)];
        if let Some(url) = self.mqtt {
            lines.extend(["".to_owned(), "[mqtt]".to_owned()]);
            lines.extend(self.address(url));
            lines.push(format!("username = \"{}\"", self.board));
            let password = if self.password.is_some() { PASSWORD } else { TOKEN };
            lines.push(format!("password_file = \"/{password}\""));
            lines.push("mac_topics = false".to_owned());
        }
        if let Some(url) = self.http {
            lines.extend(["".to_owned(), "[http]".to_owned()]);
            lines.extend(self.address(url));
            lines.push(format!("token_file = \"/{TOKEN}\""));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn address(&self, url: &Url) -> Vec<String> {
        // A JSON string is a TOML string, too.
        let address = format!("url = {}", json!(url.as_str().trim_end_matches('/')));
        let is_tls = matches!(url.scheme(), "mqtts" | "https");
        let authorities = self.ca_file.filter(|_| is_tls);
        let authorities = authorities.map(|_| format!("ca_file = \"/{AUTHORITIES}\""));
        [address].into_iter().chain(authorities).collect()
    }
}

/// Readable by all, as the panel's own ones are, since an archive takes the modes along; what is secret is in files
/// that their owner alone reads.
fn new_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o755).create(directory)
}

fn write_new(file: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(bytes)
}
