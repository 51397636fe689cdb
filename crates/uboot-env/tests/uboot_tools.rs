//! The environment is the same to us and to the tools that others use: `mkenvimage` of U-Boot, and
//! `fw_printenv` and `fw_setenv` of libubootenv. With `UBOOT_ENV_TOOLS=DIRECTORY` also those in
//! that directory, for example U-Boot's own (`make envtools`), which Debian has not.

#![allow(clippy::expect_used, clippy::panic, reason = "how a test fails")]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use uboot_env::{BackupFile, Format, Image, Store, Written, parse_config};

const SIZE: usize = 0x4000;

const TEXT: &str = "bootcmd=sf probe 0; bootm 0x42000000\n\
    bootargs=mem=32M console=ttyAMA0,115200 mtdparts=hi_sfc:256k(boot),64k(env)\n\
    ethaddr=00:00:23:34:45:66\n\
    serial#=A1-0001\n\
    empty=\n";

/// One place with an environment in plain files, and both sides' view of it.
struct Bench {
    dir: PathBuf,
    tools: PathBuf,
    redundant: bool,
    store: Store,
    backup: BackupFile,
}

/// Where the tools are; an empty path is `$PATH`.
fn toolsets() -> Vec<PathBuf> {
    let more = env::var_os("UBOOT_ENV_TOOLS").map(PathBuf::from);
    [PathBuf::new()].into_iter().chain(more).collect()
}

fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|why| {
        panic!("{program:?}: {why}; install u-boot-tools libubootenv-tool");
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program:?} {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

impl Bench {
    /// An environment made by `mkenvimage`, filled up with `fill`, at 0 of a file of its own per
    /// copy; the second copy of a redundant one was never written.
    fn new(name: &str, tools: &Path, wanted: usize, fill: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}-{wanted}-{fill}", process::id()))
            .join(if tools.as_os_str().is_empty() { "path" } else { "more" });
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("directory");
        let path = |name: &str| dir.join(name).to_str().expect("text").to_owned();
        fs::write(path("text"), TEXT).expect("written");
        let (size, to, from) = (SIZE.to_string(), path("copy0"), path("text"));
        let mut arguments = vec!["-s", &size, "-p", fill, "-o", &to, &from];
        if wanted == 2 {
            arguments.insert(0, "-r");
            fs::write(path("copy1"), [0xff; SIZE]).expect("written");
        }
        run("mkenvimage", &arguments);
        let config: String = (0..wanted)
            .map(|copy| format!("{}\t0x0\t{SIZE:#x}\n", path(&format!("copy{copy}"))))
            .collect();
        fs::write(path("config"), &config).expect("written");
        let layout = parse_config(&config).expect("the tools' own format").expect("not empty");
        Bench {
            store: Store::open("/", &layout).expect("opened"),
            backup: BackupFile::new(dir.join("backup")),
            tools: tools.to_owned(),
            redundant: wanted == 2,
            dir,
        }
    }

    fn config(&self) -> String {
        self.dir.join("config").to_str().expect("text").to_owned()
    }

    fn we_set(&mut self, name: &str, value: Option<&str>) {
        let mut transaction = self.store.begin().expect("good");
        match value {
            Some(value) => transaction.set(name, value),
            None => transaction.remove(name),
        };
        let written = transaction.commit(&mut self.backup);
        assert_eq!(written.expect("written"), Written::Changed);
    }

    fn we_read(&mut self, name: &str) -> Option<String> {
        let environment = self.store.read().expect("read");
        assert!(environment.health.good > 0);
        environment.get(name).map(|value| value.into_owned())
    }

    fn they_set(&self, name: &str, value: Option<&str>) {
        let config = self.config();
        let arguments = ["-c", &config, name].into_iter().chain(value);
        let arguments: Vec<&str> = arguments.collect();
        run(self.tools.join("fw_setenv"), &arguments);
    }

    /// All variables, in one order.
    fn they_read(&self) -> Vec<String> {
        let all = run(self.tools.join("fw_printenv"), &["-c", &self.config()]);
        let mut lines: Vec<String> = all.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn they_read_one(&self, name: &str) -> Option<String> {
        let begins = format!("{name}=");
        let lines = self.they_read();
        let found = lines.iter().find_map(|line| line.strip_prefix(&begins));
        found.map(str::to_owned)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Single and redundant, filled up with erased flash and with zeros, for all tools there are.
fn on_each_bench(name: &str, test: impl Fn(&mut Bench)) {
    for tools in toolsets() {
        for copies in [1, 2] {
            for fill in ["0xff", "0x00"] {
                test(&mut Bench::new(name, &tools, copies, fill));
            }
        }
    }
}

#[test]
fn what_mkenvimage_made_is_read() {
    on_each_bench("made", |bench| {
        let bootcmd = bench.we_read("bootcmd");
        assert_eq!(bootcmd.as_deref(), Some("sf probe 0; bootm 0x42000000"));
        assert_eq!(bench.we_read("serial#").as_deref(), Some("A1-0001"));
        assert_eq!(bench.we_read("nothing"), None);
    });
}

#[test]
fn what_we_wrote_is_read_by_the_tools_and_nothing_else_changed() {
    on_each_bench("ours", |bench| {
        let before = bench.they_read();
        bench.we_set("ethaddr", Some("AA:BB:CC:DD:EE:FF"));
        bench.we_set("serial#", Some("A1-0042 with more text"));
        bench.we_set("new", Some("a=b"));
        let expected: Vec<String> = before
            .iter()
            .map(|line| match line.split_once('=') {
                Some(("ethaddr", _)) => "ethaddr=AA:BB:CC:DD:EE:FF".into(),
                Some(("serial#", _)) => "serial#=A1-0042 with more text".into(),
                _ => line.clone(),
            })
            .chain(["new=a=b".to_owned()])
            .collect();
        let mut expected = expected;
        expected.sort();
        assert_eq!(bench.they_read(), expected);
        bench.we_set("new", None);
        assert_eq!(bench.they_read_one("new"), None);
    });
}

#[test]
fn what_the_tools_wrote_is_read() {
    on_each_bench("theirs", |bench| {
        bench.they_set("serialno", Some("B2"));
        assert_eq!(bench.we_read("serialno").as_deref(), Some("B2"));
        bench.they_set("serialno", None);
        assert_eq!(bench.we_read("serialno"), None);
        let bootcmd = bench.we_read("bootcmd");
        assert_eq!(bootcmd.as_deref(), Some("sf probe 0; bootm 0x42000000"));
    });
}

/// Of a redundant environment each write must be the one that counts, to both, also when the
/// counter wraps.
#[test]
fn in_turns_each_sees_what_the_other_wrote_last() {
    on_each_bench("turns", |bench| {
        let turns = if bench.redundant { 140 } else { 4 };
        for turn in 0..turns {
            let (ours, theirs) = (format!("ours {turn}"), format!("theirs {turn}"));
            bench.we_set("turn", Some(&ours));
            assert_eq!(bench.they_read_one("turn"), Some(ours));
            bench.they_set("turn", Some(&theirs));
            assert_eq!(bench.we_read("turn"), Some(theirs));
        }
    });
}

#[test]
fn what_is_made_here_is_what_mkenvimage_makes() {
    for (format, options) in
        [(Format::Single, ["-s", "64"].as_slice()), (Format::Redundant, &["-r", "-s", "64"])]
    {
        let made = Image::empty(64, format).expect("long enough");
        let made = made.changed(&[("a", Some("1")), ("b", Some("2 3"))]).expect("fits");
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = |name: &str| dir.join(format!("{name}-{}", process::id()));
        let (from, to) = (path("from"), path("to"));
        fs::write(&from, "a=1\nb=2 3\n").expect("written");
        let files = ["-p", "0", "-o", to.to_str().expect("text"), from.to_str().expect("text")];
        run("mkenvimage", &[options, &files].concat());
        assert_eq!(made.with_flag(1).bytes(), fs::read(&to).expect("read"), "{format:?}");
        fs::remove_file(from).and_then(|()| fs::remove_file(to)).expect("removed");
    }
}
