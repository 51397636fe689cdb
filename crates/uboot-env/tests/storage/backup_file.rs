//! The backup in a file is on the disk before it has its name, and its name before anything is written over
//! what it keeps; as strace sees it.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use uboot_env::{Backup, BackupFile, Blocks};

/// Where this test, run once more under strace, keeps a backup.
const DIR: &str = "UBOOT_ENV_BACKUP_DIR";

#[test]
fn is_synced_and_then_named_and_then_its_name_is_synced() {
    if let Some(dir) = env::var_os(DIR) {
        let mut backup = BackupFile::new(PathBuf::from(dir).join("backup"));
        let blocks = Blocks { device: "/dev/mtd1".to_owned(), start: 0, bytes: vec![0xff; 64] };
        return backup.save(&blocks).expect("kept");
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("backup_file");
    fs::create_dir_all(&dir).expect("a directory");
    let trace = dir.join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", "trace=write,fsync,rename", "-o"]).arg(&trace);
    strace.arg(env::current_exe().expect("this test")).args(["--exact", "--test-threads=1"]);
    strace.arg("backup_file::is_synced_and_then_named_and_then_its_name_is_synced");
    let done = strace.env(DIR, &dir).output().expect("strace runs");
    assert!(done.status.success(), "{done:?}");
    let text = fs::read_to_string(&trace).expect("a trace");
    let dir = dir.display().to_string();
    let calls = text.lines().filter(|line| line.contains(&dir));
    let calls: Vec<String> = calls
        .map(|line| {
            let call = line.split_once(' ').map_or(line, |(_, call)| call).trim_start();
            let name = call.split('(').next().unwrap_or_default();
            let of_the_new_one = format!("{dir}/backup.new>");
            match call.contains(&of_the_new_one) {
                true => format!("{name} backup.new"),
                false => name.to_owned(),
            }
        })
        .collect();
    assert_eq!(calls, ["write backup.new", "fsync backup.new", "rename", "fsync"], "{text}");
}
