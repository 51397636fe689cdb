//! Reports to the service.

use intercom_wire::Report;
use intercom_wire::json::{self, FromJson};
use serde_json::json;

use super::peer::{Peer, Seen, answer};
use super::*;
use crate::agent::seams::ReportId;

fn report(id: &str) -> Box<Report> {
    let identity = json!({"mac": "08:00:00:00:00:02", "serial_number": null});
    let report = json!({
        "id": 7, "external_id": null, "department": null, "title": null, "mac": "08:00:00:00:00:02",
        "model": "X", "serial_number": null, "status": "installed", "flat_from": null,
        "flat_to": null, "source": "auto-replace", "group": null, "request_id": id,
        "board": "board-1", "previous": identity, "factory": identity,
    });
    Box::new(FromJson::from_json(&report).unwrap())
}

/// Reports come between polls; the next one.
async fn next_report(peer: &mut Peer) -> Seen {
    loop {
        let seen = peer.seen().await;
        if seen.line.starts_with("POST") {
            return seen;
        }
    }
}

/// Waits for the acknowledgement of a report, whatever the polls bring meanwhile.
async fn reported(panel: &mut Panel) -> ReportId {
    loop {
        match panel.event().await {
            Event::Reported { id, route } => {
                assert_eq!(route, Route::Http);
                return id;
            }
            Event::Reachable { .. } | Event::Lost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_report_is_sent_until_it_is_accepted() {
    let page = answer("200 OK\nContent-Type: text/html", "<html>log in</html>");
    let busy = answer("503 Service Unavailable", "");
    let reports = vec![busy, page, answer("201 Created", "{}")];
    let mut peer = Peer::taking_reports(Vec::new(), reports);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.command(RouteCommand::Send(ReportId::Durable(3), report("r1")));
    // A report that is already queued is not sent twice.
    panel.command(RouteCommand::Send(ReportId::Durable(3), report("r1")));
    let first = next_report(&mut peer).await;
    assert_eq!(first.line, "POST /api/v1/agent/status");
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(json::read::<Report>(&first.body).unwrap(), *report("r1"));
    assert_eq!(reported(&mut panel).await, ReportId::Durable(3));
    assert_eq!(next_report(&mut peer).await.body, first.body, "after the 503");
    assert_eq!(next_report(&mut peer).await.body, first.body, "after the page");
    assert_eq!(panel.event().await, panel.reachable());
}

#[tokio::test]
async fn a_refused_report_does_not_hold_up_the_others() {
    let refusal = answer("422 Unprocessable Entity", r#"{"message": "No such request."}"#);
    let mut peer = Peer::taking_reports(Vec::new(), vec![refusal]);
    let mut panel = Panel::start(&peer.url, "");
    assert_eq!(panel.event().await, panel.reachable());
    panel.command(RouteCommand::Send(ReportId::Durable(1), report("r1")));
    panel.command(RouteCommand::Send(ReportId::Volatile(2), report("r2")));
    assert_eq!(reported(&mut panel).await, ReportId::Volatile(2));
    assert!(next_report(&mut peer).await.body.windows(4).any(|bytes| bytes == b"\"r1\""));
    assert!(next_report(&mut peer).await.body.windows(4).any(|bytes| bytes == b"\"r2\""));
}

#[tokio::test]
async fn a_report_outlives_the_identity_under_which_it_was_queued() {
    let busy = answer("503 Service Unavailable\nRetry-After: 900", "");
    let mut peer = Peer::taking_reports(Vec::new(), vec![busy]);
    let mut panel = Panel::start(&peer.url, "status = \"/status/{mac}\"");
    assert_eq!(panel.event().await, panel.reachable());
    panel.command(RouteCommand::Send(ReportId::Durable(1), report("r1")));
    assert_eq!(next_report(&mut peer).await.line, "POST /status/08:00:00:00:00:01");
    panel.connect_as("08:00:00:00:00:02");
    assert_eq!(reported(&mut panel).await, ReportId::Durable(1));
    assert_eq!(next_report(&mut peer).await.line, "POST /status/08:00:00:00:00:02");
}

#[tokio::test]
async fn a_report_that_is_always_refused_is_dropped() {
    use super::super::route::{HttpRoute, MAX_REFUSALS};
    use super::super::trouble::Trouble;
    use crate::upstream::cause::Said;
    use ureq::http::StatusCode;

    let service = Service {
        route: Route::Http,
        settings: settings("http://billing.example", ""),
        place: Place::new(Root::system(), None),
        keys: keys(),
        limits: QUICK,
        nonce: OnceLock::new(),
        runtime: Handle::current(),
        health: Health::default(),
    };
    let answer =
        |status| Err(Trouble::from(super::super::answer::of_status(status, Said::default())));
    let mut route = HttpRoute::new(Arc::new(service), mpsc::channel(1).0);
    route.take(RouteCommand::Send(ReportId::Durable(1), report("r1")));
    for _ in 1..MAX_REFUSALS {
        route.sent = Some(ReportId::Durable(1));
        assert_eq!(route.reported(answer(StatusCode::UNPROCESSABLE_ENTITY)), None);
    }
    // Trouble of another kind does not count as a refusal.
    route.sent = Some(ReportId::Durable(1));
    assert_eq!(route.reported(answer(StatusCode::SERVICE_UNAVAILABLE)), None);
    route.sent = Some(ReportId::Durable(1));
    assert_eq!(
        route.reported(answer(StatusCode::UNPROCESSABLE_ENTITY)),
        Some(ReportId::Durable(1))
    );
}
