//! The static rules, cell by cell: who may publish to which topic, and who hears it.

use intercom_test_support::Directory;
use rumqttc::QoS;

use crate::broker::Broker;
use crate::client::Client;
use crate::shipped::{Kind, WATCHER, add_watcher, on_each, password};

/// The users of the columns below. `gate-2` is another board.
const USERS: [&str; 2] = ["gate-1", "billing"];

/// A topic, and for each user whether it may publish there, and whether it hears what is published
/// there.
const TABLE: [(&str, [bool; 2], [bool; 2]); 16] = [
    ("intercoms/by-board/gate-1/status", [true, false], [true, true]),
    ("intercoms/by-board/gate-1/presence", [true, false], [true, true]),
    ("intercoms/by-board/gate-1/patch/r-1", [false, true], [true, false]),
    ("intercoms/by-board/gate-1/who", [false, true], [true, false]),
    ("intercoms/by-board/gate-2/status", [false, false], [false, true]),
    ("intercoms/by-board/gate-2/presence", [false, false], [false, true]),
    ("intercoms/by-board/gate-2/patch/r-1", [false, true], [false, false]),
    ("intercoms/by-board/gate-2/who", [false, true], [false, false]),
    ("intercoms/who", [false, true], [true, true]),
    ("intercoms/22:0D:CE:38:E7:15/who", [true, true], [true, true]),
    ("intercoms/22:0D:CE:38:E7:15/here/gate-1", [true, false], [true, true]),
    ("intercoms/22:0D:CE:38:E7:15/here/gate-2", [false, false], [true, true]),
    ("intercoms/22:0D:CE:38:E7:15/patch/r-1", [false, false], [false, false]),
    ("intercoms/22:0D:CE:38:E7:15/status", [false, false], [false, false]),
    ("intercoms/22:0D:CE:38:E7:15/presence", [false, false], [false, false]),
    ("elsewhere", [false, false], [false, false]),
];

/// Filters that match another board's requests.
const TOO_WIDE: [&str; 5] = [
    "#",
    "intercoms/#",
    "intercoms/by-board/#",
    "intercoms/by-board/+/patch/+",
    "intercoms/+/+/patch/#",
];

/// Everybody hears this.
const FOR_ALL: &str = "intercoms/who";

/// Everybody may publish this and hear it.
const BY_ALL: &str = "intercoms/AA:BB:CC:DD:EE:FF/who";

/// A running broker, with the passwords of the users above and of the watcher.
fn start(kind: Kind) -> (Broker, [String; 2], String) {
    let dir = Directory::new();
    let passwords = USERS.map(|user| password(kind, user, dir.path()));
    let watcher = add_watcher(kind, dir.path());
    (Broker::start(kind, dir), passwords, watcher)
}

fn connect(broker: &Broker, user: &str, password: &str) -> Client {
    Client::connect(broker.port(), user, Some((user, password))).expect("a user")
}

/// Waits until the watcher's node knows of the client's subscriptions: what the client publishes
/// afterwards comes after them. A client whose connection the broker has ended has none.
fn wait_until_known(client: &mut Client, watcher: &mut Client, mark: &str) {
    let mark = format!("subscribed: {mark}");
    if client.publish(BY_ALL, &mark) {
        assert!(watcher.hears(BY_ALL, &mark, &mark));
    }
}

#[test]
fn each_user_may_publish_to_its_topics_and_to_no_others() {
    on_each(|kind| {
        let (broker, passwords, watcher) = start(kind);
        let mut watcher = connect(&broker, WATCHER, &watcher);
        assert!(watcher.subscribe("#", QoS::AtMostOnce));
        for (number, (topic, may_publish, _)) in TABLE.into_iter().enumerate() {
            for (column, user) in USERS.into_iter().enumerate() {
                let (payload, mark) =
                    (format!("{number} of {user}"), format!("after {number} of {user}"));
                let mut client = connect(&broker, user, &passwords[column]);
                client.publish(topic, &payload);
                assert!(client.publish(BY_ALL, &mark), "{kind:?}: the connection of {user}");
                let arrived = watcher.hears(topic, &payload, &mark);
                assert_eq!(arrived, may_publish[column], "{kind:?}: {user} on {topic}");
            }
        }
    });
}

#[test]
fn each_user_hears_what_is_on_its_topics_and_on_no_others() {
    on_each(|kind| {
        let (broker, passwords, watcher) = start(kind);
        let mut watcher = connect(&broker, WATCHER, &watcher);
        assert!(watcher.subscribe(BY_ALL, QoS::AtMostOnce));
        for (column, user) in USERS.into_iter().enumerate() {
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
                let mut client = connect(&broker, user, &passwords[column]);
                for topic in TABLE.map(|(topic, ..)| topic).into_iter().chain([FOR_ALL]) {
                    client.subscribe(topic, qos);
                }
                wait_until_known(&mut client, &mut watcher, &format!("{user} {qos:?}"));
                for (number, (topic, _, may_hear)) in TABLE.into_iter().enumerate() {
                    let payload = format!("{number} for {user} {qos:?}");
                    let mark = format!("after {payload}");
                    watcher.publish(topic, &payload);
                    watcher.publish(FOR_ALL, &mark);
                    // NATS does not keep the order of two subscriptions at QoS 1.
                    let last = if may_hear[column] { &payload } else { &mark };
                    let heard = client.hears(topic, &payload, last);
                    assert_eq!(heard, may_hear[column], "{kind:?}: {user} on {topic}, {qos:?}");
                }
            }
        }
    });
}

#[test]
fn a_filter_that_is_too_wide_lets_nobody_hear_the_requests_of_another_board() {
    on_each(|kind| {
        let (broker, [gate_1, _], watcher) = start(kind);
        let mut watcher = connect(&broker, WATCHER, &watcher);
        assert!(watcher.subscribe(BY_ALL, QoS::AtMostOnce));
        for filter in TOO_WIDE {
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
                let mut client = connect(&broker, "gate-1", &gate_1);
                client.subscribe(filter, qos);
                // NATS may have ended the connection over it.
                client.subscribe(FOR_ALL, qos);
                let request = "intercoms/by-board/gate-2/patch/r-1";
                let mark = format!("after {filter} {qos:?}");
                wait_until_known(&mut client, &mut watcher, &mark);
                watcher.publish(request, "secret");
                watcher.publish(FOR_ALL, &mark);
                assert!(!client.hears(request, "secret", &mark), "{kind:?}: {filter}, {qos:?}");
            }
        }
    });
}
