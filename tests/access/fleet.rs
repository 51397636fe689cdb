//! A broker as it is shipped, with its users, and panels that know their passwords.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Billing, Board, Broker, Directory, Watcher, free_port};

/// Whom the broker lets in; the watcher may do everything, and stands for nobody.
const USERS: [&str; 5] = ["billing", "gate-1", "gate-2", "gate-3", "watcher"];

pub struct Fleet {
    pub broker: Broker,
    pub tls_port: u16,
    authority: Authority,
}

pub fn password(user: &str) -> String {
    format!("secret-of-{user}")
}

/// Where `gate-1` gets a request.
pub fn request_topic(request_id: &str) -> String {
    format!("intercoms/by-board/gate-1/patch/{request_id}")
}

fn shipped(name: &str) -> String {
    let file = format!("{}/billing/mosquitto/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&file).unwrap_or_else(|why| panic!("{file}: {why}"))
}

impl Fleet {
    /// Under the shipped rules.
    pub fn start() -> Self {
        Self::start_with(&shipped("intercoms.acl"))
    }

    /// Whoever has a password may do everything.
    pub fn start_without_rules() -> Self {
        Self::start_with("pattern readwrite #")
    }

    fn start_with(rules: &str) -> Self {
        let (dir, authority, tls_port) = (Directory::new(), Authority::new("ours"), free_port());
        let file = |name: &str| dir.path().join(name);
        fs::create_dir(file("certs")).expect("a directory");
        authority.issue("localhost", NOW, &file("certs/server"));
        fs::write(file("intercoms.acl"), format!("{rules}\nuser watcher\ntopic readwrite #\n"))
            .expect("written");
        fs::write(file("intercoms.passwords"), "").expect("written");
        for user in USERS {
            let done = Command::new("mosquitto_passwd")
                .arg("-b")
                .arg(file("intercoms.passwords"))
                .args([user, &password(user)])
                .status();
            assert!(done.expect("mosquitto_passwd; tests/run installs it").success());
        }
        // Its own listener comes from the test.
        let settings = shipped("mosquitto.conf")
            .replace("listener 1883 127.0.0.1\n", "")
            .replace("listener 8883", &format!("listener {tls_port} 127.0.0.1"))
            .replace("/etc/mosquitto", "DIR");
        Fleet {
            broker: Broker::start_from(dir, &format!("{settings}\nlog_type all\n")),
            tls_port,
            authority,
        }
    }

    /// A panel that connects over TLS.
    pub fn panel(&self, name: &str, mac: &str) -> Board {
        self.panel_at(name, mac, &format!("mqtts://localhost:{}", self.tls_port))
    }

    pub fn panel_at(&self, name: &str, mac: &str, url: &str) -> Board {
        let board = Board::sandboxed(name, mac).with_mqtt(url);
        if url.starts_with("mqtts") {
            self.authority.save(&board.path("etc/ca.pem"));
            board.configure("ca_file = \"/etc/ca.pem\"");
        }
        board.write("etc/password", password(name));
        let secret = fs::Permissions::from_mode(0o600);
        fs::set_permissions(board.path("etc/password"), secret).expect("set");
        board.configure(&format!("username = \"{name}\"\npassword_file = \"/etc/password\""));
        board
    }

    /// Billing, which has asked who is there: from now on it believes who says so.
    pub fn billing(&self) -> Billing {
        let asked = self.holder_of("gate-3");
        let (host, port) = self.broker.address();
        let url = format!("mqtt://billing:{}@{host}:{port}", password("billing"));
        let billing = Billing::start_at(&url);
        asked.wait_for("its question", |message| message.topic == "intercoms/who");
        billing
    }

    /// Sees everything and may publish everything.
    pub fn watcher(&self) -> Watcher {
        self.holder_of("watcher")
    }

    /// Somebody with a user's password, and a client of their own.
    pub fn holder_of(&self, user: &str) -> Watcher {
        Watcher::with_credentials(&self.broker, user, user, &password(user))
    }
}
