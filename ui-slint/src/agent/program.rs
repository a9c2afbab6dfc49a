//! `tasuki-agent`: the end user's window.

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;

use clap::Parser;
use slint::ComponentHandle;
use tasuki_peer::shell::texts::Lang;

use super::{scenes, view};
use crate::look::Shade;
use crate::windows::AgentWindow;

/// The end user's window for a support session.
#[derive(Debug, Parser)]
#[command(name = "tasuki-agent", version)]
struct Options {
    /// Shows made-up states without a server; the right and left arrow with Ctrl walk through them.
    #[arg(long)]
    mock: bool,
}

/// The program.
pub fn main() -> ExitCode {
    let _options = Options::parse();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Result<(), slint::PlatformError> {
    let window = AgentWindow::new()?;
    let Some(first) = scenes::all(Lang::En, Shade::Desktop).into_iter().next() else { return Ok(()) };
    let model = Rc::new(RefCell::new(first.model));
    view::show(&model.borrow(), &window);
    let shown = window.as_weak();
    view::wire(&window, move |msg| {
        let _ = model.borrow_mut().update(msg);
        if let Some(window) = shown.upgrade() {
            view::show(&model.borrow(), &window);
        }
    });
    window.run()
}
