//! Tokens and their roles: who may call which route.

use crate::common::{Answer, NEW, OLD, Running, documented_example, report};
use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::Method;

/// Who calls, in the order of the columns below.
const CALLERS: [&str; 6] =
    ["nobody", "a wrong token", "a revoked token", "operator", "viewer", "panel"];

/// A call, and the status that each caller gets.
type Row = (&'static str, [u16; 6], fn(&Running, &str) -> Answer);

/// Every route. `die-1` is the board that the panel's token is bound to, and the panel of intercom 1.
/// The later rows build on what the earlier ones have done where they were allowed.
const TABLE: [Row; 48] = [
    ("polls as die-1", [401, 401, 401, 403, 403, 200], |b, _| {
        b.pending(&format!("mac={OLD}&board=die-1"))
    }),
    ("polls without a board", [401, 401, 401, 403, 403, 200], |b, _| {
        b.pending(&format!("mac={OLD}"))
    }),
    ("polls as another board", [401, 401, 401, 403, 403, 403], |b, _| {
        b.pending(&format!("mac={NEW}&board=die-2"))
    }),
    ("reports as die-1", [401, 401, 401, 403, 403, 204], |b, _| {
        b.report(report("unknown", "failed", OLD, "S-OLD"))
    }),
    ("reports as another board", [401, 401, 401, 403, 403, 403], |b, request_id| {
        let mut of_another = report(request_id, "installed", NEW, "new_serial_number");
        of_another["board"] = json!("die-2");
        b.report(of_another)
    }),
    ("shows the intercom with the panel die-1", [401, 401, 401, 200, 200, 200], |b, _| {
        b.show("id=1")
    }),
    ("shows another intercom", [401, 401, 401, 200, 200, 404], |b, _| b.show("id=2")),
    ("shows an intercom that there is not", [401, 401, 401, 404, 404, 404], |b, _| b.show("id=99")),
    ("changes billing data", [401, 401, 401, 200, 403, 422], |b, _| {
        b.patch(json!({"id": 2, "group_id": 6}))
    }),
    ("asks for an identity", [401, 401, 401, 200, 403, 422], |b, _| {
        let new_mac = "02:00:00:00:00:22";
        b.patch(json!({"id": 2, "group_id": 6, "new_mac": new_mac, "model": "M"}))
    }),
    ("names no request in a PATCH", [401, 401, 401, 422, 403, 422], |b, _| {
        b.patch(reporting_patch("unknown"))
    }),
    ("reports by a PATCH", [401, 401, 401, 200, 403, 200], |b, request_id| {
        b.patch(reporting_patch(request_id))
    }),
    ("lists the requests", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/agent/requests", None)
    }),
    ("searches for intercoms", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/intercoms?title=gate", None)
    }),
    ("reads the history of a door", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/intercoms/1/history", None)
    }),
    ("lists some requests", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/requests?state=pending", None)
    }),
    ("undoes the replacement", [401, 401, 401, 201, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/intercoms/1/undo", None)
    }),
    ("asks what a request would do", [401, 401, 401, 200, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/requests", Some(asking(true)))
    }),
    ("makes a request", [401, 401, 401, 201, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/requests", Some(asking(false)))
    }),
    ("cancels a request that there is not", [401, 401, 401, 404, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/requests/unknown/cancel", None)
    }),
    ("cancels a request that has ended", [401, 401, 401, 409, 403, 403], |b, request_id| {
        b.call(Method::POST, &format!("/api/v1/requests/{request_id}/cancel"), None)
    }),
    ("lists what waits for an operator", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/agent/decisions", None)
    }),
    ("says whose a MAC address is", [401, 401, 401, 204, 403, 403], |b, _| {
        let mac = "02:00:00:00:00:99";
        let body = json!({"decision": "enrol", "board": "die-9", "mac": mac});
        b.call(Method::POST, "/api/v1/agent/decisions", Some(body))
    }),
    ("exchanges two panels", [401, 401, 401, 422, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/swaps", Some(json!({"id": 1, "with_id": 99})))
    }),
    ("checks a file with replacements", [401, 401, 401, 201, 403, 403], |b, _| {
        let text = b"id,new_mac\n99,02:00:00:00:00:24\n".to_vec();
        b.send(Method::POST, "/api/v1/imports", &[("Content-Type", "text/csv")], Some(text))
    }),
    ("lists the imports", [401, 401, 401, 200, 403, 403], |b, _| {
        b.call(Method::GET, "/api/v1/imports", None)
    }),
    ("shows an import", [401, 401, 401, 200, 403, 403], |b, _| {
        b.call(Method::GET, "/api/v1/imports/1", None)
    }),
    ("runs an import with a wrong row", [401, 401, 401, 409, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/imports/1/run", None)
    }),
    ("reads a result file", [401, 401, 401, 200, 403, 403], |b, _| {
        b.call(Method::GET, "/api/v1/imports/1/result", None)
    }),
    ("reads the audit log", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/audit?actor=anybody", None)
    }),
    ("lists the webhooks", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/webhooks", None)
    }),
    ("adds a webhook", [401, 401, 401, 201, 403, 403], |b, _| {
        let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u";
        let body = json!({"url": "http://127.0.0.1:9/", "secret": secret});
        b.call(Method::POST, "/api/v1/webhooks", Some(body))
    }),
    ("reads what a webhook was told", [401, 401, 401, 200, 404, 403], |b, _| {
        b.call(Method::GET, "/api/v1/webhooks/1/deliveries", None)
    }),
    ("removes a webhook", [401, 401, 401, 204, 403, 403], |b, _| {
        b.call(Method::DELETE, "/api/v1/webhooks?id=1", None)
    }),
    ("lists the quiet hours", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/quiet-hours", None)
    }),
    ("sets quiet hours", [401, 401, 401, 204, 403, 403], |b, _| {
        let body = json!({
            "group_id": 6, "time_zone": "Etc/UTC", "begins": "22:00", "ends": "07:00"
        });
        b.call(Method::POST, "/api/v1/quiet-hours", Some(body))
    }),
    ("removes quiet hours", [401, 401, 401, 204, 403, 403], |b, _| {
        b.call(Method::DELETE, "/api/v1/quiet-hours?id=6", None)
    }),
    ("reads the credentials of a camera", [401, 401, 401, 403, 403, 403], |b, _| {
        b.call(Method::GET, "/api/v1/camera/credentials?id=1", None)
    }),
    ("reads how long requests are kept", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/api/v1/retention", None)
    }),
    ("sets how long requests are kept", [401, 401, 401, 204, 403, 403], |b, _| {
        b.call(Method::POST, "/api/v1/retention", Some(json!({"ended_requests_days": 30})))
    }),
    ("reads the page", [401, 401, 401, 200, 200, 403], |b, _| b.call(Method::GET, "/", None)),
    ("reads the description", [200, 200, 200, 200, 200, 200], |b, _| {
        b.call(Method::GET, "/openapi.json", None)
    }),
    ("reads the documentation", [200, 200, 200, 200, 200, 200], |b, _| {
        b.call(Method::GET, "/docs", None)
    }),
    ("reads the metrics", [401, 401, 401, 200, 200, 403], |b, _| {
        b.call(Method::GET, "/metrics", None)
    }),
    ("asks whether it lives", [200, 200, 200, 200, 200, 200], |b, _| {
        b.call(Method::GET, "/healthz", None)
    }),
    ("asks whether it is ready", [200, 200, 200, 200, 200, 200], |b, _| {
        b.call(Method::GET, "/readyz", None)
    }),
    ("creates", [401, 401, 401, 201, 403, 403], |b, _| b.post(json!({"mac": "02:00:00:00:00:33"}))),
    ("deletes", [401, 401, 401, 204, 403, 403], |b, _| b.delete("id=2")),
];

/// A body that asks for an identity.
fn asking(dry_run: bool) -> Value {
    let new_mac = "02:00:00:00:00:23";
    json!({"id": 2, "group_id": 6, "new_mac": new_mac, "model": "M", "dry_run": dry_run})
}

/// The documented PATCH, as a panel sends it to report.
fn reporting_patch(request_id: &str) -> Value {
    json!({
        "mac": OLD, "new_mac": NEW, "new_serial_number": "new_serial_number", "model": "3516EV200",
        "log_extra": {"request_id": request_id}
    })
}

/// A service with tokens of every role, two intercoms, and a pending request for intercom 1, which
/// is offered to its own panel.
fn with_tokens() -> (Running, [Option<String>; 6], String) {
    let mut billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    let operator = billing.add_token(&["--role", "operator", "--name", "the office"]);
    let revoked = billing.add_token(&["--role", "operator"]);
    assert!(billing.token(&["revoke", "2"]).status.success());
    let viewer = billing.add_token(&["--role", "viewer"]);
    let panel = billing.add_token(&["--role", "panel", "--board", "die-1"]);
    billing.bearer = Some(operator.clone());
    billing.old_intercom();
    billing.post(json!({"mac": "02:00:00:00:00:02", "serial_number": "S2"}));
    let request_id = billing.ask();
    let wrong = Some("wrong".to_owned());
    let all = [None, wrong, Some(revoked), Some(operator), Some(viewer), Some(panel)];
    (billing, all, request_id)
}

/// Everything that a call could have left behind.
pub(crate) fn contents(billing: &Running) -> Vec<Vec<Vec<Option<String>>>> {
    let mut database = billing.database.outside();
    let tables = ["intercoms", "requests", "boards", "reports", "audit", "imports", "import_rows"];
    let rows = tables.map(|table| {
        let mut rows = database.rows(&format!("SELECT * FROM {table}"));
        rows.sort();
        rows
    });
    rows.into()
}

#[test]
fn each_role_may_call_its_routes_and_no_others() {
    for (column, caller) in CALLERS.into_iter().enumerate() {
        let (mut billing, mut tokens, request_id) = with_tokens();
        billing.bearer = tokens[column].take();
        for (what, expected, call) in TABLE {
            let before = contents(&billing);
            let answer = call(&billing, &request_id);
            assert_eq!(answer.status, expected[column], "{caller} {what}: {}", answer.text);
            if answer.status >= 400 {
                assert_eq!(contents(&billing), before, "{caller} {what}");
            }
        }
    }
}

#[test]
fn the_role_of_the_cameras_may_call_nothing_else() {
    let (mut billing, _, request_id) = with_tokens();
    billing.bearer = Some(billing.add_token(&["--role", "camera"]));
    for (what, expected, call) in TABLE {
        let is_for_everybody = expected[0] < 400;
        let answer = call(&billing, &request_id);
        match what {
            "reads the credentials of a camera" => assert_eq!(answer.status, 404, "none is kept"),
            _ if is_for_everybody => assert_eq!(answer.status, expected[0], "{what}"),
            _ => assert_eq!(answer.status, 403, "{what}: {}", answer.text),
        }
    }
}

#[test]
fn a_patch_of_a_panel_is_its_report_and_nothing_else() {
    let (mut billing, [.., panel], request_id) = with_tokens();
    let operator = std::mem::replace(&mut billing.bearer, panel);
    billing.pending(&format!("mac={OLD}"));
    let mut other_identity = reporting_patch(&request_id);
    other_identity["new_mac"] = json!("02:00:00:00:00:44");
    for no_report in [documented_example(), reporting_patch("unknown"), other_identity] {
        let answer = billing.patch(no_report);
        let fields = answer.body["errors"].as_object().expect("errors");
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["log_extra"], "{}", answer.text);
    }
    assert_eq!(billing.patch(reporting_patch(&request_id)).body["status"], "installed");
    billing.bearer = operator;
    assert_eq!(billing.requests()[0]["board"], "die-1");
}

#[test]
fn a_panel_cannot_report_by_patch_on_the_request_of_another() {
    let (mut billing, [.., panel], request_id) = with_tokens();
    let of_another = billing.add_token(&["--role", "panel", "--board", "die-2"]);
    billing.bearer = panel;
    billing.pending(&format!("mac={OLD}"));
    billing.bearer = Some(of_another);
    let before = contents(&billing);
    assert_eq!(billing.patch(reporting_patch(&request_id)).status, 422);
    assert_eq!(contents(&billing), before);
}
