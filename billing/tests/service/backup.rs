//! Backup and restore, under load and with the plug pulled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::thread;

use intercom_test_support::{Database, Process, skipped_on_postgres};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::Method;

use crate::common::program::{Caller, Program, command};
use crate::common::{INTERCOMS, OLD};

/// Creates intercoms until the service answers no more, and knows what was acknowledged.
#[derive(Default)]
struct Acknowledged(Mutex<BTreeSet<String>>);

impl Acknowledged {
    fn create(&self, writer: u8, caller: &Caller) {
        for n in 0..=u16::MAX {
            let [high, low] = n.to_be_bytes();
            let mac = format!("02:00:00:{writer:02X}:{high:02X}:{low:02X}");
            match caller.try_call(Method::POST, INTERCOMS, &json!({"mac": mac})) {
                Some(answer) if answer.status() == 201 => {
                    self.0.lock().expect("no panic").insert(mac);
                }
                _ => return,
            }
        }
    }

    fn so_far(&self) -> BTreeSet<String> {
        self.0.lock().expect("no panic").clone()
    }

    /// Waits until so many more are acknowledged.
    fn wait_for(&self, more: usize) {
        let until = self.so_far().len() + more;
        while self.so_far().len() < until {
            thread::yield_now();
        }
    }
}

fn file_of(database: &Database) -> PathBuf {
    database.location().into()
}

fn macs(database: &Path) -> BTreeSet<String> {
    let database = Connection::open(database).expect("a database");
    let mut all = database.prepare("SELECT confirmed_mac FROM intercoms").expect("the table");
    let all = all.query_map([], |row| row.get(0)).expect("rows");
    all.collect::<Result<_, _>>().expect("texts")
}

fn run(what: &str, database: &Path, file: &Path) -> Output {
    command().arg(what).arg("--database").arg(database).arg(file).output().expect("it runs")
}

fn succeeds(what: &str, database: &Path, file: &Path) {
    let Output { status, stderr, .. } = run(what, database, file);
    assert!(status.success(), "{what}: {}", String::from_utf8_lossy(&stderr));
}

fn fails(what: &str, database: &Path, file: &Path) -> String {
    let Output { status, stderr, .. } = run(what, database, file);
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1), "{what}: {said}");
    said
}

/// The service is killed under load, and so are some backups. A backup that has ended has all that
/// was acknowledged before it began, one that was killed leaves nothing that looks like one, and the
/// database has all that was acknowledged at all.
#[test]
fn nothing_acknowledged_is_lost_under_load_and_with_the_plug_pulled() {
    if skipped_on_postgres("a backup of what is being written") {
        return;
    }
    let billing = Program::start("the office", &[]);
    let (database, copies) = (file_of(&billing.database), TempDir::new().expect("a directory"));
    let acknowledged = Acknowledged::default();
    let (whole, before) = thread::scope(|scope| {
        for writer in 0..4 {
            let (acknowledged, caller) = (&acknowledged, billing.caller.clone());
            scope.spawn(move || acknowledged.create(writer, &caller));
        }
        acknowledged.wait_for(50);
        let before = acknowledged.so_far();
        let whole = copies.path().join("whole");
        succeeds("backup", &database, &whole);
        for n in 0..8 {
            let mut backup = command();
            let to = copies.path().join(format!("killed-{n}"));
            backup.arg("backup").arg("--database").arg(&database).arg(&to);
            let backup = Process::start("backup", &mut backup);
            acknowledged.wait_for(n);
            backup.kill();
            assert!(!to.exists() || macs(&to).is_superset(&before), "{}", to.display());
        }
        billing.process.kill();
        (whole, before)
    });
    let (kept, all) = (macs(&database), acknowledged.so_far());
    assert!(kept.is_superset(&all), "lost: {:?}", all.difference(&kept));
    assert!(macs(&whole).is_superset(&before));

    let elsewhere = Database::new();
    succeeds("restore", &file_of(&elsewhere), &whole);
    let billing = Program::start_on(elsewhere, billing.caller.token, &[]);
    for mac in &before {
        let path = format!("{INTERCOMS}/show?mac={mac}");
        let shown = billing.caller.call(Method::GET, &path, &Value::Null);
        assert_eq!(shown.status(), 200, "{mac}");
    }
    let after = json!({"mac": OLD});
    assert_eq!(billing.caller.call(Method::POST, INTERCOMS, &after).status(), 201);
}

#[test]
fn a_backup_is_one_file_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    if skipped_on_postgres("who reads a backup") {
        return;
    }
    let billing = Program::start("the office", &[]);
    let dir = TempDir::new().expect("a directory");
    succeeds("backup", &file_of(&billing.database), &dir.path().join("copy"));
    let names: Vec<_> = fs::read_dir(dir.path()).expect("a directory").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let mode = fs::metadata(dir.path().join("copy")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn neither_a_backup_nor_a_restore_takes_the_place_of_another_file() {
    if skipped_on_postgres("what a backup would be written over") {
        return;
    }
    let billing = Program::start("the office", &[]);
    let dir = TempDir::new().expect("a directory");
    let (database, copy) = (file_of(&billing.database), dir.path().join("copy"));
    succeeds("backup", &database, &copy);
    assert!(fails("backup", &database, &copy).contains("copy is there already"));
    let said = fails("restore", &database, &copy);
    assert!(said.contains("another intercom-billing serves it"), "{said}");
    billing.process.kill();
    let said = fails("restore", &database, &copy);
    assert!(said.contains("billing.sqlite is there already"), "{said}");
    // The log alone would be taken for that of the restored database.
    fs::remove_file(&database).expect("it is there");
    let said = fails("restore", &database, &copy);
    assert!(said.contains("billing.sqlite-wal is there already"), "{said}");
}

#[test]
fn what_is_not_a_database_of_the_service_is_neither_backed_up_nor_restored() {
    if skipped_on_postgres("a backup of something else") {
        return;
    }
    let dir = TempDir::new().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    fs::write(path("text"), "not a database ".repeat(1000)).expect("a file");
    fs::write(path("empty"), "").expect("a file");
    let other = Connection::open(path("other")).expect("a database");
    other.execute_batch("CREATE TABLE t (a)").expect("a table");
    for (name, why) in [
        ("text", "file is not a database"),
        ("empty", "no database of intercom-billing"),
        ("other", "no database of intercom-billing"),
        ("missing", "unable to open database file"),
    ] {
        for said in [
            fails("restore", &path("new"), &path(name)),
            fails("backup", &path(name), &path("new")),
        ] {
            assert!(said.contains(why), "{name}: {said}");
        }
        assert!(!path("new").exists(), "{name}");
    }
}
