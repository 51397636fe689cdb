//! `enrol`, and what a user of one broker can do to another beside the rules.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use intercom_test_support::Directory;
use rumqttc::{ConnectReturnCode, QoS};

use crate::broker::Broker;
use crate::client::Client;
use crate::shipped::{Kind, enrol, on_each, password};

fn try_to_connect(
    broker: &Broker,
    client_id: &str,
    credentials: Option<(&str, &str)>,
) -> Option<ConnectReturnCode> {
    Client::connect(broker.port(), client_id, credentials).err()
}

#[test]
fn a_board_is_let_in_with_its_newest_password_alone() {
    on_each(|kind| {
        let dir = Directory::new();
        let gate_1 = password(kind, "gate-1", dir.path());
        let mut broker = Broker::start(kind, dir);
        let gate_2 = password(kind, "gate-2", broker.dir.path());
        let newer = password(kind, "gate-1", broker.dir.path());
        broker.reload();
        for (user, password, let_in) in [
            ("gate-1", &newer, true),
            ("gate-2", &gate_2, true),
            ("gate-1", &gate_1, false),
            ("gate-1", &gate_2, false),
            ("gate-3", &gate_2, false),
        ] {
            let refused = try_to_connect(&broker, user, Some((user, password)));
            assert_eq!(refused.is_none(), let_in, "{kind:?}: {user} {refused:?}");
        }
        assert!(try_to_connect(&broker, "gate-1", None).is_some(), "{kind:?}: nobody");
    });
}

#[test]
fn what_is_no_boards_name_is_not_enrolled() {
    on_each(|kind| {
        let dir = Directory::new();
        for name in ["", "a.b", "a/b", "a+", "#", "a b", "a:b", "\"x", "who", "here", "by-board"] {
            let refused = enrol(kind, &[name], dir.path());
            assert_eq!(refused.status.code(), Some(2), "{kind:?}: {name}");
            assert!(refused.stdout.is_empty(), "{kind:?}: {name}");
        }
        assert_eq!(fs::read_dir(dir.path()).expect("files").count(), 0, "{kind:?}");
    });
}

#[test]
fn the_files_with_passwords_are_their_owners_alone_and_have_none_in_clear() {
    use std::os::unix::fs::PermissionsExt;
    on_each(|kind| {
        let dir = Directory::new();
        let secret = password(kind, "gate-1", dir.path());
        for file in fs::read_dir(dir.path()).expect("files") {
            let file = file.expect("a file");
            let mode = file.metadata().expect("its mode").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file:?}");
            assert!(!fs::read_to_string(file.path()).expect("text").contains(&secret), "{file:?}");
        }
    });
}

/// It would hear `$MQTT.sub.>` there, on which messages of QoS 1 reach every client.
#[test]
fn nobody_may_speak_natss_own_protocol() {
    let dir = Directory::new();
    let mut users =
        ["gate-1", "billing"].map(|user| (user, password(Kind::Nats, user, dir.path()))).to_vec();
    // Where the certificate decides there is no password, and this listener asks for no certificate.
    assert!(enrol(Kind::Nats, &["--certificate", "gate-2"], dir.path()).status.success());
    users.push(("CN=gate-2", String::new()));
    let mut broker = Broker::start(Kind::Nats, dir);
    let port = broker.nodes()[0].ports.native;
    for (user, password) in users {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        let mut lines = BufReader::new(&stream).lines().map(|line| line.expect("a line"));
        assert!(lines.next().expect("a greeting").starts_with("INFO "));
        let connect = format!(r#"{{"user":"{user}","pass":"{password}","verbose":true}}"#);
        write!(&stream, "CONNECT {connect}\r\nSUB $MQTT.sub.> 1\r\nPING\r\n").expect("sent");
        assert_eq!(lines.next().expect("an answer"), "-ERR 'Authorization Violation'", "{user}");
    }
}

/// What mosquitto prevents and NATS does not; `SECURITY.md` says so.
#[test]
fn a_neighbour_with_the_client_id_of_a_panel_hears_nothing_of_what_is_for_it() {
    on_each(|kind| {
        let dir = Directory::new();
        let [gate_1, gate_2, billing] =
            ["gate-1", "gate-2", "billing"].map(|user| password(kind, user, dir.path()));
        let broker = Broker::start(kind, dir);
        let connect = |client_id, user, password: &str| {
            Client::connect_to_session(broker.port(), client_id, (user, password)).expect("a user")
        };
        let (request, mark) = ("intercoms/by-board/gate-1/patch/r-1", "intercoms/who");
        let mut billing = connect("billing", "billing", &billing);

        let mut panel = connect("gate-1", "gate-1", &gate_1);
        assert!(panel.subscribe("intercoms/by-board/gate-1/#", QoS::AtLeastOnce));
        assert!(panel.subscribe(mark, QoS::AtLeastOnce));
        let mut neighbour = connect("gate-1", "gate-2", &gate_2);
        billing.publish(request, "secret");
        billing.publish(mark, "all 1");
        neighbour.subscribe(mark, QoS::AtLeastOnce);
        billing.publish(mark, "all 2");
        assert!(!neighbour.hears(request, "secret", "all 2"), "{kind:?}");
        let stayed = panel.hears(request, "secret", "all 2");
        assert_eq!(stayed, kind == Kind::Mosquitto, "{kind:?}: the panel's connection");
        // The panel comes back to its session.
        let mut panel = connect("gate-1", "gate-1", &gate_1);
        panel.subscribe("intercoms/by-board/gate-1/#", QoS::AtLeastOnce);
        billing.publish(request, "again");
        assert!(panel.hears(request, "again", "again"), "{kind:?}");
    });
}
