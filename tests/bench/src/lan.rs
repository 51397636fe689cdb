//! Namespaces of this run's own: a panel's link, and the broker's network at the other end of the cable.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, exit};

use intercom_test_support::unshare;
use nix::sched::{CloneFlags, setns};

use crate::Outcome;

const INSIDE: &str = "INTERCOM_BENCH_INSIDE";

/// Runs this program once more in namespaces; whatever it starts there ends with it.
pub fn inside(arguments: &[&str], body: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let status = unshare().arg(env::current_exe()?).args(arguments).env(INSIDE, "1").status()?;
    exit(status.code().unwrap_or(1));
}

/// Moves this thread to the broker's end of the cable.
pub fn go_to_the_other_end() -> Outcome<()> {
    Ok(setns(File::open("/run/netns/lan")?, CloneFlags::CLONE_NEWNET)?)
}

/// Two copies of a U-Boot environment in plain files, where all tools look for them.
pub fn redundant_environment(dir: &Path, mac: &str) -> Outcome<()> {
    let [text, first, second] = ["text", "copy1", "copy2"].map(|name| dir.join(name));
    fs::write(&text, format!("bootcmd=run it\nethaddr={mac}\n"))?;
    let mut config = String::new();
    for copy in [&first, &second] {
        run(Command::new("mkenvimage").args(["-r", "-s", "0x4000", "-o"]).arg(copy).arg(&text))?;
        config.push_str(&format!("{} 0x0 0x4000\n", copy.display()));
    }
    Ok(fs::write("/etc/fw_env.config", config)?)
}

/// An `/etc` that this run may write to.
pub fn own_etc(dir: &Path) -> Outcome<()> {
    let etc = dir.join("etc");
    run(Command::new("cp").args(["-a", "/etc"]).arg(&etc))?;
    run(Command::new("mount").arg("--bind").arg(&etc).arg("/etc"))
}

/// A directory in memory, as `/run` is on a panel.
pub fn in_memory(dir: &Path) -> Outcome<()> {
    fs::create_dir_all(dir)?;
    run(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(dir))
}

fn run(command: &mut Command) -> Outcome<()> {
    let output = command.output().map_err(|why| format!("{command:?}: {why}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
