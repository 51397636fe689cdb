//! The neighbours of a board against the kernel: each test on a LAN of its own with two hosts.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::env;
use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use intercom_agent::agent::seams::{Event, Upstream};
use intercom_agent::decide::MacOwner;
use intercom_agent::neighbours::Neighbours;
use intercom_agent::upstream::{RouteCommand, RouteEvent, Routes, route};
use intercom_test_support::{in_a_namespace, ip};
use intercom_wire::Mac;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

const OWN: &str = "AA:BB:CC:DD:EE:FE";
const WANTED: &str = "22:0D:CE:38:E7:15";
const OTHER: &str = "22:0D:CE:38:E7:16";
const LIMIT: Duration = Duration::from_secs(10);

fn wanted() -> Mac {
    WANTED.parse().expect("a MAC")
}

/// The panel at 192.0.2.10 and, on the same LAN, a host with this MAC address at 192.0.2.20.
fn lan(neighbour: &str) {
    ip("netns add next-door");
    ip(&format!("link add eth0 address {OWN} type veth peer name wall netns next-door"));
    ip(&format!("-n next-door link set wall address {neighbour} up"));
    ip("-n next-door addr add 192.0.2.20/24 dev wall");
    ip("link set eth0 up");
    ip("addr add 192.0.2.10/24 dev eth0");
}

/// The panel has talked with the wanted MAC at this address, some time ago.
fn met_at(address: &str) {
    ip(&format!("neigh replace {address} lladdr {WANTED} dev eth0 nud stale"));
}

/// What the kernel knows of this address.
fn known_of(address: &str) -> String {
    let line = ip(&format!("neigh show {address} dev eth0"));
    line.trim().trim_start_matches(address).trim_start().to_owned()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn owner() -> MacOwner {
    runtime().block_on(Neighbours::new("eth0").owner(wanted()))
}

#[test]
fn a_neighbour_that_answers_has_the_mac() {
    in_a_namespace("a_neighbour_that_answers_has_the_mac", || {
        lan(WANTED);
        met_at("192.0.2.20");
        assert_eq!(owner(), MacOwner::AnotherBoard(None));
        // It was told no more than what is true.
        let told = ip("-n next-door neigh show");
        let panel = format!("192.0.2.10 dev wall lladdr {}", OWN.to_lowercase());
        assert!(told.lines().all(|line| line.starts_with(&panel)), "{told}");
    });
}

#[test]
fn it_is_found_at_the_second_of_its_addresses_too() {
    in_a_namespace("it_is_found_at_the_second_of_its_addresses_too", || {
        lan(WANTED);
        met_at("192.0.2.19");
        met_at("192.0.2.20");
        assert_eq!(owner(), MacOwner::AnotherBoard(None));
    });
}

#[test]
fn a_stale_entry_proves_nothing() {
    in_a_namespace("a_stale_entry_proves_nothing", || {
        lan(OTHER);
        met_at("192.0.2.19");
        let asked = Instant::now();
        assert_eq!(owner(), MacOwner::Nobody);
        let took = asked.elapsed();
        assert!((900..1900).contains(&took.as_millis()), "{took:?}");
        // And is there to be asked again.
        assert_eq!(known_of("192.0.2.19"), format!("lladdr {} STALE", WANTED.to_lowercase()));
        ip("-n next-door link set wall down");
        ip(&format!("-n next-door link set wall address {WANTED} up"));
        ip("-n next-door addr add 192.0.2.19/24 dev wall");
        assert_eq!(owner(), MacOwner::AnotherBoard(None));
    });
}

#[test]
fn an_address_that_another_mac_has_now_proves_nothing() {
    in_a_namespace("an_address_that_another_mac_has_now_proves_nothing", || {
        lan(OTHER);
        met_at("192.0.2.20");
        assert_eq!(owner(), MacOwner::Nobody);
        let known = known_of("192.0.2.20");
        assert!(known.starts_with(&format!("lladdr {}", OTHER.to_lowercase())), "{known}");
    });
}

#[test]
fn an_entry_at_an_address_that_nobody_asked_for_proves_nothing() {
    in_a_namespace("an_entry_at_an_address_that_nobody_asked_for_proves_nothing", || {
        lan(OTHER);
        // More than are asked for, all old.
        for last in 30..60 {
            met_at(&format!("192.0.2.{last}"));
        }
        assert_eq!(owner(), MacOwner::Nobody);
    });
}

#[test]
fn what_an_administrator_has_entered_is_left_alone_and_proves_nothing() {
    in_a_namespace("what_an_administrator_has_entered_is_left_alone_and_proves_nothing", || {
        lan(OTHER);
        ip(&format!("neigh add 192.0.2.20 lladdr {WANTED} dev eth0 nud permanent"));
        assert_eq!(owner(), MacOwner::Nobody);
        let entered = format!("lladdr {} PERMANENT", WANTED.to_lowercase());
        assert_eq!(known_of("192.0.2.20"), entered);
    });
}

#[test]
fn a_neighbour_in_another_network_is_asked_on_the_link_and_not_through_the_gateway() {
    let name = "a_neighbour_in_another_network_is_asked_on_the_link_and_not_through_the_gateway";
    in_a_namespace(name, || {
        lan(WANTED);
        ip("-n next-door addr add 198.51.100.7/24 dev wall");
        ip("route add default via 192.0.2.1 dev eth0");
        met_at("198.51.100.7");
        assert_eq!(owner(), MacOwner::AnotherBoard(None));
        assert_eq!(known_of("192.0.2.1"), "");
    });
}

#[test]
fn a_panel_without_an_address_asks_too() {
    in_a_namespace("a_panel_without_an_address_asks_too", || {
        lan(WANTED);
        ip("addr flush dev eth0");
        met_at("192.0.2.20");
        assert_eq!(owner(), MacOwner::AnotherBoard(None));
    });
}

#[test]
fn a_link_that_is_down_or_absent_has_no_neighbours() {
    in_a_namespace("a_link_that_is_down_or_absent_has_no_neighbours", || {
        assert_eq!(owner(), MacOwner::Nobody);
        lan(WANTED);
        ip("link set eth0 down");
        assert_eq!(owner(), MacOwner::Nobody);
    });
}

#[test]
fn a_link_that_goes_down_meanwhile_has_no_neighbours() {
    in_a_namespace("a_link_that_goes_down_meanwhile_has_no_neighbours", || {
        lan(OTHER);
        met_at("192.0.2.19");
        let answer = thread::spawn(|| {
            runtime().block_on(Neighbours::new("eth0").answers(wanted())).expect("no error")
        });
        let until = Instant::now() + LIMIT;
        while known_of("192.0.2.19") != "INCOMPLETE" {
            assert!(Instant::now() < until, "nobody is asked");
        }
        ip("link set eth0 down");
        assert!(!answer.join().expect("an answer"));
    });
}

/// Both the panel and its neighbour get the wanted MAC, after the panel has looked who has it. With a
/// switch in between, no frame from this MAC comes back to it: the test says what the panel hears.
fn both_take_it(neighbours: &Neighbours) {
    lan(OTHER);
    ip(&format!("neigh add 192.0.2.20 lladdr {OTHER} dev eth0 nud stale"));
    assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::Nobody);
    ip(&format!("link set eth0 address {WANTED}"));
    ip(&format!("-n next-door link set wall address {WANTED}"));
    assert_eq!(known_of("192.0.2.20"), "");
}

#[test]
fn a_neighbour_of_before_the_change_that_has_the_mac_by_now_is_found() {
    in_a_namespace("a_neighbour_of_before_the_change_that_has_the_mac_by_now_is_found", || {
        let neighbours = Neighbours::new("eth0");
        both_take_it(&neighbours);
        assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::AnotherBoard(None));
        // The panel goes back, and finds it where it was.
        ip(&format!("link set eth0 address {OWN}"));
        assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::AnotherBoard(None));
        ip(&format!("-n next-door link set wall address {OTHER}"));
        ip("neigh flush dev eth0");
        assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::Nobody);
    });
}

#[test]
fn a_neighbour_with_the_links_own_mac_is_found_by_what_it_asks() {
    in_a_namespace("a_neighbour_with_the_links_own_mac_is_found_by_what_it_asks", || {
        let neighbours = Neighbours::new("eth0");
        both_take_it(&neighbours);
        ip("-n next-door link set wall down");
        assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::Nobody);
        met_at("192.0.2.21");
        assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::AnotherBoard(None));
    });
}

#[test]
fn a_neighbour_of_before_the_change_that_has_another_mac_is_no_double() {
    in_a_namespace("a_neighbour_of_before_the_change_that_has_another_mac_is_no_double", || {
        let neighbours = Neighbours::new("eth0");
        both_take_it(&neighbours);
        ip(&format!("-n next-door link set wall address {OTHER}"));
        assert_eq!(runtime().block_on(neighbours.owner(wanted())), MacOwner::Nobody);
        assert!(known_of("192.0.2.20").contains(&OTHER.to_lowercase()), "it was asked");
    });
}

#[test]
fn a_neighbour_that_takes_the_mac_after_the_first_question_is_found_by_what_it_says() {
    in_a_namespace(
        "a_neighbour_that_takes_the_mac_after_the_first_question_is_found_by_what_it_says",
        || {
            let neighbours = Neighbours::new("eth0");
            let owner = || runtime().block_on(neighbours.owner(wanted()));
            lan(OTHER);
            ip(&format!("neigh add 192.0.2.20 lladdr {OTHER} dev eth0 nud stale"));
            assert_eq!(owner(), MacOwner::Nobody);
            ip(&format!("link set eth0 address {WANTED}"));
            assert_eq!(
                owner(),
                MacOwner::Nobody,
                "the first question, at the beginning of `settle`"
            );
            // A switch would carry none of its answers.
            let says = "net.ipv4.conf.wall.arp_ignore=8 net.ipv4.conf.wall.arp_notify=1";
            ip(&format!("netns exec next-door sysctl -q -w {says}"));
            ip(&format!("-n next-door link set wall address {WANTED}"));
            let until = Instant::now() + LIMIT;
            while !known_of("192.0.2.20").contains(&WANTED.to_lowercase()) {
                assert!(Instant::now() < until, "it says nothing");
            }
            assert_eq!(owner(), MacOwner::AnotherBoard(None));
        },
    );
}

const CONFINED: &str = "INTERCOM_TEST_CONFINED";

/// Runs this very test once more, in this namespace, with these capabilities.
fn again_with(capabilities: &str, test: &str) {
    let again = Command::new("setpriv")
        .arg(format!("--bounding-set={capabilities}"))
        .arg("--inh-caps=-all")
        .arg(env::current_exe().expect("this program"))
        .args(["--exact", test])
        .env(CONFINED, "1")
        .status();
    assert!(again.expect("setpriv runs").success());
}

#[test]
fn without_the_capability_nobody_answers() {
    in_a_namespace("without_the_capability_nobody_answers", || {
        if env::var_os(CONFINED).is_some() {
            let answer = runtime().block_on(Neighbours::new("eth0").answers(wanted()));
            let why = answer.expect_err("nothing is forgotten without CAP_NET_ADMIN");
            assert_eq!(why.kind(), std::io::ErrorKind::PermissionDenied);
            assert_eq!(owner(), MacOwner::Nobody);
            return;
        }
        lan(WANTED);
        met_at("192.0.2.20");
        again_with("-net_admin", "without_the_capability_nobody_answers");
    });
}

#[test]
fn without_a_file_descriptor_the_owner_is_unknown() {
    in_a_namespace("without_a_file_descriptor_the_owner_is_unknown", || {
        lan(WANTED);
        met_at("192.0.2.20");
        let (runtime, neighbours) = (runtime(), Neighbours::new("eth0"));
        let owner = || runtime.block_on(neighbours.owner(wanted()));
        let pid = std::process::id().to_string();
        let limited = Command::new("prlimit").args(["--nofile=64", "--pid", &pid]).status();
        assert!(limited.expect("prlimit runs").success());
        let mut files = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            files.push(file);
        }
        assert_eq!(owner(), MacOwner::Unknown(None), "the table cannot be read");
        files.pop();
        assert_eq!(owner(), MacOwner::Unknown(None), "nor while the socket is open");
        files.pop();
        assert_eq!(owner(), MacOwner::AnotherBoard(None));
    });
}

#[test]
fn no_other_capability_is_needed() {
    in_a_namespace("no_other_capability_is_needed", || {
        if env::var_os(CONFINED).is_some() {
            assert_eq!(owner(), MacOwner::AnotherBoard(None));
            return;
        }
        lan(WANTED);
        met_at("192.0.2.20");
        again_with("-all,+net_admin", "no_other_capability_is_needed");
    });
}

/// What comes of a look-up while the broker says this, or says nothing; where there is one.
fn look_up(at_the_broker: Option<Option<MacOwner>>) -> MacOwner {
    let runtime = runtime();
    let (events, mut told) = mpsc::channel(4);
    let (handle, mut broker) = route();
    let mut routes = Routes {
        mqtt: at_the_broker.is_some().then_some(handle),
        neighbours: Some(Arc::new(Neighbours::new("eth0"))),
        events: Some(events),
        ..Routes::default()
    };
    let told = async {
        routes.look_up(wanted());
        // Kept, where the broker is silent.
        let mut asked = None;
        if let Some(says) = at_the_broker {
            let Some(RouteCommand::LookUp(mac, asker)) = broker.commands.recv().await else {
                return None;
            };
            assert_eq!(mac, wanted());
            match says {
                Some(owner) => asker.send(owner).expect("somebody waits for it"),
                None => asked = Some(asker),
            }
        }
        let told = told.recv().await;
        drop(asked);
        match told {
            Some(RouteEvent::Event(Event::LookedUp { owner, .. })) => Some(owner),
            _ => None,
        }
    };
    let told = runtime.block_on(async { timeout(LIMIT, told).await }).expect("an answer in time");
    told.expect("the question and its answer, and nothing else")
}

#[test]
fn a_conflict_on_the_lan_is_the_answer_whatever_the_broker_says() {
    in_a_namespace("a_conflict_on_the_lan_is_the_answer_whatever_the_broker_says", || {
        lan(WANTED);
        for at_the_broker in
            [None, Some(None), Some(Some(MacOwner::Nobody)), Some(Some(MacOwner::Unknown(None)))]
        {
            met_at("192.0.2.20");
            assert_eq!(look_up(at_the_broker), MacOwner::AnotherBoard(None));
        }
    });
}

#[test]
fn without_one_the_broker_is_asked_where_there_is_one() {
    in_a_namespace("without_one_the_broker_is_asked_where_there_is_one", || {
        lan(OTHER);
        let another = MacOwner::AnotherBoard("gate-2".parse().ok());
        for says in [another, MacOwner::Unknown(None), MacOwner::Nobody] {
            assert_eq!(look_up(Some(Some(says.clone()))), says);
        }
        assert_eq!(look_up(None), MacOwner::Nobody);
    });
}

#[test]
fn the_lan_and_the_broker_are_asked_at_the_same_time() {
    in_a_namespace("the_lan_and_the_broker_are_asked_at_the_same_time", || {
        lan(OTHER);
        // Somebody else is there now, so that the LAN is asked for a second.
        met_at("192.0.2.20");
        let another = MacOwner::AnotherBoard("gate-2".parse().ok());
        let start = Instant::now();
        assert_eq!(look_up(Some(Some(another.clone()))), another);
        assert!(start.elapsed() < Duration::from_secs(1), "it waited for the LAN");
    });
}
