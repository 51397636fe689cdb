//! The examples of docs/troubleshooting.md: what the commands print on a panel that is well, and on five
//! that are not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use intercom_agent::cli::wrap;
use intercom_test_support::certificates::Authority;
use intercom_test_support::{Board, Broker, Directory, OLD, Process};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/troubleshooting.md");
const BEGIN: &str = "<!-- the examples begin -->\n";
const END: &str = "<!-- the examples end -->\n";
/// The daemon waits half a minute for its own presence.
const LIMIT: Duration = Duration::from_secs(60);
/// In place of each time.
const TIME: &str = "2026-01-01T00:00:00Z";
const NOW: (i32, i32) = (2000, 2100);
/// What the panel may, and what it may where one topic is denied.
const RULES: &str = "pattern readwrite intercoms/#\n";
const WITHOUT_PRESENCE: &str = "pattern write intercoms/#\npattern read intercoms/+/patch/#\n";

/// A broker that wants TLS and a password, and a panel that connects to it.
struct Scene {
    broker: Broker,
    board: Board,
}

impl Scene {
    fn new(rules: &str) -> Self {
        let (dir, authority) = (Directory::new(), Authority::new("ours"));
        let file = |name: &str| dir.path().join(name);
        authority.issue("127.0.0.1", NOW, &file("server"));
        fs::write(file("rules"), rules).expect("written");
        fs::write(file("passwords"), "").expect("written");
        let mut made = Command::new("mosquitto_passwd");
        made.arg("-b").arg(file("passwords")).args(["gate-1", "secret"]);
        assert!(made.status().expect("mosquitto_passwd; tests/run installs it").success());
        let settings = "certfile DIR/server.pem\nkeyfile DIR/server.key\nallow_anonymous false\n\
                        password_file DIR/passwords\nacl_file DIR/rules\n";
        let broker = Broker::start_from(dir, settings);
        let board =
            Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url().replace("mqtt", "mqtts"));
        board.configure(
            "ca_file = \"/etc/ca.pem\"\nusername = \"gate-1\"\npassword_file = \"/etc/password\"",
        );
        authority.save(&board.path("etc/ca.pem"));
        let scene = Scene { broker, board };
        scene.password("secret");
        scene
    }

    fn password(&self, password: &str) {
        self.board.write("etc/password", password);
        let secret = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.board.path("etc/password"), secret).expect("set");
    }

    fn url(self, url: &str) -> Self {
        let file = "etc/intercom-agent.toml";
        let own = self.broker.url().replace("mqtt", "mqtts");
        let text = self.board.read(file).replace(&own, url);
        self.board.write(file, text);
        self
    }

    /// What a command prints, without what differs each time, as a terminal of 80 columns shows it.
    fn shown(&self, arguments: &[&str]) -> String {
        self.stable(&self.board.run(arguments).out)
    }

    /// What `status --follow` prints at once; it goes on with each step.
    fn followed(&self) -> String {
        let mut follow = Process::start("status", &mut self.board.command(&["status", "--follow"]));
        follow.wait_for("waiting ");
        self.stable(&follow.said().join("\n"))
    }

    fn stable(&self, text: &str) -> String {
        let dir = self.board.path("").display().to_string();
        let text = text.replace(dir.trim_end_matches('/'), "");
        let text = text.replace(&self.broker.address().1.to_string(), "8883");
        // What a machine without DNS says of a name that is not there.
        let text =
            text.replace("Temporary failure in name resolution", "Name or service not known");
        let lines: String = text.lines().map(|line| stable_line(line) + "\n").collect();
        // While an attempt goes on there is no next one.
        wrap(&lines.replace("; next attempt in 1 s", ""), 80)
    }

    /// Waits until the daemon is connected, or says why not.
    fn settled(&self) {
        let end = Instant::now() + LIMIT;
        loop {
            assert!(Instant::now() < end, "nothing comes of it");
            let status = self.board.run(&["status", "--json"]);
            if status.code == 0 {
                let route = &status.json()["routes"][0];
                if route["reached"] == true || !route["last_error"].is_null() {
                    return;
                }
            }
        }
    }
}

/// Without times, sizes and versions.
fn stable_line(line: &str) -> String {
    if line.starts_with("intercom-agent ") {
        return format!("intercom-agent VERSION (COMMIT), build BUILD, {TIME}");
    }
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for at in 0..words.len() {
        let unit = words.get(at + 1).map_or("", |next| next.trim_end_matches([';', ':', ',']));
        let word = &words[at];
        if let Some((name, _)) = word.split_once("-netcheck-") {
            words[at] = format!("{name}-netcheck-1f2e");
            continue;
        }
        if word.len() == TIME.len() && word.ends_with('Z') && word.contains('T') {
            words[at] = TIME.to_owned();
        } else if word.parse::<u64>().is_ok() && ["s", "ms", "KiB"].contains(&unit) {
            // Milliseconds stand in a column of their own.
            words[at] =
                if unit == "ms" { format!("{:>1$}", 1, word.len()) } else { "1".to_owned() };
        }
    }
    words.join(" ")
}

/// A panel whose broker is at this URL, if not at its own.
fn scene(rules: &str, url: Option<&str>) -> Scene {
    let scene = Scene::new(rules);
    match url {
        Some(url) => scene.url(url),
        None => scene,
    }
}

type MakeScene = fn() -> Scene;

fn examples() -> String {
    let scenes: [(&str, MakeScene); 6] = [
        ("A panel that is well", || scene(RULES, None)),
        ("No such name", || scene(RULES, Some("mqtts://broker.invalid"))),
        ("The wrong port", || scene(RULES, Some("mqtts://127.0.0.1:9"))),
        ("Another authority", || {
            let scene = scene(RULES, None);
            Authority::new("other").save(&scene.board.path("etc/ca.pem"));
            scene
        }),
        ("The wrong password", || {
            let scene = scene(RULES, None);
            scene.password("wrong");
            scene
        }),
        ("A denied topic", || scene(WITHOUT_PRESENCE, None)),
    ];
    let mut text = String::new();
    for (title, scene) in scenes {
        let scene = scene();
        let netcheck = scene.shown(&["netcheck"]);
        let _daemon = scene.board.start();
        scene.settled();
        text.push_str(&format!("\n### {title}\n"));
        for (command, output) in [("netcheck", netcheck), ("status --follow", scene.followed())] {
            text.push_str(&block(command, &output));
        }
        for command in ["doctor", "bugreport"] {
            let block = block(command, &scene.shown(&[command]));
            text.push_str(&format!(
                "\n<details><summary><code>{command}</code></summary>\n{block}\n</details>\n"
            ));
        }
    }
    text + "\n"
}

fn block(command: &str, output: &str) -> String {
    format!("\n```console\n# intercom-agent {command}\n{}\n```\n", output.trim_end())
}

/// `UPDATE_DOCS=1` writes them anew.
#[test]
fn the_documents_examples_are_what_the_commands_print() {
    let document = fs::read_to_string(DOCUMENT).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("where they begin");
    let (documented, after) = rest.split_once(END).expect("where they end");
    let examples = examples();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(DOCUMENT, [before, BEGIN, &examples, END, after].concat()).expect("written");
        return;
    }
    for (number, (documented, printed)) in documented.lines().zip(examples.lines()).enumerate() {
        assert_eq!(documented, printed, "line {number} of the examples: UPDATE_DOCS=1 writes them");
    }
    assert_eq!(documented.lines().count(), examples.lines().count());
}
