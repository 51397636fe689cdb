//! The settings of a running service: by the commands and on the page.

use std::process::{Command, Output};

use serde_json::json;
use ureq::http::Method;

use crate::common::Running;
use crate::common::browser::Browser;
use crate::webhooks::receiver;

/// `intercom-billing …` on the database of the running service.
fn command(billing: &Running, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(arguments)
        .arg("--database")
        .arg(billing.database.location())
        .output()
        .expect("it runs")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What a command that fails says.
fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn set_quiet_hours(billing: &Running, group: &str, zone: &str, hours: [&str; 2]) -> Output {
    let [begins, ends] = hours;
    let options = ["--time-zone", zone, "--begins", begins, "--ends", ends];
    command(billing, &[&["quiet-hours", "set", group][..], &options].concat())
}

#[test]
fn the_command_sets_lists_and_removes_quiet_hours() {
    let billing = Running::start();
    billing.old_intercom();
    let night = ["22:00", "07:00"];
    assert_eq!(printed(&set_quiet_hours(&billing, "6", "Europe/Berlin", night)), "");
    let listed = billing.call(Method::GET, "/api/v1/quiet-hours", None).body;
    let expected = json!({
        "group_id": 6, "time_zone": "Europe/Berlin", "begins": "22:00", "ends": "07:00"
    });
    assert_eq!(listed, json!([expected]));
    let list = |b: &Running| printed(&command(b, &["quiet-hours", "list"]));
    assert_eq!(list(&billing), "6\t22:00\t07:00\tEurope/Berlin\n");
    for (group, zone, hours, says) in [
        ("7", "Europe/Berlin", night, "there is no group 7"),
        ("6", "Nowhere/Here", night, "must be a time zone such as Europe/Berlin"),
        ("6", "Etc/UTC", ["22", "07:00"], "must be a time of day such as 22:30"),
        ("6", "Etc/UTC", ["22:00", "22:00"], "must be different"),
    ] {
        let said = refused(&set_quiet_hours(&billing, group, zone, hours));
        assert!(said.contains(says), "{said}");
    }
    let remove = ["quiet-hours", "remove", "6"];
    printed(&command(&billing, &remove));
    assert_eq!(list(&billing), "");
    let said = refused(&command(&billing, &remove));
    assert!(said.contains("group 6 has no quiet hours"), "{said}");
}

#[test]
fn the_command_shows_and_sets_how_long_requests_are_kept() {
    let billing = Running::start();
    let shown = |b: &Running| printed(&command(b, &["retention", "show"]));
    assert_eq!(shown(&billing), "90\n");
    printed(&command(&billing, &["retention", "set", "30"]));
    assert_eq!(shown(&billing), "30\n");
    let answer = billing.call(Method::GET, "/api/v1/retention", None).body;
    assert_eq!(answer["ended_requests_days"], 30);
    for wrong in ["0", "36501", "month"] {
        refused(&command(&billing, &["retention", "set", wrong]));
    }
    assert_eq!(shown(&billing), "30\n");
}

#[test]
fn an_operator_sets_quiet_hours_on_the_page_and_removes_them() {
    let billing = Running::start();
    billing.old_intercom();
    let mut browser = Browser::of(&billing);
    let night =
        [("group_id", "6"), ("begins", "22:00"), ("ends", "07:00"), ("time_zone", "Europe/Berlin")];
    let set = browser.press("/settings/quiet-hours", &night);
    assert_eq!((set.status.as_u16(), set.header("location")), (303, "/settings"));
    let shown = browser.get("/settings").text;
    assert!(
        shown.contains("Group 6") && shown.contains("22:00 to 07:00, Europe/Berlin"),
        "{shown}"
    );
    for (name, value, says) in [
        ("group_id", "7", "The selected group id is invalid."),
        (
            "time_zone",
            "<Nowhere>",
            "The time zone field must be a time zone such as Europe/Berlin.",
        ),
        ("ends", "22:00", "The ends field must be different from begins."),
        ("begins", "", "The begins field is required."),
    ] {
        let fields = night.map(|(field, usual)| (field, if field == name { value } else { usual }));
        let refused = browser.press("/settings/quiet-hours", &fields);
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains(says), "{}", refused.text);
        let typed = format!("value=\"{}\"", value.replace('<', "&lt;").replace('>', "&gt;"));
        assert!(refused.text.contains(&typed), "what was typed stays: {}", refused.text);
    }
    browser.press("/settings/quiet-hours/remove", &[("group", "6")]);
    assert!(browser.get("/settings").text.contains("No group has quiet hours."));
}

#[test]
fn an_operator_sets_on_the_page_how_long_requests_are_kept() {
    let billing = Running::start();
    let mut browser = Browser::of(&billing);
    assert!(browser.get("/settings").text.contains("90 days"));
    let set = browser.press("/settings/retention", &[("ended_requests_days", "30")]);
    assert_eq!(set.header("location"), "/settings");
    assert!(browser.get("/settings").text.contains("30 days"));
    let refused = browser.press("/settings/retention", &[("ended_requests_days", "0")]);
    assert_eq!(refused.status, 422);
    let says = "must be between 1 and 36500";
    assert!(refused.text.contains(says) && refused.text.contains("30 days"), "{}", refused.text);
}

#[test]
fn an_operator_adds_a_webhook_on_the_page_sees_its_secret_once_and_its_deliveries() {
    let billing = Running::start();
    let (url, told) = receiver(&billing);
    billing.old_intercom();
    let mut browser = Browser::of(&billing);
    let fields = [("url", &*url), ("offline_after_seconds", "600")];
    let added = browser.press("/settings/webhooks", &fields);
    assert_eq!(added.status, 200, "{}", added.text);
    let (_, secret) = added.text.split_once("<p class=\"mac\">").expect("the secret");
    let secret = secret.split_once('<').expect("its end").0;
    assert!(secret.starts_with("whsec_"), "{secret}");
    let request_id = billing.ask();
    assert_eq!(crate::requests::cancel(&billing, &request_id).status, 200);
    let got = crate::webhooks::next(&told);
    assert!(crate::webhooks::is_signed_with(&got, secret));
    billing.until("both have arrived", |b| {
        b.call(Method::GET, "/api/v1/webhooks", None).body[0]["delivered"] == 2
    });
    for path in ["/settings", "/settings/webhooks", "/settings/webhooks/1"] {
        let shown = browser.get(path).text;
        assert!(!shown.contains(secret) && !shown.contains("of-the-receiver"), "{shown}");
        for part in ["requested", "cancelled", "delivered", "1 attempt", "answered with 204"] {
            assert!(shown.contains(part), "{path}: {part} in {shown}");
        }
    }
    let first = browser.get("/settings/webhooks/1?limit=1").text;
    let (_, older) = first.split_once("<a class=\"button\" href=\"").expect("more");
    let older = browser.get(older.split_once('"').expect("its end").0).text;
    assert!(older.contains("requested") && !older.contains("Older"), "{older}");
    browser.press("/settings/webhooks/remove", &[("id", "1")]);
    assert!(browser.get("/settings").text.contains("There is no webhook."));
}

#[test]
fn a_viewer_reads_the_settings_and_finds_no_form() {
    let mut billing = Running::start();
    billing.bearer = Some(billing.add_token(&["--role", "operator"]));
    let viewer = billing.add_token(&["--role", "viewer"]);
    billing.old_intercom();
    printed(&set_quiet_hours(&billing, "6", "Etc/UTC", ["22:00", "07:00"]));
    crate::webhooks::add(&billing, "http://127.0.0.1:9/");
    let shown = Browser::signed_in(&billing, &viewer).get("/settings").text;
    for part in ["Group 6", "90 days", "http://127.0.0.1:9/", "href=\"/settings\""] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("action=\"/settings"), "{shown}");
}
