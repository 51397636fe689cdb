//! Clients that connect and send half a request must not stop the service for others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use intercom_test_support::certificates::Authority;
use intercom_test_support::{Database, Process, curl};

use crate::common::LIMIT;
use crate::common::program::broker;
use crate::tls::with_certificate;

#[test]
fn half_sent_heads_that_use_up_the_descriptors_are_dropped() {
    let database = Database::new();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 200; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_intercom-billing")])
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(broker("127.0.0.1:0"))
        .arg("--database")
        .arg(database.location());
    let mut service = Process::start("intercom-billing", &mut command);
    let line = service.wait_for("serving on http://");
    let address = line.rsplit("http://").next().expect("an address").to_owned();
    let url = format!("http://{address}/openapi.json");

    let half_sent: Vec<TcpStream> = (0..260)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("the kernel takes it");
            stream.write_all(b"GET /openapi.json HTTP/1.1\r\nHost: b\r\nX-Half").expect("sent");
            stream
        })
        .collect();
    // It is answered when the connections before it have been dropped; curl has a time limit.
    assert_eq!(curl("GET", &url, b"").0, 200, "beside {} that say nothing", half_sent.len());
}

#[test]
fn a_client_that_does_not_begin_tls_is_dropped() {
    let (_dir, service) = with_certificate(&Authority::new("ours"));
    let address = service.caller.url.rsplit('/').next().expect("an address");
    let mut silent = TcpStream::connect(address).expect("it listens");
    silent.set_read_timeout(Some(LIMIT)).expect("set");
    assert_eq!(silent.read(&mut [0]).expect("in time"), 0, "it is closed");
}
