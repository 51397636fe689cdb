//! The whole route over TLS.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::upstream::tls::testing::{NOW, Sandbox, authority, certificate, server};

/// A service that answers every request with an empty list; its URL.
fn serve(config: ServerConfig) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust the certificate closes the connection here.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
            }
        }
    });
    url
}

#[tokio::test]
async fn polls_go_over_tls() {
    let (sandbox, ours) = (Sandbox::new("https"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let url = serve(server(&ours, "127.0.0.1", NOW, None));
    let mut panel = Panel::start_in(Root::sandbox(&sandbox.0), &url, "ca_file = \"/ca.pem\"");
    assert_eq!(panel.event().await, panel.reachable());
    assert_eq!(panel.event().await, panel.reachable());
}

#[tokio::test]
async fn a_corrected_file_is_used_without_a_restart() {
    let (sandbox, ours) = (Sandbox::new("https-files"), authority());
    let (mine, key) = certificate(&ours, "panel", NOW);
    sandbox.write("ca.pem", "not yet");
    sandbox.write("mine.pem", &mine.pem());
    sandbox.write("mine.key", &key.serialize_pem());
    let url = serve(server(&ours, "127.0.0.1", NOW, Some(&ours)));
    let files =
        "ca_file = \"/ca.pem\"\nclient_cert_file = \"/mine.pem\"\nclient_key_file = \"/mine.key\"";
    let mut panel = Panel::start_in(Root::sandbox(&sandbox.0), &url, files);
    assert_eq!(panel.event().await, panel.lost());
    sandbox.write("ca.pem", &ours.pem());
    assert_eq!(panel.event().await, panel.reachable());
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_not_polled() {
    let (sandbox, ours) = (Sandbox::new("https-wrong"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let root = Root::sandbox(&sandbox.0);
    let ca = "ca_file = \"/ca.pem\"";
    for (config, says) in [
        (server(&ours, "127.0.0.2", NOW, None), "not for 127.0.0.1"),
        (server(&ours, "127.0.0.1", (2000, 2001), None), "ended at"),
        (server(&ours, "127.0.0.1", NOW, Some(&ours)), "wants a client certificate"),
    ] {
        let url = serve(config);
        let mut panel = Panel::start_in(root.clone(), &url, ca);
        assert_eq!(panel.event().await, panel.lost(), "{says}");

        // The same request alone, for its error.
        let settings = settings(&url, ca);
        let (place, runtime) = (Place::new(root.clone(), None), Handle::current());
        let asked = tokio::task::spawn_blocking(move || {
            let client =
                client::client(&settings, &place, QUICK, runtime, Health::default()).unwrap();
            client.get(settings.base.url("/")).call().map_err(trouble::Trouble::from)
        });
        let trouble = asked.await.unwrap().expect_err("it must not be asked");
        assert!(trouble.cause.to_string().contains(says), "{trouble:?}");
    }
}
