//! A sandboxed board with a U-Boot environment, whose link has an address that the driver invented.

use std::process::Command;
use std::time::Instant;

use intercom_test_support::{Answer, Board, LIMIT, MODEL, Process};
use serde_json::Value;
use uboot_env::{Format, Image};

/// The address that the factory wrote into the environment.
pub const OWN: &str = "AA:BB:CC:DD:EE:99";
/// The address that the driver invented.
pub const RANDOM: &str = "02:00:00:00:00:33";
/// The serial number that the factory wrote into the environment.
pub const SERIAL: &str = "FACTORY-SERIAL";

const SIZE: usize = 0x1000;
const COPIES: [&str; 2] = ["env0", "env1"];

/// A board as the factory made it.
pub struct UBootBoard {
    pub board: Board,
    format: Format,
}

impl UBootBoard {
    /// With one copy of the environment or two, and the configuration's `environment`.
    pub fn new(format: Format, policy: &str) -> Self {
        let board = UBootBoard { board: Board::sandboxed("unused", RANDOM), format };
        board.write("sys/class/net/eth0/addr_assign_type", "1\n");
        board.configure("");
        board.configure_environment(policy);
        board.boot("boot-1");
        board.write("etc/fw_env.config", board.lines());
        board.save_environment(&[("ethaddr", OWN), ("serialno", SERIAL), ("bootcmd", "run boot")]);
        board
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.board.write(name, text);
    }

    /// A configuration without a board name, with `top` in it.
    pub fn configure(&self, top: &str) {
        self.write(
            "etc/intercom-agent.toml",
            format!(
                "models = [\"{MODEL}\"]\nstate_dir = \"/state\"\nruntime_dir = \"/run\"\n{top}\n\
                 [mqtt]\nurl = \"mqtt://127.0.0.1:9\"\n"
            ),
        );
    }

    fn configure_environment(&self, policy: &str) {
        self.configure(&format!("environment = \"{policy}\""));
    }

    /// What stands in `fw_env.config` when it is right.
    pub fn lines(&self) -> String {
        self.copies().iter().map(|name| format!("/{name} 0x0 0x1000 0x1000\n")).collect()
    }

    fn copies(&self) -> &'static [&'static str] {
        match self.format {
            Format::Single => &COPIES[..1],
            Format::Redundant => &COPIES,
        }
    }

    /// As `saveenv` of U-Boot.
    pub fn save_environment(&self, variables: &[(&str, &str)]) {
        let changes: Vec<_> = variables.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let image = Image::empty(SIZE, self.format).expect("long enough");
        let image = image.changed(&changes).expect("it fits");
        for name in self.copies() {
            let copy = Image::new(image.bytes().to_vec(), self.format).expect("long enough");
            self.write(name, copy.with_flag(1).bytes());
        }
    }

    /// The bytes of the environment.
    pub fn environment(&self) -> Vec<Vec<u8>> {
        let read = |name: &&str| std::fs::read(self.board.path(name)).unwrap_or_default();
        self.copies().iter().map(read).collect()
    }

    /// The board boots.
    pub fn boot(&self, id: &str) {
        self.write("proc/sys/kernel/random/boot_id", format!("{id}\n"));
    }

    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.board.run(arguments)
    }

    /// The daemon, once it answers.
    pub fn start(&self) -> Process {
        let daemon = self.board.start();
        self.status_until(|_| true);
        daemon
    }

    /// Asks until the status is this.
    pub fn status_until(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LIMIT;
        loop {
            let answer = self.run(&["status", "--json"]);
            if answer.code == 0 && fits(&answer.json()) {
                return answer.json();
            }
            assert!(Instant::now() < end, "the status stays: {answer:?}");
        }
    }

    /// A tool that holds the environment's lock for as long as the value lives.
    pub fn hold_lock(&self) -> Process {
        self.write("var/lock/fw_printenv.lock", "");
        let mut command = Command::new("bash");
        command
            .args(["-c", "exec 9<\"$1\"; flock 9; echo held; exec sleep 600", "bash"])
            .arg(self.board.path("var/lock/fw_printenv.lock"));
        let mut holder = Process::start("flock", &mut command);
        holder.wait_for("held");
        holder
    }
}
