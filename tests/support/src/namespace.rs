//! A network, a `/sys` and a `/proc` of a test's own.
//!
//! Needs iproute2 and util-linux, and root or unprivileged user namespaces.

use std::env;
use std::process::Command;

use crate::skipped;

const INSIDE: &str = "INTERCOM_TEST_IN_NAMESPACE";

/// The command that runs the arguments that are added to it in namespaces; whatever they start ends
/// with them.
pub fn unshare() -> Command {
    let user: &[&str] = match nix::unistd::geteuid().is_root() {
        true => &[],
        false => &["--user", "--map-root-user"],
    };
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(user)
        // /sys/class/net shows the namespace that it was mounted in; ip keeps names in /run, and
        // U-Boot's tools their lock.
        .args([
            "sh",
            "-c",
            "mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && mkdir /run/lock && exec \"$@\"",
            "sh",
        ]);
    command
}

/// Runs a test's body in namespaces: this very program once more, with that one test alone. Whatever
/// the test has started ends with it.
pub fn in_a_namespace(test: &str, body: fn()) {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let output = unshare()
        .arg(env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare runs");
    // The script has not come as far as the test. Without a list that is a failure.
    if let (false, Ok(list)) = (output.status.success(), env::var(skipped::LIST))
        && !output.stdout.windows(9).any(|words| words == b"running 1")
    {
        let why = String::from_utf8_lossy(&output.stderr);
        return skipped::add(
            &list,
            &format!("{test}: no namespaces can be made here: {}", why.trim()),
        );
    }
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("1 passed"), "no test is called {test}: {out}{err}");
    // Figures, for whoever runs it with --nocapture.
    print!("{out}");
}

/// What `ip` prints.
pub fn ip(arguments: &str) -> String {
    let words = arguments.split_whitespace();
    let output = Command::new("ip").args(words).output().expect("ip runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {err}");
    String::from_utf8(output.stdout).expect("text")
}
