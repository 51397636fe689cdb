//! The commands as an installer uses them: with and without a daemon, in words and in JSON.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use intercom_test_support::{
    Answer, Board, Broker, FACTORY_SERIAL, LIMIT, MODEL, NEW, OLD, OTHER, Process, Watcher, request,
};
use serde_json::{Value, json};

fn without_uplink() -> Board {
    Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9")
}

/// The request as an installer has it: the PATCH body.
fn body() -> Value {
    json!({"mac": OLD, "new_mac": NEW, "new_serial_number": "NEW-1", "model": MODEL})
}

fn check(board: &Board, options: &[&str], payload: &Value) -> (i32, Value) {
    let options: Vec<_> = ["check", "-", "--json"].iter().chain(options).copied().collect();
    let answer = board.run_with(&options, payload.to_string().as_bytes());
    (answer.code, answer.json())
}

/// What every row of the decision table comes to, and its exit code. The first needs a key, and
/// is tested with the signatures.
#[test]
fn check_tells_the_decision_and_its_exit_code() {
    let board = without_uplink();
    let with = |fields: Value| {
        let mut body = body();
        for (field, value) in fields.as_object().expect("an object") {
            body[field] = value.clone();
        }
        body
    };
    let replacement = |serial: Value| json!({"mac": OTHER, "new_mac": OLD, "new_serial_number": serial, "model": MODEL});
    for (row, options, payload, code, decision) in [
        (2, &[][..], json!([1]), 11, "reject"),
        (2, &["--via", "pending-list"], json!([1]), 12, "ignore"),
        (3, &[], with(json!({"mac": OTHER})), 11, "reject"),
        (3, &["--via", "board-topic"], with(json!({"mac": OTHER})), 12, "ignore"),
        (6, &[], with(json!({"new_mac": "FF:FF:FF:FF:FF:FF"})), 11, "reject"),
        (7, &[], with(json!({"model": "DKS20211"})), 11, "reject"),
        (8, &[], replacement(json!("ANOTHER-1")), 11, "reject"),
        (9, &[], replacement(json!(FACTORY_SERIAL)), 10, "already installed"),
        (9, &[], replacement(Value::Null), 10, "already installed"),
        (12, &["--held-by", "gate-2"], body(), 14, "deferred"),
        (
            13,
            &[],
            with(json!({"new_mac": OLD, "new_serial_number": FACTORY_SERIAL})),
            10,
            "already installed",
        ),
        (14, &[], body(), 0, "apply"),
    ] {
        let (exit, answer) = check(&board, options, &payload);
        assert_eq!((exit, &answer["decision"]), (code, &json!(decision)), "row {row}: {answer}");
    }
    assert!(!board.path("state/record.json").exists(), "a check writes nothing");
}

#[test]
fn check_of_a_board_without_a_serial_number() {
    let board = without_uplink();
    std::fs::remove_file(board.path("etc/serial")).expect("removed");
    let payload =
        json!({"mac": OTHER, "new_mac": OLD, "new_serial_number": "GIVEN", "model": MODEL});
    let (exit, answer) = check(&board, &[], &payload);
    assert_eq!((exit, &answer["decision"]), (0, &json!("apply")), "row 10: {answer}");
    assert_eq!(answer["to"], json!({"mac": OLD, "serial_number": "GIVEN"}));
}

#[test]
fn check_of_a_board_whose_mac_is_anybodys() {
    let shared = "00:00:23:34:45:66";
    let board = Board::sandboxed("gate-1", shared).with_mqtt("mqtt://127.0.0.1:9");
    let payload = json!({"mac": shared, "new_mac": NEW, "model": MODEL});
    let (exit, answer) = check(&board, &[], &payload);
    assert_eq!((exit, &answer["decision"]), (11, &json!("reject")), "row 11: {answer}");
    let fields: Vec<_> = answer["errors"].as_object().expect("errors").keys().collect();
    assert_eq!(fields, ["mac"]);
}

#[test]
fn check_of_what_was_decided_and_of_what_comes_during_a_change() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("watching it");
    let back = json!({"mac": NEW, "new_mac": OLD, "model": MODEL});
    let (exit, answer) = check(&board, &["--via", "installer"], &body());
    assert_eq!((exit, answer), (15, json!({"decision": "keep"})), "row 5");
    watcher.report(NEW);
    let (exit, answer) = check(&board, &[], &request("r-1"));
    assert_eq!((exit, &answer["decision"]), (13, &json!("already done")), "row 4: {answer}");
    assert_eq!(answer["report"]["status"], "installed");
    assert_eq!(check(&board, &[], &back).0, 0, "and back is another request");
}

#[test]
fn identity_tells_where_each_value_was_read() {
    let board = without_uplink();
    let answer = board.run(&["identity", "--json"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let found = answer.json();
    assert_eq!(found["mac"]["value"], OLD);
    assert_eq!(found["mac"]["source"], "/sys/class/net/eth0/address");
    assert_eq!(found["serial_number"], json!({"value": FACTORY_SERIAL, "source": "/etc/serial"}));
    assert_eq!(found["current"], Value::Null, "there is no record yet");
    let words = board.run(&["identity"]).out;
    for text in [OLD, FACTORY_SERIAL, "/etc/serial", MODEL, "gate-1"] {
        assert!(words.contains(text), "{words}");
    }
}

#[test]
fn identity_tells_the_name_that_counts_and_not_a_later_one_of_the_configuration() {
    let board = without_uplink();
    assert_eq!(board.run(&["restore"]).code, 0, "the first start");
    let named_anew = board.read("etc/intercom-agent.toml").replace("gate-1", "gate-9");
    board.write("etc/intercom-agent.toml", named_anew);
    let found = board.run(&["identity", "--json"]).json();
    assert_eq!(found["board"], json!({"value": "gate-1", "source": "record"}));
}

#[test]
fn without_a_daemon_apply_works_as_one_and_rollback_takes_it_back() {
    let board = without_uplink();
    assert_eq!(board.run(&["status"]).code, 3, "no daemon");
    board.write("request.json", body().to_string());
    let file = board.path("request.json");
    let file = file.to_str().expect("text");

    let applied = board.run(&["apply", file, "--offline", "--json"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(
        json!([applied.json()["status"], applied.json()["mac"], applied.json()["serial_number"]]),
        json!(["installed", NEW, "NEW-1"])
    );
    assert_eq!(board.mac(), NEW);
    let status = board.run(&["status", "--json"]);
    assert_eq!(status.code, 3);
    let status = status.json();
    assert_eq!(status["current"]["mac"], NEW, "from the record");
    let outcome = &status["outcomes"][0];
    assert_eq!(outcome["report"]["status"], "installed");
    let words = board.run(&["status"]).out;
    let at = outcome["at"].as_str().expect("a time");
    assert!(words.contains(&format!("outcome    {at} by-hand-")), "{words}");
    assert!(words.contains("waiting    1 reports"), "{words}");

    let nothing = board.run(&["apply", file, "--offline"]);
    assert_eq!(nothing.code, 0, "the board is that already: {nothing:?}");

    let back = board.run(&["rollback", "--offline", "--json"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(back.json()["current"], json!({"mac": OLD, "serial_number": FACTORY_SERIAL}));
    assert_eq!(board.mac(), OLD);

    let again = board.run(&["apply", file, "--offline"]);
    assert_eq!(again.code, 0, "each time is a fresh try: {again:?}");
    assert_eq!(board.mac(), NEW);
    let factory = board.run(&["rollback", "--factory", "--offline"]);
    assert_eq!((factory.code, board.mac()), (0, OLD.to_owned()), "{factory:?}");
    let twice = board.run(&["rollback", "--factory", "--offline"]);
    assert_eq!(twice.code, 0, "there is nothing to do: {twice:?}");
    assert!(twice.out.contains(&format!("the board carries MAC {OLD}")), "{twice:?}");
}

/// As after a change that was rolled back: the exit code, and the reason in words and in JSON.
#[test]
fn a_rollback_that_is_itself_undone_says_so() {
    let board = without_uplink();
    let applied = board.run(&["apply", "--offline", "--new-mac", NEW]);
    assert_eq!(applied.code, 0, "{applied:?}");
    board.write("hooks/10-network", "#!/bin/sh\necho no lease\nexit 1\n");
    let hook = board.path("hooks/10-network");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("executable");
    let undone = |answer: &Answer| {
        assert_eq!((answer.code, board.mac()), (16, NEW.to_owned()), "{answer:?}");
    };

    let alone = board.run(&["rollback", "--offline"]);
    undone(&alone);
    let words = format!("rolled_back: MAC {NEW}, serial number {FACTORY_SERIAL}\n");
    assert!(alone.out.contains(&words), "{alone:?}");
    let reason = "the rollback itself was undone: a hook failed: ";
    assert!(alone.out.contains(reason), "{alone:?}");
    let status = board.run(&["status"]);
    assert!(status.out.contains(&format!("rollback   {reason}")), "{status:?}");

    let mut daemon = board.start();
    daemon.wait_for("nothing listens there");
    for options in [&["rollback", "--json"][..], &["rollback", "--factory", "--json"]] {
        let beside = board.run(options);
        undone(&beside);
        let answer = beside.json();
        assert_eq!(answer["current"]["mac"], NEW);
        let why = answer["rollback_undone"].as_str().expect("the reason");
        assert!(why.contains("no lease"), "{why}");
    }

    fs::remove_file(hook).expect("removed");
    let back = board.run(&["rollback", "--offline", "--json"]);
    assert_eq!((back.code, board.mac()), (0, OLD.to_owned()), "{back:?}");
    assert_eq!(back.json()["rollback_undone"], Value::Null);
}

#[test]
fn a_typing_error_in_a_request_is_told_and_never_installed() {
    let board = without_uplink();
    let typed = json!({"mac": OLD, "newmac": NEW, "model": MODEL}).to_string();
    for command in [&["check", "-"][..], &["apply", "-", "--offline"]] {
        let refused = board.run_with(command, typed.as_bytes());
        assert_eq!(refused.code, 11, "{refused:?}");
        assert!(refused.err.contains("`newmac`: did you mean `new_mac`?"), "{refused:?}");
        assert_eq!(refused.out, "");
    }
    let mut half = body();
    half["serial_nubmer"] = json!("NEW-1");
    let warned = board.run_with(&["check", "-"], half.to_string().as_bytes());
    assert_eq!(warned.code, 0, "{warned:?}");
    assert!(warned.err.contains("did you mean `new_serial_number`?"), "{warned:?}");
    assert_eq!(board.mac(), OLD);
}

#[test]
fn text_is_read_as_editors_write_it() {
    let marked = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes();
    let utf_16 = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let board = without_uplink();
    let config = board.read("etc/intercom-agent.toml");
    board.write("etc/intercom-agent.toml", marked(&config));
    let request = serde_json::to_string_pretty(&body()).expect("JSON");
    let checked = board.run_with(&["check", "-"], &marked(&request));
    assert_eq!(checked.code, 0, "{checked:?}");

    board.write("request.json", utf_16(&request));
    let file = board.path("request.json");
    let refused = board.run(&["check", file.to_str().expect("text")]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("request.json cannot be read: it is UTF-16"), "{refused:?}");
    let refused = board.run_with(&["check", "-"], &utf_16(&request));
    assert!(refused.err.contains("standard input cannot be read: it is UTF-16"), "{refused:?}");
    board.write("etc/intercom-agent.toml", utf_16(&config));
    let refused = board.run(&["identity"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("intercom-agent.toml cannot be read: it is UTF-16"),
        "{refused:?}"
    );
}

#[test]
fn apply_takes_a_request_as_options() {
    let board = without_uplink();
    let wrong = board.run(&["apply", "--offline", "--new-mac", "22:0D:CE"]);
    assert_eq!(wrong.code, 11, "it is read as JSON is: {wrong:?}");
    let other = board.run(&["apply", "--offline", "--new-mac", NEW, "--mac", OTHER]);
    assert_eq!(other.code, 11, "another intercom's: {other:?}");
    for (options, told) in [
        (&[][..], "--new-mac"),
        (&["--model", MODEL], "--new-mac"),
        (&["request.json", "--new-mac", NEW], "never both"),
        (&["--new-mac", ""], "--new-mac needs a value"),
        (&["--new-mac", NEW, "--new-serial-number", " "], "--new-serial-number needs a value"),
        (&["--new-serial-number", "--offline"], "--new-serial-number needs a value"),
        (&["--new-mac", "--model", MODEL], "--new-mac needs a value"),
        (&["--new-mac", NEW, "--id", "--json"], "--id needs a value"),
    ] {
        let answer = board.run(&[&["apply", "--offline"], options].concat());
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.err.contains(told), "{answer:?}");
    }
    let options =
        ["apply", "--offline", "--json", "--new-mac", NEW, "--new-serial-number", "NEW-1"];
    let applied = board.run(&options);
    assert_eq!(applied.code, 0, "the intercom and its model are this panel's: {applied:?}");
    assert_eq!(applied.json()["serial_number"], "NEW-1");
    assert_eq!(board.mac(), NEW);
}

#[test]
fn with_a_daemon_the_commands_ask_it() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    // It shows itself before the broker has granted the last of its topics.
    let end = Instant::now() + LIMIT;
    let status = loop {
        let status = board.run(&["status", "--json"]);
        assert_eq!(status.code, 0);
        let status = status.json();
        if status["reached"] == json!(["mqtt"]) {
            break status;
        }
        assert!(Instant::now() < end, "not reached: {status}");
    };
    assert_eq!(
        json!([status["board"], status["current"]["mac"], status["change"]]),
        json!(["gate-1", OLD, null])
    );

    let applied = board.run_with(&["apply", "-"], body().to_string().as_bytes());
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(watcher.report(NEW)["status"], "installed", "it is reported upstream too");
    for step in [
        "changing from",
        " s left to confirm it)",
        "reached over MQTT",
        "confirmed and durable",
        "installed",
    ] {
        assert!(applied.out.contains(step), "{}", applied.out);
    }
    let words = board.run(&["status"]).out;
    assert!(words.contains(NEW) && words.contains("upstream   reached over MQTT for "), "{words}");

    let other = json!({"mac": NEW, "new_mac": OLD}).to_string();
    let rejected = board.run_with(&["apply", "-", "--json"], other.as_bytes());
    assert_eq!(rejected.code, 11, "{rejected:?}");

    let back = board.run(&["rollback"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(board.mac(), OLD);
    let report = watcher.report(OLD);
    assert_eq!((&report["status"], &report["mac"]), (&json!("rolled_back"), &json!(OLD)));
    assert!(daemon.is_running());
}

/// The keys of an object, and of the objects in it.
fn keys(value: &Value) -> Vec<String> {
    let members = value.as_object().expect("an object").iter();
    members
        .flat_map(|(key, value)| {
            let below = if value.is_object() { keys(value) } else { Vec::new() };
            std::iter::once(key.clone())
                .chain(below.into_iter().map(move |below| format!("{key}.{below}")))
        })
        .collect()
}

#[test]
fn the_status_has_one_shape_with_and_without_a_daemon() {
    let broker = Broker::start();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let before = board.run(&["status", "--json"]);
    assert_eq!(before.code, 3, "{before:?}");
    let before = before.json();
    assert_eq!(
        json!([before["current"]["mac"], before["record_is_new"], before["reached"]]),
        json!([OLD, true, null]),
        "what a first start would begin with"
    );
    assert!(!board.path("state/record.json").exists(), "nothing is written");
    let daemon = board.start();
    board.wait_until_reached();
    let with = board.run(&["status", "--json"]).json();
    assert_eq!(keys(&before), keys(&with));
    assert!(daemon.terminate().success());
    let without = board.run(&["status", "--json"]).json();
    assert_eq!(keys(&without), keys(&with));
    for known_to_a_daemon_alone in ["reached", "routes", "waiting", "unread", "ignored", "durable"]
    {
        assert_eq!(without[known_to_a_daemon_alone], Value::Null);
        assert_ne!(with[known_to_a_daemon_alone], Value::Null);
    }
}

#[test]
fn an_outcome_that_was_asked_for_again_is_shown_once() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    watcher.report(NEW);
    watcher.online(NEW, "gate-1");
    watcher.publish("intercoms/by-board/gate-1/patch/r-1", request("r-1").to_string());
    daemon.wait_for("was decided before (installed): reporting it again");
    let outcomes = board.run(&["status", "--json"]).json()["outcomes"].clone();
    assert_eq!(outcomes.as_array().map(Vec::len), Some(1), "{outcomes}");
    assert!(outcomes[0]["at"].as_str().is_some_and(|at| at.starts_with("20")), "{outcomes}");
}

#[test]
fn the_status_tells_of_each_route_how_it_fares() {
    let broker = Broker::start();
    let board =
        Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url()).with_polling("http://127.0.0.1:9");
    let _daemon = board.start();
    let end = Instant::now() + LIMIT;
    let [mqtt, http] = loop {
        assert!(Instant::now() < end, "the routes do not get on");
        let status = board.run(&["status", "--json"]).json();
        let routes = [0, 1].map(|at| status["routes"][at].clone());
        if routes[0]["reached"] == true && routes[1]["last_error"] != Value::Null {
            break routes;
        }
    };
    assert_eq!((&mqtt["route"], &http["route"]), (&json!("mqtt"), &json!("http")));
    assert_eq!((&mqtt["reconnects"], &mqtt["last_error"]), (&json!(0), &Value::Null));
    assert_eq!(http["reached"], false);
    let error = http["last_error"]["text"].as_str().expect("words");
    assert!(error.contains("nothing listens there"), "{error}");
    let words = board.run(&["status"]).out;
    let told = words.lines().find(|line| line.contains("not reached over HTTP for "));
    assert!(
        told.is_some_and(|line| line.contains("0 reconnects; ") && line.contains(error)),
        "{words}"
    );
}

#[test]
fn what_a_command_waits_for_is_shown() {
    let board = without_uplink();
    let apply = ["apply", "--new-mac", NEW];
    let mut alone = Process::start("apply", &mut board.command(&apply));
    alone.wait_for("asking who else has the new MAC address (15 s at most), and the hooks whether");

    // Where nobody can be asked who has the address, the change begins at once.
    let board = Board::sandboxed("gate-2", OLD).with_polling("http://127.0.0.1:9");
    let _daemon = board.start();
    // It logs its name shortly before it listens.
    let end = Instant::now() + LIMIT;
    while board.run(&["status"]).code != 0 {
        assert!(Instant::now() < end, "the daemon does not listen");
    }
    let mut asks = Process::start("apply", &mut board.command(&apply));
    let line = asks.wait_for("waiting for a new connection: 2 s; rolled back in ");
    assert!(line.ends_with(" s unless it is confirmed"), "{line}");
}

#[test]
fn without_an_upstream_a_change_is_offline_or_refused() {
    let board = Board::sandboxed("gate-1", OLD);
    let change = ["apply", "--new-mac", NEW];
    for command in [&change[..], &["rollback"]] {
        let refused = board.run(command);
        assert_eq!((refused.code, board.mac()), (2, OLD.to_owned()), "{refused:?}");
        assert!(refused.err.contains("no upstream is configured"), "{refused:?}");
        assert!(refused.err.contains("`--offline` needs none"), "{refused:?}");
    }
    assert_eq!(board.run(&[&change[..], &["--offline"]].concat()).code, 0);
}

#[test]
fn a_change_whose_command_was_stopped_is_taken_back_by_rollback() {
    let board = Board::sandboxed("gate-1", OLD).with_polling("http://127.0.0.1:9");
    let mut alone = Process::start("apply", &mut board.command(&["apply", "--new-mac", NEW]));
    alone.wait_for("the board now carries");
    alone.interrupt();
    alone.wait_for("goes on at the next start, or `intercom-agent rollback` takes it back");
    assert_eq!(board.mac(), NEW);
    let back = board.run(&["rollback"]);
    assert_eq!((back.code, board.mac()), (0, OLD.to_owned()), "{back:?}");
    let status = board.run(&["status", "--json"]).json();
    assert_eq!(status["change"], Value::Null);
    let report = &status["outcomes"][0]["report"];
    assert_eq!(report["status"], "rolled_back");
    assert_eq!(report["reason"], "rolled back by hand");
}

#[test]
fn a_command_whose_daemon_begins_anew_says_where_the_rest_is_told() {
    let board = Board::sandboxed("gate-1", OLD).with_polling("http://127.0.0.1:9");
    let mut daemon = board.start();
    daemon.wait_for("nothing listens there");
    let mut asks = Process::start("apply", &mut board.command(&["apply", "--new-mac", NEW]));
    asks.wait_for("the board now carries");
    daemon.hang_up();
    asks.wait_for("the daemon ended or began anew: `intercom-agent status` says how it stands");
    daemon.wait_for("going on with the change");
}

/// A serial number that comes late, by a program that waits for somebody to write into a pipe.
#[test]
fn a_board_that_takes_its_time_is_not_read_in_silence() {
    for command in ["doctor", "restore", "identity", "status"] {
        let board = without_uplink();
        let config = board.read("etc/intercom-agent.toml");
        let source = config.replace("file:/etc/serial", "command:/bin/serial");
        assert_ne!(source, config);
        board.write("etc/intercom-agent.toml", source);
        let pipe = board.path("late");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        board.write("bin/serial", format!("#!/bin/sh\nexec cat {}\n", pipe.display()));
        fs::set_permissions(board.path("bin/serial"), fs::Permissions::from_mode(0o755))
            .expect("set");
        let mut reads = Process::start(command, &mut board.command(&[command]));
        reads.wait_for("reading the board: 2 s");
        fs::write(&pipe, "SN-1\n").expect("written");
    }
}

#[test]
fn a_request_that_does_not_come_is_not_waited_for_in_silence() {
    let board = without_uplink();
    let mut command = board.command(&["check", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let line = lines.next().expect("a line").expect("text");
    assert!(line.starts_with("  reading the request from standard input: "), "{line}");
    drop(child.stdin.take());
    child.wait().expect("ended");
}

#[test]
fn what_the_daemon_waits_for_is_shown_to_a_follower() {
    let board = Board::sandboxed("gate-1", OLD).with_polling("http://127.0.0.1:9");
    let mut daemon = board.start();
    daemon.wait_for("nothing listens there");
    let mut follows = Process::start("status", &mut board.command(&["status", "--follow"]));
    follows.wait_for("change     none");
    let _apply = Process::start("apply", &mut board.command(&["apply", "--new-mac", NEW]));
    follows.wait_for("the board now carries");
    let line = follows.wait_for("  waiting for a new connection: ");
    assert!(line.contains(" s; rolled back in "), "{line}");
}

#[test]
fn offline_nobody_waits_for_a_broker_that_is_away() {
    let board = without_uplink();
    let mut daemon = board.start();
    daemon.wait_for("nothing listens there");
    let asked = Instant::now();
    let applied = board.run(&["apply", "--offline", "--new-mac", NEW]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(asked.elapsed() < Duration::from_secs(10), "a look-up at the broker takes 15 s");
    let told = format!("no broker is reached: only the LAN is asked who has {NEW}\n");
    assert!(applied.out.contains(&told), "{applied:?}");
}

#[test]
fn a_second_daemon_is_refused() {
    let broker = Broker::start();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    let second = board.run(&["run"]);
    assert_eq!(second.code, 1, "{second:?}");
}

#[test]
fn a_wrong_configuration_is_refused_by_key_and_line() {
    let board = without_uplink();
    let lines = board.read("etc/intercom-agent.toml").lines().count();
    board.configure("keep_alive = 30\nurll = \"mqtt://b\"");
    for command in [&["run"][..], &["identity"], &["status"], &["check", "-"], &["restore"]] {
        let answer = board.run(command);
        assert_eq!(answer.code, 2, "{command:?}: {answer:?}");
        let place = format!("line {}: `mqtt.urll`", lines + 2);
        assert!(answer.err.contains(&place), "{command:?}: {answer:?}");
        assert_eq!(answer.out, "");
    }
}

#[test]
fn a_wrong_command_line_exits_with_2_and_help_lists_the_codes() {
    let board = without_uplink();
    for wrong in [&["aply"][..], &["check"], &["run", "--jsn"], &["check", "/nowhere"]] {
        assert_eq!(board.run(wrong).code, 2, "{wrong:?}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_intercom-agent")).arg("--help").output();
    let help = help.expect("the agent");
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).expect("text");
    for code in [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 17] {
        let row = help.lines().any(|line| line.trim_start().starts_with(&format!("{code} ")));
        assert!(row, "{code}: {}", help);
    }
}
