//! curl, to speak to the billing service as somebody else's program does.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// One call of an HTTP service: the status and the JSON that is answered; `null` for an empty answer.
pub fn curl(method: &str, url: &str, body: &[u8]) -> (u16, Value) {
    curl_with(&[], method, url, body)
}

/// The same, with further arguments.
pub fn curl_with(arguments: &[&str], method: &str, url: &str, body: &[u8]) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "*"])
        .args(["--request", method, "--url", url, "--write-out", "\n%{http_code}"])
        .args([
            "--header",
            "Content-Type: application/json",
            "--header",
            "Accept: application/json",
        ]);
    curl.args(arguments);
    if !body.is_empty() {
        curl.args(["--data-binary", "@-"]);
    }
    let mut child = curl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("curl; tests/run installs it");
    // The service may answer without having read it all.
    let _ = child.stdin.take().expect("piped").write_all(body);
    let output = child.wait_with_output().expect("curl ends");
    let text = String::from_utf8(output.stdout).expect("text");
    let (answer, status) = text.rsplit_once('\n').expect("the status");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_ne!(status, "000", "no answer from {url}: {said}");
    let answer = match answer {
        "" => Value::Null,
        json => serde_json::from_str(json).unwrap_or_else(|why| panic!("{why}: {json}")),
    };
    (status.parse().expect("a status"), answer)
}
