//! `intercom-billing enrol`: the user that it prints is one for the real broker.

use std::fs;
use std::path::Path;
use std::process::Command;

use intercom_test_support::Directory;

use crate::broker::Broker;
use crate::client::Client;
use crate::shipped::{Kind, password};

/// Enrols a board by the command and puts its user where the command says; its password.
fn enrol(kind: Kind, board: &str, dir: &Path) -> String {
    let (name, file) = match kind {
        Kind::Mosquitto => ("mosquitto", "intercoms.passwords"),
        Kind::Nats | Kind::NatsCluster => ("nats", "intercoms-users.conf"),
    };
    let output = dir.join(board);
    let done = Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(["enrol", board, "--mqtt-url", "mqtts://broker.example", "--broker", name])
        .arg("--database")
        .arg(dir.join("billing.sqlite"))
        .arg("--output")
        .arg(&output)
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let user = String::from_utf8(done.stdout).expect("text");
    let file = dir.join(file);
    let users = fs::read_to_string(&file).expect("the users");
    let more = match kind {
        Kind::Mosquitto => users + &user,
        Kind::Nats | Kind::NatsCluster => {
            users.replace("\n]", &format!("\n{}\n]", user.trim_end()))
        }
    };
    fs::write(&file, more).expect("written");
    let password = fs::read_to_string(output.join("etc/intercom-agent/mqtt-password"));
    password.expect("a password").trim_end().to_owned()
}

#[test]
fn a_board_that_the_command_has_enrolled_is_let_in_with_its_password_alone() {
    // Three nodes have the same file as one.
    for kind in [Kind::Mosquitto, Kind::Nats] {
        let dir = Directory::new();
        password(kind, "billing", dir.path());
        let own = enrol(kind, "gate-1", dir.path());
        let of_another = enrol(kind, "gate-2", dir.path());
        let broker = Broker::start(kind, dir);
        for (password, let_in) in [(&own, true), (&of_another, false)] {
            let connected = Client::connect(broker.port(), "gate-1", Some(("gate-1", password)));
            assert_eq!(connected.is_ok(), let_in, "{kind:?}");
        }
    }
}

#[test]
fn its_permissions_on_nats_are_those_of_the_script() {
    let dir = Directory::new();
    password(Kind::Nats, "gate-1", dir.path());
    enrol(Kind::Nats, "gate-1", dir.path());
    let users = fs::read_to_string(dir.path().join("intercoms-users.conf")).expect("the users");
    let blocks: Vec<&str> = users.lines().filter(|line| line.contains("gate-1")).collect();
    let [script, command] = &blocks[..] else { panic!("{users}") };
    let after_the_password =
        |block: &str| block.split_once("\", allowed").expect("it").1.to_owned();
    assert_eq!(after_the_password(command), after_the_password(script));
}
