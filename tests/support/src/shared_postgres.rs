//! A database of the test's own on a server that many tests share, where the tests are to run on PostgreSQL.

use std::env;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::postgres::psql;

/// Where the server is: a URL up to the name of the database, and after it.
const SERVER: &str = "INTERCOM_TESTS_POSTGRES";

/// A database, gone with the value.
pub struct Database {
    name: String,
}

impl Database {
    /// A new one with nothing in it; `None`: the tests run on files.
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        server()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        psql(&url("postgres"), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        psql(&url("postgres"), &format!("CREATE DATABASE {name}"));
        Some(Database { name })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        url(&self.name)
    }

    /// What `psql` prints for these statements, a row a line.
    pub fn psql(&self, statements: &str) -> String {
        psql(&self.url(), statements)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(&url("postgres"), &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn server() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    URL.get_or_init(|| env::var(SERVER).ok()).as_deref()
}

fn url(database: &str) -> String {
    server().map(|server| server.replace("DATABASE", database)).unwrap_or_default()
}
