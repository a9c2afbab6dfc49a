//! `tasuki-agent`: starts the end user's window, or says why it cannot.
//!
//! Decides what a start means: the first window, a later one that hands its link over, or a walk
//! through made-up states.

use std::io::Write;
use std::process::ExitCode;

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::settings::Flags;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::link::JoinLink;

use super::memory::Remembered;
use super::mock;
use super::model::Msg;
use super::options::{self, Options};
use super::running::{FAREWELL, Program};
use crate::single::{self, Start};
use crate::upkeep;

/// The program.
pub fn main() -> ExitCode {
    if let Some(end) = tasuki_media::desktop::serve_when_asked() {
        return end;
    }
    let options = match options::read() {
        Ok(options) => options,
        Err(told) => return told,
    };
    let early = Lang::of_locale(&options.common.lang.clone().unwrap_or_else(locale));
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(std::io::stderr(), "{}", fault.sentence(early));
            ExitCode::from(fault.exit_code())
        }
    }
}

fn run(options: &Options) -> Result<(), Fault> {
    let next_is_bar = upkeep::choose_toolkit("tasuki-agent")?;
    if let Some(state) = &options.mock {
        return mock::walk(state, options.common.lang.as_deref(), next_is_bar).map_err(unusable);
    }
    let flags = Flags {
        profile: options.common.profile.clone(),
        tenant: options.common.tenant.clone(),
        lang: options.common.lang.clone(),
        log: options.common.log.clone(),
        ..Flags::default()
    };
    let remembered = Remembered::read(&flags)?;
    tasuki_peer::programs::surface::start_log(&remembered.settings.log)?;
    let link = options.link.as_deref();
    let door = match single::start("tasuki-agent", &remembered.settings.profile, link) {
        Start::Second => return Ok(()),
        Start::First(door) => door,
    };
    let said_language = options.common.lang.is_some();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|why| Fault::System { what: "a thread", why: why.to_string() })?;
    let handle = runtime.handle().clone();
    let made = Program::new(remembered, said_language, next_is_bar, handle);
    let (program, opened) = made.map_err(unusable)?;
    if let Some(door) = door {
        door.attend(move |link| drop(opened.blocking_send(link)));
    }
    if let Some(link) = link {
        program.dispatch(read_link(link));
    }
    let ran = program.run().map_err(unusable);
    // A file that is written to a folder which no more answers is not waited for.
    runtime.shutdown_timeout(FAREWELL);
    ran
}

/// Empty when somebody merely started the program again: the window comes to the front.
pub(super) fn read_link(link: &str) -> Msg {
    if link.is_empty() {
        Msg::Presented
    } else {
        Msg::Linked(link.parse().ok().map(|JoinLink(number)| number))
    }
}

fn unusable(why: slint::PlatformError) -> Fault {
    crate::unusable(&why)
}

/// By POSIX: the first of these that is set and not empty.
pub(super) fn locale() -> String {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}
