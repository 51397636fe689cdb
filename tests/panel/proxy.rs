//! The service behind an HTTP proxy.

use intercom_test_support::{Board, Listener, NEW, OLD, Proxy, request};
use serde_json::json;

fn behind(proxy: &str, service: &Listener) -> Board {
    let board = Board::sandboxed("gate-1", OLD).with_polling(&service.url);
    board.configure(&format!("proxy = \"{proxy}\""));
    board
}

#[test]
fn requests_and_reports_go_through_the_proxy_of_the_configuration() {
    let (service, mut proxy) = (Listener::start(), Proxy::start(""));
    service.offer(json!([request("r-1")]).to_string());
    let board = behind(&proxy.url, &service);
    let _daemon = board.start();
    assert_eq!(service.report(|_| true)["status"], "installed");
    assert_eq!(board.mac(), NEW);
    let host = service.url.trim_start_matches("http://");
    // One for the list and one for the report, at the least.
    for _ in 0..2 {
        proxy.process.wait_for(&format!("CONNECT {host} HTTP/1.1"));
    }
}

#[test]
fn a_proxy_that_refuses_is_told_as_one() {
    let (service, proxy) = (Listener::start(), Proxy::start("ConnectPort 443"));
    let board = behind(&proxy.url, &service);
    let mut daemon = board.start();
    let refused = format!("failed: the proxy {} does not connect the panel", proxy.url);
    let said = daemon.wait_for(&refused);
    assert!(
        said.contains(&format!("polling {} through {} failed", service.url, proxy.url)),
        "{said}"
    );
    assert!(said.contains("403"), "{said}");
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let (service, mut proxy) = (Listener::start(), Proxy::start(""));
    let board = Board::sandboxed("gate-1", OLD).with_polling(&service.url);
    let variables = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"];
    let _daemon = board.start_with(&variables.map(|name| (name, proxy.url.as_str())));
    board.wait_until_reached();
    let said = proxy.process.said();
    assert!(!said.iter().any(|line| line.contains("CONNECT")), "{said:?}");
}
