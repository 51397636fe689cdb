//! Another broker in place of the built-in one: a real mosquitto (Debian's package of that name).

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use intercom_billing::mqtt::link::Choice;
use serde_json::json;

use crate::common::panel::Panel;
use crate::common::{NEW, Running, report};

struct Mosquitto {
    process: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Mosquitto {
    fn start() -> Self {
        Self::start_with("")
    }

    fn start_with(more: &str) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = free.local_addr().expect("an address").port();
        let dir = tempfile::TempDir::new().expect("a directory");
        let file = dir.path().join("mosquitto.conf");
        let settings = format!("listener {port} 127.0.0.1\nallow_anonymous true\n{more}");
        std::fs::write(&file, settings).expect("a file");
        drop(free);
        // Debian keeps it where only root looks.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        let process = Command::new("mosquitto")
            .env("PATH", &path)
            .args(["-c".as_ref(), file.as_os_str()])
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto: install the Debian package of that name");
        Mosquitto { process, port, _dir: dir }
    }

    fn billing(&self) -> Running {
        let url = format!("mqtt://127.0.0.1:{}", self.port);
        Running::start_with(|settings| {
            settings.broker = Choice::External(url.parse().expect("a broker's URL"));
        })
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_report_that_arrives_while_the_service_is_down_is_followed_and_the_request_cleared() {
    let broker = Mosquitto::start();
    let mut billing = broker.billing();
    billing.old_intercom();
    let request_id = billing.ask();
    let topic = format!("intercoms/{NEW}/patch/{request_id}");
    let mut spare = Panel::connect(billing.runtime.handle(), broker.port, "spare");
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    assert!(!spare.hear(&topic).payload.is_empty());
    billing.stop();
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    spare.publish(&format!("intercoms/{NEW}/status"), false, report.to_string());
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    // Once more from the restart, perhaps, and then nothing any more.
    while !spare.hear(&topic).payload.is_empty() {}
}

/// More of them at once than the client has room for acknowledgements: a session that ended for it
/// would meet the same burst again.
#[test]
fn a_burst_of_reports_is_followed_to_its_end() {
    let broker = Mosquitto::start_with("max_inflight_messages 0\nmax_queued_messages 0\n");
    let mut billing = broker.billing();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Panel::connect(billing.runtime.handle(), broker.port, "spare");
    billing.stop();
    let status = format!("intercoms/{NEW}/status");
    for n in 0..1_000 {
        let of_another = report(&format!("unknown-{n}"), "installed", NEW, "new_serial_number");
        spare.publish(&status, false, of_another.to_string());
    }
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    spare.publish(&status, false, report.to_string());
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}

#[test]
fn a_message_that_is_far_too_large_does_not_block_the_reports_behind_it() {
    let broker = Mosquitto::start();
    let billing = broker.billing();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Panel::connect(billing.runtime.handle(), broker.port, "spare");
    let status = format!("intercoms/{NEW}/status");
    spare.publish(&status, false, vec![b' '; 2 * 1024 * 1024]);
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    // The panel hears its request again when the service comes back, and answers again.
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    let topic = format!("intercoms/{NEW}/patch/{request_id}");
    loop {
        if spare.hear(&topic).payload.is_empty() {
            break;
        }
        spare.publish(&status, false, report.to_string());
    }
    assert_eq!(billing.show("id=1").body["status"], json!("installed"));
}
