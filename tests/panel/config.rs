//! `config`: what is in force, and what is wrong, by line and key.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Board, OLD};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

/// Broken configurations: the text, the line and key that are named, and what to do.
const BROKEN: [(&str, &str, &str); 23] = [
    ("interfase = \"eth0\"", "line 1: `interfase`", "did you mean `interface`?"),
    ("[mtqq]\nurl = \"mqtt://b\"", "line 1: `mtqq`", "expected one of"),
    ("[mqtt]\nurl = \"mqtt://b\"\nkeepalive = 30", "line 3: `mqtt.keepalive`", "`keep_alive`?"),
    ("[mqtt]\nurl = \"mqtt://b\"\nuser_name = \"u\"", "line 3: `mqtt.user_name`", "`username`?"),
    (
        "[mqtt]\nurl = \"mqtt://b\"\nlog_level = \"debug\"",
        "line 3: `mqtt.log_level`",
        "before the first [table]",
    ),
    ("[mqtt]\nusername = \"u\"", "line 1: `mqtt.url`", "the section needs it"),
    ("[mqtt]\nurl = \"http://b\"", "line 2: `mqtt.url`", "such as mqtt://broker.example:1883"),
    ("[mqtt]\nurl = \"mqtt://u:p@b\"", "line 2: `mqtt.url`", "settings of their own"),
    ("[mqtt]\nurl = \"mqtt://b:99999\"", "line 2: `mqtt.url`", "such as mqtt://"),
    (
        "[mqtt]\nurl = \"mqtt://b\"\nca_file = \"/c\"",
        "line 3: `mqtt.ca_file`",
        "needs an mqtts:// url",
    ),
    ("[mqtt]\nurl = \"mqtts://b\"\nca_file = \"c\"", "line 3: `mqtt.ca_file`", "with a slash"),
    (
        "[mqtt]\nurl = \"mqtt://b\"\npassword_file = \"/p\"",
        "line 3: `mqtt.password_file`",
        "`username`",
    ),
    (
        "[mqtt]\nurl = \"mqtt://b\"\nkeep_alive = 1",
        "line 3: `mqtt.keep_alive`",
        "5 to 3600 seconds",
    ),
    ("[mqtt]\nurl = mqtt://b", "line 2: `mqtt.url`", "string"),
    ("[mqtt\nurl = \"mqtt://b\"", "line 1: `mqtt`", "expected"),
    (
        "[http]\nurl = \"https://b\"\nclient_key_file = \"/k\"",
        "line 3: `http.client_key_file`",
        "`client_cert_file`",
    ),
    (
        "[http]\nurl = \"https://b\"\nproxy = \"socks5://p\"",
        "line 3: `http.proxy`",
        "http://proxy.example:3128",
    ),
    ("confirm_within = \"3m\"", "line 1: `confirm_within`", "a whole number"),
    ("\nlog_level = \"loud\"", "line 2: `log_level`", "`error`, `warn`"),
    ("environment = \"yes\"", "line 1: `environment`", "`redundant-only`, `always` or `never`"),
    ("models = \"3516EV200\"", "line 1: `models`", "a list of texts"),
    ("id = 1\nid = 2", "line 2: `id`", "duplicate"),
    ("[signature]\nrequired = true", "line 2: `signature.required`", "`keys`"),
];

#[test]
fn a_broken_configuration_is_told_by_line_and_key_with_what_to_do() {
    let board = Board::sandboxed("gate-1", OLD);
    let file = board.path("new.toml");
    let name = file.to_str().expect("text");
    for (text, place, advice) in BROKEN {
        board.write("new.toml", format!("{text}\n"));
        let answer = board.run(&["config", name]);
        assert_eq!(answer.code, 2, "{text}: {answer:?}");
        assert_eq!(answer.out, "");
        for told in [name, place, advice] {
            assert!(answer.err.contains(told), "{text}: {told}: {}", answer.err);
        }
    }
}

#[test]
fn every_file_that_is_named_is_opened() {
    let board = Board::sandboxed("gate-1", OLD);
    board.configure(
        "[mqtt]\nurl = \"mqtts://b\"\nca_file = \"/etc/ca.pem\"\nusername = \"u\"\n\
         password_file = \"/etc/password\"\n[billing]\nurl = \"http://b\"\ntoken_file = \"/etc/token\"",
    );
    board.write("etc/ca.pem", "no certificate");
    board.write("etc/password", "hunter2\n");
    board.write("etc/token", "hunter3\n");
    for (file, mode) in [("etc/password", 0o644), ("etc/token", 0o600)] {
        fs::set_permissions(board.path(file), Permissions::from_mode(mode)).expect("changed");
    }
    let answer = board.run(&["config"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    for text in [
        "`mqtt.ca_file`: /etc/ca.pem holds no certificate",
        "`mqtt.password_file`: the secret file /etc/password has mode 0644",
        "chmod 600 /etc/password",
    ] {
        assert!(answer.err.contains(text), "{text}: {answer:?}");
    }
    assert!(!answer.err.contains("token"), "{answer:?}");
    assert!(!format!("{answer:?}").contains("hunter"), "{answer:?}");
    let json = board.run(&["config", "--json"]).json();
    assert_eq!(json["settings"]["mqtt"]["password_file"], "/etc/password");
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(2), "{json}");
}

#[test]
fn certificates_and_keys_that_do_not_fit_are_told() {
    let board = Board::sandboxed("gate-1", OLD);
    let ours = Authority::new("ours");
    ours.save(&board.path("etc/ca.pem"));
    for name in ["a", "b"] {
        ours.issue(name, NOW, &board.path(&format!("etc/{name}")));
    }
    let url = "[mqtt]\nurl = \"mqtts://127.0.0.1:1\"";
    let pair =
        |key| format!("client_cert_file = \"/etc/a.pem\"\nclient_key_file = \"/etc/{key}.key\"");
    let before = board.read("etc/intercom-agent.toml");
    let told = |lines: &str| {
        board.write("etc/intercom-agent.toml", format!("{before}{url}\n{lines}\n"));
        let (config, doctor) = (board.run(&["config"]), board.run(&["doctor"]).out);
        (config.code, config.err, doctor)
    };
    let ca = "ca_file = \"/etc/ca.pem\"\n";
    assert_eq!(told(&format!("{ca}{}", pair("a"))).0, 0);
    for (lines, why) in [
        (
            format!("{ca}{}", pair("b")),
            "/etc/b.key: it is not the key of the certificate in /etc/a.pem",
        ),
        (
            String::new(),
            "the system has no list of trusted authorities (ca-certificates): set `ca_file`",
        ),
    ] {
        let (code, config, doctor) = told(&lines);
        assert_eq!(code, 2, "{config}");
        assert!(config.contains(&format!("[mqtt]: {why}")), "{config}");
        let row = doctor.lines().find(|line| line.starts_with("FAILED   files ")).expect("a row");
        assert!(row.contains(why), "{row}");
    }
}

#[test]
fn a_token_that_no_header_can_have_is_told_and_not_shown() {
    let board = Board::sandboxed("gate-1", OLD).with_polling("http://127.0.0.1:1");
    board.configure("token_file = \"/etc/token\"");
    board.write("etc/token", "hunter2\nhunter2\n");
    fs::set_permissions(board.path("etc/token"), Permissions::from_mode(0o600)).expect("changed");
    let why = "the token in /etc/token has a line break or control character in it";
    let config = board.run(&["config"]);
    assert_eq!(config.code, 2, "{config:?}");
    assert!(config.err.contains(&format!("`http.token_file`: {why}")), "{config:?}");
    let doctor = board.run(&["doctor"]).out;
    assert!(doctor.contains(why), "{doctor}");
    assert!(!format!("{config:?}{doctor}").contains("hunter2"), "{config:?}{doctor}");
}

#[test]
fn a_secret_that_looks_like_a_path_is_not_shown() {
    let board = Board::sandboxed("gate-1", OLD).with_polling("http://127.0.0.1:1");
    board.configure("token_file = \"/hunter2/hunter2=\"");
    for command in ["config", "netcheck", "doctor", "bugreport"] {
        let told = format!("{:?}", board.run(&[command]));
        assert!(!told.contains("hunter2") && told.contains("the secret file ..."), "{told}");
    }
}

#[test]
fn a_pipe_in_place_of_a_file_is_told_and_not_waited_for() {
    let board = Board::sandboxed("gate-1", OLD);
    board.configure(
        "[mqtt]\nurl = \"mqtts://127.0.0.1:1\"\nca_file = \"/etc/serial\"\nusername = \"u\"\n\
         password_file = \"/etc/serial\"",
    );
    let pipe = board.path("etc/serial");
    fs::remove_file(&pipe).expect("removed");
    mkfifo(&pipe, Mode::S_IRWXU).expect("made");
    for command in ["config", "netcheck", "doctor", "identity"] {
        let answer = board.run(&[command]);
        let told = format!("{}{}", answer.out, answer.err);
        assert!(told.contains("it is not a regular file"), "{command}: {told}");
    }
    let named = board.run(&["config", pipe.to_str().expect("text")]);
    assert_eq!(named.code, 2, "{named:?}");
    assert!(named.err.contains("it is not a regular file"), "{named:?}");
}

#[test]
fn what_is_in_force_is_printed_with_the_defaults() {
    let board = Board::sandboxed("gate-1", OLD);
    let nobody = board.run(&["config"]);
    assert_eq!(nobody.code, 2, "the daemon has nobody to talk to: {nobody:?}");
    assert!(nobody.err.contains("needs an [mqtt] section"), "{nobody:?}");
    let board = board.with_mqtt("mqtt://broker.example");
    let good = board.run(&["config"]);
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{good:?}");
    for line in ["settle = 1", "confirm_within = 60", "changes_per_hour = 6", "keep_alive = 30"] {
        assert!(good.out.lines().any(|told| told == line), "{line}: {}", good.out);
    }
    let again = board.path("again.toml");
    board.write("again.toml", &good.out);
    assert_eq!(board.run(&["config", again.to_str().expect("text")]).out, good.out);
}

#[test]
fn an_interface_that_is_not_there_is_a_warning() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let config = board.read("etc/intercom-agent.toml");
    assert_eq!(board.run(&["config"]).err, "");
    board.write("etc/intercom-agent.toml", format!("interface = \"eth7\"\n{config}"));
    let warned = board.run(&["config"]);
    assert_eq!(warned.code, 0, "{warned:?}");
    assert!(warned.err.contains("warning: there is no network interface eth7"), "{warned:?}");
}
