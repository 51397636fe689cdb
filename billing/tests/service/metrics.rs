//! The metrics, and the alert rules and the dashboard that read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use intercom_test_support::{Broker, is_on_postgres};
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{NEW, Running, report};

const PREFIX: &str = "intercom_billing_";

fn files() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/metrics"))
}

fn scrape(billing: &Running) -> String {
    let answer = billing.call(Method::GET, "/metrics", None);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// The value of a series, as it is written.
fn value<'a>(text: &'a str, series: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(PREFIX)?.strip_prefix(series)?.strip_prefix(' '))
}

/// Every name of this service's that occurs.
fn names(text: &str) -> BTreeSet<&str> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_of_a_name(c));
    words.filter(|word| word.starts_with(PREFIX)).collect()
}

/// What `promtool` (Debian's package `prometheus`) says about a text, which it must find good.
fn promtool(arguments: &[&str], input: &str) {
    use std::io::Write;
    let mut tool = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut into = tool.stdin.take().expect("its input");
    into.write_all(input.as_bytes()).expect("it reads");
    drop(into);
    let done = tool.wait_with_output().expect("it ends");
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn a_replacement_is_counted_from_the_request_to_its_report() {
    let billing = Running::start();
    let text = scrape(&billing);
    for series in ["requests_asked_total", "offers_total", "reports_total", "requests_pending"] {
        assert_eq!(value(&text, series), Some("0"), "{series}");
    }
    for outcome in ["installed", "rolled_back", "cancelled"] {
        let series = format!("requests_ended_total{{outcome=\"{outcome}\"}}");
        assert_eq!(value(&text, &series), Some("0"), "{series}");
    }
    assert_eq!(value(&text, "requests_oldest_pending_seconds"), Some("0.0"));
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    spare.request(&request_id);
    let text = scrape(&billing);
    for (series, expected) in [
        ("requests_asked_total", "1"),
        ("requests_pending", "1"),
        ("offers_total", "1"),
        ("boards_online", "1"),
        ("broker_connected", "1"),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in {text}");
    }
    assert_ne!(value(&text, "requests_oldest_pending_seconds"), Some("0.0"));
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    spare.reports(&report("unknown", "installed", NEW, "new_serial_number"));
    billing.until("both read", |b| value(&scrape(b), "reports_ignored_total") == Some("1"));
    let text = scrape(&billing);
    for (series, expected) in [
        ("requests_pending", "0"),
        ("requests_ended_total{outcome=\"installed\"}", "1"),
        ("reports_total", "1"),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in {text}");
    }
}

#[test]
fn calls_are_counted_by_route_and_status_whatever_their_paths_are() {
    let billing = Running::start();
    billing.show("id=1");
    for path in ["/a", "/b", "/c"] {
        billing.call(Method::GET, path, None);
    }
    let text = scrape(&billing);
    for series in [
        "http_calls_total{method=\"GET\",route=\"/api/v1/billing/intercoms/show\",status=\"404\"}",
        "http_call_seconds_count{method=\"GET\",route=\"/api/v1/billing/intercoms/show\"}",
    ] {
        assert_eq!(value(&text, series), Some("1"), "{series} in {text}");
    }
    let none = "http_calls_total{method=\"GET\",route=\"none\",status=\"404\"}";
    assert_eq!(value(&text, none), Some("3"), "{text}");
}

#[test]
fn the_number_of_series_does_not_grow_with_the_intercoms() {
    let billing = Running::start();
    let series = |b: &Running| scrape(b).lines().count();
    billing.old_intercom();
    scrape(&billing);
    let before = series(&billing);
    for n in 10..30 {
        billing.post(json!({"mac": format!("02:00:00:00:00:{n}")}));
    }
    assert_eq!(series(&billing), before);
}

#[test]
fn without_its_broker_the_metrics_say_so() {
    let mut broker = Broker::start();
    let url = broker.url();
    let billing = Running::start_with(|settings| {
        let external = url.parse().expect("a broker's URL");
        settings.broker = intercom_billing::mqtt::link::Choice::External(external);
    });
    broker.kill();
    billing.until("not connected", |b| value(&scrape(b), "broker_connected") == Some("0"));
}

#[test]
fn promtool_finds_the_metrics_and_the_alert_rules_good() {
    let billing = Running::start();
    billing.old_intercom();
    promtool(&["check", "metrics"], &scrape(&billing));
    let alerts = files().join("alerts.yml");
    promtool(&["check", "rules", alerts.to_str().expect("text")], "");
}

/// Of several processes, those that do not lead have no connection to the broker by design.
#[test]
fn the_alert_about_the_broker_is_about_the_process_that_leads() {
    let dir = tempfile::TempDir::new().expect("a directory");
    let file = dir.path().join("tests.json");
    let series = |name: &str, process: &str, value: u8| {
        let series = format!("{PREFIX}{name}{{instance=\"{process}\"}}");
        json!({"series": series, "values": format!("{value}x10")})
    };
    let test = |name: &str, series: &[Value], raised_for: &[&str]| {
        let raised = "alertname=\"IntercomBillingWithoutBroker\",alertstate=\"firing\"";
        let samples = raised_for.iter().map(|process| {
            let labels = format!("{raised},instance=\"{process}\",severity=\"critical\"");
            json!({"labels": format!("ALERTS{{{labels}}}"), "value": 1})
        });
        json!({
            "name": name, "interval": "1m", "input_series": series,
            "promql_expr_test": [{
                "eval_time": "5m", "expr": format!("ALERTS{{{raised}}}"),
                "exp_samples": samples.collect::<Vec<_>>(),
            }],
        })
    };
    let one = |connected| vec![series("broker_connected", "a", connected)];
    let two = |connected| {
        let leads = [series("leads", "a", 1), series("leads", "b", 0)];
        let connected =
            [series("broker_connected", "a", connected), series("broker_connected", "b", 0)];
        [leads, connected].concat()
    };
    let tests = json!({
        "rule_files": [files().join("alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [
            test("one process", &one(1), &[]),
            test("one process without its broker", &one(0), &["a"]),
            test("two processes", &two(1), &[]),
            test("two processes without their broker", &two(0), &["a"]),
        ],
    });
    fs::write(&file, tests.to_string()).expect("the tests");
    promtool(&["test", "rules", file.to_str().expect("text")], "");
}

/// The expressions of the dashboard.
fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(files().join("dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let text = |target: &Value| target["expr"].as_str().expect("an expression").to_owned();
    targets.map(text).collect()
}

#[test]
fn promtool_parses_every_expression_of_the_dashboard() {
    let dir = tempfile::TempDir::new().expect("a directory");
    let file = dir.path().join("rules.json");
    let rules: Vec<Value> = dashboard()
        .iter()
        .enumerate()
        .map(|(n, expr)| {
            // Grafana puts the interval in.
            let expr = expr.replace("$__rate_interval", "1m");
            json!({"record": format!("panel:{n}"), "expr": expr})
        })
        .collect();
    assert!(rules.len() >= 10, "{rules:?}");
    // JSON is YAML, too.
    let rules = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    fs::write(&file, rules.to_string()).expect("the rules");
    promtool(&["check", "rules", file.to_str().expect("text")], "");
}

#[test]
fn every_metric_of_the_alert_rules_and_the_dashboard_is_there() {
    let billing = Running::start();
    // A call is counted when it has been answered.
    scrape(&billing);
    let text = scrape(&billing);
    let samples: String =
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let there = names(&samples);
    let alerts = fs::read_to_string(files().join("alerts.yml")).expect("the rules");
    let dashboard = dashboard().join("\n");
    let is_of_the_other_engine = |name: &str| match is_on_postgres() {
        true => name.starts_with("intercom_billing_database_"),
        false => name == "intercom_billing_leads",
    };
    for name in names(&alerts).union(&names(&dashboard)) {
        if is_of_the_other_engine(name) {
            continue;
        }
        assert!(there.contains(name), "{name} is not in {there:#?}");
    }
}
