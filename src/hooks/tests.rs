//! Hooks as real processes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use intercom_wire::Identity;

use super::*;
use crate::testing::{Alive, Sandbox};

const LONG: Duration = Duration::from_secs(30);

/// A panel with a directory of hooks, and the file that they write to.
struct Panel {
    sandbox: Sandbox,
}

impl Panel {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("/told", "");
        fs::create_dir(sandbox.root().path("/hooks")).expect("a directory");
        Panel { sandbox }
    }

    fn dir(&self) -> PathBuf {
        self.sandbox.root().path("/hooks")
    }

    /// A hook that appends what `words` are to the file.
    fn add(&self, name: &str, words: &str, then: &str) {
        let told = self.sandbox.root().path("/told");
        self.sandbox.script(
            &format!("/hooks/{name}"),
            &format!("echo \"{words}\" >>'{}'\n{then}", told.display()),
        );
    }

    fn told(&self) -> String {
        fs::read_to_string(self.sandbox.root().path("/told")).expect("readable")
    }

    async fn run(&self, phase: Phase, limit: Duration) -> Result<(), HookFailure> {
        let identity = |mac: &str, serial: Option<&str>| Identity {
            mac: mac.parse().expect("a MAC"),
            serial_number: serial.map(|serial| serial.parse().expect("a serial number")),
        };
        let run = HookRun {
            phase,
            from: identity("AA:BB:CC:DD:EE:FF", None),
            to: identity("22:0D:CE:38:E7:15", Some("S 1")),
        };
        Hooks::new(self.dir(), limit, "eth0").run(&run).await
    }
}

#[tokio::test]
async fn hooks_run_in_name_order_and_are_told_both_identities() {
    let hooks = Panel::new();
    hooks.add("50-b", "second $INTERCOM_INTERFACE $INTERCOM_PHASE", "");
    hooks.add(
        "10-a",
        "first $INTERCOM_OLD_MAC $INTERCOM_NEW_MAC [$INTERCOM_OLD_SERIAL_NUMBER] [$INTERCOM_NEW_SERIAL_NUMBER]",
        "",
    );
    hooks.run(Phase::Apply, LONG).await.expect("both succeed");
    assert_eq!(
        hooks.told(),
        "first AA:BB:CC:DD:EE:FF 22:0D:CE:38:E7:15 [] [S 1]\nsecond eth0 apply\n"
    );
}

#[tokio::test]
async fn no_directory_means_no_hooks() {
    let hooks = Panel::new();
    fs::remove_dir(hooks.dir()).expect("removed");
    hooks.run(Phase::Apply, LONG).await.expect("nothing to do");
}

#[tokio::test]
async fn what_is_no_hook_is_passed_over() {
    let hooks = Panel::new();
    hooks.add("10-ran", "ran", "");
    hooks.add(".hidden", "hidden", "");
    hooks.add("20-open", "open", "");
    hooks.sandbox.write_mode("/hooks/README", "not a program", 0o644);
    hooks.sandbox.write("/hooks/folder/50-nested", "");
    symlink("/nowhere", hooks.dir().join("60-dangling")).expect("a link");
    let open = hooks.dir().join("20-open");
    let writable = fs::Permissions::from_mode(0o777);
    fs::set_permissions(&open, writable).expect("the mode set");

    hooks.run(Phase::Apply, LONG).await.expect("the others do not count");
    assert_eq!(hooks.told(), "ran\n");
    let found = find::hooks(&hooks.dir()).expect("readable");
    assert_eq!(found.skipped.len(), 1);
    assert!(found.skipped[0].contains("20-open"), "{found:?}");
    assert!(found.skipped[0].contains("mode 0777"), "{found:?}");
}

#[tokio::test]
async fn a_directory_that_others_can_write_to_has_no_hooks() {
    let hooks = Panel::new();
    hooks.add("10-planted", "ran", "");
    fs::set_permissions(hooks.dir(), fs::Permissions::from_mode(0o777)).expect("the mode set");
    hooks.run(Phase::Apply, LONG).await.expect("nothing is run");
    assert_eq!(hooks.told(), "");
}

#[tokio::test]
async fn an_apply_stops_at_the_first_failure_and_says_which() {
    let hooks = Panel::new();
    hooks.add("10-fails", "first", "exit 7");
    hooks.add("20-never", "second", "");
    let failure = hooks.run(Phase::Apply, LONG).await.expect_err("the first fails");
    assert_eq!(failure.to_string(), "the hook 10-fails failed: exit status: 7");
    assert_eq!(hooks.told(), "first\n");
}

#[tokio::test]
async fn a_rollback_runs_every_hook_and_tells_the_first_failure() {
    let hooks = Panel::new();
    hooks.add("10-fails", "$INTERCOM_PHASE", "exit 7");
    hooks.add("20-killed", "second", "kill -9 $$");
    hooks.add("30-works", "third", "");
    let failure = hooks.run(Phase::Rollback, LONG).await.expect_err("two fail");
    assert_eq!(failure.to_string(), "the hook 10-fails failed: exit status: 7");
    assert_eq!(hooks.told(), "rollback\nsecond\nthird\n");
}

#[tokio::test]
async fn a_hook_that_hangs_is_killed_with_its_children() {
    let hooks = Panel::new();
    let alive = Alive::new(&hooks.sandbox);
    let hang = format!("exec 3>'{}'; echo >&3; sleep 60 & sleep 60", alive.path().display());
    hooks.add("10-hangs", "began", &hang);
    let failure = hooks.run(Phase::Apply, Duration::from_secs(1)).await.expect_err("too long");
    assert_eq!(failure.to_string(), "the hook 10-hangs took longer than 1 s and was killed");
    alive.wait_until_gone();
}

#[tokio::test]
async fn a_hook_is_killed_when_nobody_waits_for_it_any_more() {
    let hooks = Panel::new();
    let alive = Alive::new(&hooks.sandbox);
    let hang = format!("exec 3>'{}'; echo >&3; sleep 60 & sleep 60", alive.path().display());
    hooks.add("10-hangs", "began", &hang);
    let forsaken = tokio::time::timeout(Duration::from_millis(500), hooks.run(Phase::Apply, LONG));
    forsaken.await.expect_err("given up");
    alive.wait_until_gone();
}

#[tokio::test]
async fn a_service_that_a_hook_started_lives_on_and_is_not_waited_for() {
    let hooks = Panel::new();
    // The service holds the hook's output open until this test's sandbox is gone.
    let gate = hooks.sandbox.root().path("/gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).expect("a named pipe");
    let service = format!(
        "(read -r word <'{}'; echo \"$word\" >>'{}') &",
        gate.display(),
        hooks.sandbox.root().path("/told").display()
    );
    hooks.add("10-restarts", "began", &service);
    hooks.run(Phase::Apply, LONG).await.expect("the hook has ended");
    // Blocks unless the service is there to read it.
    fs::write(&gate, "alive\n").expect("the service reads");
    let limit = std::time::Instant::now() + LONG;
    while !hooks.told().ends_with("alive\n") {
        assert!(std::time::Instant::now() < limit, "the service is gone");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hook_that_cannot_be_started_fails() {
    let hooks = Panel::new();
    hooks.sandbox.write_mode("/hooks/10-broken", "#!/nowhere/sh\n", 0o755);
    let failure = hooks.run(Phase::Apply, LONG).await.expect_err("no interpreter");
    assert!(failure.to_string().starts_with("the hook 10-broken could not be run: "));
}

#[tokio::test]
async fn a_hook_that_is_asked_first_may_say_not_now_and_its_last_line_says_why() {
    let panel = Panel::new();
    panel.add("10-old", "$INTERCOM_PHASE", "echo what is ready?; exit 1");
    panel.add("20-sip", "asked", "echo one moment; echo a call is going on; exit 75");
    panel.add("30-last", "never asked", "");
    let failure = panel.run(Phase::Ready, LONG).await.expect_err("not now");
    assert!(matches!(failure.problem, HookProblem::NotNow), "{failure:?}");
    assert_eq!(failure.to_string(), "the hook 20-sip says \"not now\": a call is going on");
    assert_eq!(panel.told(), "ready\nasked\n");
    let failure = panel.run(Phase::Apply, LONG).await.expect_err("the first one fails");
    let text = failure.to_string();
    assert_eq!(text, "the hook 10-old failed: exit status: 1: what is ready?");
}
