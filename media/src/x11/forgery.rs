//! What programs do in the name of a hand's own device (T2).
//!
//! XTEST takes a device's number too, and the display then tells of a press as that device's. Only the request
//! itself shows it, so RECORD has the display tell of each. Decides nothing of what follows from one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::record::{
    self, CS, ConnectionExt as _, EnableContextReply, ExtRange, Range, Range8, Range16,
};
use x11rb::protocol::xproto::MOTION_NOTIFY_EVENT;
use x11rb::protocol::xtest::{self, ConnectionExt as _};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// Which of XTEST's requests they are.
const GET_VERSION: u8 = 0;
const FAKE_INPUT: u8 = 2;
/// What RECORD says of a reply: it has a client's requests, or is the first one.
const FROM_CLIENT: u8 = 1;
const START_OF_DATA: u8 = 4;
/// The display answers at once or is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Told of by a connection and a thread of their own.
#[derive(Debug)]
pub(super) struct Forgeries {
    told: Arc<Told>,
    context: record::Context,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Told {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// When the newest was asked for that nobody has taken note of yet.
    newest: Option<u32>,
    /// So many marks were asked for, and so many have come by.
    asked: u64,
    passed: u64,
    progress: Progress,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    NotBegun,
    Tells,
    Over,
}

impl Forgeries {
    /// From now on, of every client of `desktop`'s display.
    ///
    /// # Errors
    /// [`ScreenError`]: no RECORD or XTEST, or the display lets nobody in a second time.
    pub(super) fn watch(display: Option<&str>, desktop: &Desktop) -> Result<Self, ScreenError> {
        desktop.require(record::X11_EXTENSION_NAME, "RECORD")?;
        desktop.require(xtest::X11_EXTENSION_NAME, "XTEST")?;
        let c = &desktop.connection;
        let found = c.extension_information(xtest::X11_EXTENSION_NAME).map_err(lost)?;
        let major = found.ok_or(ScreenError::MissingExtension { name: "XTEST" })?.major_opcode;
        let context = c.generate_id().map_err(|_| ScreenError::Lost)?;
        let range = Range {
            ext_requests: ExtRange {
                major: Range8 { first: major, last: major },
                minor: Range16 { first: u16::from(GET_VERSION), last: u16::from(FAKE_INPUT) },
            },
            ..Range::default()
        };
        let everybody = [u32::from(u8::from(CS::ALL_CLIENTS))];
        let made = c.record_create_context(context, 0, &everybody, &[range]).map_err(lost)?;
        made.check().map_err(refused("record"))?;
        let told = Arc::new(Told::default());
        let telling = Arc::clone(&told);
        let own = Desktop::connect(display)?;
        let base = c.setup().resource_id_base;
        let thread = std::thread::Builder::new().name("tasuki-forgery".to_owned()).spawn(move || {
            if let Ok(replies) = own.connection.record_enable_context(context) {
                replies.map_while(Result::ok).for_each(|reply| telling.hear(&reply, base));
            }
            telling.lock().progress = Progress::Over;
            telling.changed.notify_all();
        });
        let thread = thread.map_err(|_| ScreenError::NoSharedMemory)?;
        let watching = Self { told, context, thread: Some(thread) };
        watching.told.wait(|state| state.progress == Progress::Tells)?;
        Ok(watching)
    }

    /// When the newest was asked for that was not taken note of yet, as far as it is known.
    ///
    /// # Errors
    /// [`ScreenError::Lost`]: they are not told of any more.
    pub(super) fn take(&self) -> Result<Option<u32>, ScreenError> {
        let mut state = self.told.lock();
        if state.progress == Progress::Tells { Ok(state.newest.take()) } else { Err(ScreenError::Lost) }
    }

    /// As [`Self::take`], of everything that the display has done before it reads this.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(super) fn up_to_now(&self, desktop: &Desktop) -> Result<Option<u32>, ScreenError> {
        let mark = {
            let mut state = self.told.lock();
            state.asked += 1;
            state.asked
        };
        let asked = desktop.connection.xtest_get_version(2, 2).map_err(lost)?;
        asked.reply().map_err(refused("XTEST version"))?;
        self.told.wait(|state| state.passed >= mark)?;
        self.take()
    }

    /// Ends it; the thread is gone afterwards.
    pub(super) fn end(&mut self, desktop: &Desktop) {
        let ended = desktop.connection.record_disable_context(self.context);
        // Of a display that is gone the thread has heard, too.
        let ended = ended.is_ok_and(|ended| ended.check().is_ok());
        if let (true, Some(thread)) = (ended, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

impl Told {
    fn hear(&self, reply: &EnableContextReply, own: u32) {
        let mut state = self.lock();
        if reply.category == START_OF_DATA {
            state.progress = Progress::Tells;
            self.changed.notify_all();
        }
        if reply.category != FROM_CLIENT {
            return;
        }
        for request in requests(&reply.data, reply.client_swapped) {
            if is_forged(request) {
                state.newest = Some(reply.server_time);
            }
            if reply.xid_base == own && request.get(1) == Some(&GET_VERSION) {
                state.passed += 1;
            }
        }
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> Result<(), ScreenError> {
        let waits = |state: &mut State| !until(state) && state.progress != Progress::Over;
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if until(&state) { Ok(()) } else { Err(ScreenError::Lost) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The requests that stand behind one another; `swapped`: in the other order of bytes than ours. What has no
/// length, or more than there is, is the last one.
fn requests(mut data: &[u8], swapped: bool) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u16::from_ne_bytes(data.get(2..4)?.try_into().ok()?);
        let length = usize::from(if swapped { length.swap_bytes() } else { length }) * 4;
        let (request, rest) =
            data.split_at_checked(length).filter(|_| length > 0).unwrap_or((data, &[]));
        data = rest;
        Some(request)
    })
}

/// An act of XTEST's own devices has one of the core's numbers; every other names a device.
fn is_forged(request: &[u8]) -> bool {
    const SENT: u8 = 0x80;
    let kind = request.get(4).map(|kind| kind & !SENT);
    request.get(1) == Some(&FAKE_INPUT) && kind.is_none_or(|kind| kind > MOTION_NOTIFY_EVENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const XTEST: u8 = 132;

    fn request(minor: u8, kind: u8, length: u16) -> Vec<u8> {
        let mut request = vec![XTEST, minor];
        request.extend(length.to_ne_bytes());
        request.resize(usize::from(length) * 4, 0);
        request[4] = kind;
        request
    }

    #[test]
    fn t2_a_request_in_a_devices_name_is_found_among_others_in_either_order_of_bytes() {
        let data = [request(FAKE_INPUT, 2, 9), request(GET_VERSION, 0, 2), request(FAKE_INPUT, 67, 17)];
        let found = |data: &[u8], swapped| requests(data, swapped).map(is_forged).collect::<Vec<_>>();
        assert_eq!(found(&data.concat(), false), [false, false, true]);
        let swapped: Vec<u8> = data
            .iter()
            .flat_map(|request| {
                let mut request = request.clone();
                request[2..4].reverse();
                request
            })
            .collect();
        assert_eq!(found(&swapped, true), [false, false, true]);
    }

    #[test]
    fn t2_what_is_cut_off_or_has_no_length_ends_the_list_and_counts_as_forged_where_it_may_be() {
        assert_eq!(
            requests(&[XTEST, FAKE_INPUT, 0, 0], false).map(is_forged).collect::<Vec<_>>(),
            [true]
        );
        assert_eq!(requests(&[XTEST, FAKE_INPUT], false).count(), 0);
        let cut = &request(FAKE_INPUT, 67, 9)[..8];
        assert_eq!(requests(cut, false).map(is_forged).collect::<Vec<_>>(), [true]);
    }
}
