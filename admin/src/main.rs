//! `tasuki-admin`: reads the command line, runs one command, prints its result.

use std::io::Write;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use tasuki_admin::command;
use tasuki_admin::fault::Fault;
use tasuki_admin::printed::Form;
use tasuki_admin::prompt;
use tasuki_admin::usage;

fn main() -> ExitCode {
    // Keys in memory must not land in a core dump (T68); lowering one's own limit is refused to nobody.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
    let program = match usage::parse() {
        Ok(program) => program,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let (printed, code) = match runtime.block_on(command::run(&program)) {
        Ok(printed) => (printed, ExitCode::SUCCESS),
        Err(fault) => {
            let code = ExitCode::from(fault.exit_code());
            prompt::show(&program.settings.language().fault(&fault));
            let Fault::Printed { printed, .. } = fault else { return code };
            (*printed, code)
        }
    };
    let form = if program.settings.json { Form::Json } else { Form::Text };
    match writeln!(std::io::stdout(), "{}", printed.shown(form)) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
