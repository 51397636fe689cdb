//! The API page's own cURL command and PHP snippet (`page/`, word for word), changed in nothing but
//! the host and the values of the body.

use std::process::Command;

use intercom_test_support::{Billing, NEW, OLD};
use serde_json::{Value, json};

const CURL: &str = include_str!("page/curl.txt");
const PHP: &str = include_str!("page/php.txt");

/// The keys of the page's 200 body, in its nesting.
const KEYS: [&str; 12] = [
    "department",
    "external_id",
    "flat_from",
    "flat_to",
    "group",
    "id",
    "mac",
    "model",
    "serial_number",
    "source",
    "status",
    "title",
];
const GROUP_KEYS: [&str; 4] = ["external_id", "has_items", "id", "name"];

/// Good values in place of the page's placeholders; `null` is what a caller sends for nothing.
fn values() -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::Null),
        ("mac", json!(OLD)),
        ("title", json!("Gate")),
        ("flat_from", json!(1)),
        ("flat_to", json!(15)),
        ("group_id", Value::Null),
        ("group_external_id", json!("0e4bbda6-b7a5-4db4-8178-315bf0006d11")),
        ("new_mac", json!(NEW)),
        ("new_serial_number", json!("NEW_SERIAL_123")),
        ("model", json!("3516EV200")),
        ("log_extra", json!("information")),
    ]
}

/// Replaces the value after each `FIELD` and its `arrow`.
fn with_values(text: &str, quote: char, arrow: &str) -> String {
    let mut text = text.to_owned();
    for (field, value) in values() {
        let key = format!("{quote}{field}{quote}{arrow}");
        let from = text.find(&key).unwrap_or_else(|| panic!("{field} is on the page")) + key.len();
        let to = from + text[from..].find(",\n").expect("the end of the value");
        text.replace_range(from..to, &value.to_string());
    }
    text
}

fn has_the_pages_keys(answer: &Value) {
    let keys =
        |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(answer), KEYS);
    assert_eq!(keys(&answer["group"]), GROUP_KEYS);
    assert_eq!(
        json!([answer["mac"], answer["serial_number"], answer["source"], answer["flat_to"]]),
        json!([NEW, "NEW_SERIAL_123", "auto-replace", 15])
    );
}

/// Every placeholder of the page that is no value.
fn names_each_wrong_field(answer: &Value) {
    let fields: Vec<_> = answer["errors"].as_object().expect("errors").keys().collect();
    assert_eq!(fields, ["flat_from", "flat_to", "group_id", "id", "mac", "new_mac"]);
    assert_eq!(answer.as_object().expect("an object").len(), 2, "message and errors");
    assert!(answer["message"].is_string());
}

/// The status and the body that the command prints.
fn curl(billing: &Billing, command: &str) -> (String, Value) {
    let command = command.replace("https://your-domain", &billing.url);
    let shell = format!("{} --silent --write-out '\\n%{{http_code}}'", command.trim_end());
    let output =
        Command::new("sh").args(["-c", &shell]).env("no_proxy", "*").output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    let (body, status) = text.rsplit_once('\n').expect("a status");
    (status.to_owned(), serde_json::from_str(body).expect("JSON"))
}

/// The status line and what `file_get_contents` gives the caller.
fn php(billing: &Billing, snippet: &str) -> (String, String) {
    let snippet = snippet.replace("https://your-domain", &billing.url);
    let script = format!("{snippet}\necho $http_response_header[0], \"\\n\", $result;");
    let output = Command::new("php").args(["-r", &script]).env("no_proxy", "*").output();
    let output = output.expect("php; tests/run installs it");
    let text = String::from_utf8(output.stdout).expect("text");
    let at = text.find("HTTP/1.1 ").unwrap_or_else(|| panic!("no answer: {text}"));
    let (status, body) = text[at..].split_once('\n').expect("a line");
    (status.to_owned(), body.to_owned())
}

#[test]
fn the_curl_command_is_answered_with_the_pages_keys() {
    let billing = Billing::start();
    billing.create_old();
    let (status, answer) = curl(&billing, CURL);
    assert_eq!(status, "422");
    names_each_wrong_field(&answer);
    let (status, answer) = curl(&billing, &with_values(CURL, '"', ": "));
    assert_eq!(status, "200", "{answer}");
    has_the_pages_keys(&answer);
}

#[test]
fn the_php_snippet_is_answered_with_the_pages_keys() {
    let billing = Billing::start();
    billing.create_old();
    let (status, nothing) = php(&billing, PHP);
    assert_eq!(status, "HTTP/1.1 422 Unprocessable Entity");
    // Without `ignore_errors` PHP keeps the body of an error for itself.
    assert_eq!(nothing, "");
    let (status, answer) = php(&billing, &with_values(PHP, '\'', " => "));
    assert_eq!(status, "HTTP/1.1 200 OK", "{answer}");
    has_the_pages_keys(&serde_json::from_str(&answer).expect("JSON"));
}
