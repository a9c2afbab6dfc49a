//! `tasuki-admin`: reads the command line, runs one command, prints its result.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tasuki_admin::command::{self, Program};

fn main() -> ExitCode {
    let program = Program::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let (text, code) = match runtime.block_on(command::run(&program)) {
        Ok(printed) if program.settings.json => (printed.json.to_string(), ExitCode::SUCCESS),
        Ok(printed) => (printed.text, ExitCode::SUCCESS),
        Err(fault) => {
            let sentence = program.settings.language().fault(&fault);
            let code = ExitCode::from(fault.exit_code());
            // A closed terminal leaves nobody to tell; the exit code still says it.
            let _told = writeln!(std::io::stderr(), "{sentence}");
            return code;
        }
    };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
