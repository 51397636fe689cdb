//! Reports to a platform that only knows the documented API.

use intercom_wire::Report;
use intercom_wire::json::FromJson;
use serde_json::{Value, json};

use super::attempt::attempt;
use super::peer::{Answer, Peer, answer};
use super::*;
use crate::agent::seams::ReportId;

const OLD: &str = "08:00:00:00:00:01";
const NEW: &str = "08:00:00:00:00:02";
const PATCH: &str = "PATCH /api/v1/billing/intercoms";
const SHOW: &str = "GET /api/v1/billing/intercoms/show?mac=08%3A00%3A00%3A00%3A00%3A0";

fn report(target: Value) -> Box<Report> {
    let identity = json!({"mac": OLD, "serial_number": null});
    let report = json!({
        "id": 7, "external_id": null, "department": null, "title": null, "mac": NEW,
        "model": "X", "serial_number": "S-2", "status": "installed", "flat_from": null,
        "flat_to": null, "source": "auto-replace", "group": null, "request_id": "r1",
        "target": target, "board": "board-1", "previous": identity, "factory": identity,
        "log_extra": {"some": "information"},
    });
    Box::new(FromJson::from_json(&report).unwrap())
}

fn refused() -> Answer {
    answer("422 Unprocessable Entity", r#"{"message": "The group id field is required."}"#)
}

fn shown(mac: &str, serial_number: &str) -> Answer {
    let intercom = json!({"mac": mac, "serial_number": serial_number, "group": {"id": 6}});
    answer("200 OK", intercom.to_string())
}

/// A platform with these answers to `show` and to PATCH, and a panel that reports to it.
async fn told(target: Value, shows: Vec<Answer>, patches: Vec<Answer>) -> (Peer, Panel) {
    let peer = Peer::taking_reports(shows, patches);
    let panel = Panel::reporting_to(&peer.url);
    panel.command(RouteCommand::Send(ReportId::Durable(1), report(target)));
    (peer, panel)
}

async fn patch(peer: &mut Peer) -> Value {
    let seen = peer.seen().await;
    assert_eq!(seen.line, PATCH);
    serde_json::from_slice(&seen.body).unwrap()
}

fn delivered() -> Event {
    Event::Reported { id: ReportId::Durable(1), route: Route::Billing }
}

#[tokio::test]
async fn what_is_installed_is_reported_by_the_documented_patch() {
    let (mut peer, mut panel) =
        told(json!({"id": 9, "mac": OLD}), vec![], vec![shown(NEW, "S-2")]).await;
    assert_eq!(panel.event().await, delivered());
    let documented = json!({
        "id": 9, "new_mac": NEW, "new_serial_number": "S-2", "model": "X",
        "log_extra": {"some": "information", "request_id": "r1"},
    });
    assert_eq!(patch(&mut peer).await, documented);
    assert!(peer.nothing_seen(), "it is asked for nothing");
}

#[tokio::test]
async fn a_refused_patch_is_delivered_if_billing_shows_the_new_identity() {
    let (mut peer, mut panel) =
        told(json!({"mac": OLD}), vec![shown(NEW, "S-2")], vec![refused()]).await;
    assert_eq!(panel.event().await, delivered());
    assert_eq!(patch(&mut peer).await["mac"], OLD);
    assert_eq!(peer.seen().await.line, format!("{SHOW}2"));
    assert!(peer.nothing_seen());
}

#[tokio::test]
async fn a_patch_that_is_refused_without_a_group_names_the_one_that_billing_shows() {
    let shows = vec![answer("404 Not Found", ""), shown(OLD, "S-1")];
    let (mut peer, mut panel) = told(json!({"mac": OLD}), shows, vec![refused()]).await;
    assert_eq!(panel.event().await, delivered());
    assert_eq!(patch(&mut peer).await.get("group_id"), None);
    assert_eq!(peer.seen().await.line, format!("{SHOW}2"));
    assert_eq!(peer.seen().await.line, format!("{SHOW}1"));
    assert_eq!(patch(&mut peer).await["group_id"], 6);
}

#[tokio::test]
async fn a_record_with_another_serial_number_is_not_delivered() {
    let patches = vec![refused(), refused()];
    let (mut peer, mut panel) = told(json!({"mac": OLD}), vec![shown(NEW, "S-1")], patches).await;
    patch(&mut peer).await;
    peer.seen().await;
    assert_eq!(patch(&mut peer).await["group_id"], 6);
    // It is tried again after a wait, and then accepted.
    patch(&mut peer).await;
    assert_eq!(panel.event().await, delivered());
}

fn page() -> Answer {
    answer("200 OK\nContent-Type: text/html", "<html>log in</html>")
}

#[tokio::test]
async fn a_page_in_place_of_the_record_is_no_delivery() {
    for first in [page(), answer("200 OK", "{}"), answer("200 OK", "")] {
        let (mut peer, mut panel) = told(json!({"mac": OLD}), vec![], vec![first]).await;
        patch(&mut peer).await;
        // It is tried again after a wait, and then accepted.
        patch(&mut peer).await;
        assert_eq!(panel.event().await, delivered());
    }
    // After a refusal, a page in place of `show` says nothing about the record either.
    let (mut peer, mut panel) = told(json!({"mac": OLD}), vec![page()], vec![refused()]).await;
    patch(&mut peer).await;
    assert_eq!(peer.seen().await.line, format!("{SHOW}2"));
    patch(&mut peer).await;
    assert_eq!(panel.event().await, delivered());
}

#[tokio::test]
async fn a_look_does_not_take_a_page_for_the_record() {
    let look = async |answers| {
        let peer = Peer::start(answers);
        let (settings, place) = (billing_settings(&peer.url), Place::new(Root::system(), None));
        let looked =
            attempt(Route::Billing, settings, place, connect_as(OLD), Health::default()).await;
        looked.map_err(|cause| cause.name())
    };
    assert_eq!(look(vec![page(), page()]).await, Err("http-status"));
    assert_eq!(look(vec![shown(OLD, "S-1"), page()]).await, Ok(()));
}
