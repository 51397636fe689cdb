//! Where cargo puts what it builds: the programs under test, and room for files.
//!
//! `CARGO_BIN_EXE_…` and `CARGO_TARGET_TMPDIR` are set only while a package's own tests are
//! compiled, so a crate that they share cannot read them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The directory of the profile, such as `target/debug`. The test program is in its `deps`.
fn profile() -> PathBuf {
    let mut path = env::current_exe().expect("this program");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path
}

/// The agent. Cargo builds it before the tests of its package.
pub fn agent() -> PathBuf {
    let agent = profile().join("intercom-agent");
    assert!(agent.exists(), "{}: cargo build --package intercom-agent", agent.display());
    agent
}

/// The billing service. Cargo builds it with the tests of the workspace; with those of the agent
/// alone it need not be there yet.
pub fn billing() -> PathBuf {
    let billing = profile().join("intercom-billing");
    if !billing.exists() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "intercom-billing", "--target-dir"])
            .arg(profile().parent().expect("a target directory"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.expect("cargo runs").success(), "intercom-billing cannot be built");
    }
    billing
}

/// Room for the files of tests. On the disk that was built on: `/tmp` may be in memory, where the
/// agent rightly refuses to keep its record.
pub fn room() -> PathBuf {
    profile().with_file_name("tmp")
}
