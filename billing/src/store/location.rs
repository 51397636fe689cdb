//! Where a database is: a file, or a PostgreSQL server's.

use std::fmt;
use std::path::{Path, PathBuf};

use super::OpenError;
use super::postgres::Server;

/// A database, by its file or its server. Shown without a password.
#[derive(Clone, Debug)]
pub enum Location {
    /// SQLite's file.
    File(PathBuf),
    /// A database of PostgreSQL.
    Postgres(Box<Server>),
}

impl Location {
    /// A `postgres://` URL, or else a file. The authorities of a server that is spoken to by TLS are in
    /// that PEM file, or those of the system.
    ///
    /// # Errors
    /// The URL or the PEM file is wrong.
    pub fn new(text: &str, ca: Option<&Path>) -> Result<Self, OpenError> {
        if is_url(text) {
            return Ok(Location::Postgres(Box::new(Server::new(text, ca)?)));
        }
        if text.contains("://") || text.starts_with("host=") || text.contains(" host=") {
            // Not with the text, which may have a password.
            return Err(OpenError::Url("it begins with postgres://".to_owned()));
        }
        Ok(Location::File(text.into()))
    }

    /// Whether several processes may serve it at once.
    pub fn is_shared(&self) -> bool {
        matches!(self, Location::Postgres(_))
    }

    /// SQLite's file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Location::File(file) => Some(file),
            Location::Postgres(_) => None,
        }
    }
}

/// Whether that is the URL of a server, and not the name of a file.
pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

impl From<&Path> for Location {
    fn from(file: &Path) -> Self {
        Location::File(file.to_owned())
    }
}

impl From<&PathBuf> for Location {
    fn from(file: &PathBuf) -> Self {
        Location::File(file.clone())
    }
}

#[cfg(test)]
impl From<&intercom_test_support::Database> for Location {
    fn from(database: &intercom_test_support::Database) -> Self {
        Location::new(&database.location(), None).expect("where a database is")
    }
}

impl From<PathBuf> for Location {
    fn from(file: PathBuf) -> Self {
        Location::File(file)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(file) => file.display().fmt(f),
            Location::Postgres(server) => server.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_no_file_of_that_name_and_its_password_is_not_shown() {
        let is_file = |text| Location::new(text, None).is_ok_and(|at| at.file().is_some());
        assert!(is_file("billing.sqlite") && is_file("./postgres"));
        for wrong in [
            "mysql://u:hunter2@h/d",
            "Postgres://u:hunter2@h/d",
            "host=h password=hunter2",
            "postgres://u:hunter2@h:x/d",
        ] {
            let why = Location::new(wrong, None).expect_err("refused").to_string();
            assert!(why.contains("PostgreSQL") && !why.contains("hunter2"), "{wrong}: {why}");
        }
        let socket = Location::new("postgres://u:hunter2@/d?host=/run/postgresql", None);
        let shown = socket.expect("a URL").to_string();
        assert_eq!(shown, "d of PostgreSQL at /run/postgresql");
    }
}
