//! A database of the test's own, of the engine that the tests run on, and what can be seen and done in it from
//! outside: SQLite's file, or a database on a PostgreSQL server that many tests share.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use postgres::{NoTls, SimpleQueryMessage};
use rusqlite::types::ValueRef;

use crate::{Directory, postgres::dump, skipped};

/// Where the server is: a URL with `DATABASE` in the place of the database's name. Without it the tests run on
/// files.
const SERVER: &str = "INTERCOM_TESTS_POSTGRES";

/// A database, gone with the value.
pub struct Database(Place);

enum Place {
    File(Directory),
    Server(String),
}

/// A connection to a database beside those of the service.
pub enum Outside {
    /// To a file.
    Sqlite(rusqlite::Connection),
    /// To a server.
    Postgres(postgres::Client),
}

/// Whether the tests run on PostgreSQL, and not on files.
pub fn is_on_postgres() -> bool {
    server().is_some()
}

/// The same for a test about SQLite's file, which has nothing to test there: it is counted as skipped, with what it
/// is about.
pub fn skipped_on_postgres(what: &str) -> bool {
    if is_on_postgres()
        && let Ok(list) = env::var(skipped::LIST)
    {
        skipped::add(&list, &format!("{what}: for a file alone"));
    }
    is_on_postgres()
}

impl Database {
    /// A new one with nothing in it. The file is not there yet.
    #[allow(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if server().is_none() {
            return Database(Place::File(Directory::new()));
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        // Left over by a test that was killed.
        drop_database(&name);
        on_the_server(format!("CREATE DATABASE {name}"));
        Database(Place::Server(name))
    }

    /// The same database as a command takes it.
    pub fn location(&self) -> String {
        match &self.0 {
            Place::File(dir) => file(dir).display().to_string(),
            Place::Server(name) => url(name),
        }
    }

    /// A connection of one's own.
    pub fn outside(&self) -> Outside {
        match &self.0 {
            Place::File(dir) => {
                Outside::Sqlite(rusqlite::Connection::open(file(dir)).expect("the file"))
            }
            Place::Server(name) => connect(name),
        }
    }

    /// A connection that nobody else gets past until it is dropped.
    pub fn held(&self) -> Outside {
        let mut outside = self.outside();
        outside.execute(match &outside {
            Outside::Sqlite(_) => "BEGIN EXCLUSIVE",
            Outside::Postgres(_) => "BEGIN; LOCK TABLE tokens",
        });
        outside
    }

    /// As [`Outside::execute`].
    pub fn execute(&self, statements: &str) {
        self.outside().execute(statements);
    }

    /// As [`Outside::rows`].
    pub fn rows(&self, query: &str) -> Vec<Vec<Option<String>>> {
        self.outside().rows(query)
    }

    /// As [`Outside::value`].
    pub fn value(&self, query: &str) -> Option<String> {
        self.outside().value(query)
    }

    /// As [`Outside::number`].
    pub fn number(&self, query: &str) -> i64 {
        self.outside().number(query)
    }

    /// How many bytes it takes, once no service uses it.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Place::File(dir) => fs::metadata(file(dir)).expect("the file").len(),
            Place::Server(_) => {
                // A row that is no more leaves its room to others, as in a file.
                self.execute("VACUUM");
                let size = self.number("SELECT pg_database_size(current_database())");
                u64::try_from(size).expect("a size")
            }
        }
    }

    /// Whether these bytes are anywhere in it, or beside its file.
    pub fn has(&self, bytes: &[u8]) -> bool {
        let all: Vec<Vec<u8>> = match &self.0 {
            Place::File(dir) => {
                let files = fs::read_dir(dir.path()).expect("the directory");
                files.map(|file| fs::read(file.expect("a file").path()).expect("a file")).collect()
            }
            Place::Server(name) => {
                // Else bytes are shown by their digits.
                self.execute(&format!("ALTER DATABASE {name} SET bytea_output = 'escape'"));
                vec![dump(&url(name))]
            }
        };
        assert!(all.iter().any(|part| !part.is_empty()), "there is nothing to look through");
        all.iter().any(|part| part.windows(bytes.len()).any(|window| window == bytes))
    }
}

impl Outside {
    /// Runs statements.
    pub fn execute(&mut self, statements: &str) {
        match self {
            Outside::Sqlite(file) => file.execute_batch(statements).expect(statements),
            Outside::Postgres(server) => server.batch_execute(statements).expect(statements),
        }
    }

    /// What a query finds, as texts.
    pub fn rows(&mut self, query: &str) -> Vec<Vec<Option<String>>> {
        match self {
            Outside::Sqlite(file) => {
                let mut found = file.prepare(query).expect(query);
                let columns = found.column_count();
                let row = |row: &rusqlite::Row<'_>| {
                    (0..columns).map(|at| Ok(text(row.get_ref(at)?))).collect()
                };
                found.query_map([], row).expect(query).collect::<Result<_, _>>().expect(query)
            }
            Outside::Postgres(server) => {
                let found = server.simple_query(query).expect(query);
                let rows = found.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                rows.map(|row| (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
                    .collect()
            }
        }
    }

    /// The first value that a query finds; `None`: it finds nothing, or NULL.
    pub fn value(&mut self, query: &str) -> Option<String> {
        self.rows(query).into_iter().next()?.into_iter().next()?
    }

    /// The same, where it is a number.
    pub fn number(&mut self, query: &str) -> i64 {
        self.value(query).and_then(|text| text.parse().ok()).expect(query)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Place::Server(name) = &self.0 {
            drop_database(name);
        }
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

fn file(dir: &Directory) -> PathBuf {
    dir.path().join("billing.sqlite")
}

fn connect(database: &str) -> Outside {
    Outside::Postgres(postgres::Client::connect(&url(database), NoTls).expect("the server"))
}

fn drop_database(name: &str) {
    on_the_server(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
}

/// In a thread: a test may be in an asynchronous runtime, and the library has one of its own.
fn on_the_server(statement: String) {
    let done = thread::spawn(move || connect("postgres").execute(&statement));
    done.join().expect("the server does it");
}

fn server() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    URL.get_or_init(|| env::var(SERVER).ok()).as_deref()
}

fn url(database: &str) -> String {
    server().map(|server| server.replace("DATABASE", database)).unwrap_or_default()
}
