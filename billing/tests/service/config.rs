//! The options of `serve` from a file, the environment and the command line.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use intercom_test_support::Process;
use tempfile::TempDir;

use crate::common::program::command;

/// A file with options, whose `DIR` is the directory that it is in.
fn file(text: &str) -> (TempDir, PathBuf) {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("billing.toml");
    let text = text.replace("DIR", dir.path().to_str().expect("text"));
    fs::write(&path, text).expect("written");
    (dir, path)
}

/// `intercom-billing config` with these options and variables; what it prints.
fn in_force(path: &PathBuf, options: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut config = command();
    config.arg("config").arg("--config").arg(path).args(options);
    config.envs(variables.iter().copied());
    config.output().expect("it runs")
}

fn shown(path: &PathBuf, options: &[&str], variables: &[(&str, &str)]) -> String {
    let Output { status, stdout, stderr } = in_force(path, options, variables);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

fn refused(path: &PathBuf, options: &[&str]) -> String {
    let Output { status, stderr, .. } = in_force(path, options, &[]);
    let said = String::from_utf8(stderr).expect("text");
    assert!(!status.success(), "{said}");
    said
}

#[test]
fn the_environment_counts_more_than_the_file_and_the_command_line_more_than_both() {
    let (_dir, path) = file(
        "listen = \"127.0.0.1:1\"\ngrace_ms = 1\nlog = \"json\"\nopen = true\n\
         host = [\"one.example\", \"two.example\"]\ndatabase = \"DIR/b.sqlite\"\n",
    );
    let variables =
        [("INTERCOM_BILLING_GRACE_MS", "2"), ("INTERCOM_BILLING_LISTEN", "127.0.0.1:2")];
    let text = shown(&path, &["--listen", "127.0.0.1:3"], &variables);
    for line in [
        "listen = \"127.0.0.1:3\" # command line",
        "grace_ms = 2 # environment",
        "log = \"json\" # file",
        "open = true # file",
        "host = [\"one.example\", \"two.example\"] # file",
        "boards = \"any\" # default",
        "mqtt_listen = \"127.0.0.1:1883\" # default",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} in {text}");
    }
    let text = shown(&path, &["--host", "three.example"], &[]);
    assert!(text.contains("host = [\"three.example\"] # command line"), "{text}");
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let (dir, path) = file("database = \"DIR/a \\\"b\\\".sqlite\"\nhost = \"one.example\"\n");
    let without_sources = |text: &str| -> Vec<String> {
        let value = |line: &str| line.rsplit_once(" # ").expect("a source").0.to_owned();
        text.lines().map(value).collect()
    };
    let first = shown(&path, &["--boards", "known"], &[]);
    let again = dir.path().join("again.toml");
    fs::write(&again, &first).expect("written");
    assert_eq!(without_sources(&shown(&again, &[], &[])), without_sources(&first));
}

#[test]
fn a_service_starts_by_its_file_alone() {
    let (_dir, path) = file(
        "listen = \"127.0.0.1:0\"\nmqtt_listen = \"127.0.0.1:0\"\ndatabase = \"DIR/b.sqlite\"\n\
         log = \"json\"\n",
    );
    let mut serve = command();
    let mut service = Process::start(
        "intercom-billing",
        serve.arg("serve").env("INTERCOM_BILLING_CONFIG", &path),
    );
    let line = service.wait_for("serving on http://");
    assert!(line.starts_with("{\"timestamp\":"), "{line}");
}

#[test]
fn a_wrong_key_is_named_with_its_line() {
    for (text, says) in [
        ("database = \"b\"\nlisen = \"127.0.0.1:1\"\n", "line 2: there is no option \"lisen\""),
        ("\n\nopen = \"yes\"\n", "line 3: \"open\" has another kind of value"),
        ("database = [\"a\"]\n", "line 1: \"database\" has another kind of value"),
        ("config = \"other.toml\"\n", "line 1: there is no option \"config\""),
    ] {
        let (_dir, path) = file(text);
        let said = refused(&path, &[]);
        assert!(said.contains(says) && said.contains("billing.toml"), "{text}: {said}");
    }
    let (dir, _) = file("");
    let said = refused(&dir.path().join("absent.toml"), &[]);
    assert!(said.contains("absent.toml cannot be read"), "{said}");
}

#[test]
fn a_wrong_value_is_told_as_on_the_command_line() {
    let (_dir, path) = file("database = \"b\"\ngrace_ms = -1\n");
    let said = refused(&path, &[]);
    for part in ["--grace-ms", "-1", "The options of the file"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let (_dir, path) = file("database = \"b\"\nbroker = \"mqtt://localhost\"\n");
    let said = refused(&path, &["--mqtt-listen", "127.0.0.1:0"]);
    assert!(said.contains("cannot be used with"), "{said}");
}

#[test]
fn every_file_that_is_named_is_opened() {
    let (_dir, path) = file("database = \"DIR/b.sqlite\"\nsigning_key = \"DIR/absent.key\"\n");
    let said = refused(&path, &[]);
    assert!(said.contains("absent.key"), "{said}");
}

#[test]
fn passwords_are_shown_nowhere() {
    let (_dir, path) =
        file("database = \"DIR/b.sqlite\"\nbroker = \"mqtt://billing:hunter2@localhost:1883\"\n");
    let text = shown(&path, &[], &[]);
    assert!(text.contains("broker = [\"mqtt://billing:MASKED@localhost:1883\"] # file"), "{text}");
    assert!(!text.contains("mqtt_listen"), "no built-in broker: {text}");
    let postgres = "postgres://billing:hunter2@h/d?password=hunter2&sslmode=disable";
    let text = file(&format!("database = \"{postgres}\"\nbroker = \"mqtt://localhost\"\n"));
    let text = shown(&text.1, &[], &[]);
    let masked =
        "database = \"postgres://billing:MASKED@h/d?password=MASKED&sslmode=disable\" # file";
    assert!(text.contains(masked), "{text}");
    let (_dir, path) = file("database = \"b\"\nbroker = \"hunter2 no URL\"\n");
    assert!(!refused(&path, &[]).contains("hunter2"));
    let (_dir, path) = file("broker = \"mqtt://billing:hunter2@localhost\n");
    let said = refused(&path, &[]);
    assert!(said.contains("line 1") && !said.contains("hunter2"), "{said}");
    let help = command()
        .args(["serve", "--help"])
        .env("INTERCOM_BILLING_BROKER", "mqtt://billing:hunter2@localhost")
        .output()
        .expect("it runs");
    let help = String::from_utf8(help.stdout).expect("text");
    assert!(help.contains("INTERCOM_BILLING_BROKER") && !help.contains("hunter2"), "{help}");
}

const TWO: &str = "broker = [\"mqtt://a:1883\", \"mqtt://b:1883\"]";

#[test]
fn the_nodes_of_a_broker_are_a_list_in_the_file_and_have_commas_between_them_elsewhere() {
    let (_dir, path) = file(&format!("database = \"DIR/b.sqlite\"\n{TWO}\n"));
    let text = shown(&path, &[], &[]);
    assert!(text.contains(&format!("{TWO} # file")), "{text}");
    let (_dir, path) = file("database = \"DIR/b.sqlite\"\n");
    let text = shown(&path, &[], &[("INTERCOM_BILLING_BROKER", "mqtt://a:1883,mqtt://b:1883")]);
    assert!(text.contains(&format!("{TWO} # environment")), "{text}");
    let text = shown(&path, &["--broker", "mqtt://a:1883", "--broker", "mqtt://b:1883"], &[]);
    assert!(text.contains(&format!("{TWO} # command line")), "{text}");
}

#[test]
fn nodes_that_cannot_be_of_one_broker_are_refused_and_their_passwords_not_shown() {
    let (_dir, path) = file("database = \"DIR/b.sqlite\"\n");
    for (urls, why) in [
        ("mqtt://u:hunter2@a,http://u:hunter2@b", "`http://` is not supported"),
        ("mqtt://u:hunter2@a,mqtts://u:hunter2@b", "--broker mixes mqtt:// and mqtts://"),
        ("mqtt://u:hunter2@a,mqtt://a:1883", "--broker names the broker a:1883 twice"),
        ("mqtt://a,", "--broker is wrong: URL 2 "),
        ("mqtt://u:12,hunter2@a", "URL 2 (a comma in a password is %2C): not a URL"),
    ] {
        let said = refused(&path, &["--broker", urls]);
        assert!(said.contains(why) && !said.contains("hunter2"), "{said}");
    }
    let user = ["--broker-user", "billing", "--broker", "mqtt://a,mqtt://u:hunter2@b"];
    let said = refused(&path, &user);
    assert!(said.contains("and so has --broker-user") && !said.contains("hunter2"), "{said}");
}
