//! The last words of sessions when the display goes away (S31, T33).
//!
//! A display that breaks its connection to this program (`xkill`, a crash of the display, the end of a
//! desktop session) ends the program: Xlib does so at once and asks nobody. Whoever takes part in a session
//! would then wait for a line that never comes back; so the sessions say first that they end. Decides
//! nothing of what a session says.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

/// How long they may take together.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

struct Session {
    end: Box<dyn FnOnce() + Send>,
    task: AbortHandle,
}

static SESSIONS: Mutex<Vec<Session>> = Mutex::new(Vec::new());

/// `end` is called when the display is gone; then `task` has a moment to be over.
pub(crate) fn of(task: AbortHandle, end: impl FnOnce() + Send + 'static) {
    let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    sessions.retain(|session| !session.task.is_finished());
    sessions.push(Session { end: Box::new(end), task });
}

/// From now on the sessions are heard before the program ends.
pub(crate) fn prepare() {
    #[cfg(all(unix, not(target_os = "macos")))]
    xlib::prepare();
}

fn say() {
    let mut sessions = std::mem::take(&mut *SESSIONS.lock().unwrap_or_else(PoisonError::into_inner));
    let mut tasks = Vec::new();
    for session in sessions.drain(..) {
        (session.end)();
        tasks.push(session.task);
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && tasks.iter().any(|task| !task.is_finished()) {
        std::thread::sleep(PAUSE);
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod xlib {
    use std::ffi::c_int;

    use x11_dl::xlib::{Display, Xlib};

    pub(super) fn prepare() {
        // Without Xlib nothing here is connected through it.
        let Ok(xlib) = Xlib::open() else { return };
        // SAFETY: takes a function of this signature, to be called by any thread at any time while the
        // program runs; `gone` is one, lives as long, and touches nothing of Xlib.
        unsafe { (xlib.XSetIOErrorHandler)(Some(gone)) };
    }

    /// Xlib ends the program when this comes back.
    unsafe extern "C" fn gone(_: *mut Display) -> c_int {
        super::say();
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s31_each_session_is_told_and_waited_for_and_one_that_is_over_is_forgotten() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let over = runtime.spawn(async {});
        while !over.is_finished() {
            std::thread::sleep(PAUSE);
        }
        of(over.abort_handle(), || panic!("this one is over"));
        let (end, ended) = tokio::sync::oneshot::channel();
        let (said, heard) = std::sync::mpsc::sync_channel(1);
        let runs = runtime.spawn(async move {
            ended.await.unwrap();
            said.send("goodbye").unwrap();
        });
        of(runs.abort_handle(), move || end.send(()).unwrap());
        say();
        assert_eq!(heard.try_recv(), Ok("goodbye"));
        assert!(runs.is_finished());
    }
}
