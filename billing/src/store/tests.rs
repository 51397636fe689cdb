//! What the tables keep, in real databases.

use std::collections::BTreeSet;
use std::sync::Mutex;

use intercom_test_support::{Database, is_on_postgres, skipped_on_postgres};
use intercom_wire::{Identity, Mac};

use super::intercoms::{Details, EMPTY, INSTALLED, Name, PENDING, RecordState};
use super::macs::Believed;
use super::taken::Among;
use super::*;
use crate::replacement::Carried;

mod boards;

fn count(database: &Database, table: &str) -> i64 {
    database.number(&format!("SELECT count(*) FROM {table}"))
}

/// What has changed since it was asked for last. On PostgreSQL that is told a moment after its commit, in the order
/// of the commits: a change of no intercom comes last.
pub(crate) fn changed(store: &Store) -> BTreeSet<Changed> {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let last = Changed::Intercom(LAST.fetch_sub(1, Ordering::Relaxed));
    let mut changed = BTreeSet::new();
    while !changed.contains(&last) {
        let last = last.clone();
        in_store(store, move |t| {
            t.changed(last);
            Ok(())
        });
        changed.append(&mut store.changes().take());
    }
    changed.retain(|changed| !matches!(changed, Changed::Intercom(..=0)));
    changed
}

fn mac(last: u8) -> Mac {
    Mac::try_from([0xAA, 0, 0, 0, 0, last]).expect("a MAC")
}

pub(crate) fn carried(last: u8, serial_number: &str) -> Carried {
    let serial_number = Some(serial_number.parse().expect("a serial number"));
    Carried { identity: Identity { mac: mac(last), serial_number }, model: None }
}

pub(crate) fn in_store<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
) -> T {
    attempt(store, work).expect("a transaction")
}

/// The intercom of panel 1 is to get panel 2.
fn promise_the_second(store: &Store, id: i64) {
    in_store(store, move |t| {
        let (confirmed, desired) = (&carried(1, "S1"), &carried(2, "S2"));
        let state = RecordState { confirmed, desired, status: "pending", source: "auto-replace" };
        intercoms::set_state(t, id, &state)
    });
}

fn attempt<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.write(work))
}

#[test]
fn a_committed_record_is_there_after_the_database_is_opened_again() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let id =
        in_store(&store, move |t| intercoms::insert(t, &carried(1, "S1"), &Details::default(), 7));
    drop(store);
    let store = Store::open(&database).expect("the same store");
    let found =
        in_store(&store, move |t| intercoms::find(t, &Name::Mac(mac(1)))).expect("a record");
    assert_eq!((found.id, found.seq, found.confirmed), (id, 7, carried(1, "S1")));
}

#[test]
fn an_error_undoes_the_whole_transaction() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let failed: Result<()> = attempt(&store, |t| {
        intercoms::insert(t, &carried(1, "S1"), &Details::default(), 1)?;
        Err(Error::NoRow)
    });
    assert!(failed.is_err());
    assert_eq!(in_store(&store, move |t| intercoms::find(t, &Name::Mac(mac(1)))), None);
}

#[test]
fn a_read_does_not_wait_for_a_write_and_sees_what_was_committed_before() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    in_store(&store, |t| intercoms::insert(t, &carried(1, "S1"), &Details::default(), 1));
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let (writes, is_writing) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let writer = store.clone();
    let written = runtime.spawn(async move {
        let write = move |t: &Transaction<'_>| {
            intercoms::insert(t, &carried(2, "S2"), &Details::default(), 1)?;
            writes.send(()).expect("the test waits");
            may_go_on.recv().map_err(|_| Error::NoRow)
        };
        writer.write(write).await
    });
    is_writing.recv().expect("it has written");
    let find = |last| {
        let found = store.read(move |s| intercoms::find(s, &Name::Mac(mac(last))));
        runtime.block_on(found).expect("a read").is_some()
    };
    assert_eq!((find(1), find(2)), (true, false), "while it is being written");
    go_on.send(()).expect("it waits");
    runtime.block_on(written).expect("it ran").expect("committed");
    assert!(find(2), "once it is committed");
}

#[test]
fn a_panic_in_a_read_is_an_error_and_gives_its_connection_back() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    for _ in 0..20 {
        let fails = store.read(|_| -> Result<()> { panic!("a fault in the work") });
        assert!(runtime.block_on(fails).is_err());
    }
    let found = store.read(|s| intercoms::find(s, &Name::Id(1)));
    assert_eq!(runtime.block_on(found).expect("it is read"), None);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let database = Database::new();
    drop(Store::open(&database).expect("a store"));
    database.execute(match is_on_postgres() {
        true => "UPDATE intercom_billing_schema SET version = 99",
        false => "PRAGMA user_version = 99",
    });
    let why = Store::open(&database).err().expect("refused").to_string();
    assert!(why.contains("version 99"), "{why}");
}

#[test]
fn what_is_no_database_is_refused() {
    if skipped_on_postgres("a file that is no database") {
        return;
    }
    let database = Database::new();
    std::fs::write(
        database.location(),
        "not a database, but long enough to be taken for one".repeat(99),
    )
    .expect("a file");
    assert!(Store::open(&database).is_err());
}

#[test]
fn a_group_is_made_once_and_named_after_its_id() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let made = in_store(&store, move |t| groups::find_or_make(t, None, Some("ext")));
    assert_eq!(in_store(&store, move |t| groups::find_or_make(t, None, Some("ext"))), made);
    assert_eq!(in_store(&store, move |t| groups::find_or_make(t, Some(6), Some("ext"))), Some(6));
    assert_eq!(in_store(&store, move |t| groups::find_or_make(t, None, None)), None);
    let details = Details { group_id: Some(6), department: Some(44), ..Details::default() };
    let id = in_store(&store, move |t| intercoms::insert(t, &carried(1, "S1"), &details, 1));
    let shown =
        in_store(&store, move |t| intercoms::find(t, &Name::Id(id))).expect("a record").shown;
    assert_eq!(shown.group.map(|g| (g.id, g.name, g.external_id)), Some((6, "6".into(), None)));
    assert_eq!(shown.department.as_deref(), Some("44"), "a number without a name");
}

#[test]
fn a_group_of_our_own_gets_a_short_id_whatever_ids_callers_name() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    for named in [6, i64::MAX] {
        let made = in_store(&store, move |t| groups::find_or_make(t, Some(named), None));
        assert_eq!(made, Some(named));
    }
    for (external_id, id) in [("first", 7), ("second", 8)] {
        let made = in_store(&store, move |t| groups::find_or_make(t, None, Some(external_id)));
        assert_eq!(made, Some(id));
    }
}

#[test]
fn a_group_of_our_own_gets_a_free_id_where_a_caller_has_named_the_largest() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    for named in [6, (1 << 31) - 1] {
        let made = in_store(&store, move |t| groups::find_or_make(t, Some(named), None));
        assert_eq!(made, Some(named));
    }
    for (external_id, id) in [("first", (1 << 31) - 2), ("second", (1 << 31) - 3)] {
        let made = in_store(&store, move |t| groups::find_or_make(t, None, Some(external_id)));
        assert_eq!(made, Some(id));
    }
}

#[test]
fn both_identities_of_a_record_are_reserved_and_a_spare_blocks_only_another_creation() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let id =
        in_store(&store, move |t| intercoms::insert(t, &carried(1, "S1"), &Details::default(), 1));
    let taken = |among, last, serial_number: &str| {
        let identity = carried(last, serial_number).identity;
        let taken = in_store(&store, move |t| taken::by_another(t, among, &identity, None));
        (taken.mac, taken.serial_number)
    };
    assert_eq!(taken(Among::All, 1, "other"), (true, false));
    assert_eq!(taken(Among::OthersButSpares(99), 1, "S1"), (false, false), "a spare");
    promise_the_second(&store, id);
    assert_eq!(taken(Among::OthersButSpares(99), 1, "S2"), (true, true));
    assert_eq!(taken(Among::OthersButSpares(99), 2, "S1"), (true, true));
    assert_eq!(taken(Among::OthersButSpares(id), 2, "S1"), (false, false), "its own");
}

#[test]
fn the_tables_themselves_refuse_an_identity_that_another_intercom_has_or_asks_for() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let insert = |last, serial_number| {
        attempt(&store, move |t| {
            intercoms::insert(t, &carried(last, serial_number), &Details::default(), 1)
        })
    };
    let [one, other] = [(1, "S1"), (5, "S5")].map(|(last, own)| insert(last, own).expect("free"));
    insert(1, "S9").expect_err("a MAC address twice");
    insert(9, "S1").expect_err("a serial number twice");
    insert(2, "S2").expect("a spare, which may be promised");
    promise_the_second(&store, one);
    let ask = |last, serial_number| {
        attempt(&store, move |t| {
            let (confirmed, desired) = (&carried(5, "S5"), &carried(last, serial_number));
            let state = RecordState { confirmed, desired, status: PENDING, source: "auto" };
            intercoms::set_state(t, other, &state)
        })
    };
    ask(2, "S9").expect_err("a MAC address that another one asks for");
    ask(9, "S2").expect_err("a serial number that another one asks for");
    ask(9, "S9").expect("nobody's");
}

#[test]
fn a_record_is_found_by_either_mac_and_before_the_spare_whose_mac_it_was_promised() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let spare =
        in_store(&store, move |t| intercoms::insert(t, &carried(2, "S2"), &Details::default(), 1));
    let id =
        in_store(&store, move |t| intercoms::insert(t, &carried(1, "S1"), &Details::default(), 1));
    let find =
        |last| in_store(&store, move |t| intercoms::find(t, &Name::Mac(mac(last)))).map(|r| r.id);
    assert_eq!(find(2), Some(spare));
    promise_the_second(&store, id);
    assert_eq!((find(1), find(2)), (Some(id), Some(id)));
    let cleared =
        in_store(&store, move |t| intercoms::delete_spares(t, &carried(2, "S2").identity, 0));
    assert_eq!(cleared, 1);
    assert_eq!(in_store(&store, move |t| intercoms::find(t, &Name::Id(spare))), None);
}

#[test]
fn each_database_has_an_issuer_and_a_client_id_of_its_own() {
    let (one, other) = (Database::new(), Database::new());
    let names = |database| {
        let store = Store::open(database).expect("a store");
        (in_store(&store, |t| offers::issuer(t)), in_store(&store, |t| offers::client_id(t)))
    };
    let ((issuer, client_id), (other_issuer, other_client_id)) = (names(&one), names(&other));
    assert_eq!(names(&one), (issuer.clone(), client_id.clone()), "after a restart");
    assert_ne!(issuer, other_issuer);
    assert_ne!(client_id, other_client_id);
    assert!(!client_id.contains(&issuer), "every panel is told the issuer: {client_id} {issuer}");
}

#[test]
fn old_reports_make_room() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let report = reports::Arrived {
        request_id: None,
        board: None,
        mac: None,
        status: EMPTY,
        reason: None,
        effect: "",
        arrived_ms: 0,
    };
    in_store(&store, move |t| {
        for _ in 0..10_005 {
            reports::add(t, &report)?;
        }
        Ok(())
    });
    assert_eq!(count(&database, "reports"), 10_000);
}

/// What is told of an intercom's hardware: MAC address, board, from when, until when.
fn hardware_of(database: &Database, id: i64) -> Vec<Vec<Option<String>>> {
    database.rows(&format!(
        "SELECT mac, board, since_ms, until_ms FROM hardware WHERE intercom_id = {id}
         ORDER BY number"
    ))
}

#[test]
fn the_hardware_of_a_door_is_told_from_its_creation_to_its_end() {
    let database = Database::new();
    let host = Arc::new(At(Mutex::new(0)));
    let store = Store::open_on(&database, host.clone()).expect("a store");
    let at = |ms| *host.0.lock().expect("a clock") = ms;
    at(10);
    let id =
        in_store(&store, move |t| intercoms::insert(t, &carried(1, "S1"), &Details::default(), 1));
    let set = |last, serial_number: &'static str| {
        in_store(&store, move |t| {
            let carried = &carried(last, serial_number);
            let (confirmed, desired) = (carried, carried);
            let state = RecordState { confirmed, desired, status: INSTALLED, source: "auto" };
            intercoms::set_state(t, id, &state)
        });
    };
    let give = |name: &'static str, last| {
        in_store(&store, move |t| {
            let board = name.parse().expect("a board");
            doors::give(t, &board, id, mac(last), Believed::FirstSight, t.now_ms())
        });
    };
    at(20);
    give("die-1", 1);
    at(30);
    set(2, "S2");
    give("die-2", 2);
    at(40);
    set(2, "S2");
    give("die-3", 2);
    at(50);
    in_store(&store, move |t| intercoms::delete(t, id, Believed::FirstSight, t.now_ms()));
    let row = |last, board: &str, since: i64, until: i64| {
        [mac(last).to_string(), board.to_owned(), since.to_string(), until.to_string()].map(Some)
    };
    let expected = [row(1, "die-1", 10, 30), row(2, "die-2", 30, 40), row(2, "die-3", 40, 50)];
    assert_eq!(hardware_of(&database, id), expected);
}

/// A host whose clock stands.
struct At(Mutex<i64>);

impl Host for At {
    fn now_ms(&self) -> i64 {
        *self.0.lock().expect("a clock")
    }

    fn fresh_id(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }
}
