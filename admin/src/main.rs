//! `tasuki-admin`: reads the command line, runs one command, prints its result.

use std::io::Write;
use std::process::ExitCode;

use tasuki_admin::audit::neutral;
use tasuki_admin::command;
use tasuki_admin::fault::Fault;
use tasuki_admin::usage;

fn main() -> ExitCode {
    let program = match usage::parse() {
        Ok(program) => program,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let (printed, code) = match runtime.block_on(command::run(&program)) {
        Ok(printed) => (printed, ExitCode::SUCCESS),
        Err(fault) => {
            let sentence = program.settings.language().fault(&fault);
            let code = ExitCode::from(fault.exit_code());
            // A closed terminal leaves nobody to tell; the exit code still says it.
            let _told = writeln!(std::io::stderr(), "{sentence}");
            let Fault::Printed { printed, .. } = fault else { return code };
            (*printed, code)
        }
    };
    // What strangers wrote may stand in any of it (T66).
    let text = if program.settings.json { neutral::json(&printed.json) } else { printed.text };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
