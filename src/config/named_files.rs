//! The files that a configuration names, each opened.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::secret_file::{SecretFile, SecretFileError};
use super::serial_source::SerialSource;
use super::settings::{Settings, Tls, Trust};
use crate::file_error::advice;
use crate::root::Root;
use crate::text;

/// A file that is named and cannot be used.
#[derive(Debug)]
pub struct UnusableFile {
    table: &'static str,
    key: &'static str,
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Secret(SecretFileError),
    Unreadable(io::Error),
    NotExecutable,
    NotPem,
    NoCertificate,
    /// Encrypted, or none.
    NoKey,
}

impl Settings {
    /// Opens every file that the settings name; what cannot be used is told.
    pub fn unusable_files(&self, root: &Root) -> Vec<UnusableFile> {
        let mut look = Look { root, unusable: Vec::new() };
        look.directory("state_dir", &self.state_dir);
        look.directory("runtime_dir", &self.runtime_dir);
        look.directory("hooks_dir", &self.hooks_dir);
        for source in &self.serial_number.sources {
            match source {
                SerialSource::File(path) => look.open("serial_number", "sources", path),
                SerialSource::Command { program, .. } => look.program(program),
                SerialSource::Env(_)
                | SerialSource::DeviceTree
                | SerialSource::CpuInfo
                | SerialSource::DieId => {}
            }
        }
        if let Some(mqtt) = &self.mqtt {
            look.tls("mqtt", &mqtt.tls);
            look.secret("mqtt", "password_file", mqtt.password.as_ref());
        }
        for (table, service) in [("http", &self.http), ("billing", &self.billing)] {
            if let Some(service) = service {
                look.tls(table, &service.tls);
                look.secret(table, "token_file", service.token.as_ref());
            }
        }
        look.unusable
    }
}

struct Look<'r> {
    root: &'r Root,
    unusable: Vec<UnusableFile>,
}

impl Look<'_> {
    fn found(&mut self, table: &'static str, key: &'static str, path: &Path, why: Option<Why>) {
        let path = path.to_owned();
        self.unusable.extend(why.map(|why| UnusableFile { table, key, path, why }));
    }

    fn open(&mut self, table: &'static str, key: &'static str, path: &Path) {
        let opened = text::open_file(&self.root.path(path));
        self.found(table, key, path, opened.err().map(Why::Unreadable));
    }

    /// One that is not there is made where it is needed.
    fn directory(&mut self, key: &'static str, path: &Path) {
        let found = fs::metadata(self.root.path(path));
        let why = found.is_ok_and(|found| !found.is_dir());
        self.found(
            "",
            key,
            path,
            why.then(|| Why::Unreadable(io::ErrorKind::NotADirectory.into())),
        );
    }

    fn program(&mut self, path: &Path) {
        let opened = text::open_file(&self.root.path(path)).and_then(|file| file.metadata());
        let why = match opened {
            Err(why) => Some(Why::Unreadable(why)),
            Ok(found) => (found.mode() & 0o111 == 0).then_some(Why::NotExecutable),
        };
        self.found("serial_number", "sources", path, why);
    }

    fn secret(&mut self, table: &'static str, key: &'static str, file: Option<&SecretFile>) {
        let Some(file) = file else { return };
        let read = match key {
            "token_file" => file.read_authorization(self.root).map(drop).map_err(Why::Secret),
            _ => file.read(self.root).map_err(Why::Secret).and_then(|secret| match key {
                "client_key_file" => PrivateKeyDer::from_pem_slice(secret.expose().as_bytes())
                    .map(|_| ())
                    .map_err(|_| Why::NoKey),
                _ => Ok(()),
            }),
        };
        self.found(table, key, file.path(), read.err());
    }

    fn tls(&mut self, table: &'static str, tls: &Tls) {
        if let Trust::Authorities { ca_file: Some(path), .. } = &tls.trust {
            let why = certificates(&self.root.path(path)).err();
            self.found(table, "ca_file", path, why);
        }
        if let Some(client) = &tls.client {
            let why = certificates(&self.root.path(&client.cert_file)).err();
            self.found(table, "client_cert_file", &client.cert_file, why);
            self.secret(table, "client_key_file", Some(&client.key));
        }
    }
}

fn certificates(path: &Path) -> Result<(), Why> {
    let wrong = |why| match why {
        pem::Error::Io(why) => Why::Unreadable(why),
        _ => Why::NotPem,
    };
    let mut none = true;
    let text = text::open(path).map_err(Why::Unreadable)?;
    for certificate in CertificateDer::pem_reader_iter(text) {
        certificate.map_err(wrong)?;
        none = false;
    }
    if none { Err(Why::NoCertificate) } else { Ok(()) }
}

impl UnusableFile {
    /// The table that names it; empty for the file itself.
    pub fn table(&self) -> &'static str {
        self.table
    }

    /// Whether what is wrong is told of a secret.
    pub fn is_secret(&self) -> bool {
        matches!(self.why, Why::Secret(_))
    }
}

impl fmt::Display for UnusableFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnusableFile { table, key, path, why } = self;
        let path = path.display();
        match *table {
            "" => write!(f, "`{key}`: ")?,
            table => write!(f, "`{table}.{key}`: ")?,
        }
        match why {
            Why::Secret(why) => why.fmt(f),
            Why::Unreadable(why) => write!(f, "{path} cannot be read: {why}{}", advice(why)),
            Why::NotExecutable => write!(f, "{path} is not executable: chmod +x {path}"),
            Why::NotPem => write!(f, "{path} is not PEM: is it the right file?"),
            Why::NoCertificate => {
                write!(f, "{path} holds no certificate, a block that begins with BEGIN CERTIFICATE")
            }
            Why::NoKey => {
                write!(f, "{path} holds no private key that can be used: an encrypted one cannot")
            }
        }
    }
}
