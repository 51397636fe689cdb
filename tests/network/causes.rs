//! Why upstream is not reached, on peers as they are: each has its cause, by its stable name, with what
//! to do.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::certificates::Authority;
use intercom_test_support::{
    Board, Broker, Directory, Fate, OLD, Process, Relay, Watcher, Way, in_a_namespace,
};
use serde_json::Value;

use crate::subscribing::packet;

/// The daemon waits half a minute for its own presence.
const LIMIT: Duration = Duration::from_secs(60);
const NOW: (i32, i32) = (2000, 2100);

/// What the daemon says of its first route until there is an error: the cause's name, and the words.
#[track_caller]
fn cause(board: &Board) -> (String, String) {
    let _daemon = board.start();
    let end = Instant::now() + LIMIT;
    loop {
        assert!(Instant::now() < end, "no error is told");
        let status = board.run(&["status", "--json"]).json();
        let error = &status["routes"][0]["last_error"];
        if let (Some(cause), Some(text)) = (error["cause"].as_str(), error["text"].as_str()) {
            return (cause.to_owned(), text.to_owned());
        }
    }
}

#[track_caller]
fn has(board: &Board, name: &str, words: &[&str]) {
    let (cause, text) = cause(board);
    assert_eq!(cause, name, "{text}");
    for word in words {
        assert!(text.contains(word), "{text}");
    }
    // What `netcheck` finds beside no daemon is the same.
    let netcheck = board.run(&["netcheck", "--json"]).json();
    let legs = netcheck["routes"][0]["legs"].as_array().expect("legs").clone();
    let last = legs.last().expect("a leg");
    assert_eq!(last["cause"], name, "{netcheck}");
    assert_eq!(last["state"], "failed");
    let told = format!("{}; {}", text_of(&last["found"]), text_of(&last["advice"]));
    for word in words.iter().filter(|word| !word.contains("://")) {
        assert!(told.contains(word), "{told}");
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn gate(url: &str) -> Board {
    Board::sandboxed("gate-1", OLD).with_mqtt(url)
}

fn on(broker: &Broker) -> Board {
    gate(&broker.url())
}

/// A broker for TLS alone; the authority that made its certificate.
fn tls_broker() -> (Broker, Authority) {
    let (ours, dir) = (Authority::new("ours"), Directory::new());
    ours.issue("127.0.0.1", NOW, &dir.path().join("server"));
    let settings = "allow_anonymous true\ncertfile DIR/server.pem\nkeyfile DIR/server.key\n";
    (Broker::start_from(dir, settings), ours)
}

/// A service that answers each request so. Like a server that does not understand: whatever the first bytes
/// are.
fn service(answer: &'static str) -> String {
    answering(answer, |stream| {
        let _ = (*stream).read(&mut [0; 4096]);
    })
}

/// A proxy that answers CONNECT so.
fn proxy(answer: &'static str) -> String {
    answering(answer, |stream| {
        let head = BufReader::new(stream).lines().map_while(Result::ok);
        assert!(head.take_while(|line| !line.is_empty()).count() > 0);
    })
}

fn answering(answer: &'static str, read: fn(&mut TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            read(&mut stream);
            let head =
                format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn a_port_that_nobody_listens_on() {
    has(
        &gate("mqtt://127.0.0.1:9"),
        "refused",
        &["mqtt://127.0.0.1:9: ", "at 127.0.0.1:9: nothing listens there", "the port in `url`"],
    );
}

#[test]
fn a_name_that_nobody_knows() {
    let board = gate("mqtt://broker.invalid");
    has(&board, "name-unknown", &["the name broker.invalid cannot be resolved", "DNS server"]);
}

#[test]
fn mqtt_to_a_port_for_tls() {
    let (broker, _) = tls_broker();
    has(&on(&broker), "tls-spoken", &["what listens there speaks TLS", "write mqtts://"]);
}

#[test]
fn mqtt_to_a_port_for_http() {
    let board = gate(&service("400 Bad Request").replace("http", "mqtt"));
    has(&board, "mqtt-not-spoken", &["does not speak MQTT", "check the port in `url`"]);
}

#[test]
fn mqtt_to_a_port_for_ssh() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    has(&gate(&url), "mqtt-not-spoken", &["does not speak MQTT", "check the port in `url`"]);
}

#[test]
fn mqtts_to_a_port_without_tls() {
    let broker = Broker::start();
    let board = gate(&broker.url().replace("mqtt", "mqtts"));
    let ours = Authority::new("ours");
    ours.save(&board.path("ca.pem"));
    board.configure("ca_file = \"/ca.pem\"");
    has(&board, "tls-cut", &["in the TLS handshake", "if that port has no TLS, write mqtt://"]);
}

#[test]
fn a_certificate_of_another_authority() {
    let (broker, _) = tls_broker();
    let board = gate(&broker.url().replace("mqtt", "mqtts"));
    Authority::new("other").save(&board.path("ca.pem"));
    board.configure("ca_file = \"/ca.pem\"");
    has(&board, "tls-authority", &["does not trust", "set `ca_file`"]);
}

/// A broker that answers CONNECT with return code 2 unless it takes the client ID and the keep-alive. (The
/// mosquitto of Debian 12 only refuses a keep-alive of MQTT 5.)
fn broker_that_takes(takes: fn(&str, u16) -> bool) -> String {
    broker_that_answers(move |id, keep_alive| if takes(id, keep_alive) { 0 } else { 2 }, true)
}

/// A broker that answers CONNECT with this return code, and SUBSCRIBE with a SUBACK or not at all.
fn broker_that_answers(
    answers: impl Fn(&str, u16) -> u8 + Clone + Send + 'static,
    subscriptions: bool,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let answers = answers.clone();
            thread::spawn(move || {
                while let Some((first, rest)) = packet(&mut stream) {
                    let answer = match first >> 4 {
                        1 => {
                            // MQTT 3.1.1, section 3.1: the keep-alive, then the length of the client ID.
                            let id = String::from_utf8_lossy(&rest[12..12 + usize::from(rest[11])]);
                            let keep_alive = u16::from_be_bytes([rest[8], rest[9]]);
                            vec![0x20, 2, 0, answers(&id, keep_alive)]
                        }
                        8 if subscriptions => {
                            // One return code for each topic, which has two bytes of length before it and
                            // its QoS behind.
                            let (mut at, mut codes) = (2, Vec::new());
                            while at < rest.len() {
                                at += 3 + usize::from(rest[at + 1]);
                                codes.push(1);
                            }
                            let head = [0x90, 2 + codes.len() as u8, rest[0], rest[1]];
                            [&head[..], &codes].concat()
                        }
                        8 => return,
                        _ => continue,
                    };
                    if stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn a_user_name_that_the_broker_does_not_know() {
    let board = gate(&broker_that_answers(|_, _| 4, true));
    has(&board, "mqtt-login", &["wrong user name or password (CONNACK 4)", "`password_file`"]);
}

#[test]
fn a_broker_that_closes_the_connection_over_the_subscription() {
    let board = gate(&broker_that_answers(|_, _| 0, false));
    let topics = ["intercoms/by-board/gate-1/patch/+", "access rules grant this panel to read"];
    has(&board, "mqtt-closed-over-subscribe", &topics);
}

#[test]
fn a_panel_without_a_route_to_the_broker() {
    in_a_namespace("causes::a_panel_without_a_route_to_the_broker", || {
        let words = ["at 192.0.2.1:1883: there is no route", "own address and gateway"];
        has(&gate("mqtt://192.0.2.1"), "no-route", &words);
    });
}

/// A broker whose certificate is for this name and these years, and a panel that trusts its authority.
fn certified(name: &str, years: (i32, i32), more: &str) -> (Broker, Board) {
    let (ours, dir) = (Authority::new("ours"), Directory::new());
    ours.issue(name, years, &dir.path().join("server"));
    ours.save(&dir.path().join("ca.pem"));
    let settings =
        format!("allow_anonymous true\ncertfile DIR/server.pem\nkeyfile DIR/server.key\n{more}\n");
    let broker = Broker::start_from(dir, &settings);
    let board = gate(&broker.url().replace("mqtt", "mqtts"));
    ours.save(&board.path("ca.pem"));
    board.configure("ca_file = \"/ca.pem\"");
    (broker, board)
}

#[test]
fn certificates_that_do_not_fit() {
    let name = "127.0.0.1";
    for (named, years, cause, words) in [
        ("broker.example", NOW, "tls-name", "not for 127.0.0.1 but for broker.example"),
        (name, (2000, 2001), "tls-expired", "ended at 2001-01-01T00:00:00Z"),
        (name, (2100, 2101), "tls-not-yet", "set the clock"),
    ] {
        let (_broker, board) = certified(named, years, "");
        has(&board, cause, &[words]);
    }
    let (_broker, board) = certified(name, NOW, "cafile DIR/ca.pem\nrequire_certificate true");
    has(&board, "tls-client-wanted", &["wants a client certificate", "`client_cert_file`"]);
}

#[test]
fn a_keep_alive_that_is_longer_than_the_broker_allows() {
    let board = gate(&broker_that_takes(|_, keep_alive| keep_alive <= 10));
    has(&board, "mqtt-keep-alive", &["refuses a keep-alive of 30 s", "max_keepalive"]);
}

#[test]
fn a_client_id_that_the_broker_does_not_take() {
    let board = gate(&broker_that_takes(|id, _| id != "gate-1"));
    let (cause, text) = cause(&board);
    assert_eq!(cause, "mqtt-own-client-id", "{text}");
    assert!(text.contains("the client ID gate-1, and takes another one"), "{text}");
    let board = gate(&broker_that_takes(|_, _| false));
    has(&board, "mqtt-client-id", &["or a keep-alive of 30 s"]);
}

/// Each look is a connection more, and a broker that refuses may be one that has too many.
#[test]
fn what_the_broker_refuses_is_looked_into_once_and_not_at_each_attempt() {
    let (connects, connected) = channel();
    let url = broker_that_answers(
        move |id, _| {
            // Nobody listens once the test has seen enough.
            let _ = connects.send(id.to_owned());
            2
        },
        true,
    );
    let board = gate(&url);
    let _daemon = board.start();
    let (mut attempts, mut looks) = (0, 0);
    while attempts < 4 {
        match connected.recv_timeout(LIMIT).expect("another attempt").as_str() {
            "gate-1" => attempts += 1,
            _ => looks += 1,
        }
    }
    assert_eq!(looks, 2, "one with another client ID, and one with a shorter keep-alive");
}

#[test]
fn a_broker_without_retained_messages() {
    let broker = Broker::start_with("allow_anonymous true\nretain_available false\n");
    has(&on(&broker), "mqtt-no-retain", &["retained last will", "retain_available"]);
}

#[test]
fn a_broker_without_qos_1() {
    let broker = Broker::start_with("allow_anonymous true\nmax_qos 0\n");
    has(&on(&broker), "mqtt-no-qos-1", &["QoS 0", "max_qos"]);
}

#[test]
fn a_broker_that_lets_nobody_in() {
    let broker = Broker::start_with("allow_anonymous false\n");
    has(&on(&broker), "mqtt-not-authorized", &["may not connect", "`password_file`"]);
}

#[test]
fn a_topic_that_the_rules_do_not_let_through() {
    let dir = Directory::new();
    fs::write(dir.path().join("rules"), "topic write intercoms/by-board/gate-1/presence\n")
        .expect("written");
    let broker = Broker::start_from(dir, "allow_anonymous true\nacl_file DIR/rules\n");
    // mosquitto grants what its rules deny, and drops it.
    let words = ["does not give intercoms/by-board/gate-1/presence back", "write and to read"];
    let board = on(&broker);
    has(&board, "mqtt-presence", &words);
    // Two looks at once take the panel's client ID from each other.
    let netchecks = [(); 2].map(|()| Process::start("netcheck", &mut board.command(&["netcheck"])));
    for mut netcheck in netchecks {
        netcheck.wait_for("does not give intercoms/by-board/gate-1/presence back");
    }
}

#[test]
fn a_broker_that_never_answers_the_subscription() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                while let Some((first, _)) = packet(&mut stream) {
                    if first >> 4 == 1 {
                        let _ = stream.write_all(&[0x20, 2, 0, 0]);
                    }
                }
            });
        }
    });
    let board = gate(&url);
    board.configure("connect_timeout = 5");
    let since = Instant::now();
    let netcheck = board.run(&["netcheck", "--json"]).json();
    // It may take as long as CONNACK, and 2 s to close the connection.
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    let last =
        netcheck["routes"][0]["legs"].as_array().and_then(|legs| legs.last()).expect("a leg");
    assert_eq!((text_of(&last["leg"]), text_of(&last["cause"])), ("topics", "mqtt-no-suback"));
}

#[test]
fn what_a_service_or_a_proxy_before_it_answers() {
    for (answer, name, words) in [
        ("401 Unauthorized", "http-token", "`token_file`"),
        ("403 Forbidden", "http-forbidden", "ask its operator"),
        ("404 Not Found", "http-not-found", "check `url`"),
        ("405 Method Not Allowed", "http-method", "pass GET, POST and PATCH"),
        (
            "302 Found\r\nLocation: http://portal.example/",
            "http-redirect",
            "http://portal.example/",
        ),
        ("511 Network Authentication Required", "http-portal", "a login first"),
        ("503 Service Unavailable", "http-unavailable", "503"),
        // A captive portal's page.
        ("200 OK", "http-no-list", "did not answer with a JSON array"),
    ] {
        let board = Board::sandboxed("gate-1", OLD).with_polling(&service(answer));
        has(&board, name, &[words]);
    }
}

#[test]
fn what_a_proxy_does_not_do_is_told_as_the_proxys() {
    let nobody = "http://127.0.0.1:9".to_owned();
    for (at, name, words) in [
        (nobody.clone(), "proxy-not-reached", ["is not reached: at 127.0.0.1:9", "check `proxy`"]),
        (
            "http://proxy.invalid:3128".to_owned(),
            "proxy-not-reached",
            ["is not reached: the name proxy.invalid cannot be resolved", "check `proxy`"],
        ),
        (
            proxy("407 Proxy Authentication Required"),
            "proxy-login",
            ["wants a user name and a password (407)", "let the proxy take this panel"],
        ),
        (
            proxy("502 Bad Gateway"),
            "proxy-cannot-connect",
            ["does not reach the service (502)", "`url`"],
        ),
        (proxy("403 Forbidden"), "http-proxy", ["does not connect the panel", "allows CONNECT"]),
    ] {
        let board = Board::sandboxed("gate-1", OLD).with_polling(&nobody);
        board.configure(&format!("proxy = \"{at}\""));
        has(&board, name, &[&format!("the proxy {at} "), words[0], words[1]]);
    }
}

#[test]
fn http_to_a_port_for_tls_and_https_to_one_without() {
    // mosquitto closes the connection, as most servers for TLS do.
    let (tls, _) = tls_broker();
    let board = Board::sandboxed("gate-1", OLD).with_polling(&tls.url().replace("mqtt", "http"));
    has(&board, "tls-spoken", &["what listens there speaks TLS", "https://"]);
    let plain = service("400 Bad Request").replace("http", "https");
    let board = Board::sandboxed("gate-1", OLD).with_polling(&plain);
    Authority::new("ours").save(&board.path("ca.pem"));
    board.configure("ca_file = \"/ca.pem\"");
    has(&board, "tls-not-spoken", &["does not speak TLS", "if that port has no TLS"]);
}

#[test]
fn netcheck_takes_no_session_over_and_leaves_nothing_behind() {
    let broker = Broker::start();
    let board = on(&broker);
    let legs = |board: &Board| -> Vec<String> {
        let netcheck = board.run(&["netcheck", "--json"]);
        assert_eq!(netcheck.code, 0, "{netcheck:?}");
        let legs = netcheck.json()["routes"][0]["legs"].clone();
        let legs = legs.as_array().expect("legs").iter();
        legs.map(|leg| leg["leg"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(legs(&board), ["name", "tcp", "login", "topics"]);
    assert!(Watcher::retained(&broker).is_empty(), "it only looks");
    let _daemon = board.start();
    board.wait_until_reached();
    let retained = Watcher::retained(&broker);
    assert_eq!(legs(&board), ["name", "tcp", "daemon"]);
    let status = board.run(&["status", "--json"]).json();
    assert_eq!(status["routes"][0]["reconnects"], 0, "{status}");
    assert_eq!(status["reached"][0], "mqtt");
    assert_eq!(Watcher::retained(&broker), retained, "the presence of the daemon");
}

#[test]
fn netcheck_says_nothing_about_the_panel() {
    let broker = Broker::start();
    let board = on(&broker);
    let watcher = Watcher::new(&broker);
    assert_eq!(board.run(&["netcheck"]).code, 0);
    watcher.presence("gate-1", |presence| presence["state"] == "netcheck");
    for message in watcher.so_far() {
        if message.topic.ends_with("/presence") {
            let presence: Value = serde_json::from_slice(&message.payload).expect("JSON");
            assert_eq!(presence["state"], "netcheck");
        }
    }
}

#[test]
fn netcheck_does_not_log_in_beside_a_daemon_that_does_not_answer() {
    let broker = Broker::start();
    let board = on(&broker);
    let daemon = board.start();
    board.wait_until_reached();
    daemon.stop();
    let netcheck = board.run(&["netcheck", "--json"]).json();
    let legs = netcheck["routes"][0]["legs"].as_array().expect("legs").clone();
    let names: Vec<&Value> = legs.iter().map(|leg| &leg["leg"]).collect();
    assert_eq!(names, ["name", "tcp", "daemon"], "{netcheck}");
    assert_eq!(legs[2]["state"], "failed", "{netcheck}");
}

#[test]
fn netcheck_does_not_send_anybody_to_the_server_over_a_fault_of_the_panel() {
    let board = gate("mqtts://127.0.0.1:9");
    board.configure("ca_file = \"/none.pem\"");
    let netcheck = board.run(&["netcheck", "--json"]).json();
    let leg = &netcheck["routes"][0]["legs"][0];
    assert_eq!((&leg["leg"], &leg["cause"]), (&"panel".into(), &"file".into()), "{netcheck}");
    assert_eq!(leg["advice"], Value::Null, "{netcheck}");
}

#[test]
fn two_netchecks_at_once_do_not_end_each_other() {
    let mut broker = Broker::start();
    let board = on(&broker);
    thread::scope(|scope| {
        let both = [(); 4].map(|()| scope.spawn(|| board.run(&["netcheck"]).code));
        assert_eq!(both.map(|one| one.join().expect("a code")), [0; 4]);
    });
    let said = broker.process().said().join("\n");
    assert!(said.contains("as gate-1-netcheck-"), "{said}");
    assert!(!said.contains("already connected"), "{said}");
}

/// The legs of the only route, each as `leg: found`.
fn found(board: &Board) -> Vec<String> {
    let netcheck = board.run(&["netcheck", "--json"]).json();
    let legs = netcheck["routes"][0]["legs"].as_array().expect("legs").clone();
    legs.iter().map(|leg| format!("{}: {}", text_of(&leg["leg"]), text_of(&leg["found"]))).collect()
}

#[test]
fn netcheck_goes_as_the_panel_where_rules_are_bound_to_its_client_id() {
    let dir = Directory::new();
    let rules = "pattern write intercoms/by-board/%c/#\ntopic read intercoms/#\n";
    fs::write(dir.path().join("rules"), rules).expect("written");
    let broker = Broker::start_from(dir, "allow_anonymous true\nacl_file DIR/rules\n");
    let legs = found(&on(&broker));
    assert!(legs[2].starts_with("login: as gate-1; under another client ID: "), "{legs:?}");
    assert_eq!(legs[3], "topics: all are granted; presence comes back");
    let legs = found(&gate(&broker_that_takes(|id, _| id == "gate-1")));
    // This one gives no presence back.
    assert!(legs[2].starts_with("login: as gate-1"), "{legs:?}");
}

#[test]
fn a_netcheck_that_is_killed_leaves_nothing_at_the_broker() {
    let mut broker = Broker::start();
    // It waits for its own message, a PUBLISH at QoS 0 (MQTT 3.1.1, section 3.3.1).
    let relay = Relay::start(broker.address(), |way, piece| match (way, piece[0]) {
        (Way::Down, 0x30) => Fate::Swallowed,
        _ => Fate::Pass,
    });
    let board = gate(&format!("mqtt://127.0.0.1:{}", relay.port));
    let mut netcheck = Process::start("netcheck", &mut board.command(&["netcheck"]));
    netcheck.wait_for(" login ");
    netcheck.kill();
    broker.process().wait_for("closed its connection");
    assert_eq!(Watcher::retained(&broker), BTreeMap::new(), "its last will is not kept");
}

#[test]
fn netcheck_shows_each_leg_when_it_is_done_and_then_what_it_waits_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let board = gate(&format!("mqtt://{}", listener.local_addr().expect("an address")));
    let mut netcheck = Process::start("netcheck", &mut board.command(&["netcheck"]));
    netcheck.wait_for(" tcp ");
    netcheck.wait_for("waiting for the broker's answer to the login: 2 s");
    assert!(netcheck.is_running());
}
