//! The `exportd` program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    exportd::cli::main()
}
