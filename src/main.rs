//! The `intercom-agent` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    intercom_agent::cli::main()
}
